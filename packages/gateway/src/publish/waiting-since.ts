import type { ReportRecord } from "@push-reports/report";

/** How long a report may have waited to be judged, ms. */
const MAX_WAITED_MS = 2_000;

/**
 * From when the deadline of a record's answer counts, Unix ms: from its receipt, since it may have waited to be judged. A time of receipt
 * that the waiting does not explain is another clock's, or one that was set, and does not count.
 */
export function waitingSince({ timestampMs }: ReportRecord, now: number): number {
  const waitedMs = now - timestampMs;
  return waitedMs >= 0 && waitedMs <= MAX_WAITED_MS ? timestampMs : now;
}
