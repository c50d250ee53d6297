import { describe, expect, it } from "@jest/globals";
import type { PartitionPosition } from "../../src/record-source.js";
import { untilBooked } from "../../src/unbooked-records.js";
import { LeapingClock } from "../fakes/leaping-clock.js";

describe("records that no complete range covers", () => {
  const at = (position: Partial<PartitionPosition>): PartitionPosition => ({
    committedOffset: null,
    metadata: "",
    lowWatermark: 0,
    highWatermark: 10,
    ...position,
  });
  /** @param ends what the ledger says, look after look. */
  const ask = async (
    position: Partial<PartitionPosition>,
    ends: readonly (number | null)[],
    waitMs = 0,
  ) => {
    let looks = 0;
    let waits = 0;
    const clock = new LeapingClock();
    const unbooked = await untilBooked(
      {
        ledger: { endFrom: async () => ends[Math.min(looks++, ends.length - 1)] ?? null },
        positions: async () => new Map([[3, at(position)]]),
        clock,
        onWait: () => {
          waits += 1;
        },
      },
      clock.now() + waitMs,
    );
    return { unbooked, looks, waits };
  };

  it("are all that lie behind the ledger's end, and behind the group's offset where the ledger has nothing", async () => {
    expect((await ask({ committedOffset: 4 }, [7])).unbooked).toEqual([
      { partition: 3, first: 7, last: 9 },
    ]);
    expect((await ask({ committedOffset: 4 }, [4])).unbooked).toEqual([
      { partition: 3, first: 4, last: 9 },
    ]);
    expect((await ask({}, [null])).unbooked).toEqual([{ partition: 3, first: 0, last: 9 }]);
    expect((await ask({ committedOffset: 4 }, [10])).unbooked).toEqual([]);
  });

  it("are none of those that the log no longer holds", async () => {
    expect((await ask({ committedOffset: 4, lowWatermark: 8 }, [4])).unbooked).toEqual([
      { partition: 3, first: 8, last: 9 },
    ]);
    expect((await ask({ committedOffset: 4, lowWatermark: 10 }, [4])).unbooked).toEqual([]);
  });

  it("are waited for until they are complete, or until the deadline", async () => {
    const position = { committedOffset: 4 };
    expect(await ask(position, [4, 7, 10], 60_000)).toEqual({ unbooked: [], looks: 3, waits: 1 });
    const late = await ask(position, [4, 7], 5_000);
    expect(late.unbooked).toEqual([{ partition: 3, first: 7, last: 9 }]);
    expect(late.waits).toBe(1);
    expect(await ask(position, [7])).toMatchObject({ looks: 1, waits: 0 });
  });

  it("are asked for only where some were left by the last look", async () => {
    const asked: number[] = [];
    const clock = new LeapingClock();
    const unbooked = await untilBooked(
      {
        ledger: {
          endFrom: async (partition) => {
            asked.push(partition);
            return partition === 1 && asked.length < 4 ? 7 : 10;
          },
        },
        positions: async () => new Map([0, 1, 2].map((partition) => [partition, at({})])),
        clock,
        onWait: () => undefined,
      },
      clock.now() + 60_000,
    );
    expect(unbooked).toEqual([]);
    expect(asked).toEqual([0, 1, 2, 1]);
  });
});
