import type { ReportRecord } from "@push-reports/report";
import {
  Backoff,
  type Clock,
  errorOf,
  type FailedWait,
  type Logger,
  type ProducerIdentity,
  SendError,
  within,
} from "@push-reports/service-kit";
import type { Message } from "kafkajs";
import type { BatchProducer, LaneObserver } from "../lane.js";
import type { KafkaProblem } from "../publish/kafka-problem.js";
import { againMessageOf } from "../publish/message.js";
import { bytesOf } from "../publish/pending-record.js";
import type { LedPartition } from "../publish/topic-leaders.js";
import type { OpenBatch } from "./drain-mark.js";
import type { SpilledRecord } from "./spilled-record.js";

/** What is known of the topic's partitions. */
export interface KnownLeaders {
  readonly partitions: readonly LedPartition[];
  readonly partitionCount: number;
  readonly isKnown: boolean;
}

type ToMessage = (record: ReportRecord) => Message;

/** What deliveries share. */
export interface DeliveryParts {
  readonly leaders: KnownLeaders;
  /** Makes a producer for one batch, under an identity of its own. */
  readonly createProducerAs: (identity: ProducerIdentity) => BatchProducer;
  readonly onTrouble: () => void;
  readonly observer: LaneObserver;
  readonly problem: Pick<KafkaProblem, "failed" | "succeeded">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Bounds of one attempt, ms. */
export interface DeliveryLimits {
  readonly connectTimeoutMs: number;
  readonly sendTimeoutMs: number;
}

/** How a batch is sent for the first time: by a producer that sends one batch after another. */
export interface FirstSend {
  readonly producer: BatchProducer;
  readonly toMessage: ToMessage;
  /** Hears how it ended; after a failure the producer must not be used again. */
  readonly ended: (how: "acknowledged" | "failed") => void;
}

/** What a delivery is doing. Others may overtake it unless it is sending. */
export type DeliveryState =
  | "sending"
  /** Its partition has no leader, or one that does not answer while another broker may. It goes on trying. */
  | "blocked"
  /** A later record of the same producer went first: it must go to its partition under another identity, which its mark must say before. */
  | "fenced"
  /** Its partition is no more: it must go to another. */
  | "gone"
  | "acknowledged";

/** How long a look at a partition without a leader waits for the next, ms. */
const LOOK_AGAIN_MS = 200;
/** Failed attempts after which others may overtake. */
const PATIENT_ATTEMPTS = 2;
/** Partitions are never taken away: one that is unknown for so long, ms, belonged to a topic that was deleted and made again. */
const GONE_AFTER_MS = 60_000;

/**
 * Sends one batch of the spill until it is acknowledged. Its mark is durable. Whatever comes after the first attempt, in this process or in
 * a later one, goes to the same partition under the batch's own identity, marked `again`: the broker then refuses
 * what is still under way of earlier sends, and writes the batch once however often it is sent.
 */
export class Delivery {
  readonly batch: OpenBatch;
  readonly records: readonly SpilledRecord[];
  readonly #parts: DeliveryParts;
  readonly #limits: DeliveryLimits;
  readonly #onChange: () => void;
  readonly #stopped = new AbortController();
  #state: DeliveryState = "sending";
  #goneSince: number | null = null;

  constructor(
    what: { readonly batch: OpenBatch; readonly records: readonly SpilledRecord[] },
    parts: DeliveryParts,
    limits: DeliveryLimits,
    onChange: () => void,
  ) {
    this.batch = what.batch;
    this.records = what.records;
    this.#parts = parts;
    this.#limits = limits;
    this.#onChange = onChange;
  }

  get state(): DeliveryState {
    return this.#state;
  }

  /** Begins with a first send, when the batch was never sent; else with the batch's own identity. */
  start(first: FirstSend | null): void {
    void this.#run(first);
  }

  /** Gives up waiting; what is under way may still be written, which the mark provides for. */
  stop(): void {
    this.#stopped.abort();
  }

  async #run(first: FirstSend | null): Promise<void> {
    if (first !== null && (await this.#sendFirst(first))) return;
    const stopped = this.#stopped.signal;
    const backoff = new Backoff({ initialMs: 200, maxMs: 2_000 });
    while (!stopped.aborted && (this.#state === "sending" || this.#state === "blocked")) {
      if (this.#isLed()) await this.#sendAgain(backoff);
      else await this.#awaitLeader();
    }
  }

  async #sendFirst({ producer, toMessage, ended }: FirstSend): Promise<boolean> {
    const isAcknowledged = (await this.#send(producer, toMessage)) === null;
    ended(isAcknowledged ? "acknowledged" : "failed");
    if (isAcknowledged) this.#become("acknowledged");
    return isAcknowledged;
  }

  async #sendAgain(backoff: Backoff): Promise<void> {
    const { clock, leaders, logger, createProducerAs } = this.#parts;
    const producer = createProducerAs(this.batch.resendAs);
    const failure = await this.#send(producer, againMessageOf);
    producer.close().catch((error: unknown) => logger.debug("producer_close_failed", { error }));
    if (failure === null) return this.#become("acknowledged");
    if (failure === "fenced") return this.#become("fenced");
    const own = leaders.partitions.find(({ partition }) => partition === this.batch.partition);
    const hasOther = leaders.partitions.some(({ leader }) => leader !== own?.leader);
    const delayMs = backoff.next();
    if (backoff.attempts >= PATIENT_ATTEMPTS && leaders.isKnown && hasOther)
      this.#become("blocked");
    await clock.sleep(delayMs, this.#stopped.signal);
  }

  /** Null when the batch was acknowledged, else why not. */
  async #send(producer: BatchProducer, toMessage: ToMessage): Promise<SendError["code"] | null> {
    const { clock, observer, problem } = this.#parts;
    const { connectTimeoutMs, sendTimeoutMs } = this.#limits;
    const connected = await within(producer.connect(), connectTimeoutMs, clock);
    if (connected.kind !== "resolved") {
      problem.failed("connect", errorOf(connected));
      return this.#failed(connected);
    }
    problem.succeeded("connect");
    const startedAt = clock.now();
    const messages = this.records.map(({ record }) => toMessage(record));
    const sending = producer.send(this.batch.partition, messages);
    const sent = await within(sending, sendTimeoutMs, clock);
    if (sent.kind !== "resolved") {
      const code = this.#failed(sent);
      observer.failed(code);
      problem.failed("send", errorOf(sent));
      return code;
    }
    problem.succeeded("send");
    const bytes = this.records.reduce((sum, { record }) => sum + bytesOf(record), 0);
    observer.sent({ records: messages.length, bytes, tookMs: clock.now() - startedAt });
    return null;
  }

  #failed(how: FailedWait): SendError["code"] {
    const { logger, onTrouble } = this.#parts;
    const { first, last, partition } = this.batch;
    const error = errorOf(how);
    const code = error instanceof SendError ? error.code : "unknown_outcome";
    logger.warn("spill_send_failed", { code, partition, first, last, error });
    onTrouble();
    return code;
  }

  async #awaitLeader(): Promise<void> {
    const { leaders, clock } = this.#parts;
    const isGone = leaders.isKnown && leaders.partitionCount > 0 && this.#isUnknown();
    this.#goneSince = isGone ? (this.#goneSince ?? clock.now()) : null;
    if (this.#goneSince !== null && clock.now() - this.#goneSince > GONE_AFTER_MS)
      return this.#become("gone");
    if (leaders.isKnown && leaders.partitions.length > 0) this.#become("blocked");
    await clock.sleep(LOOK_AGAIN_MS, this.#stopped.signal);
  }

  #isUnknown(): boolean {
    return this.batch.partition >= this.#parts.leaders.partitionCount;
  }

  #isLed(): boolean {
    return this.#parts.leaders.partitions.some(
      ({ partition }) => partition === this.batch.partition,
    );
  }

  #become(state: DeliveryState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#onChange();
  }
}
