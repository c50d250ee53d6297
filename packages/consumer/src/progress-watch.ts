import type { Clock } from "@push-reports/service-kit";
import type { IngestObserver, IngestStep } from "./ingest-range.js";
import type { ReportRange } from "./report-range.js";

/** Ingestion or the loop that feeds it has stood still for too long; only a new process helps. */
export class StalledError extends Error {
  override readonly name = "StalledError";
  readonly code = "stalled";
}

/** Remembers when each range in hand last got on. Waiting for records, or repeating a write that fails, is no stall. */
export class ProgressWatch implements IngestObserver {
  readonly #clock: Clock;
  readonly #inHand = new Map<number, number>();
  #lastRetryAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A write failed and is going to be repeated. */
  retried(): void {
    this.#lastRetryAt = this.#clock.now();
  }

  /** The partition is no longer ours. */
  forget(partition: number): void {
    this.#inHand.delete(partition);
  }

  /** The partition whose range has not got on for `timeoutMs`, or null. */
  stalledPartition(timeoutMs: number): number | null {
    const oldest = this.#clock.now() - timeoutMs;
    if (this.#lastRetryAt > oldest) return null;
    for (const [partition, at] of this.#inHand) if (at <= oldest) return partition;
    return null;
  }

  async reached(step: IngestStep, { partition }: ReportRange): Promise<void> {
    if (step === "committed") this.#inHand.delete(partition);
    else this.#inHand.set(partition, this.#clock.now());
  }

  setAside(): void {
    this.#lastRetryAt = this.#clock.now();
  }

  completed(): void {
    // The step "committed" has said so.
  }
}
