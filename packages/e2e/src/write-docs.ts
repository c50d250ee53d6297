import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { referencePages } from "./reference-pages.js";

const ROOT = new URL("../../../", import.meta.url);

for (const [path, text] of Object.entries(await referencePages()))
  writeFileSync(fileURLToPath(new URL(path, ROOT)), text);
