import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's folder. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The command that an installed package brings. */
export const bin = (name) => join(ROOT, "node_modules", ".bin", name);
