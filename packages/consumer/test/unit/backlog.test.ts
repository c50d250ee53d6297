import { describe, expect, it } from "@jest/globals";
import { CLOCK_START, FakeClock } from "@push-reports/test-support";
import fc from "fast-check";
import { Backlog } from "../../src/backlog.js";
import { cutRange } from "../../src/report-range.js";
import { atOffsets, goodRecord } from "../fakes/record-builders.js";

const PARTITION = 3;
const HOUR_MS = 3_600_000;

function aBacklog() {
  const clock = new FakeClock();
  const backlog = new Backlog(clock);
  const rangeOf = (first: number, timestamps: readonly number[]) => {
    const records = atOffsets(
      timestamps.map((timestampMs) => ({ ...goodRecord(), timestampMs })),
      first,
    );
    const at = { source: "test.1", partition: PARTITION, first };
    return cutRange(at, records, new Date(clock.now()));
  };
  const complete = (first: number, timestamps: readonly number[]) =>
    backlog.reached("ledger_written", rangeOf(first, timestamps));
  const look = (highWatermark: number) =>
    backlog.look(
      { partitions: 1, highWatermarks: new Map([[PARTITION, highWatermark]]) },
      clock.now(),
    );
  const state = () => backlog.partitions()[0];
  return { clock, backlog, rangeOf, complete, look, state };
}

describe("the backlog", () => {
  it("knows nothing of a partition before the first look", () => {
    const { backlog } = aBacklog();
    backlog.started(PARTITION, 10);
    expect(backlog.partitions()).toEqual([]);
    expect(backlog.lagRecords(PARTITION)).toBe(0);
  });

  it("proves the time of a look for an idle partition that is complete", async () => {
    const { clock, backlog, look, state } = aBacklog();
    backlog.started(PARTITION, 10);
    look(10);
    await clock.advance(HOUR_MS);
    look(10);
    expect(state()).toEqual({
      partition: PARTITION,
      nextOffset: 10,
      highWatermark: 10,
      lagRecords: 0,
      lagSeconds: 0,
      appendedBefore: CLOCK_START + HOUR_MS,
    });
  });

  it("proves the time of a look only once ingestion has passed the end that the log had then", async () => {
    const { clock, backlog, complete, look, state } = aBacklog();
    backlog.started(PARTITION, 0);
    look(2);
    await clock.advance(1_000);
    look(3);
    expect(state()).toMatchObject({ lagRecords: 3, appendedBefore: null });

    await complete(0, [CLOCK_START - 50, CLOCK_START - 40]);
    expect(state()).toMatchObject({ lagRecords: 1, appendedBefore: CLOCK_START });

    await complete(2, [CLOCK_START + 500]);
    expect(state()).toMatchObject({ lagRecords: 0, appendedBefore: CLOCK_START + 1_000 });
  });

  it("proves the time of the last complete record while it is far behind every look", async () => {
    const { backlog, complete, look, state } = aBacklog();
    backlog.started(PARTITION, 0);
    look(1_000_000);
    await complete(0, [CLOCK_START - HOUR_MS, CLOCK_START - HOUR_MS + 5]);
    expect(state()).toMatchObject({ appendedBefore: CLOCK_START - HOUR_MS + 5 });
    expect(state()?.lagSeconds).toBeCloseTo(3_600, 0);
  });

  it("does not go back for a record that came late, nor ahead for one from a clock gone wrong", async () => {
    const { backlog, complete, look, state } = aBacklog();
    backlog.started(PARTITION, 0);
    look(100);
    await complete(0, [CLOCK_START - 1_000]);
    await complete(1, [CLOCK_START - HOUR_MS]);
    expect(state()).toMatchObject({ appendedBefore: CLOCK_START - 1_000 });
    await complete(2, [CLOCK_START + 100 * HOUR_MS]);
    expect(state()).toMatchObject({ appendedBefore: CLOCK_START });
  });

  it("gives the age of the first record of the range in hand as lag", async () => {
    const { backlog, rangeOf, look, state } = aBacklog();
    backlog.started(PARTITION, 0);
    await backlog.reached("cut", rangeOf(0, [CLOCK_START - 90_000, CLOCK_START]));
    look(2);
    expect(state()).toMatchObject({ lagRecords: 2, lagSeconds: 90 });
  });

  it("claims nothing more for a partition whose looks are many while it stands still", async () => {
    const { clock, backlog, complete, look, state } = aBacklog();
    backlog.started(PARTITION, 0);
    for (let high = 1; high <= 1_000; high += 1) {
      await clock.advance(10);
      look(high);
    }
    await complete(
      0,
      Array.from({ length: 500 }, () => CLOCK_START - 1),
    );
    const proven = state()?.appendedBefore ?? 0;
    expect(proven).toBeGreaterThan(CLOCK_START);
    expect(proven).toBeLessThanOrEqual(CLOCK_START + 5_000);
  });

  it("forgets a partition that is no longer ours", () => {
    const { backlog, look } = aBacklog();
    backlog.started(PARTITION, 0);
    look(5);
    backlog.ended(PARTITION);
    expect(backlog.partitions()).toEqual([]);
  });

  it("tells how long draining takes at the speed of the last minute", async () => {
    const { clock, backlog, complete, look } = aBacklog();
    backlog.started(PARTITION, 0);
    look(100);
    expect(backlog.drainEtaSeconds()).toBeNaN();
    await clock.advance(10_000);
    look(100);
    expect(backlog.drainEtaSeconds()).toBe(Number.POSITIVE_INFINITY);
    await complete(
      0,
      Array.from({ length: 40 }, () => CLOCK_START),
    );
    await clock.advance(10_000);
    look(100);
    // 40 records in 20 s, 60 are left.
    expect(backlog.drainEtaSeconds()).toBe(30);
    await complete(
      40,
      Array.from({ length: 60 }, () => CLOCK_START),
    );
    look(100);
    expect(backlog.drainEtaSeconds()).toBe(0);
  });

  it("never claims a time before which a record was received that is not complete", async () => {
    const marginMs = 1_000;
    const event = fc.oneof(
      fc.record({
        kind: fc.constant("append" as const),
        delayMs: fc.integer({ min: 0, max: marginMs }),
      }),
      fc.record({ kind: fc.constant("look" as const), tookMs: fc.integer({ min: 0, max: 300 }) }),
      fc.record({ kind: fc.constant("complete" as const), count: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 2_000 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 60 }), async (events) => {
        const { clock, backlog, complete, state } = aBacklog();
        backlog.started(PARTITION, 0);
        // Time of receipt of each offset; each is appended now, at most the margin after it was received.
        const received: number[] = [];
        let done = 0;
        for (const it of events) {
          if (it.kind === "append") received.push(clock.now() - it.delayMs);
          if (it.kind === "pass") await clock.advance(it.ms);
          if (it.kind === "complete" && done < received.length) {
            const range = received.slice(done, done + it.count);
            await complete(done, range);
            done += range.length;
          }
          if (it.kind === "look") {
            const at = clock.now();
            const ends = { partitions: 1, highWatermarks: new Map([[PARTITION, received.length]]) };
            await clock.advance(it.tookMs);
            backlog.look(ends, at);
          }
          const claim = state()?.appendedBefore;
          if (claim === undefined || claim === null) continue;
          // What is still on its way was received no earlier than the margin before now.
          const open = [...received.slice(done), clock.now() - marginMs];
          expect(Math.min(...open)).toBeGreaterThanOrEqual(claim - marginMs);
        }
      }),
    );
  });
});
