import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { MUTANTS } from "../faults/support/mutants.js";
import { ROUND } from "../faults/support/schedule.js";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));

describe("the mutants of the fault suite", () => {
  it.each(MUTANTS)("fit one place of the consumer as it is built: $name", ({ file, find }) => {
    const places = readFileSync(`${ROOT}${file}`, "utf8").split(find).length - 1;

    expect(places).toBe(1);
  });
});

it("a round of seeds is as long as the command and CONTRIBUTING.md say", () => {
  const script = readFileSync(`${ROOT}scripts/fault-arguments.mjs`, "utf8");
  const page = readFileSync(`${ROOT}CONTRIBUTING.md`, "utf8");

  expect(script).toContain(`export const ROUND = ${ROUND};`);
  expect(page).toMatch(new RegExp(`one round of seeds: ${ROUND}\\s`));
});
