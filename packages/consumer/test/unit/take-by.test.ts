import { describe, expect, it } from "@jest/globals";
import { takeBy } from "../../src/take-by.js";

const NOW = 1_700_000_000_000;
const LIMITS = { maxRecords: 1, maxBytes: 1, maxDelayMs: 1_000 };
const waitOf = (timestampMs: number, insertMs?: number) =>
  takeBy({ timestampMs }, NOW, insertMs === undefined ? LIMITS : { ...LIMITS, insertMs }) - NOW;

describe("the time by which a record is taken", () => {
  it("leaves of the delay after its receipt what its insert usually takes", () => {
    expect(waitOf(NOW)).toBe(1_000);
    expect(waitOf(NOW - 80)).toBe(920);
    expect(waitOf(NOW - 80, 120)).toBe(800);
  });

  it("is no later for a receipt in the future, by a clock that runs ahead", () => {
    expect(waitOf(NOW + 5_000, 100)).toBe(900);
  });

  it("leaves a quarter of the delay to wait in, however late the record and however slow its insert", () => {
    expect(waitOf(NOW - 3_600_000)).toBe(750);
    expect(waitOf(NOW, 60_000)).toBe(500);
    expect(waitOf(NOW - 3_600_000, 60_000)).toBe(250);
  });
});
