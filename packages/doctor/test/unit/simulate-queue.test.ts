import { describe, expect, it } from "@jest/globals";
import { awayAtNoon, dayOf, simulateQueue } from "../../src/capacity/simulate-queue.js";

const DAY = 86_400;
const constant = (perSecond: number) => () => perSecond;

describe("A simulated queue", () => {
  it("stays empty while more can go than comes", () => {
    expect(simulateQueue({ comes: constant(100), goes: constant(200), seconds: 1_000 })).toEqual({
      mostRecords: 0,
      longestAtSecs: 0,
      oldestSecs: 0,
      emptyAtSecs: 0,
    });
  });

  it("grows by what comes in an outage, and drains with what is over: by hand 1 h × 100/s, then 100 s for each 100 at 300 − 100", () => {
    const away = (at: number) => (at < 3_600 ? 0 : 300);
    const history = simulateQueue({ comes: constant(100), goes: away, seconds: DAY });

    expect(history.mostRecords).toBe(360_000);
    expect(history.longestAtSecs).toBe(3_599);
    expect(history.oldestSecs).toBeGreaterThanOrEqual(3_598);
    expect(history.oldestSecs).toBeLessThanOrEqual(3_600);
    expect(Math.abs(Number(history.emptyAtSecs) - (3_600 + 1_800))).toBeLessThanOrEqual(2);
  });

  it("is never empty again when less can go than comes", () => {
    const history = simulateQueue({ comes: constant(100), goes: constant(50), seconds: 1_000 });

    expect(history.emptyAtSecs).toBeNull();
    expect(history.mostRecords).toBe(50_000);
    // Half of what came in the last second is from 500 s before.
    expect(Math.abs(history.oldestSecs - 500)).toBeLessThanOrEqual(2);
  });

  it.each([
    [100, 100],
    [100, 120],
    [100, 500],
    [100, 5_000],
  ])("has days with an average of %i and a peak of %i", (average, peak) => {
    const day = dayOf(average, peak);
    const rates = Array.from({ length: DAY }, (_, at) => day(at));

    expect(rates.reduce((sum, rate) => sum + rate, 0) / DAY / average).toBeCloseTo(1, 2);
    expect(Math.max(...rates.filter((_, at) => at % 60 === 0)) / peak).toBeCloseTo(1, 2);
    expect(rates.every((rate) => rate >= 0)).toBe(true);
  });

  it("has outages around noon, as long as asked for", () => {
    const goes = awayAtNoon(10, 2);
    const away = Array.from({ length: DAY }, (_, at) => at).filter((at) => goes(at) === 0);

    expect(away).toHaveLength(7_200);
    expect([away[0], away.at(-1)]).toEqual([DAY / 2 - 3_600, DAY / 2 + 3_599]);
  });
});
