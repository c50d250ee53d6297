import { describe, expect, it } from "@jest/globals";
import { atLeast, atMost, comparison, figure, verdictOf } from "../../src/figures/figure.js";
import { figureTable } from "../../src/figures/figure-table.js";
import { spreadOf } from "../../src/figures/spread.js";

const against = (runs: readonly number[]) => ({ what: "a peer", runs });

describe("A figure that is compared", () => {
  it("is judged by the median of the ratios of its pairs, and not by the ratio of the medians", () => {
    const one = comparison("x", "µs", [10, 40, 90], against([10, 20, 30]), atMost(2));
    expect(one.ratio).toEqual({ median: 2, noise: 1, runs: [1, 2, 3] });
    expect(verdictOf(one)).toBe("met");
  });

  it("misses its target only when it misses it by more than its noise", () => {
    const steady = comparison("x", "µs", [26, 26, 26], against([10, 10, 10]), atMost(2.5));
    const noisy = comparison("x", "µs", [20, 26, 30], against([10, 10, 10]), atMost(2.5));
    expect(verdictOf(steady)).toBe("missed");
    expect(verdictOf(noisy)).toBe("within noise");
  });

  it("misses a lower bound from below", () => {
    expect(verdictOf(comparison("x", "/s", [3, 3], against([10, 10]), atLeast(0.4)))).toBe(
      "missed",
    );
    expect(verdictOf(comparison("x", "/s", [5, 5], against([10, 10]), atLeast(0.4)))).toBe("met");
  });

  it("misses its target when it is no number", () => {
    expect(verdictOf(comparison("x", "/s", [Number.NaN], against([1]), atLeast(1)))).toBe("missed");
    expect(verdictOf(figure("x", "ms", [Number.NaN], atMost(1)))).toBe("missed");
  });

  it("refuses values that were not measured in pairs", () => {
    expect(() => comparison("x", "/s", [1, 2], against([1]))).toThrow("in pairs");
  });

  it("stands in the table with what it is compared with, its noise and its verdict", () => {
    const table = figureTable([
      comparison("reports/s", "/s", [12_000, 14_000], against([20_000, 20_000]), atLeast(0.9)),
      figure("memory", "MiB", [100]),
    ]);
    expect(
      table
        .split("\n")[2]
        ?.split("|")
        .map((cell) => cell.trim()),
    ).toEqual([
      "",
      "reports/s",
      "13,000 /s",
      "a peer: 20,000 /s",
      "0.65 ± 0.05",
      "≥ 0.9",
      "**missed**",
      "",
    ]);
  });
});

describe("A spread", () => {
  it("has the middle of an even number of runs", () => {
    expect(spreadOf([1, 2, 4, 9])).toEqual({ median: 3, noise: 4, runs: [1, 2, 4, 9] });
  });
});
