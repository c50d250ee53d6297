import { monitorEventLoopDelay } from "node:perf_hooks";
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
  #longestMs = 0;
  /** How late this process runs its timers, ns: it has the load, the publisher and Jest to run, and maybe a busy machine. */
  readonly #lateness = monitorEventLoopDelay({ resolution: 10 });
  readonly #callers: Promise<void>[];
  #isOver = false;

  constructor(publisher: ReportPublisher, callers: number) {
    this.#lateness.enable();
    this.#callers = Array.from({ length: callers }, () => this.#publishOn(publisher));
  }

  /** The longest that any caller waited, ms, less the longest time for which this process ran no timer: no deadline can be kept meanwhile. */
  get longestMs(): number {
    return this.#longestMs - this.#lateness.max / 1e6;
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
    this.#lateness.disable();
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
      this.#longestMs = Math.max(this.#longestMs, performance.now() - startedAt);
    }
  }
}
