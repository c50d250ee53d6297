import { describe, expect, it } from "@jest/globals";
import { createLogger } from "@push-reports/service-kit";
import { FakeClock } from "@push-reports/test-support";
import type { Message } from "kafkajs";
import { KafkaDeadLetters } from "../../src/kafka-dead-letters.js";
import { ProgressWatch } from "../../src/progress-watch.js";
import { EpochEndedError } from "../../src/record-source.js";
import { cutRange } from "../../src/report-range.js";
import { setAside } from "../../src/set-aside.js";
import { WriteRetrier } from "../../src/write-retrier.js";
import { atOffsets, unreadableRecord } from "../fakes/record-builders.js";

const STALL_TIMEOUT_MS = 1_000;
/** Of one send. It never is a stall by itself. */
const SEND_TIMEOUT_MS = 990;
/** Each fills a send. */
const LARGE = "x".repeat(400_000);

/** Bad records of partitions on their way to a topic that takes a while for each send, and the watch on progress. */
function aSlowTopic(send: (clock: FakeClock) => Promise<void>) {
  const clock = new FakeClock();
  const logger = createLogger({ service: "test", level: "silent" });
  const watch = new ProgressWatch(clock);
  const taken: Message[] = [];
  const deadLetters = new KafkaDeadLetters({
    createProducer: () => ({
      send: async (_partition, messages) => {
        await send(clock);
        taken.push(...messages);
      },
      close: async () => undefined,
    }),
    sendTimeoutMs: SEND_TIMEOUT_MS,
    clock,
    logger,
  });
  const delays = { initialMs: 10, maxMs: 10 };
  const retrier = new WriteRetrier(
    clock,
    logger,
    { passing: delays, misconfigured: delays },
    { retried: (_operation, _failure, partition) => watch.retried(partition) },
  );
  /** Sets a range of so many records aside, as a partition's ingestion does; never rejects. */
  const begin = (partition: number, count: number, ended = new AbortController().signal) => {
    const records = atOffsets(Array.from({ length: count }, () => unreadableRecord(LARGE)));
    const range = cutRange({ source: "test.1", partition, first: 0 }, records, new Date(0));
    const bad = records.map((record) => {
      return { record, reason: "not_json", detail: "", clickHouseCode: 0 } as const;
    });
    void watch.reached("intent_committed", range);
    const epoch = { partition, ended };
    return setAside(range, bad, epoch, { deadLetters, retrier, observer: watch })
      .then(() => watch.reached("committed", range))
      .catch(() => undefined);
  };
  const stalled = () => watch.stalledPartition(STALL_TIMEOUT_MS);
  return { clock, watch, taken, begin, stalled };
}

describe("setting records aside", () => {
  it("is no stall while each send succeeds, however many it takes, nor for those who wait behind it", async () => {
    const { clock, taken, begin, stalled } = aSlowTopic((clock) => clock.sleep(900));
    const both = Promise.all([begin(4, 5), begin(5, 5)]);
    for (let sends = 0; sends < 10; sends += 1) {
      await clock.advance(900);
      expect(stalled()).toBeNull();
    }
    await both;
    expect(taken).toHaveLength(10);
  });

  it("is no stall for a partition that waits behind sends that fail", async () => {
    const { clock, begin, stalled } = aSlowTopic(() => new Promise<never>(() => undefined));
    void begin(4, 1);
    void begin(5, 1);
    void begin(6, 1);
    for (let sends = 0; sends < 9; sends += 1) {
      await clock.advance(SEND_TIMEOUT_MS);
      expect(stalled()).toBeNull();
    }
  });

  it("is a stall when a send neither ends nor is given up", async () => {
    const { clock, watch, begin } = aSlowTopic((clock) => clock.sleep(900));
    void begin(4, 5);
    await clock.advance(900);
    await clock.advance(800);

    expect(watch.stalledPartition(800)).toBe(4);
  });

  it("says nothing any more of a partition that is no longer ours", async () => {
    const { clock, watch, taken, begin, stalled } = aSlowTopic((clock) => clock.sleep(900));
    const epoch = new AbortController();
    const given = begin(4, 5, epoch.signal);
    await clock.advance(900);
    epoch.abort(new EpochEndedError(4));
    await given;
    watch.ended(4);
    await clock.advance(9_000);

    expect(taken.length).toBeGreaterThan(1);
    expect(stalled()).toBeNull();
  });
});
