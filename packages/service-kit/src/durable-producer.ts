import { CompressionTypes, type Kafka, type Message, Partitioners, type Producer } from "kafkajs";
import type { Logger } from "./logger.js";

/** Why a send did not end with an acknowledgement. */
export type SendErrorCode =
  /** Nothing can have been written: the producer could not be connected. */
  | "not_sent"
  /** The records may have been written or not. */
  | "unknown_outcome";

/** A send that no broker acknowledged in time. */
export class SendError extends Error {
  override readonly name = "SendError";
  readonly code: SendErrorCode;

  constructor(code: SendErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** Where and how long a {@link DurableProducer} sends. */
export interface DurableProducerOptions {
  readonly topic: string;
  /** How long the brokers may wait for the in-sync replicas, ms. */
  readonly ackTimeoutMs: number;
  /** Attempts of kafkajs after the first, of one send, by the same producer id and sequence. */
  readonly retries: number;
  /** Of batches. @default "none" */
  readonly compression?: "none" | "gzip";
}

/**
 * Sends batches to one partition each and resolves only when all in-sync replicas have them.
 *
 * kafkajs 2.2.4 loses acknowledged records in two ways that this class steps around: a send over two partitions resolves
 * although one was never written when that one's leader moved, so a send covers one partition and its result counts only
 * if it names it; and an idempotent producer rewinds its sequence after a rejection, so that the next send resolves
 * without being written, which is why a producer is thrown away after any rejection.
 * The caller keeps one send in flight at a time.
 */
export class DurableProducer {
  readonly #kafka: Kafka;
  readonly #options: DurableProducerOptions;
  readonly #logger: Logger;
  #producer: Promise<Producer> | null = null;

  constructor(kafka: Kafka, options: DurableProducerOptions, logger: Logger) {
    this.#kafka = kafka;
    this.#options = options;
    this.#logger = logger;
  }

  /** Connects if it is not connected. @throws SendError `not_sent` */
  async connect(): Promise<void> {
    await this.#connected();
  }

  /**
   * Writes `messages` to `partition`, in order.
   * @throws SendError; after `unknown_outcome` the same records may only be sent again to the same partition, marked.
   */
  async send(partition: number, messages: readonly Message[]): Promise<void> {
    const producer = await this.#connected();
    const { topic, ackTimeoutMs, compression } = this.#options;
    try {
      const results = await producer.send({
        topic,
        acks: -1,
        timeout: ackTimeoutMs,
        compression: compression === "gzip" ? CompressionTypes.GZIP : CompressionTypes.None,
        messages: messages.map((message) => ({ ...message, partition })),
      });
      const named = results.some((result) => result.partition === partition && !result.errorCode);
      if (!named) throw new Error(`The acknowledgement does not name partition ${partition}`);
    } catch (error) {
      this.#discard(producer);
      throw new SendError("unknown_outcome", `A send to ${topic}/${partition} failed`, error);
    }
  }

  /** Disconnects; waits for nothing that is in flight. */
  async close(): Promise<void> {
    const producer = await this.#producer?.catch(() => null);
    this.#producer = null;
    await producer?.disconnect();
  }

  async #connected(): Promise<Producer> {
    this.#producer ??= this.#createConnected();
    try {
      return await this.#producer;
    } catch (error) {
      this.#producer = null;
      throw new SendError("not_sent", "No broker could be reached", error);
    }
  }

  async #createConnected(): Promise<Producer> {
    const producer = this.#kafka.producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
      retry: { retries: this.#options.retries, initialRetryTime: 100, maxRetryTime: 500 },
    });
    try {
      await producer.connect();
      return producer;
    } catch (error) {
      this.#discard(producer);
      throw error;
    }
  }

  #discard(producer: Producer): void {
    this.#producer = null;
    producer
      .disconnect()
      .catch((error: unknown) => this.#logger.warn("producer_disconnect_failed", { error }));
  }
}
