import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { PendingRecord } from "../../src/publish/pending-record.js";
import { WaitingRecords } from "../../src/publish/waiting-records.js";
import { aNamedRecord } from "../support/a-publisher.js";

const pending = (expiresAt: number, bytes = 100) =>
  new PendingRecord(aNamedRecord(`r${expiresAt}`, bytes), expiresAt);

describe("waiting records", () => {
  it("are taken in order, within bytes and number, but at least one", () => {
    const waiting = new WaitingRecords();
    const records = [1, 2, 3, 4, 5].map((at) => pending(at));
    for (const record of records) waiting.add(record);
    const each = records[0]?.bytes ?? 0;
    expect(waiting.take(each * 2, 10)).toEqual(records.slice(0, 2));
    expect(waiting.take(1, 10)).toEqual([records[2]]);
    expect(waiting.take(each * 10, 1)).toEqual([records[3]]);
    expect(waiting.take(each * 10, 10)).toEqual([records[4]]);
    expect(waiting.take(each * 10, 10)).toEqual([]);
    expect([waiting.isEmpty, waiting.bytes]).toEqual([true, 0]);
  });

  it("are the front again when they are put back", () => {
    const waiting = new WaitingRecords();
    const records = [1, 2, 3, 4].map((at) => pending(at));
    for (const record of records) waiting.add(record);
    const taken = waiting.take(1_000_000, 2);
    waiting.putBack(taken);
    expect(waiting.take(1_000_000, 10)).toEqual(records);
  });

  it("expire when their time is over, in whatever order lanes have put them back", () => {
    const waiting = new WaitingRecords();
    for (const at of [10, 20, 30]) waiting.add(pending(at));
    const first = waiting.take(1, 10);
    const second = waiting.take(1, 10);
    waiting.putBack(first);
    waiting.putBack(second);
    expect(waiting.takeExpired(9)).toEqual([]);
    expect(waiting.takeExpired(10)).toEqual(first);
    expect(waiting.takeExpired(29)).toEqual(second);
    expect(waiting.isEmpty).toBe(false);
  });

  it("know their number and bytes through any sequence of changes", () => {
    const change = fc.oneof(
      fc.record({ what: fc.constant("add" as const), bytes: fc.integer({ min: 1, max: 500 }) }),
      fc.record({
        what: fc.constant("take" as const),
        bytes: fc.integer({ min: 1, max: 2_000 }),
        records: fc.integer({ min: 1, max: 5 }),
      }),
      fc.record({ what: fc.constant("put back" as const) }),
      fc.record({ what: fc.constant("expire" as const), ms: fc.nat(5) }),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const waiting = new WaitingRecords();
        let expected: PendingRecord[] = [];
        let taken: readonly PendingRecord[] = [];
        let now = 0;
        for (const one of changes) {
          now += 1;
          if (one.what === "add") {
            const record = pending(now + 10, one.bytes);
            waiting.add(record);
            expected.push(record);
          } else if (one.what === "take") {
            taken = waiting.take(one.bytes, one.records);
            expect(taken).toEqual(expected.slice(0, taken.length));
            expect(taken.length).toBeLessThanOrEqual(one.records);
            expect(taken.length > 0).toBe(expected.length > 0);
            expected = expected.slice(taken.length);
          } else if (one.what === "put back") {
            waiting.putBack(taken);
            expected = [...taken, ...expected];
            taken = [];
          } else {
            now += one.ms;
            const late = expected.filter(({ expiresAt }) => expiresAt <= now);
            expect(waiting.takeExpired(now)).toEqual(late);
            expected = expected.slice(late.length);
            taken = [];
          }
          expect(waiting.isEmpty).toBe(expected.length === 0);
          expect(waiting.bytes).toBe(expected.reduce((sum, { bytes }) => sum + bytes, 0));
        }
      }),
    );
  });
});
