import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** How a canary's report can end. */
export type CanaryOutcome =
  /** Answered 200, and a row. */
  | "queryable"
  /** Answered 200, and no row for as long as the canary waits. */
  | "missing"
  /** Answered other than 200. */
  | "refused"
  /** No answer within the time that an SDK waits. */
  | "unanswered";

/** Every series that the canary exports besides the process's own. */
export interface CanaryMetrics {
  readonly reports: Counter<"outcome">;
  readonly answerSeconds: Histogram;
  readonly queryableSeconds: Histogram;
  readonly waiting: Gauge;
  readonly oldestWaiting: Gauge;
  readonly partitions: Gauge;
}

const BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3_600];
/** Exported from the start, as zero: an increase cannot see the first count of a series that begins with it. */
const OUTCOMES: Readonly<Record<CanaryOutcome, 0>> = {
  queryable: 0,
  missing: 0,
  refused: 0,
  unanswered: 0,
};

/** Registers them; call it once a registry. */
export function createCanaryMetrics(registry: Registry): CanaryMetrics {
  const registers = [registry];
  const named = (name: string, help: string) => ({
    name: `push_reports_canary_${name}`,
    help,
    registers,
  });
  const reports = new Counter({
    ...named("reports_total", "Reports of the canary, by how they ended."),
    labelNames: ["outcome"] as const,
  });
  for (const [outcome, none] of Object.entries(OUTCOMES)) reports.inc({ outcome }, none);
  return {
    reports,
    answerSeconds: new Histogram({
      ...named("answer_seconds", "Time from sending a report to its answer 200."),
      buckets: BUCKETS,
    }),
    queryableSeconds: new Histogram({
      ...named("queryable_seconds", "Time from sending a report to its row being selected."),
      buckets: BUCKETS,
    }),
    waiting: new Gauge(
      named("waiting_reports", "Reports that were answered 200 and cannot be queried yet."),
    ),
    oldestWaiting: new Gauge(
      named("oldest_waiting_seconds", "Time since the oldest of them was sent; 0 without any."),
    ),
    partitions: new Gauge(
      named("partitions", "Partitions that the reports of the last hundred rows went through."),
    ),
  };
}
