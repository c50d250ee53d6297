import { randomUUID } from "node:crypto";
import type { ReceivedReport, Report } from "@push-reports/report";

/** A valid report; say only what the test is about. Ids are new ones at every call. */
export function aReport(overrides: Partial<Report> = {}): Report {
  return {
    instanceId: "426abfc7-41fe-492f-bcf1-27586fa9bd3f",
    event: "delivery",
    publishId: `pubid-${randomUUID()}`,
    deviceId: `web-${randomUUID()}`,
    timestampSecs: 1_700_000_000,
    userId: null,
    appInBackground: true,
    hasDisplayableContent: true,
    hasData: false,
    clientLibrary: "",
    ...overrides,
  };
}

/** A valid report as the gateway received it. */
export function aReceivedReport(overrides: Partial<ReceivedReport> = {}): ReceivedReport {
  return {
    ...aReport(overrides),
    reportId: randomUUID(),
    receivedAt: new Date("2026-01-02T03:04:05.678Z"),
    ...overrides,
  };
}
