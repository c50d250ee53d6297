import { describe, expect, it } from "@jest/globals";
import type { IngestStep } from "../../src/ingest-range.js";
import { ProgressWatch } from "../../src/progress-watch.js";
import { cutRange } from "../../src/report-range.js";
import { FakeClock } from "../fakes/fake-clock.js";
import { atOffsets, goodRecord } from "../fakes/record-builders.js";

function aWatch() {
  const clock = new FakeClock();
  const watch = new ProgressWatch(clock);
  const reach = (step: IngestStep, partition: number) => {
    const at = { source: "test.1", partition, first: 0 };
    return watch.reached(step, cutRange(at, atOffsets([goodRecord()]), new Date(clock.now())));
  };
  return { clock, watch, reach };
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
      watch.retried();
    }
    expect(watch.stalledPartition(1_000)).toBeNull();

    await clock.advance(1_000);

    expect(watch.stalledPartition(1_000)).toBe(4);
  });

  it("forgets a partition that is no longer ours", async () => {
    const { clock, watch, reach } = aWatch();
    await reach("cut", 4);
    await reach("cut", 5);
    await clock.advance(1_000);
    watch.forget(4);

    expect(watch.stalledPartition(1_000)).toBe(5);
  });
});
