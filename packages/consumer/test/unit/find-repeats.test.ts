import { describe, expect, it } from "@jest/globals";
import { findRepeats } from "../../src/find-repeats.js";
import type { RepeatCandidate } from "../../src/stored-reports.js";
import {
  againRecord,
  atOffsets,
  goodRecord,
  reportId,
  unreadableRecord,
} from "../fakes/record-builders.js";

const id = (n: number) => ({ reportId: reportId(n) });

async function repeatsOf(
  records: Parameters<typeof atOffsets>[0],
  stored: readonly number[] = [],
): Promise<{ repeats: readonly number[]; asked: readonly (readonly RepeatCandidate[])[] }> {
  const asked: (readonly RepeatCandidate[])[] = [];
  const repeats = await findRepeats(atOffsets(records, 10), async (candidates) => {
    asked.push(candidates);
    return new Set(stored);
  });
  return { repeats: [...repeats].sort((a, b) => a - b), asked };
}

describe("the search for records that were sent again", () => {
  it("asks nothing when no record carries the mark", async () => {
    expect(await repeatsOf([goodRecord(id(1)), goodRecord(id(1))])).toEqual({
      repeats: [],
      asked: [],
    });
  });

  it("finds a copy at a lower offset of the same range without asking", async () => {
    const records = [goodRecord(id(1)), goodRecord(id(2)), againRecord(id(1))];

    expect(await repeatsOf(records)).toEqual({ repeats: [12], asked: [] });
  });

  it("keeps the first of several copies that all carry the mark", async () => {
    const records = [againRecord(id(1)), againRecord(id(1)), againRecord(id(1))];

    const { repeats, asked } = await repeatsOf(records);

    expect(repeats).toEqual([11, 12]);
    expect(asked).toMatchObject([[{ reportId: reportId(1), offset: 10 }]]);
  });

  it("asks the database for those whose copy is not in the range", async () => {
    const receivedAt = new Date("2026-01-01T00:00:00.000Z");
    const records = [goodRecord(id(1)), againRecord({ ...id(2), receivedAt }), againRecord(id(3))];

    const { repeats, asked } = await repeatsOf(records, [12]);

    expect(repeats).toEqual([12]);
    expect(asked).toMatchObject([
      [
        { reportId: reportId(2), offset: 11, receivedAt },
        { reportId: reportId(3), offset: 12 },
      ],
    ]);
  });

  it("does not count a copy at a higher offset", async () => {
    expect((await repeatsOf([againRecord(id(1)), goodRecord(id(1))])).repeats).toEqual([]);
  });

  it("knows a copy that is spelt in another way", async () => {
    const { value, ...rest } = goodRecord(id(1));
    const spelt = Buffer.from((value ?? "").toString().replace('"report_id":', '"report_id" : '));
    const records = [{ ...rest, value: spelt }, againRecord(id(1))];

    expect(await repeatsOf(records)).toEqual({ repeats: [11], asked: [] });
  });

  it("leaves unreadable records to others", async () => {
    const unreadable = { ...unreadableRecord(), headers: againRecord().headers };

    expect(await repeatsOf([unreadable, unreadable])).toEqual({ repeats: [], asked: [] });
  });
});
