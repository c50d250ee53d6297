import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { LatencyHistogram } from "../../src/load/latency-histogram.js";

describe("A histogram of latencies", () => {
  it("gives quantiles within a sixty-fourth of what sorting gives", () => {
    const times = fc.array(fc.double({ min: 0, max: 60_000, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(times, fc.double({ min: 0.01, max: 1, noNaN: true }), (ms, share) => {
        const histogram = new LatencyHistogram();
        for (const one of ms) histogram.record(one);
        const sorted = ms.toSorted((a, b) => a - b);
        const exact = sorted[Math.max(0, Math.ceil(share * ms.length) - 1)] ?? Number.NaN;
        const given = histogram.quantile(share);
        // A time is rounded to 1 µs, and its bucket gives its upper end.
        expect(given).toBeGreaterThanOrEqual(exact - 0.001);
        expect(given).toBeLessThanOrEqual(exact * (1 + 1 / 64) + 0.001);
      }),
    );
  });

  it("counts what is longer than an hour as its longest time", () => {
    const histogram = new LatencyHistogram();
    histogram.record(10 * 3_600_000);
    expect(histogram.total).toBe(1);
    expect(histogram.quantile(1)).toBeGreaterThan(3_600_000);
  });

  it("has no quantile when nothing was recorded", () => {
    expect(new LatencyHistogram().quantile(0.5)).toBeNaN();
  });
});
