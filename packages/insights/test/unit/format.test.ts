import { describe, expect, it } from "@jest/globals";
import {
  formatCount,
  formatFreshness,
  formatRate,
  formatSeconds,
  momentOf,
  NONE,
} from "../../web/format.js";

describe("figures for people", () => {
  it.each([
    [0, "0 s"],
    [59.6, "1 min"],
    [61, "1 min 1 s"],
    [3_600, "1 h"],
    [3_661, "1 h 1 min"],
    [90_000, "1 d 1 h"],
    [172_805, "2 d"],
  ])("write %s seconds as %s", (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });

  it("show a dash for what has no figure, and a zero for zero", () => {
    expect([formatCount(null), formatRate(null), formatSeconds(null)]).toEqual([NONE, NONE, NONE]);
    expect(formatCount(0)).toBe("0");
  });

  it("say the day of a time that is not today's", () => {
    const time = new Date(2026, 0, 2, 3, 4, 5);
    expect(formatFreshness(time, new Date(2026, 0, 2, 23))).not.toContain("2026");
    expect(formatFreshness(time, new Date(2026, 0, 3, 3))).toContain("2026");
  });

  it("read the database's times as UTC, and its zero as none", () => {
    expect(momentOf("2026-01-02 03:04:05.678")).toEqual(new Date("2026-01-02T03:04:05.678Z"));
    expect(momentOf("1970-01-01 00:00:00")).toBeNull();
    expect(momentOf("")).toBeNull();
    expect(momentOf(null)).toBeNull();
  });
});
