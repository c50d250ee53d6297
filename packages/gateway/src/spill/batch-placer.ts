import { Backoff, type Clock, errorOf, type Logger, within } from "@push-reports/service-kit";
import type { BatchProducer } from "../lane.js";
import type { KafkaProblem } from "../publish/kafka-problem.js";
import { againMessageOf, messageOf } from "../publish/message.js";
import type { PartitionPicker } from "../publish/partition-picker.js";
import { boundsOf } from "./cut-batch.js";
import type { FirstSend } from "./delivery.js";
import type { OpenBatch } from "./drain-mark.js";
import type { SpilledRecord } from "./spilled-record.js";

/** What finding a place works with. */
export interface BatchPlacerParts {
  readonly picker: PartitionPicker;
  /** Makes a producer for one batch after another, under an identity that a broker gives. */
  readonly createProducer: () => BatchProducer;
  readonly problem: Pick<KafkaProblem, "failed" | "succeeded">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A batch with a place to go to, and who sends it there first. */
export interface PlacedBatch {
  readonly batch: OpenBatch;
  readonly first: FirstSend;
}

/** How long a producer may take to leave, ms. */
const CLOSE_TIMEOUT_MS = 1_000;

/** Gives batches a partition and an identity: one producer sends each of them first, and those after the first attempt go under its next epoch. */
export class BatchPlacer {
  readonly #parts: BatchPlacerParts;
  readonly #connectTimeoutMs: number;
  readonly #stopped: AbortSignal;
  readonly #backoff = new Backoff({ initialMs: 100, maxMs: 1_000 });
  #producer: BatchProducer | null = null;

  /** @param connectTimeoutMs after which a producer is thrown away. @param stopped ends the wait between two producers. */
  constructor(parts: BatchPlacerParts, connectTimeoutMs: number, stopped: AbortSignal) {
    this.#parts = parts;
    this.#connectTimeoutMs = connectTimeoutMs;
    this.#stopped = stopped;
  }

  /** For records that nobody has sent: the partition that is best now. Null when there is none. */
  async place(records: readonly SpilledRecord[]): Promise<PlacedBatch | null> {
    return await this.#place(records, null, messageOf);
  }

  /**
   * For a batch that was sent before: anew, marked `again`, to its own partition, where it may lie already, or to another one once its own is
   * gone. Null when there is none now.
   */
  async placeAgain(
    records: readonly SpilledRecord[],
    own: number | null,
  ): Promise<PlacedBatch | null> {
    return await this.#place(records, own, againMessageOf);
  }

  /** Waits a short time for its producer to leave; what is placed later gets another one. */
  async close(): Promise<void> {
    await within(this.#discardProducer(), CLOSE_TIMEOUT_MS, this.#parts.clock);
  }

  async #place(
    records: readonly SpilledRecord[],
    own: number | null,
    toMessage: FirstSend["toMessage"],
  ): Promise<PlacedBatch | null> {
    const { picker, createProducer, problem, clock } = this.#parts;
    this.#producer ??= createProducer();
    const producer = this.#producer;
    const connected = await within(producer.connect(), this.#connectTimeoutMs, clock);
    if (connected.kind !== "resolved") {
      problem.failed("connect", errorOf(connected));
      await this.#discardProducer();
      await clock.sleep(this.#backoff.next(), this.#stopped);
      return null;
    }
    problem.succeeded("connect");
    this.#backoff.reset();
    const picked = own === null ? picker.pick() : null;
    const partition = own ?? picked?.partition;
    if (partition === undefined) return null;
    const { producerId, epoch } = connected.value;
    const resendAs = { producerId, epoch: epoch + 1 };
    const ended = (how: "acknowledged" | "failed") => {
      if (picked !== null) picker.release(picked, how);
      if (how === "failed" && this.#producer === producer) void this.#discardProducer();
    };
    const batch = { ...boundsOf(records), partition, resendAs };
    return { batch, first: { producer, toMessage, ended } };
  }

  async #discardProducer(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    await producer
      ?.close()
      .catch((error: unknown) => this.#parts.logger.debug("producer_close_failed", { error }));
  }
}
