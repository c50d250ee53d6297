import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  decodeReport,
  encodeReport,
  MAX_CLIENT_LIBRARY_UNITS,
  MAX_ID_UNITS,
  MAX_RECORD_VALUE_BYTES,
  MAX_TIMESTAMP_SECS,
  MAX_USER_ID_UNITS,
  RECORD_COLUMNS,
  type ReceivedReport,
} from "../../src/index.js";

const text = (minLength: number, maxLength: number) =>
  fc
    .oneof(
      fc.string({ unit: "binary", minLength, maxLength }),
      fc.string({ unit: fc.constantFrom('"', "\\", "\n", "\r", "\0", "}", "{", "\u2028", "😀") }),
    )
    .map((s) => s.toWellFormed().slice(0, maxLength).toWellFormed())
    .filter((s) => s.length >= minLength);
const flag = fc.constantFrom(true, false, null);
const received: fc.Arbitrary<ReceivedReport> = fc.record({
  instanceId: fc.uuid(),
  event: fc.constantFrom("delivery" as const, "open" as const),
  publishId: text(1, MAX_ID_UNITS),
  deviceId: text(1, MAX_ID_UNITS),
  timestampSecs: fc.integer({ min: 0, max: MAX_TIMESTAMP_SECS }),
  userId: fc.option(text(1, MAX_USER_ID_UNITS), { nil: null }),
  appInBackground: flag,
  hasDisplayableContent: flag,
  hasData: flag,
  clientLibrary: text(0, MAX_CLIENT_LIBRARY_UNITS),
  reportId: fc.uuid({ version: 7 }),
  receivedAt: fc.date({
    min: new Date("2000-01-01"),
    max: new Date("2100-01-01"),
    noInvalidDate: true,
  }),
});

const example: ReceivedReport = {
  instanceId: "426abfc7-41fe-492f-bcf1-27586fa9bd3f",
  event: "open",
  publishId: "pubid-1",
  deviceId: "web-1",
  timestampSecs: 1_700_000_000,
  userId: null,
  appInBackground: false,
  hasDisplayableContent: null,
  hasData: null,
  clientLibrary: "push-notifications-swift 3.0.0",
  reportId: "018c3f5e-0000-7000-8000-000000000001",
  receivedAt: new Date("2023-11-14T22:13:20.123Z"),
};

const decodeValue = (value: string | Buffer, v = "1") =>
  decodeReport({ value: Buffer.from(value), headers: { v: Buffer.from(v) } });
const altered = (change: Record<string, unknown>) =>
  JSON.stringify({ ...JSON.parse(encodeReport(example).value.toString()), ...change });

describe("report record", () => {
  it("gives every valid report back, whatever its strings hold", () => {
    fc.assert(
      fc.property(received, (report) => {
        expect(decodeReport(encodeReport(report))).toEqual({ ok: true, report });
      }),
      { numRuns: 2000 },
    );
  });

  it("is one line of JSON whose keys are the columns, within the size limit", () => {
    fc.assert(
      fc.property(received, (report) => {
        const { value } = encodeReport(report);
        expect(value.includes("\n")).toBe(false);
        expect(value.length).toBeLessThanOrEqual(MAX_RECORD_VALUE_BYTES);
        expect(Object.keys(JSON.parse(value.toString()))).toEqual([...RECORD_COLUMNS]);
      }),
    );
  });

  it("holds the largest report that escapes to six bytes a unit within the size limit", () => {
    const worst = "\u0001".repeat(MAX_ID_UNITS);
    const report = { ...example, publishId: worst, deviceId: worst, userId: worst + worst };
    expect(encodeReport(report).value.length).toBeLessThanOrEqual(MAX_RECORD_VALUE_BYTES);
  });

  it("is written so that ClickHouse and people can read it", () => {
    expect(encodeReport(example).value.toString()).toBe(
      '{"report_id":"018c3f5e-0000-7000-8000-000000000001","received_at":"2023-11-14 22:13:20.123",' +
        '"instance_id":"426abfc7-41fe-492f-bcf1-27586fa9bd3f","event":"open","publish_id":"pubid-1",' +
        '"device_id":"web-1","occurred_at":1700000000,"user_id":null,"app_in_background":false,' +
        '"has_displayable_content":null,"has_data":null,"client_library":"push-notifications-swift 3.0.0"}',
    );
  });

  it.each([
    ["empty_value", decodeReport({ value: null, headers: {} })],
    ["empty_value", decodeValue("")],
    ["too_large", decodeValue("x".repeat(MAX_RECORD_VALUE_BYTES + 1))],
    ["no_version", decodeReport({ value: Buffer.from("{}"), headers: {} })],
    ["unknown_version", decodeValue(altered({}), "2")],
    ["not_utf8", decodeValue(Buffer.from([0x7b, 0xff, 0x7d]))],
    ["not_json", decodeValue("{}\n{}")],
    ["not_json", decodeValue("[1]")],
    ["invalid_field", decodeValue("{}")],
    ["invalid_field", decodeValue(altered({ event: "click" }))],
    ["invalid_field", decodeValue(altered({ publish_id: "" }))],
    ["invalid_field", decodeValue(altered({ occurred_at: 1.5 }))],
    ["invalid_field", decodeValue(altered({ received_at: "2023-13-40 00:00:00.000" }))],
    ["invalid_field", decodeValue(altered({ has_data: "true" }))],
    ["invalid_field", decodeValue(altered({ source: "elsewhere" }))],
  ])("says %s for what it cannot read", (reason, decoded) => {
    expect(decoded).toMatchObject({ ok: false, reason });
  });
});
