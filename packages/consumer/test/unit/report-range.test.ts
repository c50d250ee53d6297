import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  cutAtOf,
  cutRange,
  decodeIntent,
  encodeIntent,
  spanOf,
  UnreadableIntentError,
} from "../../src/report-range.js";
import { atOffsets, goodRecord } from "../fakes/record-builders.js";

const CUT_AT = new Date("2026-01-02T03:04:05.678Z");
const aRange = (first: number, offsets: readonly number[], source = "kafka.reports.1") =>
  cutRange(
    { source, partition: 7, first },
    offsets.map((offset) => ({ ...goodRecord(), offset })),
    CUT_AT,
  );

describe("a report range", () => {
  it("is named after its source, partition, offsets and the time it was cut", () => {
    const range = cutRange(
      { source: "kafka.reports.1", partition: 7, first: 10 },
      atOffsets([goodRecord(), goodRecord()], 10),
      CUT_AT,
    );

    expect(range.name).toBe("kafka.reports.1/7/10-11/2026-01-02T03:04:05.678Z");
    expect(spanOf(range)).toBe(2);
    expect(cutAtOf(range.name)).toEqual(CUT_AT);
  });

  it("begins where the range before it ended, though the log holds nothing there", () => {
    expect(aRange(10, [14, 17])).toMatchObject({ first: 10, last: 17 });
  });

  it("is not cut from nothing", () => {
    expect(() => aRange(0, [])).toThrow(RangeError);
  });

  it("comes back from its intent, whatever its source is called", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 100 }),
        fc.nat(),
        fc.nat({ max: 600_000 }),
        fc.boolean(),
        (source, first, length, mustLookUp) => {
          const range = aRange(first, [first + length], source);
          const { name, last } = range;
          const intent = { name, first, last, records: 1, mustLookUp };
          expect(decodeIntent(encodeIntent(range, { mustLookUp }), 7)).toEqual(intent);
          expect(cutAtOf(name)).toEqual(CUT_AT);
        },
      ),
    );
  });

  it("has an intent that Kafka takes as metadata, at any offset", () => {
    const range = aRange(Number.MAX_SAFE_INTEGER, [Number.MAX_SAFE_INTEGER], "s".repeat(100));

    expect(Buffer.byteLength(encodeIntent(range))).toBeLessThan(1_024);
  });

  it("was not announced when nothing was committed with the offset", () => {
    expect(decodeIntent("", 7)).toBeNull();
  });

  it("is version 2 when it must be looked up, which a release that knows only version 1 refuses to read", () => {
    const version = (mustLookUp: boolean) =>
      (JSON.parse(encodeIntent(aRange(10, [10]), { mustLookUp })) as { v: unknown }).v;
    expect([version(false), version(true)]).toEqual([1, 2]);
  });

  const intent = JSON.parse(encodeIntent(aRange(10, [10, 11]))) as Record<string, unknown>;
  it.each([
    ["no JSON", "kafkajs"],
    ["no object", "[]"],
    ["null", "null"],
    ["a later version", JSON.stringify({ ...intent, v: 3 })],
    ["of version 2 without its flag", JSON.stringify({ ...intent, v: 2 })],
    ["of version 2 with its flag down", JSON.stringify({ ...intent, v: 2, mustLookUp: false })],
    ["of version 1 with a flag", JSON.stringify({ ...intent, mustLookUp: true })],
    ["no version", JSON.stringify({ ...intent, v: undefined })],
    ["a name without a time", JSON.stringify({ ...intent, name: "a/7/10-11/yesterday" })],
    ["no name", JSON.stringify({ ...intent, name: 5 })],
    ["a broken offset", JSON.stringify({ ...intent, first: 1.5 })],
    ["a missing offset", JSON.stringify({ ...intent, last: undefined })],
    ["offsets in the wrong order", JSON.stringify({ ...intent, first: 12 })],
    ["a flag that is none", JSON.stringify({ ...intent, v: 2, mustLookUp: "no" })],
    ["an intent cut short", encodeIntent(aRange(10, [10, 11])).slice(0, -5)],
  ])("is not guessed from metadata that is %s", (_, metadata) => {
    expect(() => decodeIntent(metadata, 7)).toThrow(UnreadableIntentError);
  });
});
