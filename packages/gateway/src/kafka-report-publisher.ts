import type { ReportRecord } from "@push-reports/report";
import type { Clock, Part } from "@push-reports/service-kit";
import type { Lane } from "./lane.js";
import type { DrainRate } from "./publish/drain-rate.js";
import { PendingRecord } from "./publish/pending-record.js";
import type { TopicLeaders } from "./publish/topic-leaders.js";
import type { WaitingRecords } from "./publish/waiting-records.js";
import { waitingSince } from "./publish/waiting-since.js";
import { type Kept, PublishError, type ReportPublisher } from "./report-publisher.js";

/** Bounds of the publisher. */
export interface KafkaPublisherLimits {
  /** Every publish settles within this time, ms. */
  readonly answerDeadlineMs: number;
  /** Bytes of records that may wait or be on their way. */
  readonly maxWaitingBytes: number;
}

/** What it needs to know of the topic. */
type Leaders = Pick<TopicLeaders, "partitions" | "start" | "stop">;

/** How often expired records are looked for, ms. */
const SWEEP_MS = 100;
/** Of the time that a record may wait: how long the first in the queue has waited when the pace begins to count. */
const LONG_WAIT_SHARE = 0.2;
/** Of the same time: how long the whole queue may take at the pace of late. */
const MAX_EXPECTED_SHARE = 0.5;
/** How long a start waits for Kafka; without it the service starts all the same and answers 503. */
const START_WAIT_MS = 3_000;

/** Makes records durable on the topic: lanes take them in batches from one bounded queue. */
export class KafkaReportPublisher implements ReportPublisher, Part {
  readonly name = "kafka-report-publisher";
  readonly #lanes: readonly Lane[];
  readonly #waiting: WaitingRecords;
  readonly #leaders: Leaders;
  readonly #drainRate: DrainRate;
  readonly #limits: KafkaPublisherLimits;
  readonly #clock: Clock;
  #isWaking = false;
  #sweeping: Promise<void> | null = null;
  #isStopping = false;
  /** Since when no lane can send, ms; null while one can. */
  #downSince: number | null = null;

  constructor(
    parts: {
      readonly lanes: readonly Lane[];
      readonly waiting: WaitingRecords;
      readonly leaders: Leaders;
      /** Must be told of every batch that is acknowledged. */
      readonly drainRate: DrainRate;
    },
    limits: KafkaPublisherLimits,
    clock: Clock,
  ) {
    this.#lanes = parts.lanes;
    this.#waiting = parts.waiting;
    this.#leaders = parts.leaders;
    this.#drainRate = parts.drainRate;
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Begins to connect, and waits a short time for it to succeed. */
  async start(): Promise<void> {
    this.#leaders.start();
    for (const lane of this.#lanes) lane.wake();
    const giveUpAt = this.#clock.now() + START_WAIT_MS;
    while (!this.#canSend() && this.#clock.now() < giveUpAt) await this.#clock.sleep(SWEEP_MS);
  }

  async publish(record: ReportRecord): Promise<Kept> {
    const now = this.#clock.now();
    if (this.#isStopping) throw new PublishError("stopping", "The publisher is stopping");
    if (this.#isDown(now)) throw new PublishError("unavailable", "Kafka is away");
    const pending = new PendingRecord(record, waitingSince(record, now) + this.#waitMs);
    if (this.waitingBytes + pending.bytes > this.#limits.maxWaitingBytes)
      throw new PublishError("overloaded", "Too many bytes wait for Kafka");
    if (this.#isTooSlow(now)) throw new PublishError("overloaded", "Kafka is too slow");
    this.#waiting.add(pending);
    this.#wakeSoon();
    this.#sweeping ??= this.#sweep().finally(() => {
      this.#sweeping = null;
    });
    await pending.settled;
    return "published";
  }

  isHealthy(): boolean {
    return this.#canSend();
  }

  /** Bytes of records that wait or are on their way. */
  get waitingBytes(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.bytesInFlight, this.#waiting.bytes);
  }

  /** Takes no more records, lets those that wait settle, and disconnects. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#sweeping;
    await Promise.all([...this.#lanes.map((lane) => lane.stop()), this.#leaders.stop()]);
  }

  /** All that arrive in one turn of the event loop become one batch. */
  #wakeSoon(): void {
    if (this.#isWaking) return;
    this.#isWaking = true;
    setImmediate(() => {
      this.#isWaking = false;
      for (const lane of this.#lanes) lane.wake();
    });
  }

  #canSend(): boolean {
    return this.#leaders.partitions.length > 0 && this.#lanes.some((lane) => lane.isConnected);
  }

  /** Once Kafka has been away for as long as a record may wait, waiting is no use: refuse at once. */
  #isDown(now: number): boolean {
    this.#downSince = this.#canSend() ? null : (this.#downSince ?? now);
    return this.#downSince !== null && now - this.#downSince > this.#limits.answerDeadlineMs;
  }

  /** A record waits until just before the deadline, so that the answer leaves within it. */
  get #waitMs(): number {
    return this.#limits.answerDeadlineMs - 2 * SWEEP_MS;
  }

  /**
   * Whether a record that came now would be likely to wait in vain: the first in the queue has waited long, and at the pace of late the
   * rest will take most of the time that there is. Then it is better refused at once than after the deadline.
   */
  #isTooSlow(now: number): boolean {
    const firstWaitsMs = now - (this.#waiting.firstExpiresAt - this.#waitMs);
    return (
      firstWaitsMs > this.#waitMs * LONG_WAIT_SHARE &&
      this.#drainRate.waitMs(this.waitingBytes, now) > this.#waitMs * MAX_EXPECTED_SHARE
    );
  }

  async #sweep(): Promise<void> {
    while (!this.#waiting.isEmpty || this.#lanes.some((lane) => lane.isSending)) {
      await this.#clock.sleep(SWEEP_MS);
      const now = this.#clock.now();
      const code = this.#canSend() ? "timeout" : "unavailable";
      for (const record of this.#waiting.takeExpired(now))
        record.fail(new PublishError(code, "The record was not sent in time"));
      for (const lane of this.#lanes) lane.expire(now);
    }
  }
}
