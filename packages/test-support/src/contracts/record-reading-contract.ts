import type { SourceRecord } from "@push-reports/consumer";
import { jestGlobals } from "../jest-globals.js";
import { waitFor } from "../wait-for.js";
import {
  ASSIGNMENT_MS,
  aRecord,
  offsetsOf,
  onALog,
  PLENTY,
  type RecordSourceUnderTest,
  someRecords,
  upTo,
} from "./record-source-under-test.js";

/** Declares what every record source does when it is read. */
export function recordReadingContract(open: () => Promise<RecordSourceUnderTest>): void {
  const { expect, it } = jestGlobals();
  const on = onALog(open);

  it(
    "knows where a partition stands that nobody has read",
    on(async (log, begin) => {
      await log.append(someRecords(3));
      const reader = await begin();
      const assigned = await reader.owned();
      expect(reader.heard).toEqual(["joined with 1", "assigned"]);
      expect(await reader.source.ends()).toEqual({
        partitions: 1,
        highWatermarks: new Map([[assigned.partition, 3]]),
      });
      expect(assigned.ended.aborted).toBe(false);
      expect(await assigned.position()).toEqual({
        committedOffset: null,
        metadata: "",
        lowWatermark: 0,
        highWatermark: 3,
      });
    }),
  );

  it(
    "gives every record as it was written, in order, each once",
    on(async (log, begin) => {
      const bare = { ...aRecord(0), key: null, value: null, headers: {} };
      const written = [
        bare,
        ...someRecords(300),
        { ...aRecord(1), headers: { v: Buffer.from("1"), other: Buffer.from([0, 255]) } },
        { ...aRecord(2), key: Buffer.from([0xff, 0xfe]), value: Buffer.from([0x80, 0x00]) },
      ];
      await log.append(written);
      const assigned = await (await begin()).owned();
      assigned.startAt(0);
      const taken: SourceRecord[] = [];
      while (taken.length < written.length) {
        taken.push(...(await assigned.take({ ...PLENTY, maxRecords: 70 })));
        await assigned.commit(taken.length, "");
      }
      expect(offsetsOf(taken)).toEqual(upTo(written.length));
      taken.forEach(({ timestampMs, key, value, headers }, index) => {
        expect({ timestampMs, key, value, headers }).toEqual(written[index]);
      });
    }),
  );

  it(
    "begins where it is told to, in the middle or at the end",
    on(async (log, begin) => {
      await log.append(someRecords(10));
      const reader = await begin();
      const first = await reader.owned();
      first.startAt(7);
      expect(offsetsOf(await first.takeThrough(9))).toEqual([7, 8, 9]);
      await reader.source.stop();

      const second = await (await begin()).owned();
      second.startAt(10);
      const taking = second.take(PLENTY);
      await log.append(someRecords(1));
      expect(offsetsOf(await taking)).toEqual([10]);
    }),
  );

  it(
    "waits for the first record, and gives what comes later",
    on(async (log, begin) => {
      const assigned = await (await begin()).owned();
      assigned.startAt(0);
      for (const offset of [0, 1, 2]) {
        const taking = assigned.take(PLENTY);
        await log.append([aRecord(offset)]);
        expect(offsetsOf(await taking)).toEqual([offset]);
        await assigned.commit(offset + 1, "");
      }
    }),
  );

  it(
    "gives no more records than asked for, and the rest next",
    on(async (log, begin) => {
      await log.append(someRecords(10));
      const assigned = await (await begin()).owned();
      assigned.startAt(0);
      const long = { ...PLENTY, maxDelayMs: ASSIGNMENT_MS };
      expect(offsetsOf(await assigned.take({ ...long, maxRecords: 4 }))).toEqual([0, 1, 2, 3]);
      await assigned.commit(4, "");
      expect(offsetsOf(await assigned.take({ ...long, maxRecords: 6 }))).toEqual(upTo(10, 4));
    }),
  );

  it(
    "stays within the bytes asked for, but gives the first record whatever its size",
    on(async (log, begin) => {
      await log.append(someRecords(5, 10_000));
      const assigned = await (await begin()).owned();
      assigned.startAt(0);
      const long = { ...PLENTY, maxDelayMs: ASSIGNMENT_MS };
      expect(offsetsOf(await assigned.take({ ...long, maxBytes: 25_000 }))).toEqual([0, 1]);
      await assigned.commit(2, "");
      expect(offsetsOf(await assigned.take({ ...long, maxBytes: 1 }))).toEqual([2]);
      await assigned.commit(3, "");
      const { headers } = aRecord(0);
      await log.append([
        { ...aRecord(5), headers: { ...headers, large: Buffer.alloc(20_000) } },
        aRecord(6),
      ]);
      expect(offsetsOf(await assigned.take({ ...long, maxBytes: 25_000 }))).toEqual([3, 4]);
      await assigned.commit(5, "");
      expect(offsetsOf(await assigned.take({ ...PLENTY, maxBytes: 20_000 }))).toEqual([5]);
    }),
  );

  it(
    "has ready what reaches a limit, and nothing before",
    on(async (log, begin) => {
      const assigned = await (await begin()).owned();
      assigned.startAt(0);
      await log.append(someRecords(3));
      const three = { ...PLENTY, maxRecords: 3, maxDelayMs: 1 };
      const ready = await waitFor(() => assigned.takeReady(three), { what: "three records" });
      expect(offsetsOf(ready)).toEqual([0, 1, 2]);
      await log.append(someRecords(1));
      expect(assigned.takeReady({ ...three, maxRecords: 2 })).toBeNull();
      await assigned.commit(3, "");
      expect(offsetsOf(await assigned.take(PLENTY))).toEqual([3]);
    }),
  );

  it(
    "collects a whole stretch, however long, and keeps what is behind it",
    on(async (log, begin) => {
      await log.append(someRecords(2_000, 1_000));
      const assigned = await (await begin()).owned();
      assigned.startAt(5);
      expect(offsetsOf(await assigned.takeThrough(1_900))).toEqual(upTo(1_901, 5));
      expect(offsetsOf(await assigned.takeThrough(1_999))).toEqual(upTo(2_000, 1_901));
    }),
  );

  it(
    "says what retention has removed, and gives the rest",
    on(async (log, begin) => {
      await log.append(someRecords(10));
      await log.trimTo(6);
      const assigned = await (await begin()).owned();
      expect(await assigned.position()).toMatchObject({ lowWatermark: 6, highWatermark: 10 });
      assigned.startAt(6);
      expect(offsetsOf(await assigned.takeThrough(9))).toEqual([6, 7, 8, 9]);
    }),
  );

  it(
    "goes behind offsets that hold no record",
    on(async (log, begin) => {
      // A log whose offsets are contiguous has no such thing.
      if (log.leaveGap === undefined) return;
      await log.append(someRecords(2));
      await log.leaveGap();
      await log.append(someRecords(2));
      const assigned = await (await begin()).owned();
      const { highWatermark } = await assigned.position();
      assigned.startAt(0);
      const offsets = offsetsOf(await assigned.takeThrough(highWatermark - 1));
      expect(offsets.slice(0, 2)).toEqual([0, 1]);
      expect(offsets.slice(-2)).toEqual([highWatermark - 2, highWatermark - 1]);
      expect(highWatermark).toBeGreaterThan(offsets.length);
    }),
  );
}
