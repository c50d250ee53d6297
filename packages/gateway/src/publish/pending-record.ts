import type { ReportRecord } from "@push-reports/report";
import type { PublishError } from "../report-publisher.js";

/** What a record takes on the wire and in memory besides key and value, estimated. */
const RECORD_OVERHEAD_BYTES = 64;

/** Bytes that a record counts for, estimated. */
export function bytesOf({ key, value }: ReportRecord): number {
  return key.length + value.length + RECORD_OVERHEAD_BYTES;
}

/** A record on its way to Kafka, and the caller who waits for it. Settles once. */
export class PendingRecord {
  readonly record: ReportRecord;
  readonly bytes: number;
  /** By the caller's clock, ms. */
  readonly expiresAt: number;
  /** Resolves once the record is durable; rejects with a PublishError. */
  readonly settled: Promise<void>;
  #resolve: () => void = () => {};
  #reject: (error: PublishError) => void = () => {};
  #isSettled = false;

  constructor(record: ReportRecord, expiresAt: number) {
    this.record = record;
    this.bytes = bytesOf(record);
    this.expiresAt = expiresAt;
    this.settled = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  succeed(): void {
    this.#isSettled = true;
    this.#resolve();
  }

  fail(error: PublishError): void {
    this.#isSettled = true;
    this.#reject(error);
  }
}
