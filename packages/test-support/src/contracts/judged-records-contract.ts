import { jestGlobals } from "../jest-globals.js";
import type { DatabaseUnderTest } from "./database-under-test.js";

/** Declares the tests of whatever knows the latest records. @param database of this suite alone; each test takes a partition of its own. */
export function judgedRecordsContract(database: () => DatabaseUnderTest): void {
  const { expect, it } = jestGlobals();
  let partition = 500;
  const aPartition = () => {
    partition += 1;
    const { source, ledger, deadLetters, judgedRecords } = database();
    const at = partition;
    const setAside = (name: string, offsets: readonly number[]) => {
      const records = offsets.map((offset) => ({
        record: { offset, timestampMs: Date.now(), key: null, value: null, headers: {} },
        reason: "empty_value" as const,
        detail: "It has no value",
        clickHouseCode: 0,
      }));
      return deadLetters.setAside({ name, source, partition: at, records }, () => undefined);
    };
    /** A range that is complete. */
    const complete = async (first: number, last: number, bad: readonly number[], absent = 0) => {
      const name = `${source}/${at}/${first}-${last}`;
      if (bad.length > 0) await setAside(name, bad);
      await ledger.close({
        name,
        source,
        partition: at,
        first,
        last,
        cutAt: new Date(),
        receivedFrom: null,
        receivedTo: null,
        rows: last - first + 1 - bad.length - absent,
        setAside: bad.length,
        repeated: 0,
        absent,
      });
    };
    const latest = async (records: number, bad = 1_000) => {
      const stretches = await judgedRecords.latest(at, { records, bad });
      for (const { partition: of, judgedAt } of stretches) {
        expect(of).toBe(at);
        expect(Math.abs(Date.now() - judgedAt)).toBeLessThan(60_000);
      }
      return stretches.map(({ first, last, badOffsets }) => [first, last, badOffsets]);
    };
    return { complete, setAside, latest };
  };

  it("knows nothing of a partition of which nothing is complete", async () => {
    const { latest, setAside } = aPartition();
    expect(await latest(100)).toEqual([]);
    await setAside("under way", [1, 2]);
    expect(await latest(100)).toEqual([]);
  });

  it("gives as many of the latest ranges as are needed, in order, with the bad records of each", async () => {
    const { complete, latest } = aPartition();
    await complete(0, 999, [0, 999]);
    await complete(1_000, 1_999, [1_000, 1_500]);
    await complete(2_000, 2_999, []);
    await complete(3_000, 3_000, [3_000]);
    // Small ranges may be given as one.
    const covered = async (records: number) => {
      const stretches = await latest(records);
      return [stretches[0]?.[0], stretches.at(-1)?.[1], stretches.flatMap(([, , bad]) => bad)];
    };
    expect(await covered(1)).toEqual([3_000, 3_000, [3_000]]);
    expect(await covered(1_000)).toEqual([2_000, 3_000, [3_000]]);
    expect(await covered(1_002)).toEqual([1_000, 3_000, [1_000, 1_500, 3_000]]);
    expect(await covered(100_000)).toEqual([0, 3_000, [0, 999, 1_000, 1_500, 3_000]]);
  });

  it("gives the latest bad records when there are more than is asked for", async () => {
    const { complete, latest } = aPartition();
    await complete(0, 9, [1, 2, 3]);
    await complete(10, 19, [11, 12]);
    expect(await latest(1_000, 3)).toEqual([
      [0, 9, [3]],
      [10, 19, [11, 12]],
    ]);
  });

  it("leaves out what the log no longer held, and what is not complete", async () => {
    const { complete, setAside, latest } = aPartition();
    await complete(0, 9, [9]);
    await complete(10, 9_999, [], 9_990);
    await complete(10_000, 10_004, []);
    await setAside("under way", [10_005]);
    expect(await latest(100)).toEqual([
      [0, 9, [9]],
      [10_000, 10_004, []],
    ]);
  });

  it("keeps partitions apart", async () => {
    const [one, other] = [aPartition(), aPartition()];
    await one.complete(0, 9, [1]);
    await other.complete(0, 9, [2]);
    expect(await one.latest(100)).toEqual([[0, 9, [1]]]);
    expect(await other.latest(100)).toEqual([[0, 9, [2]]]);
  });
}
