/** One quantity, measured several times in one run. */
export interface Spread {
  readonly median: number;
  /** Half of the distance between the least and the greatest: what the machine adds by chance. */
  readonly noise: number;
  readonly runs: readonly number[];
}

/** @throws RangeError when there are no values. */
export function spreadOf(runs: readonly number[]): Spread {
  if (runs.length === 0) throw new RangeError("Nothing was measured");
  const sorted = runs.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
  const noise = ((sorted.at(-1) ?? Number.NaN) - (sorted[0] ?? Number.NaN)) / 2;
  return { median, noise, runs };
}

/** The ratio of each pair that was measured side by side. */
export function ratiosOf(values: readonly number[], against: readonly number[]): Spread {
  if (values.length !== against.length) throw new RangeError("These were not measured in pairs");
  return spreadOf(values.map((value, index) => value / (against[index] ?? Number.NaN)));
}
