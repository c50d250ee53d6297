import type { LogEntry, LogRecord } from "@push-reports/embedded-log";
import type { ReportRecord } from "@push-reports/report";
import type { SentTo } from "../report-publisher.js";

/** Header that a record has in the spill only: where it may lie already, and what to send it again under. */
const SENT_TO_HEADER = "sent-to";

/** A record as it comes out of the spill. */
export interface SpilledRecord {
  /** Its place in the spill. */
  readonly offset: number;
  readonly record: ReportRecord;
  readonly sentTo: SentTo | null;
}

/** Makes what goes into the spill. */
export function encodeSpilled(record: ReportRecord, sentTo: SentTo | null): LogRecord {
  if (sentTo === null) return record;
  const { partition, resendAs } = sentTo;
  const text = `${partition}/${resendAs.producerId}/${resendAs.epoch}`;
  return { ...record, headers: { ...record.headers, [SENT_TO_HEADER]: Buffer.from(text) } };
}

/** Reads what {@link encodeSpilled} made. */
export function decodeSpilled(entry: LogEntry): SpilledRecord {
  const { [SENT_TO_HEADER]: sentTo, ...headers } = entry.headers;
  const { offset, timestampMs } = entry;
  const [key, value] = [entry.key ?? EMPTY, entry.value ?? EMPTY];
  return {
    offset,
    record: { key, value, headers, timestampMs },
    sentTo: sentTo === undefined ? null : decodeSentTo(sentTo.toString()),
  };
}

const EMPTY = Buffer.alloc(0);

function decodeSentTo(text: string): SentTo {
  const [partition, producerId, epoch] = text.split("/");
  return {
    partition: Number(partition),
    resendAs: { producerId: String(producerId), epoch: Number(epoch) },
  };
}
