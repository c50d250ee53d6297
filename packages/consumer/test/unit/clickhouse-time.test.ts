import { describe, expect, it } from "@jest/globals";
import { formatTime } from "../../src/clickhouse-time.js";

describe("a time as ClickHouse reads it", () => {
  it("keeps milliseconds, in UTC", () => {
    expect(formatTime(new Date("2026-01-02T03:04:05.678Z"))).toBe("2026-01-02 03:04:05.678");
  });

  it.each([
    [-1, "1970-01-01 00:00:00.000"],
    [8_640_000_000_000_000, "2299-12-31 23:59:59.999"],
    [Number.MAX_SAFE_INTEGER, "2299-12-31 23:59:59.999"],
  ])("becomes the nearest that a column can hold, for a record of %d ms", (ms, text) => {
    expect(formatTime(new Date(ms))).toBe(text);
  });
});
