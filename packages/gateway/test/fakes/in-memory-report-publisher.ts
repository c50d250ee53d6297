import type { ReportRecord } from "@push-reports/report";
import { type Kept, PublishError, type ReportPublisher } from "../../src/report-publisher.js";

/** Keeps records in memory, or refuses them as it is told. */
export class InMemoryReportPublisher implements ReportPublisher {
  readonly records: ReportRecord[] = [];
  /** Thrown instead of taking a record, while set. */
  refusal: PublishError | Error | null = null;
  /** Records wait for this before they are taken. */
  gate: Promise<void> = Promise.resolve();
  kept: Kept = "published";
  /** Throws before there is a promise, as anything of ours might. */
  failsToBegin = false;
  /** How long each record keeps the processor busy, ms. */
  workMs = 0;
  /** Records that were given to it. */
  asked = 0;
  readonly #maxWaitingBytes: number;
  #waitingBytes = 0;

  /** @param maxWaitingBytes values' bytes of records that may wait; beyond that one is refused at once. */
  constructor(maxWaitingBytes = Number.POSITIVE_INFINITY) {
    this.#maxWaitingBytes = maxWaitingBytes;
  }

  /** The records' values, parsed. */
  get rows(): readonly Record<string, unknown>[] {
    return this.records.map(({ value }) => JSON.parse(value.toString()) as Record<string, unknown>);
  }

  publish(record: ReportRecord): Promise<Kept> {
    if (this.failsToBegin) throw new TypeError("It throws instead of rejecting");
    return this.#publish(record);
  }

  async #publish(record: ReportRecord): Promise<Kept> {
    const { length } = record.value;
    this.asked += 1;
    const endsAt = performance.now() + this.workMs;
    while (performance.now() < endsAt);
    if (this.#waitingBytes + length > this.#maxWaitingBytes)
      throw new PublishError("overloaded", "Too many bytes wait");
    this.#waitingBytes += length;
    await this.gate;
    this.#waitingBytes -= length;
    if (this.refusal !== null) throw this.refusal;
    this.records.push(record);
    return this.kept;
  }

  isHealthy(): boolean {
    return this.refusal === null;
  }
}
