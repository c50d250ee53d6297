import type { Row } from "./api.js";
import type { Points } from "./chart.js";
import { momentOf } from "./format.js";

/** A chart has fewer points than that, however long its time is. */
const MOST_POINTS = 5_000;

/** Rows of times at which something happened as points at even steps: nothing happened at those in between. */
export function evenly(
  rows: readonly Row[],
  columns: { readonly time: string; readonly stepSecs: number; readonly values: readonly string[] },
): Points {
  const { time, stepSecs, values } = columns;
  const secsOf = (row: Row) => (momentOf(row.text(time))?.getTime() ?? 0) / 1_000;
  const first = rows[0] === undefined ? 0 : secsOf(rows[0]);
  const steps = rows.map((row) => Math.round((secsOf(row) - first) / stepSecs));
  const length = Math.min(MOST_POINTS, (steps.at(-1) ?? -1) + 1);
  return {
    times: Array.from({ length }, (_, step) => first + step * stepSecs),
    values: values.map((name) => {
      const line = Array.from({ length }, () => 0);
      steps.forEach((step, index) => {
        if (step < length) line[step] = (line[step] ?? 0) + (rows[index]?.number(name) ?? 0);
      });
      return line;
    }),
  };
}
