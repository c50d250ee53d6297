import type { ProducerIdentity } from "@push-reports/service-kit";
import type { PublishError, SentTo } from "../report-publisher.js";
import type { PickedPartition } from "./partition-picker.js";
import type { PendingRecord } from "./pending-record.js";

/** A batch on its way to one partition, under the identity of the producer that sends it. */
export class Flight {
  readonly picked: PickedPartition;
  readonly batch: readonly PendingRecord[];
  readonly bytes: number;
  readonly #sentAs: ProducerIdentity;
  #isGivenUp = false;

  constructor(picked: PickedPartition, batch: readonly PendingRecord[], sentAs: ProducerIdentity) {
    this.picked = picked;
    this.batch = batch;
    this.bytes = batch.reduce((sum, record) => sum + record.bytes, 0);
    this.#sentAs = sentAs;
  }

  /** A caller was told that the outcome is unknown: others may fence the producer from now on. */
  get isGivenUp(): boolean {
    return this.#isGivenUp;
  }

  succeed(): void {
    for (const record of this.batch) record.succeed();
  }

  /** Fails those records that have not settled and for which `isOver` says so. */
  failWhere(
    isOver: (record: PendingRecord) => boolean,
    errorOf: (more: { readonly sentTo: SentTo }) => PublishError,
  ): void {
    this.batch.forEach((record, index) => {
      if (record.isSettled || !isOver(record)) return;
      this.#isGivenUp = true;
      record.fail(errorOf({ sentTo: this.#sentTo(index) }));
    });
  }

  /**
   * The producer is thrown away after a flight of which something failed, so the epochs above its own are free for that flight's records.
   */
  #sentTo(index: number): SentTo {
    const { producerId, epoch } = this.#sentAs;
    const resendAs = { producerId, epoch: epoch + 1 + index };
    return { partition: this.picked.partition, resendAs };
  }
}
