import { CompressionTypes, type Kafka, type Message, Partitioners, type Producer } from "kafkajs";
import { connectAs } from "./kafkajs-overrides.js";
import type { Logger } from "./logger.js";

/**
 * Under what a producer numbers its batches. Once a partition has a batch of an id and epoch, its leader takes none of the same id and a
 * lower epoch any more, and a batch with the same number as one of the last five of that epoch is acknowledged without being written again
 * (KIP-98, KIP-360). Both hold for `producer.id.expiration.ms`, a day by default.
 */
export interface ProducerIdentity {
  /** A 64-bit integer. */
  readonly producerId: string;
  /** 0 for an identity that a broker gave; at most 32,767. */
  readonly epoch: number;
}

/** Why a send did not end with an acknowledgement. */
export type SendErrorCode =
  /** Nothing can have been written: the producer could not be connected. */
  | "not_sent"
  /** The records may have been written or not. */
  | "unknown_outcome"
  /**
   * Nothing of this identity will be written to the partition any more: it has a batch of the same producer id with a higher epoch. What was
   * written before that is there.
   */
  | "fenced";

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
  /**
   * Send under this identity, numbered from 0, instead of a new one that a broker gives. Every producer that is made with the same identity
   * must send the same batch to the same partition and nothing else: anything else would be taken for a repetition and not be written.
   */
  readonly identity?: ProducerIdentity;
}

/** A producer of kafkajs that is connected. */
interface Connected {
  readonly producer: Producer;
  readonly identity: ProducerIdentity;
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
  #connection: Promise<Connected> | null = null;
  #isClosed = false;

  constructor(kafka: Kafka, options: DurableProducerOptions, logger: Logger) {
    this.#kafka = kafka;
    this.#options = options;
    this.#logger = logger;
  }

  /**
   * Connects if it is not connected. A rejected send ends a connection.
   * @returns what this connection sends under. @throws SendError `not_sent`
   */
  async connect(): Promise<ProducerIdentity> {
    return (await this.#connected()).identity;
  }

  /**
   * Writes `messages` to `partition`, in order.
   * @throws SendError; after `unknown_outcome` the same records may only be sent again to the same partition, marked.
   */
  async send(partition: number, messages: readonly Message[]): Promise<void> {
    const { producer } = await this.#connected();
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
      const code = isFenced(error) ? "fenced" : "unknown_outcome";
      throw new SendError(code, `A send to ${topic}/${partition} failed`, error);
    }
  }

  /** Disconnects, for good; waits for nothing that is in flight. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const connected = await this.#connection?.catch(() => null);
    this.#connection = null;
    await connected?.producer.disconnect();
  }

  async #connected(): Promise<Connected> {
    if (this.#isClosed) throw new SendError("not_sent", "The producer is closed");
    this.#connection ??= this.#createConnected();
    try {
      return await this.#connection;
    } catch (error) {
      this.#connection = null;
      throw new SendError("not_sent", "No broker could be reached", error);
    }
  }

  async #createConnected(): Promise<Connected> {
    const { retries, identity: given = null } = this.#options;
    const producer = this.#kafka.producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
      retry: { retries, initialRetryTime: 100, maxRetryTime: 500 },
    });
    try {
      const identity = await connectAs(given, () => producer.connect());
      return { producer, identity };
    } catch (error) {
      this.#discard(producer);
      throw error;
    }
  }

  #discard(producer: Producer): void {
    this.#connection = null;
    producer
      .disconnect()
      .catch((error: unknown) => this.#logger.warn("producer_disconnect_failed", { error }));
  }
}

function isFenced(error: unknown): boolean {
  return (error as { readonly type?: unknown }).type === "INVALID_PRODUCER_EPOCH";
}
