import {
  type Clock,
  type Logger,
  misconfigurationOf,
  RepeatedLines,
} from "@push-reports/service-kit";

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

/** What is wrong with Kafka, told in one line of the log when it begins and now and then as long as it goes on. */
export class KafkaProblem {
  readonly #topic: string;
  readonly #logger: Logger;
  /** By what fails, what somebody has to mend; null when it may pass by itself. */
  readonly #failures = new Map<KafkaWork, string | null>();
  /** By reason, or by failing work without one. */
  readonly #lines: RepeatedLines;

  constructor(topic: string, clock: Clock, logger: Logger) {
    this.#topic = topic;
    this.#logger = logger;
    this.#lines = new RepeatedLines(clock);
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
    const repeated = this.#lines.next(reason ?? work);
    if (repeated === null) return;
    const fields = { topic: this.#topic, error, ...repeated };
    const event = EVENTS[work];
    if (reason !== null) this.#logger.error("kafka_misconfigured", { work, reason, ...fields });
    else if (event !== null) this.#logger.warn(event, fields);
  }

  /** The same work has succeeded. */
  succeeded(work: KafkaWork): void {
    const reason = this.#failures.get(work);
    if (reason === undefined) return;
    this.#failures.delete(work);
    this.#lines.end(reason ?? work);
  }
}
