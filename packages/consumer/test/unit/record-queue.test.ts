import { describe, expect, it } from "@jest/globals";
import { CLOCK_START, FakeClock, nextTurn } from "@push-reports/test-support";
import { footprintBytes, RecordQueue } from "../../src/record-queue.js";
import { bufferOf } from "../fakes/in-memory-log.js";
import { atOffsets, goodRecord } from "../fakes/record-builders.js";

const records = (count: number, first = 0) =>
  atOffsets(
    Array.from({ length: count }, () => goodRecord({ receivedAt: new Date(CLOCK_START) })),
    first,
  );
const SIZE = footprintBytes(records(1)[0] as ReturnType<typeof records>[number]);
const WIDE = { maxRecords: 1_000, maxBytes: 1_000_000, maxDelayMs: 1_000 };

function aQueue(capacityBytes = 1_000_000) {
  const clock = new FakeClock();
  let roomCalls = 0;
  const queue = new RecordQueue(clock, bufferOf(capacityBytes, clock), () => {
    roomCalls += 1;
  });
  const push = (count: number, first = 0, logEnd = first + count) =>
    queue.push(records(count, first), first + count, logEnd);
  return { clock, queue, push, roomCalls: () => roomCalls };
}

/** Shows whether a promise has settled, without waiting for it. */
async function settled(work: Promise<unknown>): Promise<boolean> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  work.then(settle, settle);
  await nextTurn();
  return isSettled;
}

const offsetsOf = (taken: readonly { offset: number }[] | null) =>
  taken?.map(({ offset }) => offset) ?? null;

describe("a record queue", () => {
  it("gives at once as many records as a range may have", async () => {
    const { queue, push } = aQueue();
    push(5);

    expect(offsetsOf(await queue.take({ ...WIDE, maxRecords: 3 }))).toEqual([0, 1, 2]);
    expect(offsetsOf(queue.takeReady({ ...WIDE, maxRecords: 2 }))).toEqual([3, 4]);
    expect(queue.length).toBe(0);
    expect(queue.bytes).toBe(0);
  });

  it("waits for others to join the oldest record, but not longer than it may wait", async () => {
    const { queue, push, clock } = aQueue();
    const taken = queue.take(WIDE);
    push(1);
    await clock.advance(600);
    push(1, 1);
    await clock.advance(399);
    expect(await settled(taken)).toBe(false);

    await clock.advance(1);

    expect(offsetsOf(await taken)).toEqual([0, 1]);
  });

  it("counts from the receipt of the oldest record, and leaves time for its insert", async () => {
    const { queue, clock } = aQueue();
    const received = (offset: number, agoMs: number) =>
      atOffsets([goodRecord()], offset).map((record) => ({
        ...record,
        timestampMs: clock.now() - agoMs,
      }));
    const taken = queue.take({ ...WIDE, insertMs: 100 });
    queue.push(received(0, 150), 1, 1);
    queue.push(received(1, 200), 2, 2);
    await clock.advance(749);
    expect(await settled(taken)).toBe(false);
    await clock.advance(1);
    expect(offsetsOf(await taken)).toEqual([0, 1]);
  });

  it("waits without an end for the first record, and leaves no timer behind", async () => {
    const { queue, push, clock } = aQueue();
    const taken = queue.take({ ...WIDE, maxRecords: 2 });
    await clock.advance(1_000_000);
    expect(await settled(taken)).toBe(false);

    push(1);
    await nextTurn();
    push(1, 1);

    expect(offsetsOf(await taken)).toEqual([0, 1]);
    await nextTurn();
    expect(clock.sleepers).toBe(0);
  });

  it("stops before the record that would exceed the bytes of a range", async () => {
    const { queue, push } = aQueue();
    push(4);

    expect(offsetsOf(await queue.take({ ...WIDE, maxBytes: 2 * SIZE + 1 }))).toEqual([0, 1]);
  });

  it("gives the first record whatever its size", async () => {
    const { queue, push } = aQueue();
    push(2);

    expect(offsetsOf(await queue.take({ ...WIDE, maxBytes: 1 }))).toEqual([0]);
  });

  it("gives what it holds when it is full, though the range could be longer", async () => {
    const { queue, push } = aQueue(3 * SIZE);
    push(3);

    expect(queue.isFull()).toBe(true);
    expect(offsetsOf(queue.takeReady(WIDE))).toEqual([0, 1, 2]);
  });

  it("waits for more as long as more comes of what the log has, but not for ever", async () => {
    const { queue, push, clock } = aQueue();
    const taken = queue.take(WIDE);
    for (let n = 0; n < 12; n += 1) {
      push(1, n, 1_000);
      await clock.advance(999);
    }
    expect(await settled(taken)).toBe(true);
    expect(offsetsOf(await taken)).toHaveLength(11);
    const next = queue.take(WIDE);
    await clock.advance(1);
    expect(offsetsOf(await next)).toEqual([11]);
  });

  it("says what it waits for", async () => {
    const { queue, push, clock } = aQueue();
    const said: string[] = [];
    const pace = { reserve: () => clock.now() + 500, took: () => undefined };
    queue.startAt(0, 100);
    const taken = queue.take({ ...WIDE, pace, onWait: (awaited) => said.push(awaited) });
    push(50, 0, 100);
    await nextTurn();
    push(50, 50);
    await clock.advance(1_600);
    await taken;
    expect(said).toEqual(["fetch", "fetch", "idle", "turn"]);
  });

  it("has nothing ready while no limit is reached", () => {
    const { queue, push } = aQueue();
    expect(queue.takeReady({ ...WIDE, maxRecords: 1 })).toBeNull();
    push(1);
    expect(queue.takeReady(WIDE)).toBeNull();
  });

  it("says once that there is room, when a full queue has drained to its half", () => {
    const { queue, push, roomCalls } = aQueue(4 * SIZE);
    push(4);
    queue.takeReady({ ...WIDE, maxRecords: 1 });
    expect(roomCalls()).toBe(0);

    queue.takeReady({ ...WIDE, maxRecords: 1 });
    expect(roomCalls()).toBe(1);
    queue.takeReady({ ...WIDE, maxRecords: 1 });
    expect(roomCalls()).toBe(1);
  });

  it("gives every record up to an offset and keeps those behind it", async () => {
    const { queue, push } = aQueue();
    push(5);

    expect(offsetsOf(await queue.takeThrough(2))).toEqual([0, 1, 2]);
    expect(offsetsOf(queue.takeReady({ ...WIDE, maxRecords: 2 }))).toEqual([3, 4]);
  });

  it("collects a stretch over as many pushes as it takes, beyond its own capacity", async () => {
    const { queue, push } = aQueue(2 * SIZE);
    const taken = queue.takeThrough(5);
    for (const first of [0, 2, 4]) {
      push(2, first);
      await nextTurn();
    }

    expect(offsetsOf(await taken)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("ends a stretch whose last offsets hold no record once the log was read past them", async () => {
    const { queue, push } = aQueue();
    const taken = queue.takeThrough(9);
    push(3);
    expect(await settled(taken)).toBe(false);

    queue.push([], 12, 12);

    expect(offsetsOf(await taken)).toEqual([0, 1, 2]);
    expect(queue.nextOffset).toBe(12);
  });

  it("rejects whoever waits and whoever comes later once it has ended", async () => {
    const { queue, push } = aQueue();
    const error = new Error("over");
    const waiting = [queue.take(WIDE)];
    queue.end(error);
    push(3);

    await expect(waiting[0]).rejects.toBe(error);
    await expect(queue.take(WIDE)).rejects.toBe(error);
    await expect(queue.takeThrough(0)).rejects.toBe(error);
    expect(() => queue.takeReady(WIDE)).toThrow(error);
    expect(queue.length).toBe(0);
  });

  it("counts key, value and headers into a record's footprint", () => {
    const [record] = records(1);
    const value = Buffer.alloc((record?.value?.length ?? 0) + 10);

    expect(footprintBytes({ ...(record as NonNullable<typeof record>), value })).toBe(SIZE + 10);
    const headers = { ...record?.headers, large: Buffer.alloc(1_000) };
    expect(footprintBytes({ ...(record as NonNullable<typeof record>), headers })).toBe(
      SIZE + 1_005,
    );
    expect(
      footprintBytes({ offset: 0, timestampMs: 0, key: null, value: null, headers: {} }),
    ).toBeGreaterThan(0);
  });

  it("lets what has only waited long enough wait for its turn, with what comes meanwhile", async () => {
    const { queue, push, clock } = aQueue();
    let reserved = 0;
    const pace = {
      reserve: () => {
        reserved += 1;
        return clock.now() + 700;
      },
      took: () => undefined,
    };
    const taken = queue.take({ ...WIDE, pace });
    push(1);
    await clock.advance(1_699);
    push(1, 1);
    expect([await settled(taken), reserved]).toEqual([false, 1]);
    await clock.advance(1);
    expect(offsetsOf(await taken)).toEqual([0, 1]);
    expect(reserved).toBe(1);
  });

  it("does not wait for a turn once a limit is reached, and says so", async () => {
    const { queue, push } = aQueue();
    let took = 0;
    const pace = {
      reserve: () => Number.POSITIVE_INFINITY,
      took: () => {
        took += 1;
      },
    };
    push(5);
    expect(offsetsOf(await queue.take({ ...WIDE, maxRecords: 3, pace }))).toEqual([0, 1, 2]);
    expect(offsetsOf(queue.takeReady({ ...WIDE, maxRecords: 2, pace }))).toEqual([3, 4]);
    expect(took).toBe(2);
  });
});
