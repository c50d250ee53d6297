import { describe, expect, it } from "@jest/globals";
import { FakeClock } from "@push-reports/test-support";
import { type Activity, ActivityClock } from "../../src/activity-clock.js";
import type { IngestStep } from "../../src/ingest-observer.js";
import { cutRange } from "../../src/report-range.js";
import { atOffsets, goodRecord } from "../fakes/record-builders.js";

function aClock() {
  const clock = new FakeClock();
  const spent: Partial<Record<Activity, number>> = {};
  const known = { isBehind: false, isHeld: false };
  const activities = new ActivityClock(
    clock,
    (activity, seconds) => {
      spent[activity] = (spent[activity] ?? 0) + seconds;
    },
    () => known.isBehind,
    () => known.isHeld,
  );
  const range = (partition: number) =>
    cutRange({ source: "test.1", partition, first: 0 }, atOffsets([goodRecord()]), new Date(0));
  const reach = async (step: IngestStep, afterMs: number, partition = 0) => {
    await clock.advance(afterMs);
    await activities.reached(step, range(partition));
  };
  return { clock, spent, known, activities, reach };
}

describe("the account of where time went", () => {
  it("puts every second of a partition into exactly one activity", async () => {
    const { clock, spent, activities, reach } = aClock();
    activities.joined();
    activities.assigned(0);
    await clock.advance(2_000);
    activities.started(0);
    await clock.advance(1_000);
    activities.awaits(0, "idle");
    await clock.advance(2_500);
    activities.awaits(0, "turn");
    await reach("cut", 1_500);
    await reach("intent_committed", 100);
    await reach("set_aside", 300);
    await reach("inserted", 4_000);
    await reach("ledger_written", 500);
    await reach("committed", 100);
    await clock.advance(1_000);
    activities.tick();
    expect(spent).toEqual({
      rebalance: 2,
      fetch: 1,
      turn: 1.5,
      idle: 3.5,
      commit: expect.closeTo(0.2),
      encode: 0.3,
      insert: 4.5,
    });
  });

  it("calls idleness a fetch while a look at the log shows records", async () => {
    const { spent, known, activities, reach } = aClock();
    activities.awaits(0, "idle");
    known.isBehind = true;
    await reach("cut", 3_000);
    expect(spent).toEqual({ fetch: 3 });
  });

  it("calls everything held while too many records are bad", async () => {
    const { clock, spent, known, activities, reach } = aClock();
    activities.started(0);
    await reach("intent_committed", 0);
    known.isHeld = true;
    await clock.advance(7_000);
    activities.tick();
    expect(spent).toEqual({ fetch: 0, held: 7 });
  });

  it("counts the time between losing partitions and joining anew, and no more for those that others got", async () => {
    const { clock, spent, activities } = aClock();
    for (const partition of [0, 1]) activities.started(partition);
    for (const partition of [0, 1]) activities.ended(partition);
    await clock.advance(1_500);
    activities.joined();
    activities.assigned(0);
    await clock.advance(500);
    activities.started(0);
    activities.awaits(0, "idle");
    await clock.advance(10_000);
    activities.tick();
    expect(spent).toEqual({ rebalance: 3.5, fetch: 0, idle: 10 });
  });
});
