import { type Clock, type Logger, misconfigurationOf } from "@push-reports/service-kit";

/** What a gateway does with Kafka, each of which needs what stands before it, and the event that tells that it fails. */
const EVENTS = {
  metadata: "topic_leaders_unknown",
  connect: "kafka_unavailable",
  /** Each failed send has a line of its own already. */
  send: null,
} as const;
/** What can go wrong with Kafka. */
export type KafkaWork = keyof typeof EVENTS;
const WORKS = Object.keys(EVENTS) as readonly KafkaWork[];

/** What fails is said again after this time, ms, as long as it goes on. */
const REPEAT_LOG_MS = 60_000;

/** What is wrong with Kafka, told in one line of the log when it begins and now and then as long as it goes on. */
export class KafkaProblem {
  readonly #topic: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** By what fails, what somebody has to mend; null when it may pass by itself. */
  readonly #failures = new Map<KafkaWork, string | null>();
  /** When each reason, or failing work without one, was last told, ms. */
  readonly #toldAt = new Map<string, number>();

  constructor(topic: string, clock: Clock, logger: Logger) {
    this.#topic = topic;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** What somebody has to mend first before records can be sent; null when nothing is known of it. */
  get reason(): string | null {
    for (const work of WORKS) {
      const reason = this.#failures.get(work) ?? null;
      if (reason !== null) return reason;
    }
    return null;
  }

  /** Some work has failed. */
  failed(work: KafkaWork, error: unknown): void {
    const reason = misconfigurationOf(error);
    this.#failures.set(work, reason);
    const now = this.#clock.now();
    const what = reason ?? work;
    if (now - (this.#toldAt.get(what) ?? Number.NEGATIVE_INFINITY) < REPEAT_LOG_MS) return;
    this.#toldAt.set(what, now);
    const topic = this.#topic;
    const event = EVENTS[work];
    if (reason !== null) this.#logger.error("kafka_misconfigured", { work, reason, topic, error });
    else if (event !== null) this.#logger.warn(event, { topic, error });
  }

  /** The same work has succeeded. */
  succeeded(work: KafkaWork): void {
    const reason = this.#failures.get(work);
    if (reason === undefined) return;
    this.#failures.delete(work);
    this.#toldAt.delete(reason ?? work);
  }
}
