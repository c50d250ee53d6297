import { describe, expect, it } from "@jest/globals";
import { FakeClock } from "@push-reports/test-support";
import { cutRange } from "../../src/report-range.js";
import { UsualInsertTime } from "../../src/usual-insert-time.js";
import { atOffsets, goodRecord } from "../fakes/record-builders.js";

describe("the usual time of an insert", () => {
  const insert = async (usual: UsualInsertTime, clock: FakeClock, ms: number) => {
    const at = { source: "test.1", partition: 0, first: 0 };
    const range = cutRange(at, atOffsets([goodRecord()]), new Date(0));
    await usual.reached("cut", range);
    await clock.advance(ms);
    await usual.reached("inserted", range);
    await clock.advance(5_000);
    await usual.reached("committed", range);
  };

  it("is the longest of the latest ones, from the cut until the rows are there", async () => {
    const clock = new FakeClock();
    const usual = new UsualInsertTime(clock);
    expect(usual.ms).toBeNull();
    for (const ms of [40, 900, 60]) await insert(usual, clock, ms);
    expect(usual.ms).toBe(900);
    for (let n = 0; n < 16; n += 1) await insert(usual, clock, 50);
    expect(usual.ms).toBe(50);
  });

  it("knows nothing of a range whose cut it has not seen in this epoch", async () => {
    const usual = new UsualInsertTime(new FakeClock());
    const at = { source: "test.1", partition: 0, first: 0 };
    await usual.reached("inserted", cutRange(at, atOffsets([goodRecord()]), new Date(0)));
    expect(usual.ms).toBeNull();
  });
});
