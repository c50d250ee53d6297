import { describe, expect, it } from "@jest/globals";
import { FakeClock, nextTurn } from "@push-reports/test-support";
import { KafkaAssignedPartition } from "../../src/kafka-assigned-partition.js";
import { footprintBytes } from "../../src/record-queue.js";
import { EpochEndedError, type SourceRecord } from "../../src/record-source.js";
import { FailuresOnCommand } from "../fakes/failures-on-command.js";
import { bufferOf } from "../fakes/in-memory-log.js";
import { atOffsets, goodRecord } from "../fakes/record-builders.js";
import { RecordedLogger } from "../fakes/recorded-logger.js";

const ALL = { maxRecords: 1, maxBytes: 1_000_000, maxDelayMs: 0 };
const SIZE = footprintBytes(atOffsets([goodRecord()])[0] as SourceRecord);

function anEpoch(capacityBytes = 1_000_000) {
  const clock = new FakeClock();
  const logger = new RecordedLogger();
  const commits = new FailuresOnCommand();
  const calls: string[] = [];
  let attempts = 0;
  const assigned = new KafkaAssignedPartition({
    partition: 3,
    buffer: bufferOf(capacityBytes, clock),
    clock,
    logger,
    readPosition: async () => ({
      committedOffset: 5,
      metadata: "m",
      lowWatermark: 1,
      highWatermark: 9,
    }),
    seek: (offset) => calls.push(`seek ${offset}`),
    pause: () => calls.push("pause"),
    resume: () => calls.push("resume"),
    commit: (offset, metadata) => {
      attempts += 1;
      return commits.around(() => {
        calls.push(`commit ${offset} ${metadata}`);
      });
    },
  });
  const fetch = (first: number, count: number, nextOffset = first + count) =>
    assigned.accept({
      fetchedOffset: first,
      records: atOffsets(
        Array.from({ length: count }, () => goodRecord()),
        first,
      ),
      nextOffset,
      logEnd: nextOffset,
    });
  const taken = async (lastOffset: number) =>
    (await assigned.takeThrough(lastOffset)).map(({ offset }) => offset);
  return { assigned, calls, clock, logger, commits, fetch, taken, attempts: () => attempts };
}

describe("a partition of a Kafka consumer's epoch", () => {
  it("reads the broker's word on positions", async () => {
    expect(await anEpoch().assigned.position()).toEqual({
      committedOffset: 5,
      metadata: "m",
      lowWatermark: 1,
      highWatermark: 9,
    });
  });

  it("takes nothing before it is said where to begin", () => {
    const { fetch, calls } = anEpoch();

    expect(fetch(0, 3)).toBe(false);
    expect(calls).toEqual([]);
  });

  it("seeks where it is to begin and then lets records come", async () => {
    const { assigned, fetch, calls, taken } = anEpoch();
    assigned.startAt(5);

    expect(calls).toEqual(["seek 5", "resume"]);
    expect(fetch(5, 2)).toBe(true);
    expect(fetch(7, 1)).toBe(true);
    expect(await taken(7)).toEqual([5, 6, 7]);
  });

  it("drops a stale fetch and seeks again, however often one comes", async () => {
    const { assigned, fetch, calls, taken } = anEpoch();
    assigned.startAt(5);
    expect([fetch(2, 6), fetch(2, 6), fetch(4, 1)]).toEqual([false, false, false]);
    expect(calls.slice(2)).toEqual(["seek 5", "seek 5", "seek 5"]);

    expect(fetch(5, 1)).toBe(true);
    expect(await taken(5)).toEqual([5]);
  });

  it("believes in a gap only when the same later fetch comes twice", async () => {
    const { assigned, fetch, calls, taken } = anEpoch();
    assigned.startAt(5);
    expect(fetch(8, 1)).toBe(false);
    expect(fetch(9, 1)).toBe(false);
    expect(fetch(8, 1)).toBe(false);
    expect(calls.slice(2)).toEqual(["seek 5", "seek 5", "seek 5"]);

    expect(fetch(8, 2)).toBe(true);
    expect(fetch(10, 1)).toBe(true);
    expect(await taken(10)).toEqual([8, 9, 10]);
  });

  it("forgets a mismatch once the right fetch has come", () => {
    const { assigned, fetch } = anEpoch();
    assigned.startAt(5);
    expect(fetch(8, 1)).toBe(false);
    expect(fetch(5, 1)).toBe(true);

    expect(fetch(8, 1)).toBe(false);
  });

  it("goes on behind offsets that hold no record for readers", async () => {
    const { assigned, fetch, taken } = anEpoch();
    assigned.startAt(0);
    fetch(0, 2, 4);

    expect(await taken(3)).toEqual([0, 1]);
    expect(fetch(4, 1)).toBe(true);
  });

  it("pauses when its queue is full and resumes when there is room again", async () => {
    const { assigned, fetch, calls } = anEpoch(4 * SIZE);
    assigned.startAt(0);
    fetch(0, 1);
    expect(calls).not.toContain("pause");
    fetch(1, 3);
    expect(calls.at(-1)).toBe("pause");

    await assigned.take(ALL);
    expect(calls.at(-1)).toBe("pause");
    await assigned.take(ALL);

    expect(calls.at(-1)).toBe("resume");
  });

  it("pauses already when as much as came last would not fit again: it would be fetched in vain", () => {
    const { assigned, fetch, calls } = anEpoch(4 * SIZE);
    assigned.startAt(0);
    fetch(0, 3);
    expect(calls.at(-1)).toBe("pause");
  });

  it("takes of a fetch what there is room for, and fetches the rest again", async () => {
    const { assigned, fetch, calls, taken } = anEpoch(4 * SIZE);
    assigned.startAt(0);
    fetch(0, 3);
    expect(fetch(3, 4)).toBe(false);
    expect(calls.slice(-2)).toEqual(["seek 4", "pause"]);
    expect(await taken(3)).toEqual([0, 1, 2, 3]);
    expect(calls.at(-1)).toBe("resume");
    expect(fetch(4, 3)).toBe(true);
    expect(await taken(6)).toEqual([4, 5, 6]);
  });

  it("commits offset and metadata", async () => {
    const { assigned, calls } = anEpoch();
    await assigned.commit(7, "intent");

    expect(calls).toEqual(["commit 7 intent"]);
  });

  it("repeats a commit unchanged until its outcome is known", async () => {
    const { assigned, commits, clock, calls, logger } = anEpoch();
    commits.next(new Error("no answer"));
    commits.next(new Error("no answer"), "after");
    let retries = 0;
    const committed = assigned.commit(7, "intent", () => {
      retries += 1;
    });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await nextTurn(3);
      await clock.advance(5_000);
    }

    await committed;
    expect(retries).toBe(2);
    expect(calls).toEqual(["commit 7 intent", "commit 7 intent"]);
    expect(logger.of("commit_retry")).toHaveLength(2);
  });

  it("repeats no commit once the epoch has ended", async () => {
    const { assigned, commits, attempts } = anEpoch();
    commits.times(100, new Error("no answer"));
    const committed = assigned.commit(7, "intent");
    await nextTurn(3);
    expect(attempts()).toBe(1);
    assigned.end();

    await expect(committed).rejects.toThrow(EpochEndedError);
    expect(attempts()).toBe(1);
  });

  it("waits for no answer to a commit once the epoch has ended, and repeats nothing when it fails later", async () => {
    const { assigned, commits, attempts, logger } = anEpoch();
    const held = commits.hold();
    commits.next(new Error("no answer"));
    const committed = assigned.commit(7, "intent");
    await held.reached;
    assigned.end();

    await expect(committed).rejects.toThrow(EpochEndedError);
    held.release();
    await nextTurn(3);
    expect(attempts()).toBe(1);
    expect(logger.of("commit_retry")).toEqual([]);
  });

  it("does not commit when the epoch ends in the turn in which the commit is asked for", async () => {
    const { assigned, attempts } = anEpoch();
    const committed = assigned.commit(7, "intent");
    assigned.end();

    await expect(committed).rejects.toThrow(EpochEndedError);
    expect(attempts()).toBe(0);
  });

  it("does nothing more once its epoch has ended", async () => {
    const { assigned, fetch, calls } = anEpoch();
    assigned.startAt(0);
    fetch(0, 1);
    const waiting = assigned.take({ ...ALL, maxRecords: 5, maxDelayMs: 1_000 });
    assigned.end();
    calls.length = 0;

    await expect(waiting).rejects.toThrow(EpochEndedError);
    await expect(assigned.takeThrough(0)).rejects.toMatchObject({ code: "epoch_ended" });
    await expect(assigned.commit(1, "")).rejects.toThrow(EpochEndedError);
    expect(() => assigned.takeReady(ALL)).toThrow(EpochEndedError);
    assigned.startAt(0);
    expect(fetch(0, 1)).toBe(false);
    expect(assigned.ended.aborted).toBe(true);
    expect(calls).toEqual([]);
  });
});
