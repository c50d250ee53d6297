import type { LoadResult } from "@push-reports/test-support";

/** Prints how a load was answered, for people who compare runs: what is asserted is asserted elsewhere. */
export function sayFigures(title: string, load: LoadResult): void {
  const counts = new Map<string, number>();
  for (const { status } of load.reports) {
    const answer = status === null ? "none" : String(status);
    counts.set(answer, (counts.get(answer) ?? 0) + 1);
  }
  const answers = [...counts]
    .toSorted(([a], [b]) => a.localeCompare(b, "en"))
    .map(([answer, n]) => `${answer}: ${n}`);
  const secs = (refusalsSpanMs(load) / 1_000).toFixed(1);
  console.info(
    `${title}: answers ${answers.join(", ")}; ${secs} s from the first to the last other than 200`,
  );
}

/** Time from the first to the last report that was not answered 200, ms. */
function refusalsSpanMs({ reports }: LoadResult): number {
  const ends = reports.filter(({ status }) => status !== 200).map(({ endedAt }) => endedAt);
  return ends.length === 0 ? 0 : Math.max(...ends) - Math.min(...ends);
}
