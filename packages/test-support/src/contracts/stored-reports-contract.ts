import { randomUUID } from "node:crypto";
import { encodeReport } from "@push-reports/report";
import { jestGlobals } from "../jest-globals.js";
import { aReceivedReport } from "../report-builders.js";
import type { DatabaseUnderTest } from "./database-under-test.js";

const EARLY = new Date("2026-01-01T00:00:00.000Z");
const RECEIVED = new Date("2026-01-02T03:04:05.678Z");
const LATE = new Date("2026-01-03T00:00:00.000Z");

/** Declares the tests that all questions about stored reports pass. @param database of this suite alone. */
export function storedReportsContract(database: () => DatabaseUnderTest): void {
  const { expect, it } = jestGlobals();
  let partition = 300;
  const aPartition = () => {
    partition += 1;
    const { writer, storedReports, linesOf } = database();
    const at = partition;
    let writes = 0;
    return {
      at,
      write: async (rows: Readonly<Record<number, string>>, receivedAt = RECEIVED) => {
        const records = Object.entries(rows).map(([offset, reportId]) => ({
          offset: Number(offset),
          ...encodeReport(aReceivedReport({ reportId, receivedAt })),
        }));
        writes += 1;
        await writer.write(`stored/${at}/${writes}`, linesOf(at, records));
      },
      offsetsIn: async (first: number, last: number, receivedFrom = EARLY, receivedTo = LATE) => {
        const stretch = { partition: at, first, last, receivedFrom, receivedTo };
        return [...(await storedReports.offsetsIn(stretch))].sort((a, b) => a - b);
      },
      repeatedAmong: async (candidates: Readonly<Record<number, string>>, receivedAt = RECEIVED) =>
        [
          ...(await storedReports.repeatedAmong(
            at,
            Object.entries(candidates).map(([offset, reportId]) => ({
              offset: Number(offset),
              reportId,
              receivedAt,
            })),
          )),
        ].sort((a, b) => a - b),
    };
  };
  const ids = (...offsets: readonly number[]) =>
    Object.fromEntries(offsets.map((offset) => [offset, randomUUID()]));

  it("names the offsets of a stretch that are rows, and no others", async () => {
    const { write, offsetsIn } = aPartition();
    await write(ids(0, 1, 2, 5, 6, 9));
    await aPartition().write(ids(3, 4));
    expect(await offsetsIn(0, 9)).toEqual([0, 1, 2, 5, 6, 9]);
    expect(await offsetsIn(1, 5)).toEqual([1, 2, 5]);
    expect(await offsetsIn(7, 8)).toEqual([]);
    expect(await offsetsIn(9, 9)).toEqual([9]);
  });

  it("looks at rows within the times of receipt only, both included", async () => {
    const { write, offsetsIn } = aPartition();
    await write(ids(0, 1));
    expect(await offsetsIn(0, 9, RECEIVED, RECEIVED)).toEqual([0, 1]);
    expect(await offsetsIn(0, 9, new Date(RECEIVED.getTime() + 1), LATE)).toEqual([]);
    expect(await offsetsIn(0, 9, EARLY, new Date(RECEIVED.getTime() - 1))).toEqual([]);
  });

  it("knows a large range whole", async () => {
    const { write, offsetsIn } = aPartition();
    const many = Array.from({ length: 5_000 }, (_, offset) => offset);
    await write(ids(...many.filter((offset) => offset !== 2_500)));
    const found = await offsetsIn(0, 4_999);
    expect(found).toHaveLength(4_999);
    expect(found).not.toContain(2_500);
  });

  it("finds the candidates whose report is a row at a lower offset", async () => {
    const { write, repeatedAmong } = aPartition();
    const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()];
    await write({ 3: first, 4: second, 20: third });
    expect(await repeatedAmong({ 10: first, 11: second, 12: third, 13: randomUUID() })).toEqual([
      10, 11,
    ]);
  });

  it("does not take a candidate's own row for its copy", async () => {
    const { write, repeatedAmong } = aPartition();
    const id = randomUUID();
    await write({ 7: id });
    expect(await repeatedAmong({ 7: id })).toEqual([]);
    expect(await repeatedAmong({ 8: id })).toEqual([8]);
  });

  it("finds no copies in other partitions", async () => {
    const { write } = aPartition();
    const id = randomUUID();
    await write({ 0: id });
    expect(await aPartition().repeatedAmong({ 5: id })).toEqual([]);
  });

  it("takes thousands of candidates, and none", async () => {
    const { write, repeatedAmong } = aPartition();
    const all = ids(...Array.from({ length: 2_500 }, (_, offset) => offset));
    await write(all);
    const again = Object.fromEntries(Object.entries(all).map(([n, id]) => [Number(n) + 5_000, id]));
    expect(await repeatedAmong(again)).toHaveLength(2_500);
    expect(await repeatedAmong({})).toEqual([]);
  });
}
