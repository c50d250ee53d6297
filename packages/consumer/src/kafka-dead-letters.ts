import {
  type Clock,
  type DurableProducer,
  type Logger,
  misconfigurationOf,
  SendError,
  within,
} from "@push-reports/service-kit";
import type { IHeaders, Message } from "kafkajs";
import type { DeadLetters, SetAside } from "./dead-letters.js";
import { WriteError } from "./report-writer.js";
import type { BadRecord } from "./row-lines.js";

/** Attempts after the first of one send. */
export const DEAD_LETTER_RETRIES = 2;
/** Requests of one send at most, one after the other: each attempt may ask for metadata first. */
export const DEAD_LETTER_REQUESTS = 2 * (1 + DEAD_LETTER_RETRIES);
/** Bytes of one send, well below a broker's usual 1 MiB a batch; a single record may be larger. */
const MAX_SEND_BYTES = 500_000;
/** A longer letter is not offered whole: a broker closes the connection of what is beyond its `socket.request.max.bytes`, 100 MiB. */
const MAX_WHOLE_LETTER_BYTES = 64 * 1024 * 1024;
/** Key and headers of the record that a letter without its value keeps, bytes together. */
const MAX_KEPT_BYTES = 16_384;
/** What a record of Kafka's takes besides key, value and headers, and a header besides its name and value, at most. */
const RECORD_OVERHEAD_BYTES = 32;
const HEADER_OVERHEAD_BYTES = 10;

/** What of a producer is needed. */
type DeadLetterProducer = Pick<DurableProducer, "send" | "close">;

/** What setting aside in a topic works with. */
export interface KafkaDeadLettersParts {
  readonly createProducer: () => DeadLetterProducer;
  /** A send that has not ended by then is given up, ms, and its producer with it. Longer than the producer's own attempts. */
  readonly sendTimeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Dead letters as records of a topic: original key, value and headers, and why. All go to one of its partitions, in order.
 * A letter that the topic refuses for its size goes there without its value, and says so: the table `dead_letters` has all of it.
 */
export class KafkaDeadLetters implements DeadLetters {
  readonly #parts: KafkaDeadLettersParts;
  #producer: DeadLetterProducer | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  /** Of everyone who sends or waits for a turn. */
  readonly #onProgress = new Set<() => void>();
  #isClosed = false;

  constructor(parts: KafkaDeadLettersParts) {
    this.#parts = parts;
  }

  async setAside(bad: SetAside, onProgress: () => void): Promise<void> {
    const progressed = () => onProgress();
    this.#onProgress.add(progressed);
    const send = this.#turn
      .then(() => this.#send(bad))
      .finally(() => this.#onProgress.delete(progressed));
    this.#turn = send.catch(() => undefined);
    await send;
  }

  /** For good. Waits for nothing that is on its way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const producer = this.#producer;
    this.#producer = null;
    await producer?.close();
  }

  /** @throws WriteError */
  async #send(bad: SetAside): Promise<void> {
    for (const letters of inSends(bad.records.map((record) => letterOf(bad, record))))
      await this.#sendTogether(letters);
  }

  /** What is refused for its size is halved, so that a letter that is too large keeps no other from being sent. @throws WriteError */
  async #sendTogether(letters: readonly Letter[]): Promise<void> {
    const [letter] = letters;
    if (letter === undefined) return;
    const isOffered = letters.length > 1 || letter.bytes <= MAX_WHOLE_LETTER_BYTES;
    if (isOffered && (await this.#isTaken(letters.map(({ message }) => message)))) return;
    if (letters.length > 1) {
      const middle = Math.ceil(letters.length / 2);
      await this.#sendTogether(letters.slice(0, middle));
      return await this.#sendTogether(letters.slice(middle));
    }
    const { partition, offset, bytes } = letter;
    this.#parts.logger.warn("dead_letter_shortened", { partition, offset, bytes });
    if (await this.#isTaken([letter.shortened()])) return;
    const text = "The dead-letter topic takes not even a letter without its value";
    throw new WriteError("misconfigured", 0, `${text}: raise its max.message.bytes`);
  }

  /** Whether the topic has them now; it does not when they are too large for it. @throws WriteError */
  async #isTaken(messages: readonly Message[]): Promise<boolean> {
    const { createProducer, sendTimeoutMs, clock, logger } = this.#parts;
    // A range that was given up may still wait for its turn here.
    if (this.#isClosed) throw writeErrorOf(new SendError("not_sent", "It is closed"));
    this.#producer ??= createProducer();
    const producer = this.#producer;
    const end = await within(producer.send(0, messages), sendTimeoutMs, clock);
    // One that failed is progress as well to those who wait behind it.
    for (const progressed of this.#onProgress) progressed();
    if (end.kind === "resolved") return true;
    if (end.kind === "rejected" && isRefusedForSize(end.error)) return false;
    if (end.kind === "rejected") throw writeErrorOf(end.error);
    this.#producer = null;
    producer
      .close()
      .catch((error: unknown) => logger.warn("producer_disconnect_failed", { error }));
    throw writeErrorOf(new SendError("unknown_outcome", `No end after ${sendTimeoutMs} ms`));
  }
}

/** What brokers answer, by kafkajs' names, when a batch is larger than a topic's `max.message.bytes`. Nothing of it is written. */
const SIZE_REFUSALS: ReadonlySet<unknown> = new Set(["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"]);

function isRefusedForSize(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (SIZE_REFUSALS.has((cause as { readonly type?: unknown }).type)) return true;
  return false;
}

/** What a retrier makes of a send that went wrong; whatever is no failure of a send is a fault of ours. */
function writeErrorOf(error: unknown): unknown {
  if (!(error instanceof SendError)) return error;
  const reason = misconfigurationOf(error);
  const failure = reason === null ? "passes_with_time" : "misconfigured";
  const text = `The dead-letter topic took nothing: ${reason ?? "no acknowledgement"}`;
  return new WriteError(failure, 0, text, error);
}

/** A dead letter as it is sent. */
interface Letter {
  /** Of the record. */
  readonly partition: number;
  readonly offset: number;
  readonly message: Message;
  /** What it takes of a batch, or somewhat less. */
  readonly bytes: number;
  /** It without the record's value, and without key and headers where they are long. */
  readonly shortened: () => Message;
}

function* inSends(letters: readonly Letter[]): Generator<readonly Letter[]> {
  let batch: Letter[] = [];
  let bytes = 0;
  for (const letter of letters) {
    if (batch.length > 0 && bytes + letter.bytes > MAX_SEND_BYTES) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(letter);
    bytes += letter.bytes;
  }
  if (batch.length > 0) yield batch;
}

function letterOf(
  { source, partition, name }: SetAside,
  { record, reason, detail, clickHouseCode }: BadRecord,
): Letter {
  const { key, value, offset } = record;
  const original: IHeaders = { ...record.headers };
  const why: IHeaders = {
    "dead-letter-reason": reason,
    "dead-letter-detail": detail,
    "dead-letter-clickhouse-code": String(clickHouseCode),
    "dead-letter-source": source,
    "dead-letter-partition": String(partition),
    "dead-letter-offset": String(offset),
    "dead-letter-range": name,
  };
  const timestamp = String(record.timestampMs);
  const whole = { key, value, timestamp, headers: { ...original, ...why } };
  const shortened = (): Message => {
    const isKept = (key?.length ?? 0) + headerBytes(original) <= MAX_KEPT_BYTES;
    const left = isKept ? "value" : "value, key and headers";
    const leftOut: IHeaders = {
      "dead-letter-left-out": `${left}: see the table dead_letters`,
      "dead-letter-value-bytes": String(value?.length ?? 0),
    };
    const headers = { ...(isKept ? original : {}), ...why, ...leftOut };
    return { key: isKept ? key : null, value: null, timestamp, headers };
  };
  return { partition, offset, message: whole, bytes: bytesOf(whole), shortened };
}

function bytesOf({ key, value, headers = {} }: Message): number {
  return RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0) + headerBytes(headers);
}

function headerBytes(headers: IHeaders): number {
  return Object.entries(headers).reduce(
    (sum, [name, value]) => sum + HEADER_OVERHEAD_BYTES + name.length + (value?.length ?? 0),
    0,
  );
}

/** Sets aside in several places, one after the other; done when all have it. */
export class DeadLettersInOrder implements DeadLetters {
  readonly #places: readonly DeadLetters[];

  constructor(places: readonly DeadLetters[]) {
    this.#places = places;
  }

  async setAside(bad: SetAside, onProgress: () => void): Promise<void> {
    for (const place of this.#places) await place.setAside(bad, onProgress);
  }
}
