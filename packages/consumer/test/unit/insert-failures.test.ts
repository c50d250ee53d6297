import { describe, expect, it } from "@jest/globals";
import { failureOf, isAboutARow } from "../../src/insert-failures.js";

describe("ClickHouse's error codes", () => {
  it.each([3, 107, 159, 164, 202, 203, 209, 210, 241, 242, 252, 285, 319, 425, 999])(
    "%i passes with time, as for ClickHouse's own Kafka connector",
    (code) => {
      expect(failureOf(code)).toBe("passes_with_time");
    },
  );

  it.each([60, 81, 16, 47, 192, 193, 497, 516])(
    "%i needs somebody to mend the deployment",
    (code) => {
      expect(failureOf(code)).toBe("misconfigured");
    },
  );

  it.each([
    ["a violated check", 469],
    ["text that cannot be parsed", 27],
    ["broken data", 117],
    ["a number out of range", 321],
    ["a code that nobody has heard of", 123_456],
  ])("that mean %s lead to a search for the record", (_, code) => {
    expect(failureOf(code)).toBe("bad_record");
  });

  it.each([6, 26, 27, 38, 41, 53, 69, 72, 321, 349, 469])(
    "%i says by itself that a row is at fault",
    (code) => {
      expect([failureOf(code), isAboutARow(code)]).toEqual(["bad_record", true]);
    },
  );

  it.each([33, 43, 74, 75, 117, 173, 198, 201, 290, 439, 745, 1_001, 123_456])(
    "%i may be chance, for one record as for many",
    (code) => {
      expect([failureOf(code), isAboutARow(code)]).toEqual(["bad_record", false]);
    },
  );
});
