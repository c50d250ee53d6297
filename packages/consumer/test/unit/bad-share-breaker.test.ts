import { describe, expect, it } from "@jest/globals";
import { FakeClock, nextTurn } from "@push-reports/test-support";
import { BadShareBreaker } from "../../src/bad-share-breaker.js";
import type { JudgedStretch } from "../../src/judged-records.js";
import { ProgressWatch } from "../../src/progress-watch.js";
import { EpochEndedError } from "../../src/record-source.js";
import { cutRange, type ReportRange } from "../../src/report-range.js";
import type { BadRecord } from "../../src/row-lines.js";
import { atOffsets, goodRecord } from "../fakes/record-builders.js";
import { RecordedLogger } from "../fakes/recorded-logger.js";

function aBreaker(limits: { windowRecords: number; maxPercent: number }) {
  const clock = new FakeClock();
  const logger = new RecordedLogger();
  const progress = new ProgressWatch(clock);
  const breaker = new BadShareBreaker(limits, clock, logger, progress);
  const ended = new AbortController();
  let first = 0;
  const aRange = (count: number) => {
    const records = atOffsets(
      Array.from({ length: count }, () => goodRecord()),
      first,
    );
    const range = cutRange({ source: "test.1", partition: 1, first }, records, new Date(0));
    first += count;
    return range;
  };
  const badOf = (range: ReportRange, bad: (index: number) => boolean) =>
    range.records
      .filter((_, index) => bad(index))
      .map((record): BadRecord => ({ record, reason: "not_json", detail: "", clickHouseCode: 0 }));
  /** Whether the range is let through before any range is held. */
  const admits = async (range: ReportRange, bad: readonly BadRecord[]) => {
    let isThrough = false;
    breaker
      .admit(range, async () => ({ bad, isWhole: true }), ended.signal)
      .then(() => {
        isThrough = true;
      })
      .catch(() => undefined);
    while (!isThrough && breaker.heldRange() === null) await nextTurn();
    return isThrough;
  };
  /** Whether the range passes at once. */
  const passes = async (count: number, bad: (index: number) => boolean) => {
    const range = aRange(count);
    const found = badOf(range, bad);
    let admitted = false;
    const admitting = breaker
      .admit(range, async () => ({ bad: found, isWhole: true }), ended.signal)
      .then(() => {
        admitted = true;
      })
      .catch(() => undefined);
    await nextTurn(3);
    return { admitted: () => admitted, found, admitting };
  };
  return { clock, logger, progress, breaker, ended, passes, aRange, badOf, admits };
}

describe("the breaker for bad records", () => {
  it("admits exactly the share, and holds at one more", async () => {
    const { passes, breaker } = aBreaker({ windowRecords: 100, maxPercent: 20 });
    expect((await passes(1_000, (index) => index % 5 === 0)).admitted()).toBe(true);
    expect(breaker.heldRange()).toBeNull();
    expect((await passes(100, (index) => index < 21)).admitted()).toBe(false);
    expect(breaker.heldRange()).toMatchObject({ partition: 1, badRecords: 21 });
  });

  it("counts over the limits of ranges, by the order of the records", async () => {
    const { passes } = aBreaker({ windowRecords: 100, maxPercent: 20 });
    expect((await passes(30, (index) => index >= 15)).admitted()).toBe(true);
    expect((await passes(50, (index) => index < 5)).admitted()).toBe(true);
    expect((await passes(50, (index) => index === 0)).admitted()).toBe(false);
  });

  it("does not count what lies further back than the window", async () => {
    const { passes } = aBreaker({ windowRecords: 100, maxPercent: 20 });
    for (let round = 0; round < 5; round += 1) {
      expect((await passes(20, () => true)).admitted()).toBe(true);
      expect((await passes(80, () => false)).admitted()).toBe(true);
    }
  });

  it("never holds at 100 percent, and always at 0", async () => {
    const all = aBreaker({ windowRecords: 100, maxPercent: 100 });
    expect((await all.passes(1_000, () => true)).admitted()).toBe(true);
    const none = aBreaker({ windowRecords: 100, maxPercent: 0 });
    expect((await none.passes(10, () => false)).admitted()).toBe(true);
    expect((await none.passes(10, (index) => index === 3)).admitted()).toBe(false);
  });

  it("judges a held range again, and lets everything go on once few enough are bad", async () => {
    const { clock, logger, breaker, passes, ended } = aBreaker({
      windowRecords: 100,
      maxPercent: 20,
    });
    const held = await passes(100, () => true);
    let isClosed = false;
    const waiting = breaker.untilClosed(ended.signal).then(() => {
      isClosed = true;
    });
    await clock.advance(29_000);
    expect([held.admitted(), isClosed]).toEqual([false, false]);
    held.found.length = 3;
    await clock.advance(2_000);
    await Promise.all([held.admitting, waiting]);
    expect([held.admitted(), isClosed, breaker.heldRange()]).toEqual([true, true, null]);
    expect(logger.of("bad_records_admitted")).toHaveLength(1);
  });

  it("says so at once and then once a minute, however many ranges are held", async () => {
    const { clock, logger, passes } = aBreaker({ windowRecords: 100, maxPercent: 20 });
    await passes(100, () => true);
    await passes(100, () => true);
    await clock.advance(5 * 60_000);
    const times = logger.of("too_many_bad_records").length;
    expect(times).toBeGreaterThanOrEqual(4);
    expect(times).toBeLessThanOrEqual(6);
  });

  it("holds nothing for an epoch that has ended", async () => {
    const { breaker, passes, ended, logger } = aBreaker({ windowRecords: 100, maxPercent: 20 });
    const held = await passes(100, () => true);
    ended.abort(new Error("the epoch ended"));
    await held.admitting;
    expect(breaker.heldRange()).toBeNull();
    expect(held.admitted()).toBe(false);
    expect(logger.of("bad_records_admitted")).toEqual([]);
  });

  it("holds a range of which not everything was looked at, though what was found is not too much any more", async () => {
    const { clock, breaker, aRange, badOf, ended } = aBreaker({
      windowRecords: 100,
      maxPercent: 20,
    });
    const range = aRange(1_000);
    const part = badOf(range, (index) => index % 10 === 0);
    const whole = badOf(range, (index) => index % 5 === 0);
    const judged: (number | null)[] = [];
    const admitting = breaker.admit(
      range,
      async (before) => {
        judged.push(before?.bad.length ?? null);
        return judged.length === 1 ? { bad: part, isWhole: false } : { bad: whole, isWhole: true };
      },
      ended.signal,
    );
    await nextTurn(3);
    expect(breaker.heldRange()).toMatchObject({ badRecords: 100 });
    await clock.advance(30_000);
    expect(await admitting).toBe(whole);
    expect(judged).toEqual([null, null]);
  });

  it("counts what a range's records come to together, however often some of them are let through", async () => {
    const { breaker, aRange, badOf, admits } = aBreaker({ windowRecords: 100, maxPercent: 20 });
    const range = aRange(1_000);
    const first = badOf(range, (index) => index % 10 === 0);
    const second = badOf(range, (index) => index % 10 === 5);
    const third = badOf(range, (index) => index === 501);
    expect(await admits(range, first)).toBe(true);
    expect(await admits(range, second)).toBe(true);
    expect(breaker.isTooMany(range, [])).toBe(false);
    expect(await admits(range, third)).toBe(false);
  });

  it("counts what others set aside of a partition that was assigned, asks for it at the first bad record, and waits until it is known", async () => {
    const { breaker, aRange, badOf, admits } = aBreaker({ windowRecords: 100, maxPercent: 20 });
    let answer: (stretches: readonly JudgedStretch[]) => void = () => undefined;
    const asked: unknown[] = [];
    breaker.assigned(2, (partition, most) => {
      asked.push([partition, most]);
      return new Promise((resolve) => {
        answer = resolve;
      });
    });
    const good = aRange(10);
    expect(await admits(good, [])).toBe(true);
    expect(asked).toEqual([]);
    const range = aRange(10);
    const admitting = admits(
      range,
      badOf(range, (index) => index < 2),
    );
    await nextTurn(3);
    expect(asked).toEqual([[2, { records: 100, bad: 21 }]]);
    expect(breaker.heldRange()).toBeNull();
    const badOffsets = Array.from({ length: 19 }, (_, index) => 10 + index);
    answer([{ partition: 2, first: 10, last: 28, judgedAt: 0, badOffsets }]);
    expect(await admitting).toBe(false);
    expect(breaker.heldRange()).toMatchObject({ name: range.name });
    expect(asked).toHaveLength(1);
  });

  it("needs to know nothing of a partition that went to somebody else, but passes on what else goes wrong", async () => {
    const { breaker, aRange, badOf, admits, ended } = aBreaker({
      windowRecords: 100,
      maxPercent: 20,
    });
    breaker.assigned(2, () => Promise.reject(new EpochEndedError(2)));
    const range = aRange(10);
    const bad = badOf(range, (index) => index < 2);
    expect(await admits(range, bad)).toBe(true);
    breaker.assigned(3, () => Promise.reject(new Error("no such thing")));
    const next = breaker.admit(aRange(10), async () => ({ bad, isWhole: true }), ended.signal);
    await expect(next).rejects.toThrow("no such thing");
  });

  it("does not wait for ever for what became of other partitions' records, nor again for each range", async () => {
    const { clock, breaker, aRange, badOf, ended, admits } = aBreaker({
      windowRecords: 100,
      maxPercent: 20,
    });
    breaker.assigned(2, () => new Promise(() => undefined));
    const range = aRange(10);
    const bad = badOf(range, (index) => index < 2);
    const admitting = breaker.admit(range, async () => ({ bad, isWhole: true }), ended.signal);
    await clock.advance(30_000);
    expect(await admitting).toBe(bad);
    const next = aRange(10);
    expect(
      await admits(
        next,
        badOf(next, (index) => index < 2),
      ),
    ).toBe(true);
  });

  it("waits for what became of the records of the range's own partition however long that takes", async () => {
    const { clock, breaker, aRange, badOf, ended } = aBreaker({
      windowRecords: 100,
      maxPercent: 20,
    });
    let answer: (stretches: readonly JudgedStretch[]) => void = () => undefined;
    const answered = new Promise<readonly JudgedStretch[]>((resolve) => {
      answer = resolve;
    });
    breaker.assigned(1, () => answered);
    aRange(40);
    const range = aRange(10);
    const bad = badOf(range, (index) => index < 2);
    let isThrough = false;
    const admitting = breaker
      .admit(range, async () => ({ bad, isWhole: true }), ended.signal)
      .then(() => {
        isThrough = true;
      });
    for (let seconds = 0; seconds < 120; seconds += 1) await clock.advance(1_000);
    expect([isThrough, breaker.heldRange()]).toEqual([false, null]);
    const badOffsets = Array.from({ length: 19 }, (_, index) => index);
    answer([{ partition: 1, first: 0, last: 39, judgedAt: 0, badOffsets }]);
    while (breaker.heldRange() === null) await nextTurn();
    expect(breaker.heldRange()).toMatchObject({ name: range.name });
    ended.abort(new Error("the epoch ended"));
    await expect(admitting).rejects.toThrow("the epoch ended");
  });

  it("looks for the others at once when those that were found are not too many by what was recalled", async () => {
    const { breaker, aRange, badOf, ended, admits } = aBreaker({
      windowRecords: 100,
      maxPercent: 20,
    });
    const before = aRange(20);
    expect(
      await admits(
        before,
        badOf(before, () => true),
      ),
    ).toBe(true);
    const good: JudgedStretch = { partition: 1, first: 20, last: 199, judgedAt: 1, badOffsets: [] };
    breaker.assigned(1, async () => [good]);
    aRange(180);
    const range = aRange(50);
    const bad = badOf(range, (index) => index < 5);
    const looks: boolean[] = [];
    const judge = async () => {
      const isWhole = !breaker.isTooMany(
        range,
        bad.map(({ record }) => record),
      );
      looks.push(isWhole);
      return { bad: isWhole ? bad : bad.slice(0, 1), isWhole };
    };
    expect(await breaker.admit(range, judge, ended.signal)).toBe(bad);
    expect(looks).toEqual([false, true]);
  });

  it("is not taken for a stall while it waits for that, however little time there is to a stall", async () => {
    const { clock, progress, breaker, aRange, badOf, ended } = aBreaker({
      windowRecords: 100,
      maxPercent: 20,
    });
    breaker.assigned(2, () => new Promise(() => undefined));
    const range = aRange(10);
    const bad = badOf(range, (index) => index < 2);
    await progress.reached("intent_committed", range);
    const admitting = breaker.admit(range, async () => ({ bad, isWhole: true }), ended.signal);
    for (let seconds = 0; seconds < 30; seconds += 1) {
      expect(progress.stalledPartition(5_000)).toBeNull();
      await clock.advance(1_000);
    }
    expect(await admitting).toBe(bad);
    await clock.advance(5_000);
    expect(progress.stalledPartition(5_000)).toBe(range.partition);
  });

  it("waits no longer for it once the epoch has ended", async () => {
    const { breaker, aRange, badOf, ended } = aBreaker({ windowRecords: 100, maxPercent: 20 });
    breaker.assigned(2, () => new Promise(() => undefined));
    const range = aRange(10);
    const bad = badOf(range, (index) => index < 2);
    const admitting = breaker.admit(range, async () => ({ bad, isWhole: true }), ended.signal);
    await nextTurn();
    const error = new Error("the epoch ended");
    ended.abort(error);
    await expect(admitting).rejects.toBe(error);
  });

  it("asks nobody when every bad record is set aside", async () => {
    const { breaker, aRange, badOf, admits } = aBreaker({ windowRecords: 100, maxPercent: 100 });
    breaker.assigned(1, () => Promise.reject(new Error("It was asked")));
    const range = aRange(10);
    expect(
      await admits(
        range,
        badOf(range, () => true),
      ),
    ).toBe(true);
  });
});
