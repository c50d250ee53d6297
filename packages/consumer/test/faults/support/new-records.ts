import { randomUUID } from "node:crypto";
import { AGAIN_HEADER, encodeReport } from "@push-reports/report";
import { aReceivedReport } from "@push-reports/test-support";
import type { Message } from "kafkajs";
import type { Random } from "./random.js";

/** Key of a record that cannot become a row: this, then the reason that must be given for it. */
export const BAD_KEY_PREFIX = "bad/";

/** A good record. Its report is received now, as a gateway's would be. */
export function goodRecord(): Message {
  const { key, value, headers, timestampMs } = encodeReport(
    aReceivedReport({ receivedAt: new Date() }),
  );
  return { key, value, headers: { ...headers }, timestamp: String(timestampMs) };
}

/** The same record once more, marked as one whose first send had no known outcome. */
export function again(record: Message): Message {
  return { ...record, headers: { ...record.headers, [AGAIN_HEADER]: Buffer.from("1") } };
}

/** A record that is to be set aside, for any of the reasons there are. */
export function badRecord(random: Random): Message {
  const good = goodRecord();
  const value = String(good.value);
  const [reason, bad] = random.pick<readonly [string, Partial<Message>]>([
    ["empty_value", { value: null }],
    ["empty_value", { value: Buffer.alloc(0) }],
    ["too_large", { value: Buffer.from(value.padEnd(20_000)) }],
    ["not_utf8", { value: Buffer.from([...Buffer.from(value.slice(0, -1)), 0xff, 0x7d]) }],
    ["no_version", { headers: {} }],
    ["unknown_version", { headers: { v: "9" } }],
    ["not_json", { value: Buffer.from(`${value}\n${value}`) }],
    ["not_json", { value: Buffer.from("no report") }],
    ["invalid_field", { value: Buffer.from(value.replace('"delivery"', '"arrival"')) }],
    // Our own contract takes these; the table's constraints do not.
    [
      "refused",
      { value: Buffer.from(value.replace(/"received_at":"\d{4}/, '"received_at":"1999')) },
    ],
    ["refused", { value: Buffer.from(value.replace(/[0-9a-f-]{36}/, nilUuid)) }],
  ]);
  return { ...good, ...bad, key: `${BAD_KEY_PREFIX}${reason}/${randomUUID()}` };
}

const nilUuid = "00000000-0000-0000-0000-000000000000";
