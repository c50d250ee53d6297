import type { Clock, Logger } from "@push-reports/service-kit";
import type { Admin, Kafka } from "kafkajs";
import type { KafkaProblem } from "./kafka-problem.js";

/** A partition and the broker that leads it. */
export interface LedPartition {
  readonly partition: number;
  /** The broker's id. */
  readonly leader: number;
}

const NO_LEADER = -1;
const REFRESH_MS = 5_000;
/** After a failure the brokers are asked again sooner. */
const RETRY_MS = 500;

/** Knows which partitions of the topic have a leader, by asking the brokers again and again. */
export class TopicLeaders {
  readonly #kafka: Kafka;
  readonly #topic: string;
  readonly #problem: KafkaProblem;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #stopped = new AbortController();
  #asking = new AbortController();
  #partitions: readonly LedPartition[] = [];
  #partitionCount = 0;
  #isKnown = false;
  #working: Promise<void> | null = null;

  constructor(kafka: Kafka, topic: string, problem: KafkaProblem, clock: Clock, logger: Logger) {
    this.#kafka = kafka;
    this.#topic = topic;
    this.#problem = problem;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Partitions with a leader, by the last answer; empty before the first, and while the topic does not exist. */
  get partitions(): readonly LedPartition[] {
    return this.#partitions;
  }

  /** Partitions of the topic by the last answer, those without a leader included; 0 before the first. */
  get partitionCount(): number {
    return this.#partitionCount;
  }

  /** Whether the last question was answered. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  start(): void {
    this.#working ??= this.#work();
  }

  /** Asks again now: what is known has proved wrong. */
  refreshSoon(): void {
    this.#asking.abort();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#asking.abort();
    await this.#working;
  }

  async #work(): Promise<void> {
    let admin: Admin | null = null;
    while (!this.#stopped.signal.aborted) {
      this.#asking = new AbortController();
      try {
        admin ??= await this.#connectedAdmin();
        await this.#ask(admin);
      } catch (error) {
        this.#isKnown = false;
        this.#problem.failed("metadata", error);
        this.#disconnect(admin);
        admin = null;
      }
      const delayMs = this.#isKnown && this.#partitions.length > 0 ? REFRESH_MS : RETRY_MS;
      await this.#clock.sleep(delayMs, this.#asking.signal);
      // However often a refresh is asked for, the brokers are not asked without a pause.
      await this.#clock.sleep(RETRY_MS / 5, this.#stopped.signal);
    }
    this.#disconnect(admin);
  }

  async #connectedAdmin(): Promise<Admin> {
    const admin = this.#kafka.admin({ retry: { retries: 1, initialRetryTime: 100 } });
    try {
      await admin.connect();
      return admin;
    } catch (error) {
      this.#disconnect(admin);
      throw error;
    }
  }

  async #ask(admin: Admin): Promise<void> {
    const { topics } = await admin.fetchTopicMetadata({ topics: [this.#topic] });
    const partitions = topics.flatMap((topic) => topic.partitions);
    this.#partitionCount = partitions.length;
    this.#partitions = partitions
      .filter(({ leader }) => leader !== NO_LEADER)
      .map(({ partitionId, leader }) => ({ partition: partitionId, leader }));
    if (!this.#isKnown) this.#logger.info("topic_leaders_known", { partitions: partitions.length });
    this.#isKnown = true;
    this.#problem.succeeded("metadata");
  }

  #disconnect(admin: Admin | null): void {
    admin
      ?.disconnect()
      .catch((error: unknown) => this.#logger.debug("admin_disconnect_failed", { error }));
  }
}
