import type { Clock } from "@push-reports/service-kit";
import type { IngestObserver, IngestStep } from "./ingest-observer.js";
import type { Awaited } from "./record-source.js";
import type { ReportRange } from "./report-range.js";
import type { BadRecord } from "./row-lines.js";

/** Ingestion or the loop that feeds it has stood still for too long; only a new process helps. */
export class StalledError extends Error {
  override readonly name = "StalledError";
  readonly code = "stalled";
}

/**
 * Remembers since when each partition has not got on although it could: while it is found out where to begin, with a range in hand, or
 * with records in the log and none in hand. Waiting for records that nobody has sent or for other partitions, or repeating what fails, is no
 * stall.
 */
export class ProgressWatch implements IngestObserver {
  readonly #clock: Clock;
  /** Partitions that recover or have a range in hand. */
  readonly #inHand = new Map<number, number>();
  readonly #behindSince = new Map<number, number>();
  /** Partitions that wait for others, each of which is watched for itself. */
  readonly #inTurn = new Set<number>();
  #lastStepAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastStepAt = clock.now();
  }

  /** Time since any partition got on, ms. */
  get sinceStepMs(): number {
    return this.#clock.now() - this.#lastStepAt;
  }

  /** What a look at the log's end says of a partition. */
  noteLag(partition: number, lagRecords: number): void {
    if (lagRecords === 0) this.#behindSince.delete(partition);
    else if (!this.#isAccountedFor(partition)) this.#behindSince.set(partition, this.#clock.now());
  }

  awaits(partition: number, awaited: Awaited): void {
    if (awaited !== "turn") {
      this.#inTurn.delete(partition);
      return;
    }
    this.#inTurn.add(partition);
    this.#behindSince.delete(partition);
  }

  /** It is known what the partition waits for: a write failed and is going to be repeated. Another one may stand still all the same. */
  retried(partition: number): void {
    const now = this.#clock.now();
    for (const times of [this.#inHand, this.#behindSince])
      if (times.has(partition)) times.set(partition, now);
  }

  commitRetried(partition: number): void {
    this.retried(partition);
  }

  waits(partition: number): void {
    this.retried(partition);
  }

  /** Ranges of these partitions are held, and no partition takes records meanwhile. */
  held(partitions: readonly number[]): void {
    if (partitions.length === 0) return;
    for (const partition of [...partitions, ...this.#behindSince.keys()]) this.retried(partition);
  }

  /** The partition is no longer ours. */
  forget(partition: number): void {
    this.#inHand.delete(partition);
    this.#behindSince.delete(partition);
    this.#inTurn.delete(partition);
  }

  assigned(partition: number): void {
    this.#inHand.set(partition, this.#clock.now());
  }

  started(partition: number): void {
    this.#inHand.delete(partition);
  }

  probed({ partition }: ReportRange): void {
    this.#lastStepAt = this.#clock.now();
    this.#inHand.set(partition, this.#lastStepAt);
  }

  partlySetAside(range: ReportRange): void {
    this.probed(range);
  }

  ended(partition: number): void {
    this.forget(partition);
  }

  /** The partition that has not got on for `timeoutMs`, or null. */
  stalledPartition(timeoutMs: number): number | null {
    const oldest = this.#clock.now() - timeoutMs;
    const standing = [...this.#inHand, ...this.#behindSince].find(([, at]) => at <= oldest);
    return standing?.[0] ?? null;
  }

  async reached(step: IngestStep, { partition }: ReportRange): Promise<void> {
    this.#lastStepAt = this.#clock.now();
    this.#behindSince.delete(partition);
    this.#inTurn.delete(partition);
    if (step === "committed") this.#inHand.delete(partition);
    else this.#inHand.set(partition, this.#lastStepAt);
  }

  setAside(_bad: readonly BadRecord[], range: ReportRange): void {
    this.probed(range);
  }

  completed(): void {
    // The step "committed" has said so.
  }

  #isAccountedFor(partition: number): boolean {
    return (
      this.#inHand.has(partition) || this.#inTurn.has(partition) || this.#behindSince.has(partition)
    );
  }
}
