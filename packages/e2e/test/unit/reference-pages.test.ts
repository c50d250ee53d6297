import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { referencePages } from "../../src/reference-pages.js";

const pages = await referencePages();

describe("The generated pages", () => {
  it.each(Object.entries(pages))(
    "%s says what the code declares (npm run docs writes it anew)",
    (path, text) => {
      const page = readFileSync(new URL(`../../../../${path}`, import.meta.url), "utf8");

      expect(page).toBe(text);
    },
  );
});
