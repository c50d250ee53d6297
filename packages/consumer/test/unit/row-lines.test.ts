import { describe, expect, it } from "@jest/globals";
import {
  encodeReport,
  MAX_CLIENT_LIBRARY_UNITS,
  MAX_ID_UNITS,
  MAX_RECORD_VALUE_BYTES,
  MAX_TIMESTAMP_SECS,
  MAX_USER_ID_UNITS,
  type ReceivedReport,
} from "@push-reports/report";
import fc from "fast-check";
import { buildRowLines, selectLines } from "../../src/row-lines.js";
import type { NewRecord } from "../fakes/in-memory-log.js";
import { atOffsets, goodRecord, reportId, unreadableRecord } from "../fakes/record-builders.js";

const AT = { source: 'kafka."reports"\\1', partition: 12 };

const build = (records: readonly NewRecord[], first = 0) =>
  buildRowLines(AT, atOffsets(records, first));
const rowsOf = ({ bytes }: { readonly bytes: Buffer }) =>
  bytes
    .toString()
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const withValue = (value: Buffer | string, v = "1"): NewRecord => ({
  ...goodRecord(),
  value: Buffer.from(value),
  headers: { v: Buffer.from(v) },
});
const valueText = (record: NewRecord) => record.value?.toString() ?? "";

const text = (minLength: number, maxLength: number) =>
  fc
    .oneof(
      fc.string({ unit: "binary", minLength, maxLength }),
      fc.string({
        unit: fc.constantFrom('"', "\\", "\n", "\r", "\0", "}", "{", "\u2028", "😀", "a"),
        minLength,
        maxLength,
      }),
    )
    .map((s) => s.toWellFormed().slice(0, maxLength).toWellFormed());
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

describe("row lines", () => {
  it("are the records' columns with source, partition and offset, whatever the reports hold", () => {
    fc.assert(
      fc.property(fc.array(received, { maxLength: 5 }), fc.nat(), (reports, first) => {
        const records = reports.map((report): NewRecord => ({ ...encodeReport(report) }));
        const { lines, unreadable } = build(records, first);
        expect(unreadable).toEqual([]);
        expect(rowsOf(lines)).toEqual(
          records.map((record, index) => ({
            ...AT,
            offset: first + index,
            ...(JSON.parse(valueText(record)) as object),
          })),
        );
      }),
      { numRuns: 500 },
    );
  });

  it("keep a value's bytes as they are", () => {
    const record = goodRecord({ publishId: "é\\u00e9" });

    const { lines } = build([record], 41);

    expect(lines.bytes.toString()).toBe(
      `{"source":"kafka.\\"reports\\"\\\\1","partition":12,"offset":41,${valueText(record).slice(1)}\n`,
    );
  });

  it("say where each line ends and which record it came from", () => {
    const { lines } = build([goodRecord(), unreadableRecord(), goodRecord({ publishId: "p" })], 5);

    expect(lines.records.map(({ offset }) => offset)).toEqual([5, 7]);
    expect(lines.ends.at(-1)).toBe(lines.bytes.length);
    const [first = 0] = lines.ends;
    expect(JSON.parse(lines.bytes.subarray(0, first).toString())).toMatchObject({ offset: 5 });
  });

  it("hold the greatest offset there is", () => {
    const { lines } = build([goodRecord()], Number.MAX_SAFE_INTEGER);

    expect(rowsOf(lines)).toMatchObject([{ offset: Number.MAX_SAFE_INTEGER }]);
  });

  it("take braces inside of strings", () => {
    const { lines } = build([goodRecord({ deviceId: '}{"a":1}\n{' }), goodRecord()]);

    expect(rowsOf(lines)).toMatchObject([{ device_id: '}{"a":1}\n{' }, { device_id: "web-1" }]);
  });

  it("put a readable record into the one form that splices", () => {
    const spread = JSON.stringify(JSON.parse(valueText(goodRecord())), null, 2);
    const { device_id, ...others } = JSON.parse(valueText(goodRecord())) as Record<string, unknown>;
    const { lines } = build([
      withValue(spread),
      withValue(JSON.stringify({ device_id, ...others })),
    ]);

    const [first, second] = lines.bytes.toString().split("\n");
    expect(first?.replace('"offset":0', '"offset":1')).toBe(second);
  });

  const good = valueText(goodRecord());
  it.each([
    ["empty_value", unreadableRecord(null)],
    ["empty_value", unreadableRecord("")],
    ["not_json", unreadableRecord("{")],
    ["not_json", unreadableRecord("}")],
    ["not_json", unreadableRecord(good.slice(0, -1))],
    ["not_json", withValue(`${good}${good}`)],
    ["not_json", withValue(`${good}\n${good}`)],
    ["not_json", withValue(`${good},`)],
    ["invalid_field", unreadableRecord("{}")],
    ["invalid_field", withValue(good.replace("2026-01-02 03:04:05.000", "1767323045"))],
    ["invalid_field", withValue(`{"offset":1,${good.slice(1)}`)],
    ["not_utf8", withValue(Buffer.concat([Buffer.from(good), Buffer.from([0xff])]))],
    ["not_utf8", withValue(Buffer.from(good.replace("pubid-1", "é"), "latin1"))],
    ["unknown_version", withValue(good, "2")],
    ["unknown_version", withValue(good, "11")],
    ["no_version", { ...goodRecord(), headers: {} }],
    ["too_large", goodRecord({ publishId: "p".repeat(MAX_RECORD_VALUE_BYTES) })],
  ])("leave out a record for the reason %s and take those beside it", (reason, record) => {
    const { lines, unreadable } = build([goodRecord(), record, goodRecord()]);

    expect(unreadable).toMatchObject([{ reason, record: { offset: 1 }, clickHouseCode: 0 }]);
    expect(lines.records.map(({ offset }) => offset)).toEqual([0, 2]);
    expect(rowsOf(lines)).toMatchObject([{ offset: 0 }, { offset: 2 }]);
  });

  it("never come from a record as two lines or as no object, whatever bytes it has", () => {
    const opening = Buffer.from('{"report_id":"');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (bytes, opens) => {
        const value = Buffer.concat([opens ? opening : Buffer.alloc(0), Buffer.from(bytes)]);
        const { lines, unreadable } = build([withValue(value)]);
        expect(lines.records.length + unreadable.length).toBe(1);
        expect(lines.bytes.toString().split("\n")).toHaveLength(lines.records.length + 1);
      }),
      { numRuns: 2_000 },
    );
  });

  it("are selected with their records and their bytes", () => {
    const { lines } = build([1, 2, 3, 4].map((n) => goodRecord({ reportId: reportId(n) })));

    const some = selectLines(lines, ({ offset }, index) => offset === index && offset % 2 === 1);

    expect(some.records.map(({ offset }) => offset)).toEqual([1, 3]);
    expect(rowsOf(some)).toMatchObject([{ offset: 1 }, { offset: 3 }]);
    expect(some.ends.at(-1)).toBe(some.bytes.length);
    expect(selectLines(some, () => false)).toEqual({
      bytes: Buffer.alloc(0),
      records: [],
      ends: [],
    });
  });
});
