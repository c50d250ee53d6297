import { decodeReport, plainReceivedAtMs } from "@push-reports/report";
import type { SourceRecord } from "./record-source.js";
import { type ReportRange, spanOf } from "./report-range.js";
import type { StoredStretch } from "./stored-reports.js";

/** How long before a range was cut its records may have been received, ms: a gateway's spill can hold them for weeks. */
const LONGEST_WAY_MS = 31 * 24 * 3_600_000;
/** How far a gateway's clock may run ahead of ours, ms. */
const CLOCK_SKEW_MS = 24 * 3_600_000;
/** How far the timestamp of a record may lie from its time of receipt where that cannot be read, ms; a gateway makes them equal. */
const TIMESTAMP_MARGIN_MS = 3_600_000;

/** The first and the last of some times of receipt. */
export interface ReceiptTimes {
  readonly receivedFrom: Date;
  readonly receivedTo: Date;
}

/**
 * When records were received, as their rows say; null without records. A log's timestamps may be others: it may put the time of appending
 * in their place, and who copies records into a topic may do it much later.
 */
export function receiptTimes(records: readonly SourceRecord[]): ReceiptTimes | null {
  if (records.length === 0) return null;
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const record of records) {
    const ms = receivedAtMs(record);
    if (ms < from) from = ms;
    if (ms > to) to = ms;
  }
  return { receivedFrom: new Date(from), receivedTo: new Date(to) };
}

/** Between which times of receipt the rows of some records lie, of which there is at least one. */
export function receiptWindow(records: readonly SourceRecord[]): ReceiptTimes {
  const times = receiptTimes(records);
  if (times === null) throw new RangeError("A window needs at least one record");
  return within(times.receivedFrom.getTime(), times.receivedTo.getTime());
}

/**
 * Where the rows of a range lie. Of records that the log no longer holds only the time of the cut is known: their rows are not found when they were
 * received more than {@link LONGEST_WAY_MS} before it.
 */
export function stretchOf(range: ReportRange): StoredStretch {
  const { partition, first, last } = range;
  return { partition, first, last, ...receiptWindowOf(range) };
}

function receiptWindowOf({ records, cutAt, ...stretch }: ReportRange): ReceiptTimes {
  if (records.length === spanOf(stretch)) return receiptWindow(records);
  const times = receiptTimes(records);
  const [earliest, latest] = [cutAt.getTime() - LONGEST_WAY_MS, cutAt.getTime() + CLOCK_SKEW_MS];
  return within(
    Math.min(earliest, times?.receivedFrom.getTime() ?? earliest),
    Math.max(latest, times?.receivedTo.getTime() ?? latest),
  );
}

/** Whether all rows of a range lie in one month of receipt, which is one partition of the table: then one insert of them is atomic. */
export function liesInOneMonth(range: ReportRange): boolean {
  const times = receiptTimes(range.records);
  if (times === null || range.records.length < spanOf(range)) return false;
  const month = (time: Date) => time.toISOString().slice(0, 7);
  return month(times.receivedFrom) === month(times.receivedTo);
}

function within(fromMs: number, toMs: number): ReceiptTimes {
  return {
    receivedFrom: new Date(fromMs - TIMESTAMP_MARGIN_MS),
    receivedTo: new Date(toMs + TIMESTAMP_MARGIN_MS),
  };
}

/** When a record was received, as its row says; its timestamp where that cannot be read. Unix ms. */
export function receivedAtMs(record: SourceRecord): number {
  const plain = record.value === null ? null : plainReceivedAtMs(record.value);
  if (plain !== null) return plain;
  const decoded = decodeReport(record);
  return decoded.ok ? decoded.report.receivedAt.getTime() : record.timestampMs;
}
