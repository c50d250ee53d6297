import type { Clock } from "@push-reports/service-kit";
import type { IngestObserver, IngestStep, RangeCounts } from "./ingest-range.js";
import type { ConsumerMetrics } from "./metrics.js";
import type { ReportRange } from "./report-range.js";
import type { BadRecord } from "./row-lines.js";

/** Counts what the protocol does. */
export class MetricsObserver implements IngestObserver {
  readonly #metrics: ConsumerMetrics;
  readonly #clock: Clock;
  readonly #reachedAt = new WeakMap<ReportRange, number>();

  constructor(metrics: ConsumerMetrics, clock: Clock) {
    this.#metrics = metrics;
    this.#clock = clock;
  }

  async reached(step: IngestStep, range: ReportRange): Promise<void> {
    const now = this.#clock.now();
    const before = this.#reachedAt.get(range) ?? now;
    this.#reachedAt.set(range, now);
    this.#metrics.stepSeconds.inc({ step }, Math.max(0, now - before) / 1_000);
    this.#metrics.lastProgress.set(now / 1_000);
  }

  setAside(bad: readonly BadRecord[]): void {
    for (const { reason } of bad) this.#metrics.deadLetters.inc({ reason });
  }

  completed(range: ReportRange, counts: RangeCounts, rowBytes: number): void {
    this.#metrics.rows.inc(counts.rows);
    this.#metrics.rowBytes.inc(rowBytes);
    this.#metrics.ranges.inc();
    this.#metrics.repeated.inc(counts.repeated);
    this.#metrics.absent.inc(counts.absent);
    const seconds = (this.#clock.now() - range.cutAt.getTime()) / 1_000;
    this.#metrics.rangeSeconds.observe(Math.max(0, seconds));
  }
}

/** Tells several observers, in order. */
export class Observers implements IngestObserver {
  readonly #observers: readonly IngestObserver[];

  constructor(observers: readonly IngestObserver[]) {
    this.#observers = observers;
  }

  async reached(step: IngestStep, range: ReportRange): Promise<void> {
    for (const observer of this.#observers) await observer.reached(step, range);
  }

  setAside(bad: readonly BadRecord[]): void {
    for (const observer of this.#observers) observer.setAside(bad);
  }

  completed(range: ReportRange, counts: RangeCounts, rowBytes: number): void {
    for (const observer of this.#observers) observer.completed(range, counts, rowBytes);
  }
}
