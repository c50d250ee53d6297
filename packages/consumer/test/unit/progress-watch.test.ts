import { describe, expect, it } from "@jest/globals";
import { FakeClock } from "@push-reports/test-support";
import type { IngestStep } from "../../src/ingest-observer.js";
import { ProgressWatch } from "../../src/progress-watch.js";
import { cutRange } from "../../src/report-range.js";
import { atOffsets, goodRecord } from "../fakes/record-builders.js";

function aWatch() {
  const clock = new FakeClock();
  const watch = new ProgressWatch(clock);
  const range = (partition: number) =>
    cutRange({ source: "test.1", partition, first: 0 }, atOffsets([goodRecord()]), new Date(0));
  const reach = (step: IngestStep, partition: number) => watch.reached(step, range(partition));
  return { clock, watch, reach, range };
}

describe("the watch on progress", () => {
  it("names the partition whose range stands still", async () => {
    const { clock, watch, reach } = aWatch();
    await reach("cut", 4);
    await clock.advance(999);
    expect(watch.stalledPartition(1_000)).toBeNull();

    await clock.advance(1);

    expect(watch.stalledPartition(1_000)).toBe(4);
  });

  it("names the partition for which it is not found out where to begin", async () => {
    const { clock, watch } = aWatch();
    watch.assigned(4);
    watch.assigned(5);
    await clock.advance(500);
    watch.retried(5);
    await clock.advance(500);

    expect(watch.stalledPartition(1_000)).toBe(4);
    watch.started(4);
    expect(watch.stalledPartition(1_000)).toBeNull();
    await clock.advance(500);
    expect(watch.stalledPartition(1_000)).toBe(5);
    watch.ended(5);
    expect(watch.stalledPartition(1_000)).toBeNull();
  });

  it("takes a commit that hangs for a stall, but not one that fails again and again", async () => {
    const { clock, watch, reach } = aWatch();
    await reach("ledger_written", 4);
    for (let retry = 0; retry < 3; retry += 1) {
      await clock.advance(900);
      watch.commitRetried(4);
    }
    expect(watch.stalledPartition(1_000)).toBeNull();

    await clock.advance(1_000);

    expect(watch.stalledPartition(1_000)).toBe(4);
  });

  it("does not take waiting for other partitions for a stall, but does what comes after it", async () => {
    const { clock, watch, reach } = aWatch();
    watch.noteLag(4, 10);
    watch.awaits(4, "turn");
    watch.noteLag(4, 10);
    await clock.advance(5_000);
    expect(watch.stalledPartition(1_000)).toBeNull();
    watch.awaits(4, "fetch");
    watch.noteLag(4, 10);
    await clock.advance(1_000);
    expect(watch.stalledPartition(1_000)).toBe(4);
    watch.awaits(4, "turn");
    await reach("cut", 4);
    await clock.advance(1_000);
    expect(watch.stalledPartition(1_000)).toBe(4);
  });

  it("is content while another step is reached in time", async () => {
    const { clock, watch, reach } = aWatch();
    await reach("cut", 4);
    await clock.advance(900);
    await reach("intent_committed", 4);
    await clock.advance(900);

    expect(watch.stalledPartition(1_000)).toBeNull();
  });

  it("does not take waiting for records as a stall", async () => {
    const { clock, watch, reach } = aWatch();
    await reach("cut", 4);
    await reach("committed", 4);
    watch.completed();
    await clock.advance(1_000_000);

    expect(watch.stalledPartition(1_000)).toBeNull();
  });

  it("does not take repeated attempts as a stall, for as long as they are made", async () => {
    const { clock, watch, reach } = aWatch();
    await reach("cut", 4);
    for (const _ of [1, 2, 3]) {
      await clock.advance(900);
      watch.retried(4);
    }
    expect(watch.stalledPartition(1_000)).toBeNull();

    await clock.advance(1_000);

    expect(watch.stalledPartition(1_000)).toBe(4);
  });

  it("names a partition that stands still beside one whose writes are repeated", async () => {
    const { clock, watch, reach } = aWatch();
    await reach("cut", 4);
    await reach("cut", 5);
    watch.noteLag(6, 10);
    for (const _ of [1, 2]) {
      await clock.advance(500);
      watch.retried(5);
      watch.retried(6);
    }

    expect(watch.stalledPartition(1_000)).toBe(4);
    watch.forget(4);
    expect(watch.stalledPartition(1_000)).toBeNull();
  });

  it("does not take it as a stall that no records are taken while a range is held, but does so of another range in hand", async () => {
    const { clock, watch, reach } = aWatch();
    watch.noteLag(6, 10);
    await clock.advance(900);
    watch.held([4]);
    await clock.advance(900);
    expect(watch.stalledPartition(1_000)).toBeNull();

    await reach("cut", 4);
    await reach("cut", 5);
    await clock.advance(1_000);
    watch.held([4]);

    expect(watch.stalledPartition(1_000)).toBe(5);
  });

  it("does not take it as a stall that a partition waits for what an earlier owner may be at", async () => {
    const { clock, watch } = aWatch();
    watch.noteLag(4, 10);
    await clock.advance(900);
    watch.waits(4);
    await clock.advance(900);

    expect(watch.stalledPartition(1_000)).toBeNull();
  });

  it("takes setting records aside for progress", async () => {
    const { clock, watch, reach, range } = aWatch();
    await reach("set_aside", 4);
    await clock.advance(900);
    watch.setAside([], range(4));
    await clock.advance(900);

    expect(watch.stalledPartition(1_000)).toBeNull();
  });

  it("forgets a partition that is no longer ours", async () => {
    const { clock, watch, reach } = aWatch();
    await reach("cut", 4);
    await reach("cut", 5);
    await clock.advance(1_000);
    watch.forget(4);

    expect(watch.stalledPartition(1_000)).toBe(5);
  });

  it("names a partition that has records in the log and takes none of them", async () => {
    const { clock, watch, reach } = aWatch();
    watch.noteLag(4, 10);
    await clock.advance(900);
    watch.noteLag(4, 20);
    expect(watch.stalledPartition(1_000)).toBeNull();
    await clock.advance(100);
    expect(watch.stalledPartition(1_000)).toBe(4);

    await reach("cut", 4);
    expect(watch.stalledPartition(1_000)).toBeNull();
  });

  it("does not count lag that is gone, or of a partition that is no longer ours", async () => {
    const { clock, watch } = aWatch();
    watch.noteLag(4, 10);
    watch.noteLag(5, 10);
    watch.noteLag(4, 0);
    watch.ended(5);
    await clock.advance(10_000);
    expect(watch.stalledPartition(1_000)).toBeNull();
  });

  it("takes probing for progress", async () => {
    const { clock, watch, reach, range } = aWatch();
    await reach("set_aside", 4);
    for (let probes = 0; probes < 20; probes += 1) {
      await clock.advance(900);
      watch.probed(range(4));
      expect(watch.stalledPartition(1_000)).toBeNull();
    }
  });
});
