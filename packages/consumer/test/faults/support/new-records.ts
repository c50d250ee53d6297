import { randomUUID } from "node:crypto";
import { AGAIN_HEADER, encodeReport, type Report } from "@push-reports/report";
import { aReceivedReport } from "@push-reports/test-support";
import type { Message } from "kafkajs";
import type { Random } from "./random.js";

/** Key of a record that cannot become a row: this, then the reason that must be given for it. */
export const BAD_KEY_PREFIX = "bad/";

/**
 * Of these a report is about some: so many instances that most notifications have one report, which nothing hides when it is missing, and
 * so few devices and publishes of each that its sketches count exactly.
 */
const INSTANCES = 256;
const PUBLISHES = 2;
const DEVICES = 15;
/** Seconds by a device's clock, about which reports are wrong. */
const MAX_TIMESTAMP_SECS = 1_800_000_000;

/** A good record. Its report is received now, as a gateway's would be. */
export function goodRecord(random: Random): Message {
  return recordOf(random.pick(["delivery", "delivery", "open"]), random);
}

function recordOf(event: Report["event"], random: Random): Message {
  const instance = random
    .integer(0, INSTANCES - 1)
    .toString(16)
    .padStart(12, "0");
  const report = aReceivedReport({
    instanceId: `426abfc7-41fe-492f-bcf1-${instance}`,
    event,
    publishId: `pubid-${random.integer(1, PUBLISHES)}`,
    deviceId: `web-${random.integer(1, DEVICES)}`,
    timestampSecs: random.integer(1_600_000_000, MAX_TIMESTAMP_SECS),
    userId: random.pick([null, "user-1", "user-2"]),
    appInBackground: random.pick([null, false, true]),
    hasDisplayableContent: random.pick([null, false, true]),
    clientLibrary: random.pick(["", "push-notifications-android 1.9.2"]),
    receivedAt: new Date(),
  });
  const { key, value, headers, timestampMs } = encodeReport(report);
  return { key, value, headers: { ...headers }, timestamp: String(timestampMs) };
}

/** The same record once more, marked as one whose first send had no known outcome. */
export function again(record: Message): Message {
  return { ...record, headers: { ...record.headers, [AGAIN_HEADER]: Buffer.from("1") } };
}

/** A record that is to be set aside, for any of the reasons there are. */
export function badRecord(random: Random): Message {
  const good = recordOf("delivery", random);
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
