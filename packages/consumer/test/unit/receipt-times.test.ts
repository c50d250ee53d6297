import { describe, expect, it } from "@jest/globals";
import { receiptTimes, receiptWindow, stretchOf } from "../../src/receipt-times.js";
import { cutRange } from "../../src/report-range.js";
import { atOffsets, goodRecord, unreadableRecord } from "../fakes/record-builders.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const receivedAt = new Date("2026-01-02T03:04:05.678Z");
const at = (ms: number) => new Date(receivedAt.getTime() + ms);
/** Received an hour apart, and appended years later. */
const records = atOffsets(
  [0, 2, 1].map((hours) => ({
    ...goodRecord({ receivedAt: at(hours * HOUR_MS) }),
    timestampMs: Date.parse("2030-01-01T00:00:00Z"),
  })),
);

describe("times of receipt", () => {
  it("are those that the records' values bear", () => {
    expect(receiptTimes(records)).toEqual({
      receivedFrom: receivedAt,
      receivedTo: at(2 * HOUR_MS),
    });
    expect(receiptTimes([])).toBeNull();
  });

  it("are read from values that are written in another way too", () => {
    const value = JSON.parse(goodRecord({ receivedAt }).value?.toString() ?? "") as object;
    const [other] = atOffsets([
      { ...goodRecord(), timestampMs: 5, value: Buffer.from(JSON.stringify(value, null, 1)) },
    ]);
    expect(receiptTimes(other === undefined ? [] : [other])).toMatchObject({
      receivedTo: receivedAt,
    });
  });

  it("are the log's timestamps where a value bears none", () => {
    const unreadable = atOffsets([{ ...unreadableRecord(), timestampMs: 7 }]);
    expect(receiptTimes(unreadable)).toEqual({
      receivedFrom: new Date(7),
      receivedTo: new Date(7),
    });
  });

  it("of rows lie between those of their records", () => {
    const window = { receivedFrom: at(-HOUR_MS), receivedTo: at(3 * HOUR_MS) };
    expect(receiptWindow(records)).toEqual(window);
    const range = cutRange({ source: "s", partition: 0, first: 0 }, records, at(100 * DAY_MS));
    expect(stretchOf(range)).toMatchObject(window);
  });

  it("of rows whose records are gone lie around the cut, and no less wide than those of the others", () => {
    const cut = (days: number) =>
      cutRange({ source: "s", partition: 0, first: 0 }, records.slice(1), at(days * DAY_MS));
    expect(stretchOf(cut(0))).toMatchObject({
      receivedFrom: at(-31 * DAY_MS - HOUR_MS),
      receivedTo: at(DAY_MS + HOUR_MS),
    });
    expect(stretchOf(cut(100))).toMatchObject({ receivedFrom: at(0) });
    expect(stretchOf(cut(-100))).toMatchObject({ receivedTo: at(3 * HOUR_MS) });
  });
});
