import { describe, expect, it } from "@jest/globals";
import {
  calledFunctions,
  canonicalWords,
  formatOf,
  settingsOf,
} from "../../src/sql/canonical-words.js";

describe("A statement in the engine's words", () => {
  it("names every function that it calls, but nothing that stands in text or in a name", () => {
    const words = canonicalWords(
      "SELECT Upper(x), 'file(\\'a\\')', `sleep(1)`, `now`(), * APPLY file, * APPLY (y -> lower(y)) FROM numbers(3)",
    );

    expect(calledFunctions(words)).toEqual(["upper", "now", "file", "apply", "lower", "numbers"]);
  });

  it.each([
    ["SELECT 1\nFORMAT JSON", "JSON"],
    ["SELECT 1\nFORMAT JSON\nSETTINGS final = 1", "JSON"],
    ["SELECT 'FORMAT CSV'", null],
    ["SELECT format(a) AS FORMAT", null],
  ])("%j ends with the format %s", (statement, format) => {
    expect(formatOf(canonicalWords(statement))).toBe(format);
  });

  it.each([
    ["SELECT 1", []],
    [
      "SELECT 1 SETTINGS final = 1, a = 'it\\'s', b = true",
      [
        ["final", "1"],
        ["a", "it's"],
        ["b", "true"],
      ],
    ],
    [
      "SELECT (SELECT 1 SETTINGS a = 1), (SELECT 1 SETTINGS a = 2) SETTINGS a = 3",
      [
        ["a", "1"],
        ["a", "2"],
        ["a", "3"],
      ],
    ],
    ["SELECT 'SETTINGS a = 1'", []],
    ["SHOW SETTINGS LIKE 'x'", []],
    ["SHOW CHANGED SETTINGS LIKE 'x'", []],
    ["SELECT 1 SETTINGS a = -1", null],
    ["SELECT 1 SETTINGS a = [1], b = 2", null],
    ["SELECT 1 SETTINGS a = 1 b = 2", null],
    ["SELECT 1 SETTINGS a", null],
  ])("%j brings the settings %j along", (statement, settings) => {
    expect(settingsOf(canonicalWords(statement))).toEqual(settings);
  });
});
