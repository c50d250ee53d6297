import { describe, expect, it } from "@jest/globals";
import { UUID_PATTERN } from "@push-reports/report";
import { ReportIds } from "../../src/report-id.js";

describe("report ids", () => {
  it("are UUIDs of version 7 that carry the time", () => {
    const id = new ReportIds(() => 0x0123456789ab).next();
    expect(id).toMatch(UUID_PATTERN);
    expect(id).toMatch(/^01234567-89ab-7000-[89ab]/);
  });

  it("grow within a millisecond, past its sequence, and when the clock goes back", () => {
    let now = 1_000_000;
    const ids = new ReportIds(() => now);
    const made = Array.from({ length: 10_000 }, (_, index) => {
      if (index === 9_000) now -= 500;
      return ids.next();
    });
    expect(new Set(made).size).toBe(made.length);
    expect(made).toEqual(made.toSorted((a, b) => (a < b ? -1 : 1)));
    expect(made.every((id) => UUID_PATTERN.test(id))).toBe(true);
  });
});
