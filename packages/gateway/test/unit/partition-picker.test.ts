import { describe, expect, it } from "@jest/globals";
import { PartitionPicker } from "../../src/publish/partition-picker.js";
import type { LedPartition } from "../../src/publish/topic-leaders.js";

/** Partitions by their leaders: the first is partition 0. */
const ledBy = (...leaders: readonly number[]): readonly LedPartition[] =>
  leaders.map((leader, partition) => ({ partition, leader }));

function aPicker(partitions: readonly LedPartition[], first = 0) {
  const leaders = { partitions };
  let now = 1_000_000;
  const picker = new PartitionPicker(leaders, () => now, first);
  return {
    picker,
    leaders,
    pass: (ms: number) => {
      now += ms;
    },
    /** Picks, sends and gets an acknowledgement, so many times. */
    round: (times: number) =>
      Array.from({ length: times }, () => {
        const picked = picker.pick();
        if (picked !== null) picker.release(picked, "acknowledged");
        return picked?.partition;
      }),
  };
}

describe("a partition picker", () => {
  it("goes round and round, from where it is told to begin", () => {
    expect(aPicker(ledBy(1, 2, 3)).round(7)).toEqual([0, 1, 2, 0, 1, 2, 0]);
    expect(aPicker(ledBy(1, 2, 3), 800).round(4)).toEqual([2, 0, 1, 2]);
  });

  it("picks none while no partition has a leader, and those that have one again", () => {
    const { picker, leaders, round } = aPicker([]);
    expect(picker.pick()).toBeNull();
    leaders.partitions = [{ partition: 5, leader: 1 }];
    expect(round(2)).toEqual([5, 5]);
  });

  it("does not pick a partition that another lane is sending to while there is a free one", () => {
    const { picker } = aPicker(ledBy(1, 1, 1));
    const [a, b, c] = [picker.pick(), picker.pick(), picker.pick()];
    expect([a, b, c].map((picked) => picked?.partition)).toEqual([0, 1, 2]);
    if (b) picker.release(b, "acknowledged");
    expect(picker.pick()?.partition).toBe(1);
    // All are busy: it picks one all the same.
    expect(picker.pick()).not.toBeNull();
  });

  it("avoids a broker that failed for a while, and a good answer clears it", () => {
    const { picker, pass, round } = aPicker(ledBy(1, 2, 1, 2));
    const picked = picker.pick();
    if (picked) picker.release(picked, "failed");
    expect(round(4)).toEqual([1, 3, 1, 3]);
    pass(3_000);
    expect(round(4)).toEqual([0, 1, 2, 3]);
  });

  it("avoids a broker that hangs before its send has failed", () => {
    const { picker, pass, round } = aPicker(ledBy(1, 2, 1, 2));
    picker.pick();
    expect(round(3)).toEqual([1, 2, 3]);
    pass(600);
    expect(round(4)).toEqual([1, 3, 1, 3]);
  });

  it("uses a broker that failed when there is no other", () => {
    const { picker, round } = aPicker(ledBy(1, 1));
    const picked = picker.pick();
    if (picked) picker.release(picked, "failed");
    expect(round(3)).toEqual([1, 0, 1]);
  });
});
