import { waitFor } from "@push-reports/test-support";
import type { PublishError, ReportPublisher } from "../../src/report-publisher.js";
import { aRecord } from "./kafka-publisher.js";

/** Callers that publish one record after another, as connections do, until they are told to stop. */
export class PublishLoad {
  readonly durable = new Set<string>();
  readonly refused: string[] = [];
  /** Durable ones, by where. */
  published = 0;
  spilled = 0;
  /** The longest that any caller waited, ms. */
  longestMs = 0;
  readonly #callers: Promise<void>[];
  #isOver = false;

  constructor(publisher: ReportPublisher, callers: number) {
    this.#callers = Array.from({ length: callers }, () => this.#publishOn(publisher));
  }

  /** Resolves once so many more records went straight to Kafka. */
  async morePublished(count: number): Promise<void> {
    const goal = this.published + count;
    const what = "records that go straight to Kafka";
    await waitFor(() => this.published > goal, { what, timeoutMs: 60_000 });
  }

  /** Resolves once every caller has its last answer. */
  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#callers);
  }

  async #publishOn(publisher: ReportPublisher): Promise<void> {
    while (!this.#isOver) {
      const { id, record } = aRecord();
      const startedAt = performance.now();
      try {
        const kept = await publisher.publish(record);
        this.durable.add(id);
        if (kept === "published") this.published += 1;
        else this.spilled += 1;
      } catch (error) {
        this.refused.push((error as PublishError).code);
        // A refusal may come at once: give others their turn.
        await new Promise((resolve) => setImmediate(resolve));
      }
      this.longestMs = Math.max(this.longestMs, performance.now() - startedAt);
    }
  }
}
