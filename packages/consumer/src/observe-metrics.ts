import type { Clock } from "@push-reports/service-kit";
import type { IngestObserver, IngestStep, RangeCounts } from "./ingest-observer.js";
import type { ConsumerMetrics } from "./metrics.js";
import type { Awaited } from "./record-source.js";
import type { ReportRange } from "./report-range.js";
import type { BadRecord } from "./row-lines.js";

/** Counts what the protocol does. */
export class MetricsObserver implements IngestObserver {
  readonly #metrics: ConsumerMetrics;
  readonly #clock: Clock;
  readonly #storedRows = new WeakMap<ReportRange, number>();

  constructor(metrics: ConsumerMetrics, clock: Clock) {
    this.#metrics = metrics;
    this.#clock = clock;
  }

  assigned(): void {
    this.#metrics.epochs.inc();
  }

  recovered(range: ReportRange, storedRows: number): void {
    this.#storedRows.set(range, storedRows);
    this.#metrics.recoveredRanges.inc();
    this.#metrics.duplicatesDropped.inc(storedRows);
  }

  commitRetried(): void {
    this.#metrics.writeRetries.inc({ operation: "commit", failure: "passes_with_time" });
  }

  probed(): void {
    this.#metrics.probes.inc();
  }

  async reached(): Promise<void> {
    this.#metrics.lastProgress.set(this.#clock.now() / 1_000);
  }

  setAside(bad: readonly BadRecord[]): void {
    for (const { reason } of bad) this.#metrics.deadLetters.inc({ reason });
  }

  completed(range: ReportRange, counts: RangeCounts, rowBytes: number): void {
    this.#metrics.rows.inc(counts.rows - (this.#storedRows.get(range) ?? 0));
    this.#metrics.rowBytes.inc(rowBytes);
    this.#metrics.ranges.inc();
    this.#metrics.rangeRecords.observe(range.records.length);
    this.#metrics.rangeBytes.observe(rowBytes);
    this.#metrics.repeated.inc(counts.repeated);
    this.#metrics.absent.inc(counts.absent);
    // What was booked as lost was never in hand.
    if (range.records.length === 0) return;
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

  assigned(partition: number): void {
    for (const observer of this.#observers) observer.assigned?.(partition);
  }

  started(partition: number, cursor: number): void {
    for (const observer of this.#observers) observer.started?.(partition, cursor);
  }

  ended(partition: number): void {
    for (const observer of this.#observers) observer.ended?.(partition);
  }

  awaits(partition: number, awaited: Awaited): void {
    for (const observer of this.#observers) observer.awaits?.(partition, awaited);
  }

  waits(partition: number): void {
    for (const observer of this.#observers) observer.waits?.(partition);
  }

  commitRetried(partition: number): void {
    for (const observer of this.#observers) observer.commitRetried?.(partition);
  }

  probed(range: ReportRange): void {
    for (const observer of this.#observers) observer.probed?.(range);
  }

  partlySetAside(range: ReportRange): void {
    for (const observer of this.#observers) observer.partlySetAside?.(range);
  }

  recovered(range: ReportRange, storedRows: number): void {
    for (const observer of this.#observers) observer.recovered?.(range, storedRows);
  }

  async reached(step: IngestStep, range: ReportRange): Promise<void> {
    for (const observer of this.#observers) await observer.reached(step, range);
  }

  setAside(bad: readonly BadRecord[], range: ReportRange): void {
    for (const observer of this.#observers) observer.setAside(bad, range);
  }

  completed(range: ReportRange, counts: RangeCounts, rowBytes: number): void {
    for (const observer of this.#observers) observer.completed(range, counts, rowBytes);
  }
}
