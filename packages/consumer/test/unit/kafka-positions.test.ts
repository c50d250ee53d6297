import { describe, expect, it } from "@jest/globals";
import { positionsOf } from "../../src/kafka-positions.js";

const log = (partition: number) => ({ partition, offset: "9", low: "2", high: "9" });

describe("the positions of a topic's partitions", () => {
  it("are what the group committed and where the log begins and ends; -1 is no commit", () => {
    const commits = [
      { partition: 0, offset: "-1", metadata: null },
      { partition: 1, offset: "0", metadata: "an intent" },
    ];

    const ends = { lowWatermark: 2, highWatermark: 9 };
    expect([...positionsOf(commits, [log(0), log(1)])]).toEqual([
      [0, { committedOffset: null, metadata: "", ...ends }],
      [1, { committedOffset: 0, metadata: "an intent", ...ends }],
    ]);
  });

  it("are not known of a partition that the group's coordinator was not asked for: an intent may be there", () => {
    const commits = [{ partition: 0, offset: "5", metadata: "" }];

    expect([...positionsOf(commits, [log(0), log(1)]).keys()]).toEqual([0]);
  });
});
