import { describe, expect, it } from "@jest/globals";
import { encodeReport } from "@push-reports/report";
import { aReceivedReport } from "@push-reports/test-support";
import { waitingSince } from "../../src/publish/waiting-since.js";

const NOW = Date.parse("2026-01-02T03:04:05.678Z");

describe("the time from which an answer's deadline counts", () => {
  it.each([
    ["that of the receipt, when the report has waited to be judged", 1_500, 1_500],
    ["now, when it was received just now", 0, 0],
    ["now, when a clock was set forward since", 3_600_000, 0],
    ["now, when a clock was set back since", -1, 0],
  ])("is %s", (_, receivedMsAgo, countsFromMsAgo) => {
    const receivedAt = new Date(NOW - receivedMsAgo);
    const record = encodeReport(aReceivedReport({ receivedAt }));

    expect(waitingSince(record, NOW)).toBe(NOW - countsFromMsAgo);
  });
});
