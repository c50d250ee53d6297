import { Backoff, type Clock, type Logger, SendError } from "@push-reports/service-kit";
import type { Message } from "kafkajs";
import type { PartitionPicker, PickedPartition } from "./publish/partition-picker.js";
import type { PendingRecord } from "./publish/pending-record.js";
import type { WaitingRecords } from "./publish/waiting-records.js";
import { within } from "./publish/within.js";
import { PublishError } from "./report-publisher.js";

/** What a lane needs of a DurableProducer. */
export interface BatchProducer {
  /** @throws SendError `not_sent` */
  connect(): Promise<void>;
  /** @throws SendError */
  send(partition: number, messages: readonly Message[]): Promise<void>;
  close(): Promise<void>;
}

/** Hears of every batch. */
export interface LaneObserver {
  sent(batch: { readonly records: number; readonly bytes: number; readonly tookMs: number }): void;
  failed(code: SendError["code"]): void;
}

/** What the lanes of a publisher share. */
export interface LaneParts {
  readonly waiting: WaitingRecords;
  readonly picker: PartitionPicker;
  readonly createProducer: () => BatchProducer;
  /** A send went wrong: what is known of the partitions' leaders may be old. */
  readonly onTrouble: () => void;
  readonly observer: LaneObserver;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Bounds of a lane. */
export interface LaneLimits {
  readonly maxBatchBytes: number;
  /** A producer that is not connected by then is thrown away, ms. */
  readonly connectTimeoutMs: number;
  /** A send that has not ended by then is given up with an unknown outcome, ms. Longer than the producer's own attempts. */
  readonly sendTimeoutMs: number;
}

/** A batch on its way. */
interface Flight {
  readonly picked: PickedPartition;
  readonly batch: readonly PendingRecord[];
  readonly bytes: number;
}

/** How long a producer may take to leave when the lane stops, ms. */
const CLOSE_TIMEOUT_MS = 1_000;
/** How long a lane waits for any partition to have a leader before it looks again, ms. */
const LOOK_AGAIN_MS = 50;

/**
 * One producer with one send in flight. What arrives meanwhile is the next batch of whichever lane is free first: no timer, and the
 * slower Kafka is, the larger the batches. Each batch goes whole to one partition.
 */
export class Lane {
  readonly #parts: LaneParts;
  readonly #limits: LaneLimits;
  readonly #backoff = new Backoff({ initialMs: 100, maxMs: 1_000 });
  readonly #stopped = new AbortController();
  #producer: BatchProducer | null = null;
  #isConnected = false;
  #inFlight: Flight | null = null;
  #working: Promise<void> | null = null;

  constructor(parts: LaneParts, limits: LaneLimits) {
    this.#parts = parts;
    this.#limits = limits;
  }

  /** Whether its producer was connected when last looked at. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Bytes of the batch on its way. */
  get bytesInFlight(): number {
    return this.#inFlight?.bytes ?? 0;
  }

  get isSending(): boolean {
    return this.#inFlight !== null;
  }

  /** Connects when it is not connected, and sends whatever waits; does nothing when it is at it. */
  wake(): void {
    this.#working ??= this.#work().finally(() => {
      this.#working = null;
    });
  }

  /** Lets those callers go whose time is over although their send goes on: it may still succeed. */
  expire(now: number): void {
    if (this.#inFlight === null) return;
    const { batch, picked } = this.#inFlight;
    for (const record of batch) {
      if (record.isSettled || record.expiresAt > now) continue;
      record.fail(
        new PublishError("timeout", "No acknowledgement in time", { sentTo: picked.partition }),
      );
    }
  }

  /** Ends without waiting for a send that is under way. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await within(this.#discardProducer(), CLOSE_TIMEOUT_MS, this.#parts.clock);
  }

  async #work(): Promise<void> {
    const { waiting, picker, clock } = this.#parts;
    const stopped = this.#stopped.signal;
    while (!stopped.aborted) {
      const producer = await this.#connectedProducer();
      if (producer === null) {
        await clock.sleep(this.#backoff.next(), stopped);
        continue;
      }
      if (waiting.isEmpty) return;
      const picked = picker.pick();
      if (picked === null) {
        await clock.sleep(LOOK_AGAIN_MS, stopped);
        continue;
      }
      await this.#sendBatch(producer, picked, waiting.take(this.#limits.maxBatchBytes));
    }
  }

  async #connectedProducer(): Promise<BatchProducer | null> {
    const { clock, createProducer } = this.#parts;
    if (this.#isConnected && this.#producer !== null) return this.#producer;
    this.#producer ??= createProducer();
    const producer = this.#producer;
    const result = await within(producer.connect(), this.#limits.connectTimeoutMs, clock);
    this.#isConnected = result.kind === "resolved";
    if (this.#isConnected) {
      this.#backoff.reset();
      return producer;
    }
    void this.#discardProducer();
    return null;
  }

  async #sendBatch(
    producer: BatchProducer,
    picked: PickedPartition,
    batch: readonly PendingRecord[],
  ): Promise<void> {
    const { clock, observer, picker } = this.#parts;
    const bytes = batch.reduce((sum, record) => sum + record.bytes, 0);
    this.#inFlight = { picked, batch, bytes };
    const startedAt = clock.now();
    const sending = producer.send(picked.partition, batch.map(messageOf));
    const result = await within(sending, this.#limits.sendTimeoutMs, clock);
    if (result.kind === "resolved") {
      for (const record of batch) record.succeed();
      observer.sent({ records: batch.length, bytes, tookMs: clock.now() - startedAt });
    } else {
      this.#settleFailed(result, picked, batch);
    }
    this.#inFlight = null;
    picker.release(picked, result.kind === "resolved" ? "acknowledged" : "failed");
  }

  #settleFailed(
    result: { readonly kind: "rejected"; readonly error: unknown } | { readonly kind: "late" },
    picked: PickedPartition,
    batch: readonly PendingRecord[],
  ): void {
    const { observer, waiting, logger, onTrouble } = this.#parts;
    const error = result.kind === "rejected" ? result.error : new Error("The send did not end");
    const wasNotSent = error instanceof SendError && error.code === "not_sent";
    const code = wasNotSent ? "not_sent" : "unknown_outcome";
    // It connects anew before the next batch, within a bounded time.
    this.#isConnected = false;
    observer.failed(code);
    logger.warn("kafka_send_failed", {
      code,
      partition: picked.partition,
      records: batch.length,
      error,
    });
    onTrouble();
    if (wasNotSent) {
      waiting.putBack(batch.filter(({ isSettled }) => !isSettled));
      return;
    }
    const failure = new PublishError("timeout", "Kafka did not acknowledge the record", {
      sentTo: picked.partition,
      cause: error,
    });
    for (const record of batch) record.fail(failure);
    if (result.kind === "late") void this.#discardProducer();
  }

  async #discardProducer(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    this.#isConnected = false;
    await producer
      ?.close()
      .catch((error: unknown) => this.#parts.logger.debug("producer_close_failed", { error }));
  }
}

function messageOf({ record }: PendingRecord): Message {
  return {
    key: record.key,
    value: record.value,
    headers: { ...record.headers },
    timestamp: String(record.timestampMs),
  };
}
