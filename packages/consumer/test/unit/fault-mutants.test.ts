import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { MUTANTS } from "../faults/support/mutants.js";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));

describe("the mutants of the fault suite", () => {
  it.each(MUTANTS)("fit one place of the consumer as it is built: $name", ({ file, find }) => {
    const places = readFileSync(`${ROOT}${file}`, "utf8").split(find).length - 1;

    expect(places).toBe(1);
  });
});
