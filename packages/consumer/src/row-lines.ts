import { isUtf8 } from "node:buffer";
import {
  decodeReport,
  encodeReport,
  MAX_RECORD_VALUE_BYTES,
  plainReceivedAtMs,
  RECORD_VERSION,
  type ReceivedReport,
  type UnreadableReason,
  VERSION_HEADER,
} from "@push-reports/report";
import type { SourceRecord } from "./record-source.js";

/** A record that cannot become a row, and why. */
export interface BadRecord {
  readonly record: SourceRecord;
  /** `refused` means that the database would not take it. */
  readonly reason: UnreadableReason | "refused";
  readonly detail: string;
  /** ClickHouse's error code, or 0. */
  readonly clickHouseCode: number;
}

/** Rows of a range as JSONEachRow lines, each with the record it came from. */
export interface RowLines {
  /** All lines, each with its line break. */
  readonly bytes: Buffer;
  readonly records: readonly SourceRecord[];
  /** Where the line of the record at the same index ends in `bytes`. */
  readonly ends: readonly number[];
}

/** What records become: lines, and those that become none. */
export interface BuiltRows {
  readonly lines: RowLines;
  readonly unreadable: readonly BadRecord[];
}

const BRACE_CLOSE = 0x7d;
const LINE_BREAK = 0x0a;
/** Room for `"offset":`, the greatest offset, a comma and a line break. */
const OFFSET_ROOM_BYTES = 32;

/**
 * Makes lines by splicing source, partition and offset into the values' bytes. Only a value that is not of the current
 * version, or is not plainly one object on one line, is decoded and encoded again, or found unreadable.
 */
export function buildRowLines(
  at: { readonly source: string; readonly partition: number },
  records: readonly SourceRecord[],
): BuiltRows {
  const unreadable: BadRecord[] = [];
  const kept: SourceRecord[] = [];
  const values: Buffer[] = [];
  let valueBytes = 0;
  for (const record of records) {
    const value = isPlainRow(record) ? record.value : reencode(record, unreadable);
    if (value === null) continue;
    kept.push(record);
    values.push(value);
    valueBytes += value.length;
  }
  return { lines: splice(at, kept, values, valueBytes), unreadable };
}

/** The lines of some of the records: those for which `keep` says so. */
export function selectLines(
  lines: RowLines,
  keep: (record: SourceRecord, index: number) => boolean,
): RowLines {
  const records: SourceRecord[] = [];
  const parts: Buffer[] = [];
  const ends: number[] = [];
  let length = 0;
  lines.records.forEach((record, index) => {
    if (!keep(record, index)) return;
    const part = lines.bytes.subarray(lines.ends[index - 1] ?? 0, lines.ends[index]);
    records.push(record);
    parts.push(part);
    length += part.length;
    ends.push(length);
  });
  return { bytes: Buffer.concat(parts, length), records, ends };
}

/** The lines of the records from index `from` to before `to`; they share the bytes. */
export function sliceLines(lines: RowLines, from: number, to: number): RowLines {
  const begin = lines.ends[from - 1] ?? 0;
  const ends = lines.ends.slice(from, to).map((end) => end - begin);
  const bytes = lines.bytes.subarray(begin, begin + (ends.at(-1) ?? 0));
  return { bytes, records: lines.records.slice(from, to), ends };
}

/** All lines but the one at `index`. */
export function withoutLine(lines: RowLines, index: number): RowLines {
  const before = sliceLines(lines, 0, index);
  const behind = sliceLines(lines, index + 1, lines.records.length);
  const offset = before.bytes.length;
  return {
    bytes: Buffer.concat([before.bytes, behind.bytes]),
    records: [...before.records, ...behind.records],
    ends: [...before.ends, ...behind.ends.map((end) => end + offset)],
  };
}

/** One line that every table of this version takes. It is only ever probed. */
export function controlLine(at: { readonly source: string; readonly partition: number }): RowLines {
  const { key, value, headers, timestampMs } = encodeReport(CONTROL_REPORT);
  return buildRowLines(at, [{ key, value, headers, timestampMs, offset: 0 }]).lines;
}

const CONTROL_REPORT: ReceivedReport = {
  reportId: "018c3f5e-0000-7000-8000-000000000001",
  receivedAt: new Date("2024-01-01T00:00:00.000Z"),
  instanceId: "426abfc7-41fe-492f-bcf1-27586fa9bd3f",
  event: "delivery",
  publishId: "pubid-control",
  deviceId: "control",
  timestampSecs: 1_700_000_000,
  userId: null,
  appInBackground: null,
  hasDisplayableContent: null,
  hasData: null,
  clientLibrary: "",
};

function splice(
  at: { readonly source: string; readonly partition: number },
  records: readonly SourceRecord[],
  values: readonly Buffer[],
  valueBytes: number,
): RowLines {
  const prefix = Buffer.from(
    `{"source":${JSON.stringify(at.source)},"partition":${at.partition},"offset":`,
  );
  const bytes = Buffer.allocUnsafe(
    valueBytes + records.length * (prefix.length + OFFSET_ROOM_BYTES),
  );
  const ends: number[] = [];
  let length = 0;
  records.forEach((record, index) => {
    length += prefix.copy(bytes, length);
    length += bytes.write(`${record.offset},`, length, "latin1");
    // The value's own opening brace is replaced by the prefix.
    length += (values[index] as Buffer).copy(bytes, length, 1);
    bytes[length] = LINE_BREAK;
    length += 1;
    ends.push(length);
  });
  return { bytes: bytes.subarray(0, length), records, ends };
}

/**
 * Whether the bytes can be spliced as they are: current version, one line of UTF-8 that opens as our rows do, up to a time of receipt that we
 * can read, so that the row is found by it, and whose only closing brace is the last byte, so that no second object can hide in it. A
 * brace inside a string takes the slow path.
 */
function isPlainRow(record: SourceRecord): record is SourceRecord & { readonly value: Buffer } {
  const { value } = record;
  if (value === null || value.length > MAX_RECORD_VALUE_BYTES) return false;
  const version = record.headers[VERSION_HEADER];
  return (
    version !== undefined &&
    version.length === 1 &&
    version[0] === RECORD_VERSION.charCodeAt(0) &&
    value.indexOf(BRACE_CLOSE) === value.length - 1 &&
    value.indexOf(LINE_BREAK) === -1 &&
    plainReceivedAtMs(value) !== null &&
    isUtf8(value)
  );
}

function reencode(record: SourceRecord, unreadable: BadRecord[]): Buffer | null {
  const decoded = decodeReport(record);
  if (decoded.ok) return encodeReport(decoded.report).value;
  const { reason, detail } = decoded;
  unreadable.push({ record, reason, detail, clickHouseCode: 0 });
  return null;
}
