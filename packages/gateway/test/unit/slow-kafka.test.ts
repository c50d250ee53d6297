import { describe, expect, it } from "@jest/globals";
import { encodeReport } from "@push-reports/report";
import { aReceivedReport } from "@push-reports/test-support";
import { KafkaReportPublisher } from "../../src/kafka-report-publisher.js";
import type { Lane } from "../../src/lane.js";
import { DrainRate } from "../../src/publish/drain-rate.js";
import type { TopicLeaders } from "../../src/publish/topic-leaders.js";
import { WaitingRecords } from "../../src/publish/waiting-records.js";

const DEADLINE_MS = 5_000;
const STEP_MS = 100;
const RECORD = encodeReport(aReceivedReport());

/** A publisher whose one lane takes so many records a step, in time that passes only by steps. */
class SlowKafka {
  readonly #waiting = new WaitingRecords();
  readonly #drainRate = new DrainRate();
  readonly #publisher: KafkaReportPublisher;
  #now = 1_000_000;
  accepted = 0;
  sent = 0;
  /** The longest that any record waited to be sent, ms. */
  longestMs = 0;
  readonly refused: string[] = [];

  constructor() {
    const lane = { isConnected: true, isSending: false, bytesInFlight: 0, wake() {}, expire() {} };
    this.#publisher = new KafkaReportPublisher(
      {
        lanes: [lane as unknown as Lane],
        waiting: this.#waiting,
        leaders: { partitions: [0] } as unknown as TopicLeaders,
        drainRate: this.#drainRate,
      },
      { answerDeadlineMs: DEADLINE_MS, maxWaitingBytes: 1_000_000_000 },
      { now: () => this.#now, sleep: () => new Promise(() => {}) },
    );
  }

  async step(arriving: number, leaving: number): Promise<void> {
    const arrivedAt = this.#now;
    for (let index = 0; index < arriving; index += 1)
      this.#publisher.publish(RECORD).then(
        () => {
          this.sent += 1;
          this.longestMs = Math.max(this.longestMs, this.#now - arrivedAt);
        },
        (error: { readonly code: string }) => this.refused.push(error.code),
      );
    this.#now += STEP_MS;
    for (const record of this.#waiting.take(Number.POSITIVE_INFINITY, leaving)) {
      record.succeed();
      this.#drainRate.left(record.bytes, this.#now);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }

  get isEmpty(): boolean {
    return this.#waiting.isEmpty;
  }
}

describe("a Kafka that takes a quarter of what comes", () => {
  it("makes the rest be refused at once, what is accepted leaves in time, and all is taken again after", async () => {
    const kafka = new SlowKafka();
    for (let step = 0; step < 20; step += 1) await kafka.step(10, 10);
    for (let step = 0; step < 600; step += 1) await kafka.step(40, 10);
    expect(new Set(kafka.refused)).toEqual(new Set(["overloaded"]));
    expect(kafka.refused.length).toBeGreaterThan(600 * 25);
    expect(kafka.sent).toBeGreaterThan(595 * 10);
    expect(kafka.longestMs).toBeLessThan(DEADLINE_MS);
    while (!kafka.isEmpty) await kafka.step(0, 10);
    const refusedBefore = kafka.refused.length;
    for (let step = 0; step < 50; step += 1) await kafka.step(10, 10);
    expect(kafka.refused.length).toBe(refusedBefore);
  });

  it("that stands still makes nothing be refused: it may be back in time", async () => {
    const kafka = new SlowKafka();
    for (let step = 0; step < 20; step += 1) await kafka.step(10, 10);
    for (let step = 0; step < 30; step += 1) await kafka.step(10, 0);
    for (let step = 0; step < 20; step += 1) await kafka.step(10, 100);
    expect(kafka.refused).toEqual([]);
  });

  it("that was idle does not mistake a burst for a queue", async () => {
    const kafka = new SlowKafka();
    for (let step = 0; step < 20; step += 1) await kafka.step(1, 1);
    await kafka.step(5_000, 500);
    for (let step = 0; step < 20; step += 1) await kafka.step(1, 500);
    expect(kafka.refused).toEqual([]);
  });
});
