import { describe, expect, it } from "@jest/globals";
import { patienceOf } from "../../src/patience.js";

describe("The patience of tests", () => {
  it.each([
    [undefined, 1],
    ["", 1],
    ["1", 1],
    ["2.5", 2.5],
  ])("is for TEST_PATIENCE %p the factor %p", (text, factor) => {
    expect(patienceOf(text)).toBe(factor);
  });

  it.each(["0", "0.5", "-1", "long", "Infinity"])("refuses %p and says what it takes", (text) => {
    expect(() => patienceOf(text)).toThrow(
      `TEST_PATIENCE must be a number from 1 on, not "${text}"`,
    );
  });
});
