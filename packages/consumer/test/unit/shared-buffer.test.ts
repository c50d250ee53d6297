import { afterEach, describe, expect, it } from "@jest/globals";
import { SharedBuffer } from "../../src/shared-buffer.js";
import {
  type FetchingWorldOptions,
  fetchingWorld,
  type TakenRange,
} from "../fakes/fetching-world.js";

const MIB = 1_048_576;
const RECORD_BYTES = 4_096;
/** Bytes of a value, with which a record's footprint is {@link RECORD_BYTES}. */
const VALUE_BYTES = RECORD_BYTES - 256;
/** The defaults, a sixteenth of them where they are bytes. */
const USUAL: FetchingWorldOptions = {
  partitions: 12,
  maxBytes: 12 * MIB,
  rangeBytes: 2 * MIB,
  lentPercent: 0,
  rangeRecords: 100_000,
  insertsPerSecond: 10,
  partitionFetchBytes: MIB / 4,
  fetchBytes: MIB,
  insertMs: () => 300,
};
const LENDING: FetchingWorldOptions = { ...USUAL, lentPercent: 75 };
const RANGE_RECORDS = USUAL.rangeBytes / RECORD_BYTES;

let world: ReturnType<typeof fetchingWorld>;
afterEach(() => world.end());

function aBacklog(options: FetchingWorldOptions, records: number, valueBytes: number): void {
  world = fetchingWorld(options);
  for (let partition = 0; partition < options.partitions; partition += 1)
    world.append(partition, records, valueBytes);
  world.start();
}

function mostInASecond(): number {
  const takenWithinASecondOf = (from: number) =>
    world.ranges.filter(({ at }) => at >= from && at < from + 1_000).length;
  return Math.max(...world.ranges.map(({ at }) => takenWithinASecondOf(at)));
}

/** What partitions wait for within the next two seconds. */
async function awaitedSoon(): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  for (let n = 0; n < 20; n += 1) {
    await world.run(100);
    for (const awaited of world.awaited.values()) seen.add(awaited);
  }
  return seen;
}

describe("partitions that lend memory to each other", () => {
  it.each([1, 12, 48])(
    "make no insert smaller than configured while there is a backlog: %i",
    async (partitions) => {
      aBacklog({ ...LENDING, partitions }, 2 * RANGE_RECORDS, VALUE_BYTES);
      await world.run(600 + 300 * partitions);
      expect(world.committed()).toBe(partitions * 2 * RANGE_RECORDS);
      expect(new Set(world.ranges.map(({ bytes }) => bytes))).toEqual(new Set([USUAL.rangeBytes]));
      expect(mostInASecond()).toBeLessThanOrEqual(USUAL.maxBytes / USUAL.rangeBytes / 0.3);
      expect(world.mostHeld()).toBeLessThanOrEqual(USUAL.maxBytes);
    },
  );

  it("lend nothing to each other while all of them end", () => {
    world = fetchingWorld(LENDING);
    const buffer = new SharedBuffer(
      { maxBytes: 8 * MIB, rangeBytes: 6 * MIB, partitions: 2, lentPercent: 75 },
      world.clock,
    );
    let resumed = 0;
    const places = [1, 2].map(() =>
      buffer.place(
        () => (resumed += 1),
        () => undefined,
      ),
    );
    for (const place of places) {
      place.add(MIB);
      place.ask();
    }
    expect(places.map(({ isGrowing }) => isGrowing)).toEqual([true, false]);
    resumed = 0;
    for (const place of places) place.end();
    expect(resumed).toBe(0);
  });

  it("make them whole by rows as well, where what is fetched is more than a range", async () => {
    const options = { maxBytes: 16 * MIB, rangeBytes: 4 * MIB, rangeRecords: 1_000 };
    aBacklog(
      { ...LENDING, ...options, fetchBytes: 16 * MIB, partitionFetchBytes: 4 * MIB },
      2_000,
      3_000,
    );
    await world.run(5_000);
    expect(world.ranges.map(({ records }) => records)).toEqual(Array(24).fill(1_000));
    expect(world.mostHeld()).toBeLessThanOrEqual(options.maxBytes);
  });

  it("go on with their shares, within the limit of inserts, when those that have the rest get on with nothing", async () => {
    const stuck = (partition: number) => (partition < 12 ? Number.POSITIVE_INFINITY : 10);
    aBacklog({ ...LENDING, partitions: 24, insertMs: stuck }, RANGE_RECORDS, VALUE_BYTES);
    await world.run(60_000);
    expect(world.committed()).toBe(12 * RANGE_RECORDS);
    expect(mostInASecond()).toBeLessThanOrEqual(2 * USUAL.insertsPerSecond);
    expect(world.mostHeld()).toBeLessThanOrEqual(USUAL.maxBytes);
  });

  it("wait for the log or for each other while there is a backlog, and are never idle", async () => {
    aBacklog(LENDING, 4 * RANGE_RECORDS, VALUE_BYTES);
    expect(await awaitedSoon()).toEqual(new Set(["fetch", "turn"]));
  });
});

describe("partitions that lend no memory", () => {
  it.each([1, 5, 7, 12])(
    "insert most of what may wait at a time, and fetch nothing in vain, while there is a backlog: %i",
    async (partitions) => {
      aBacklog({ ...USUAL, partitions }, 2 * RANGE_RECORDS, VALUE_BYTES);
      await world.run(15_000);
      expect(world.committed()).toBe(partitions * 2 * RANGE_RECORDS);
      expect(world.fetchedRecords()).toBe(world.committed());
      expect(world.buffer.lentAt).toBe(Number.NEGATIVE_INFINITY);
      expect(world.mostHeld()).toBeLessThanOrEqual(USUAL.maxBytes);
      const mayWait = Math.min(world.buffer.shareBytes, USUAL.rangeBytes);
      const isLast = ({ first, records }: TakenRange) => first + records === 2 * RANGE_RECORDS;
      for (const range of world.ranges.filter((taken) => !isLast(taken)))
        expect(range.bytes).toBeGreaterThan(mayWait / 2);
    },
  );

  it("insert all that may wait at a time where that is less than a fetch brings", async () => {
    aBacklog({ ...USUAL, partitions: 48 }, 2 * RANGE_RECORDS, VALUE_BYTES);
    await world.run(15_000);
    expect(world.committed()).toBe(48 * 2 * RANGE_RECORDS);
    const sizes = new Set(world.ranges.map(({ bytes }) => bytes));
    expect(sizes).toEqual(new Set([world.buffer.shareBytes]));
    expect(world.mostHeld()).toBeLessThanOrEqual(USUAL.maxBytes);
  });

  it("wait for the log while there is a backlog, and are never idle", async () => {
    aBacklog(USUAL, 4 * RANGE_RECORDS, VALUE_BYTES);
    expect(await awaitedSoon()).toEqual(new Set(["fetch"]));
  });

  it("go on while others get on with nothing", async () => {
    const stuck = (partition: number) => (partition < 12 ? Number.POSITIVE_INFINITY : 10);
    aBacklog({ ...USUAL, partitions: 24, insertMs: stuck }, RANGE_RECORDS, VALUE_BYTES);
    await world.run(60_000);
    expect(world.committed()).toBe(12 * RANGE_RECORDS);
    expect(world.mostHeld()).toBeLessThanOrEqual(USUAL.maxBytes);
  });
});

describe.each([0, 75])("partitions that share memory of which %i %% is lent", (lentPercent) => {
  it("make rows within the delay of their receipt in a quiet system, insert included", async () => {
    const insertMs = 300;
    world = fetchingWorld({ ...USUAL, lentPercent, insertMs: () => insertMs });
    world.start();
    for (let n = 0; n < 200; n += 1) {
      if (n % 7 === 0) world.append(n % 5, 1);
      await world.run(40);
    }
    await world.run(2_000);
    expect(world.committed()).toBe(29);
    for (const { waitedMs } of world.ranges) expect(waitedMs + insertMs).toBeLessThanOrEqual(1_000);
  });

  it("are idle once they have what the log holds", async () => {
    aBacklog({ ...USUAL, lentPercent }, 10, VALUE_BYTES);
    await world.run(3_000);
    expect(world.committed()).toBe(120);
    expect(new Set(world.awaited.values())).toEqual(new Set(["idle"]));
  });

  it.each([VALUE_BYTES, 1_000_000, 3_000_000])(
    "hold no more than they may, and one record each, of records of %i bytes, whether anything can be written or not",
    async (valueBytes) => {
      for (const insertMs of [() => 300, () => Number.POSITIVE_INFINITY]) {
        const records = Math.ceil((4 * MIB) / valueBytes);
        const options = {
          ...USUAL,
          lentPercent,
          partitions: 24,
          insertMs,
          fetchBytes: 16 * MIB,
          partitionFetchBytes: 4 * MIB,
        };
        aBacklog(options, records, valueBytes);
        await world.run(20_000);
        expect(world.committed()).toBe(insertMs() === 300 ? 24 * records : 0);
        expect(world.mostHeld()).toBeGreaterThan(USUAL.maxBytes / 4);
        const each = valueBytes > VALUE_BYTES ? 24 * (valueBytes + 256) : 0;
        expect(world.mostHeld()).toBeLessThanOrEqual(USUAL.maxBytes + each);
        world.end();
      }
    },
  );
});
