import { isUtf8 } from "node:buffer";
import { formatReceivedAt, isReceivedAt, parseReceivedAt } from "./received-at.js";
import {
  MAX_CLIENT_LIBRARY_UNITS,
  MAX_ID_UNITS,
  MAX_TIMESTAMP_SECS,
  MAX_USER_ID_UNITS,
  REPORT_EVENTS,
  type ReceivedReport,
  type ReportEvent,
  UUID_PATTERN,
} from "./report.js";

/** The contract version that `encodeReport` writes into the header {@link VERSION_HEADER}. */
export const RECORD_VERSION = "1";
/** Header with the contract version. */
export const VERSION_HEADER = "v";
/** Header of a record whose earlier send had an unknown outcome: a copy may lie at a lower offset. */
export const AGAIN_HEADER = "again";
/** No encoded report is longer: ids, user and library at their limits, all of it escaped. */
export const MAX_RECORD_VALUE_BYTES = 16_384;

/** The keys of a record's value, which are the columns of `reports`, in the order they are written. */
export const RECORD_COLUMNS = [
  "report_id",
  "received_at",
  "instance_id",
  "event",
  "publish_id",
  "device_id",
  "occurred_at",
  "user_id",
  "app_in_background",
  "has_displayable_content",
  "has_data",
  "client_library",
] as const;

/** One report as it stands on the topic. */
export interface ReportRecord {
  /** The device id. It serves readers of the topic; it does not choose the partition. */
  readonly key: Buffer;
  /** One line of JSON without a line break, whose keys are {@link RECORD_COLUMNS}. */
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, Buffer>>;
  /** Time of receipt, Unix milliseconds. */
  readonly timestampMs: number;
}

const HEADERS: ReportRecord["headers"] = Object.freeze({
  [VERSION_HEADER]: Buffer.from(RECORD_VERSION),
});

/** Makes the record of a valid report. Total: any {@link ReceivedReport} has exactly one record. */
export function encodeReport(report: ReceivedReport): ReportRecord {
  const line =
    `{"report_id":"${report.reportId}"` +
    `,"received_at":"${formatReceivedAt(report.receivedAt)}"` +
    `,"instance_id":"${report.instanceId}"` +
    `,"event":"${report.event}"` +
    `,"publish_id":${JSON.stringify(report.publishId)}` +
    `,"device_id":${JSON.stringify(report.deviceId)}` +
    `,"occurred_at":${report.timestampSecs}` +
    `,"user_id":${report.userId === null ? "null" : JSON.stringify(report.userId)}` +
    `,"app_in_background":${report.appInBackground}` +
    `,"has_displayable_content":${report.hasDisplayableContent}` +
    `,"has_data":${report.hasData}` +
    `,"client_library":${JSON.stringify(report.clientLibrary)}}`;
  return {
    key: Buffer.from(report.deviceId),
    value: Buffer.from(line),
    headers: HEADERS,
    timestampMs: report.receivedAt.getTime(),
  };
}

/** Why bytes from the topic are not a report that this version can read. */
export type UnreadableReason =
  | "empty_value"
  | "too_large"
  | "not_utf8"
  | "no_version"
  | "unknown_version"
  | "not_json"
  | "invalid_field";

/** What {@link decodeReport} makes of a record. `detail` names the fault without quoting values. */
export type Decoded =
  | { readonly ok: true; readonly report: ReceivedReport }
  | { readonly ok: false; readonly reason: UnreadableReason; readonly detail: string };

/** The parts of a record that decoding looks at; a tombstone has no value. */
export interface EncodedRecord {
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | undefined>>;
}

/** Reads a record of any version up to {@link RECORD_VERSION}. Never throws. */
export function decodeReport(record: EncodedRecord): Decoded {
  const { value } = record;
  if (value === null || value.length === 0) return unreadable("empty_value", "the value is empty");
  if (value.length > MAX_RECORD_VALUE_BYTES)
    return unreadable("too_large", `the value has ${value.length} bytes`);
  const version = record.headers[VERSION_HEADER]?.toString("latin1");
  if (version === undefined) return unreadable("no_version", "the header v is missing");
  if (version !== RECORD_VERSION)
    return unreadable("unknown_version", `this reader knows versions up to ${RECORD_VERSION}`);
  if (!isUtf8(value)) return unreadable("not_utf8", "the value is not valid UTF-8");
  return decodeVersion1(value.toString("utf8"));
}

function unreadable(reason: UnreadableReason, detail: string): Decoded {
  return { ok: false, reason, detail };
}

function decodeVersion1(text: string): Decoded {
  const row = parseObject(text);
  if (row === null) return unreadable("not_json", "the value is not one JSON object");
  const unknown = Object.keys(row).filter((key) => !COLUMN_NAMES.has(key));
  if (unknown.length > 0)
    return unreadable("invalid_field", `${unknown.length} keys are no columns`);
  for (const column of RECORD_COLUMNS) {
    if (!COLUMN_CHECKS[column](row[column]))
      return unreadable("invalid_field", `${column} is missing or out of range`);
  }
  // Each column was checked just above; this is the one place where the parsed row gets its type.
  const checked = row as unknown as Version1Row;
  return {
    ok: true,
    report: {
      reportId: checked.report_id,
      receivedAt: parseReceivedAt(checked.received_at),
      instanceId: checked.instance_id,
      event: checked.event,
      publishId: checked.publish_id,
      deviceId: checked.device_id,
      timestampSecs: checked.occurred_at,
      userId: checked.user_id,
      appInBackground: checked.app_in_background,
      hasDisplayableContent: checked.has_displayable_content,
      hasData: checked.has_data,
      clientLibrary: checked.client_library,
    },
  };
}

interface Version1Row {
  readonly report_id: string;
  readonly received_at: string;
  readonly instance_id: string;
  readonly event: ReportEvent;
  readonly publish_id: string;
  readonly device_id: string;
  readonly occurred_at: number;
  readonly user_id: string | null;
  readonly app_in_background: boolean | null;
  readonly has_displayable_content: boolean | null;
  readonly has_data: boolean | null;
  readonly client_library: string;
}

const COLUMN_NAMES: ReadonlySet<string> = new Set(RECORD_COLUMNS);

const isUuid = (value: unknown) => typeof value === "string" && UUID_PATTERN.test(value);
const isText = (minUnits: number, maxUnits: number) => (value: unknown) =>
  typeof value === "string" &&
  value.length >= minUnits &&
  value.length <= maxUnits &&
  value.isWellFormed();
const isFlag = (value: unknown) => value === null || typeof value === "boolean";

const COLUMN_CHECKS: Readonly<
  Record<(typeof RECORD_COLUMNS)[number], (value: unknown) => boolean>
> = {
  report_id: isUuid,
  received_at: (value) => typeof value === "string" && isReceivedAt(value),
  instance_id: isUuid,
  event: (value) => REPORT_EVENTS.some((event) => event === value),
  publish_id: isText(1, MAX_ID_UNITS),
  device_id: isText(1, MAX_ID_UNITS),
  occurred_at: (value) =>
    Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_TIMESTAMP_SECS,
  user_id: (value) => value === null || isText(1, MAX_USER_ID_UNITS)(value),
  app_in_background: isFlag,
  has_displayable_content: isFlag,
  has_data: isFlag,
  client_library: isText(0, MAX_CLIENT_LIBRARY_UNITS),
};

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
