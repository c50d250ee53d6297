import { beforeEach, describe, expect, it } from "@jest/globals";
import { FakeClock } from "@push-reports/test-support";
import { cutRange } from "../../src/report-range.js";
import { WriteError } from "../../src/report-writer.js";
import { ViewWatch } from "../../src/view-watch.js";
import { WriteRetrier } from "../../src/write-retrier.js";
import { InMemoryReportWriter } from "../fakes/in-memory-report-writer.js";
import { atOffsets, goodRecord } from "../fakes/record-builders.js";
import { RecordedLogger } from "../fakes/recorded-logger.js";

const MISSING = new WriteError("misconfigured", 0, "The view is missing");
const CUT_AT = new Date("2026-01-02T03:04:05.678Z");

describe("the watch on the views", () => {
  let writer: InMemoryReportWriter;
  let clock: FakeClock;
  let retrier: WriteRetrier;
  let watch: ViewWatch;
  beforeEach(() => {
    writer = new InMemoryReportWriter();
    clock = new FakeClock();
    const slowly = { initialMs: 1_000, maxMs: 1_000 };
    retrier = new WriteRetrier(
      clock,
      new RecordedLogger(),
      { passing: slowly, misconfigured: slowly },
      { retried: () => undefined },
    );
    watch = new ViewWatch(writer, retrier);
  });

  const range = cutRange(
    { source: "test.1", partition: 3, first: 0 },
    atOffsets([goodRecord()]),
    CUT_AT,
  );
  const epoch = { partition: 3, ended: new AbortController().signal };
  const insert = (act: () => void = () => undefined, mayBeStored = false) =>
    watch.around(range, mayBeStored, epoch, async () => act());

  it("completes nothing while the views are the same", async () => {
    for (let again = 0; again < 3; again += 1) await insert();
    expect(writer.viewCompletions).toBe(0);
  });

  it("inserts nothing while a view is missing, and says so", async () => {
    writer.viewFailures.next(MISSING);
    let inserts = 0;
    const inserting = insert(() => {
      inserts += 1;
    });
    await clock.advance(0);
    expect([inserts, retrier.problem()?.message]).toEqual([0, "The view is missing"]);
    await clock.advance(1_000);
    await inserting;
    expect([inserts, retrier.problem(), writer.viewCompletions]).toEqual([1, null, 0]);
  });

  it("completes the views when one went and came back while rows were inserted", async () => {
    await insert();
    const inserting = insert(() => {
      writer.viewFailures.next(MISSING);
    });
    await clock.advance(0);
    expect([retrier.problem()?.failure, writer.viewCompletions]).toEqual(["misconfigured", 0]);
    writer.views = { identity: "made anew", changedAt: new Date(0) };
    await clock.advance(1_000);
    await inserting;
    expect(writer.viewCompletions).toBe(1);
    await insert();
    expect(writer.viewCompletions).toBe(1);
  });

  it("completes the views of a range that an earlier epoch may have inserted when they may be younger than it", async () => {
    const changed = (ms: number) => {
      writer.views = { identity: "made once", changedAt: new Date(CUT_AT.getTime() + ms) };
    };
    changed(-3_600_000);
    await insert(undefined, true);
    expect(writer.viewCompletions).toBe(0);
    changed(5_000);
    await insert(undefined, false);
    expect(writer.viewCompletions).toBe(0);
    await insert(undefined, true);
    expect(writer.viewCompletions).toBe(1);
  });

  it("completes the views when the same one comes back that a look missed behind an insert", async () => {
    await insert();
    const inserting = insert(() => writer.viewFailures.next(MISSING));
    await clock.advance(1_000);
    await inserting;
    expect(writer.viewCompletions).toBe(1);
    await insert();
    expect(writer.viewCompletions).toBe(1);
  });

  it("completes them for each range that was inserted while a look missed one", async () => {
    await insert();
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const slow = watch.around(range, false, epoch, () => finished);
    const inserting = insert(() => writer.viewFailures.next(MISSING));
    await clock.advance(1_000);
    await inserting;
    expect(writer.viewCompletions).toBe(1);
    finish();
    await slow;
    expect(writer.viewCompletions).toBe(2);
  });

  it("completes them for a range that began by a look that was answered behind one that missed a view", async () => {
    await insert();
    const { viewsNow, views } = writer;
    let answer: () => void = () => undefined;
    writer.viewsNow = () =>
      new Promise((resolve) => {
        answer = () => resolve(views);
      });
    const first = insert();
    await clock.advance(0);
    writer.viewsNow = viewsNow;
    const second = insert(() => writer.viewFailures.next(MISSING));
    await clock.advance(0);
    answer();
    await first;
    const completed = writer.viewCompletions;
    await insert();
    expect(writer.viewCompletions).toBe(completed + 1);
    await clock.advance(1_000);
    await second;
  });

  it("begins no insert before a view that a look missed is there again", async () => {
    await insert();
    writer.viewFailures.times(2, MISSING);
    const first = insert();
    await clock.advance(0);
    let inserts = 0;
    const second = insert(() => {
      inserts += 1;
    });
    await clock.advance(0);
    expect(inserts).toBe(0);
    await clock.advance(1_000);
    await Promise.all([first, second]);
    expect(inserts).toBe(1);
  });
});
