import type { IHeaders, KafkaMessage } from "kafkajs";
import type { SourceRecord } from "./record-source.js";

const NO_BYTES = Buffer.alloc(0);

/** A record as kafkajs decoded it. Of a header that is there several times the last one counts. */
export function sourceRecordOf(message: KafkaMessage): SourceRecord {
  return {
    offset: Number(message.offset),
    timestampMs: Number(message.timestamp),
    key: message.key,
    value: message.value,
    headers: headersOf(message.headers ?? {}),
  };
}

/** kafkajs' types hide that it gives null for a header without a value and a list for one that is repeated. */
function headersOf(headers: IHeaders): SourceRecord["headers"] {
  for (const name in headers)
    if (!Buffer.isBuffer(headers[name])) return Object.fromEntries(normalised(headers));
  return headers as SourceRecord["headers"];
}

function normalised(headers: IHeaders): (readonly [string, Buffer])[] {
  return Object.entries(headers).map(([name, value]) => {
    const last = Array.isArray(value) ? value.at(-1) : value;
    return [name, Buffer.isBuffer(last) ? last : NO_BYTES];
  });
}

/**
 * The same record in memory of its own. kafkajs' is a part of its batch as that was inflated or, where it was not compressed, of the whole answer to
 * a fetch, other partitions' records included: all of it stays in memory as long as one record of it does.
 */
export function detached({ key, value, headers, ...record }: SourceRecord): SourceRecord {
  const copy = (bytes: Buffer | null) => (bytes === null ? null : Buffer.from(bytes));
  const own = Object.entries(headers).map(([name, bytes]) => [name, copy(bytes ?? NO_BYTES)]);
  return { ...record, key: copy(key), value: copy(value), headers: Object.fromEntries(own) };
}
