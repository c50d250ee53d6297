import {
  Backoff,
  type Clock,
  errorOf,
  type FailedWait,
  type Logger,
  type ProducerIdentity,
  SendError,
  within,
} from "@push-reports/service-kit";
import type { Message } from "kafkajs";
import { Flight } from "./publish/flight.js";
import type { KafkaProblem } from "./publish/kafka-problem.js";
import { messageOf } from "./publish/message.js";
import type { PartitionPicker, PickedPartition } from "./publish/partition-picker.js";
import type { PendingRecord } from "./publish/pending-record.js";
import type { WaitingRecords } from "./publish/waiting-records.js";
import { PublishError } from "./report-publisher.js";

/** What a lane needs of a DurableProducer. */
export interface BatchProducer {
  /** Resolves with what it sends under until a send is rejected. @throws SendError `not_sent` */
  connect(): Promise<ProducerIdentity>;
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
  readonly problem: Pick<KafkaProblem, "failed" | "succeeded">;
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

/** A producer that is ready to send. */
interface Connected {
  readonly producer: BatchProducer;
  readonly identity: ProducerIdentity;
}

/** Records of one batch: each must find an epoch of its own above its producer's, and epochs have 16 bits. */
const MAX_BATCH_RECORDS = 16_384;

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
  #connected: Connected | null = null;
  #inFlight: Flight | null = null;
  #working: Promise<void> | null = null;

  constructor(parts: LaneParts, limits: LaneLimits) {
    this.#parts = parts;
    this.#limits = limits;
  }

  /** Whether its producer was connected when last looked at. */
  get isConnected(): boolean {
    return this.#connected !== null;
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
    this.#inFlight?.failWhere(
      (record) => record.expiresAt <= now,
      (more) => new PublishError("timeout", "No acknowledgement in time", more),
    );
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
      const connected = this.#connected ?? (await this.#connect());
      if (connected === null) {
        await clock.sleep(this.#backoff.next(), stopped);
        continue;
      }
      if (waiting.isEmpty) return;
      const picked = picker.pick();
      if (picked === null) {
        await clock.sleep(LOOK_AGAIN_MS, stopped);
        continue;
      }
      await this.#sendBatch(
        connected,
        picked,
        waiting.take(this.#limits.maxBatchBytes, MAX_BATCH_RECORDS),
      );
    }
  }

  async #connect(): Promise<Connected | null> {
    const { clock, createProducer, problem } = this.#parts;
    this.#producer ??= createProducer();
    const producer = this.#producer;
    const result = await within(producer.connect(), this.#limits.connectTimeoutMs, clock);
    if (result.kind === "resolved" && !this.#stopped.signal.aborted) {
      this.#backoff.reset();
      problem.succeeded("connect");
      this.#connected = { producer, identity: result.value };
      return this.#connected;
    }
    if (result.kind !== "resolved") problem.failed("connect", errorOf(result));
    void this.#discardProducer();
    return null;
  }

  async #sendBatch(
    { producer, identity }: Connected,
    picked: PickedPartition,
    batch: readonly PendingRecord[],
  ): Promise<void> {
    const { clock, observer, picker, problem } = this.#parts;
    const flight = new Flight(picked, batch, identity);
    this.#inFlight = flight;
    const startedAt = clock.now();
    const messages = batch.map(({ record }) => messageOf(record));
    const sending = producer.send(picked.partition, messages);
    const result = await within(sending, this.#limits.sendTimeoutMs, clock);
    if (result.kind === "resolved") {
      flight.succeed();
      problem.succeeded("send");
      const tookMs = clock.now() - startedAt;
      observer.sent({ records: batch.length, bytes: flight.bytes, tookMs });
      if (flight.isGivenUp) void this.#discardProducer();
    } else {
      this.#settleFailed(result, flight);
    }
    this.#inFlight = null;
    picker.release(picked, result.kind === "resolved" ? "acknowledged" : "failed");
  }

  #settleFailed(result: FailedWait, flight: Flight): void {
    const { picked, batch } = flight;
    const { observer, waiting, logger, onTrouble, problem } = this.#parts;
    const error = errorOf(result);
    const code = error instanceof SendError ? error.code : "unknown_outcome";
    // It connects anew before the next batch, within a bounded time.
    this.#connected = null;
    observer.failed(code);
    problem.failed("send", error);
    logger.warn("kafka_send_failed", {
      code,
      partition: picked.partition,
      records: batch.length,
      error,
    });
    onTrouble();
    if (code === "not_sent") {
      waiting.putBack(batch.filter(({ isSettled }) => !isSettled));
      return;
    }
    flight.failWhere(
      () => true,
      (more) =>
        new PublishError("timeout", "Kafka did not acknowledge the record", {
          ...more,
          cause: error,
        }),
    );
    if (result.kind === "late") void this.#discardProducer();
  }

  async #discardProducer(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    this.#connected = null;
    await producer
      ?.close()
      .catch((error: unknown) => this.#parts.logger.debug("producer_close_failed", { error }));
  }
}
