import { describe, expect, it } from "@jest/globals";
import { failureOf } from "../../src/insert-failures.js";

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
});
