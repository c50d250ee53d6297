import { AGAIN_HEADER, type ReportRecord } from "@push-reports/report";
import type { Message } from "kafkajs";

const AGAIN = Buffer.from("1");

/** A record as kafkajs sends it. */
export function messageOf(record: ReportRecord): Message {
  return {
    key: record.key,
    value: record.value,
    headers: { ...record.headers },
    timestamp: String(record.timestampMs),
  };
}

/** A record that may have been written before, marked for the consumer. */
export function againMessageOf(record: ReportRecord): Message {
  return messageOf({ ...record, headers: { ...record.headers, [AGAIN_HEADER]: AGAIN } });
}
