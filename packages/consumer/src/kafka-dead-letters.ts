import { type DurableProducer, SendError } from "@push-reports/service-kit";
import type { IHeaders, Message } from "kafkajs";
import type { DeadLetters, SetAside } from "./dead-letters.js";
import { WriteError } from "./report-writer.js";
import type { BadRecord } from "./row-lines.js";

/** Bytes of one send, well below a broker's usual 1 MiB a batch; a single record may be larger. */
const MAX_SEND_BYTES = 500_000;

/** Dead letters as records of a topic: original key, value and headers, and why. All go to one of its partitions, in order. */
export class KafkaDeadLetters implements DeadLetters {
  readonly #producer: DurableProducer;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(producer: DurableProducer) {
    this.#producer = producer;
  }

  async setAside(bad: SetAside): Promise<void> {
    const send = this.#turn.then(() => this.#send(bad));
    this.#turn = send.catch(() => undefined);
    await send;
  }

  async #send(bad: SetAside): Promise<void> {
    try {
      for (const messages of inSends(bad.records.map((record) => messageOf(bad, record))))
        await this.#producer.send(0, messages);
    } catch (error) {
      if (!(error instanceof SendError)) throw error;
      throw new WriteError("passes_with_time", 0, "The dead-letter topic took nothing", error);
    }
  }
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
