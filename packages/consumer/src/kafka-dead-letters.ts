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

/** Bytes of one send, well below a broker's usual 1 MiB a batch; a single record may be larger. */
const MAX_SEND_BYTES = 500_000;

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

/** Dead letters as records of a topic: original key, value and headers, and why. All go to one of its partitions, in order. */
export class KafkaDeadLetters implements DeadLetters {
  readonly #parts: KafkaDeadLettersParts;
  #producer: DeadLetterProducer | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(parts: KafkaDeadLettersParts) {
    this.#parts = parts;
  }

  async setAside(bad: SetAside): Promise<void> {
    const send = this.#turn.then(() => this.#send(bad));
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
    const { createProducer, sendTimeoutMs, clock, logger } = this.#parts;
    for (const messages of inSends(bad.records.map((record) => messageOf(bad, record)))) {
      // A range that was given up may still wait for its turn here.
      if (this.#isClosed) throw writeErrorOf(new SendError("not_sent", "It is closed"));
      this.#producer ??= createProducer();
      const producer = this.#producer;
      const end = await within(producer.send(0, messages), sendTimeoutMs, clock);
      if (end.kind === "resolved") continue;
      if (end.kind === "rejected") throw writeErrorOf(end.error);
      this.#producer = null;
      producer
        .close()
        .catch((error: unknown) => logger.warn("producer_disconnect_failed", { error }));
      throw writeErrorOf(new SendError("unknown_outcome", `No end after ${sendTimeoutMs} ms`));
    }
  }
}

/** What a retrier makes of a send that went wrong; whatever is no failure of a send is a fault of ours. */
function writeErrorOf(error: unknown): unknown {
  if (!(error instanceof SendError)) return error;
  const reason = misconfigurationOf(error);
  const failure = reason === null ? "passes_with_time" : "misconfigured";
  const text = `The dead-letter topic took nothing: ${reason ?? "no acknowledgement"}`;
  return new WriteError(failure, 0, text, error);
}

function* inSends(messages: readonly Message[]): Generator<readonly Message[]> {
  let batch: Message[] = [];
  let bytes = 0;
  for (const message of messages) {
    const length = (message.value?.length ?? 0) + (message.key?.length ?? 0);
    if (batch.length > 0 && bytes + length > MAX_SEND_BYTES) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(message);
    bytes += length;
  }
  if (batch.length > 0) yield batch;
}

function messageOf(
  { source, partition, name }: SetAside,
  { record, reason, detail, clickHouseCode }: BadRecord,
): Message {
  const original: IHeaders = { ...record.headers };
  const why: IHeaders = {
    "dead-letter-reason": reason,
    "dead-letter-detail": detail,
    "dead-letter-clickhouse-code": String(clickHouseCode),
    "dead-letter-source": source,
    "dead-letter-partition": String(partition),
    "dead-letter-offset": String(record.offset),
    "dead-letter-range": name,
  };
  return {
    key: record.key,
    value: record.value,
    timestamp: String(record.timestampMs),
    headers: { ...original, ...why },
  };
}

/** Sets aside in several places, one after the other; done when all have it. */
export class DeadLettersInOrder implements DeadLetters {
  readonly #places: readonly DeadLetters[];

  constructor(places: readonly DeadLetters[]) {
    this.#places = places;
  }

  async setAside(bad: SetAside): Promise<void> {
    for (const place of this.#places) await place.setAside(bad);
  }
}
