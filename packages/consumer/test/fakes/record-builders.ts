import { AGAIN_HEADER, encodeReport, type ReceivedReport } from "@push-reports/report";
import type { SourceRecord } from "../../src/record-source.js";
import type { NewRecord } from "./in-memory-log.js";

const NO_UUID = "00000000-0000-0000-0000-000000000000";

/** The n-th report id: a UUID that says its number. */
export function reportId(n: number): string {
  return `018c3f5e-0000-7000-8000-${n.toString(16).padStart(12, "0")}`;
}

/** A valid report; say only what the test is about. */
function aReport(overrides: Partial<ReceivedReport> = {}): ReceivedReport {
  return {
    instanceId: "426abfc7-41fe-492f-bcf1-27586fa9bd3f",
    event: "delivery",
    publishId: "pubid-1",
    deviceId: "web-1",
    timestampSecs: 1_700_000_000,
    userId: null,
    appInBackground: true,
    hasDisplayableContent: true,
    hasData: false,
    clientLibrary: "",
    reportId: reportId(1),
    receivedAt: new Date("2026-01-02T03:04:05.000Z"),
    ...overrides,
  };
}

/** A record of a valid report. */
export function goodRecord(overrides: Partial<ReceivedReport> = {}): NewRecord {
  return { ...encodeReport(aReport(overrides)) };
}

/** A record that was sent again: a copy of it may lie at a lower offset. */
export function againRecord(overrides: Partial<ReceivedReport> = {}): NewRecord {
  const record = goodRecord(overrides);
  return { ...record, headers: { ...record.headers, [AGAIN_HEADER]: Buffer.from("1") } };
}

/** A record that our contract takes and the table's checks refuse. */
export function refusedRecord(overrides: Partial<ReceivedReport> = {}): NewRecord {
  return goodRecord({ ...overrides, instanceId: NO_UUID });
}

/** A record that is no report. */
export function unreadableRecord(value: string | null = "no report"): NewRecord {
  return { ...goodRecord(), value: value === null ? null : Buffer.from(value) };
}

/** Gives records their offsets, one after the other. */
export function atOffsets(records: readonly NewRecord[], first = 0): readonly SourceRecord[] {
  return records.map((record, index) => ({ ...record, offset: first + index }));
}
