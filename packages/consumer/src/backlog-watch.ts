import { type Clock, type Logger, RepeatedLines, within } from "@push-reports/service-kit";
import type { Backlog } from "./backlog.js";
import type { Freshness } from "./freshness.js";
import type { RecordSource } from "./record-source.js";

/** How often the log's end is read, and what its records' times prove. */
export interface BacklogWatchOptions {
  readonly source: string;
  readonly intervalMs: number;
  /** How long after it was received a record may be appended, and how far clocks may differ, ms. */
  readonly receiptMarginMs: number;
}

/** How long one look at the log's end is waited for, ms; the next one does not depend on it. */
const LOOK_TIMEOUT_MS = 60_000;

/** Looks at the log's end again and again, and publishes what is complete. A failed look is only a late one. */
export class BacklogWatch {
  readonly #recordSource: Pick<RecordSource, "ends">;
  readonly #backlog: Backlog;
  readonly #freshness: Freshness;
  readonly #options: BacklogWatchOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #lines: RepeatedLines;

  constructor(
    recordSource: Pick<RecordSource, "ends">,
    backlog: Backlog,
    freshness: Freshness,
    options: BacklogWatchOptions,
    clock: Clock,
    logger: Logger,
  ) {
    this.#recordSource = recordSource;
    this.#backlog = backlog;
    this.#freshness = freshness;
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
    this.#lines = new RepeatedLines(clock);
  }

  /** Looks until `stopped` aborts. */
  async run(stopped: AbortSignal, onLook: () => void): Promise<void> {
    while (!stopped.aborted) {
      try {
        await this.#look(onLook);
      } catch (error) {
        this.#log(error);
      }
      await this.#clock.sleep(this.#options.intervalMs, stopped);
    }
  }

  async #look(onLook: () => void): Promise<void> {
    const at = this.#clock.now();
    const looked = await within(this.#recordSource.ends(), LOOK_TIMEOUT_MS, this.#clock);
    if (looked.kind === "late")
      throw new Error(`The log's end was not known after ${LOOK_TIMEOUT_MS} ms`);
    if (looked.kind === "rejected") throw looked.error;
    const ends = looked.value;
    this.#backlog.look(ends, at);
    onLook();
    const { source, receiptMarginMs } = this.#options;
    const entries = this.#backlog.partitions().map((state) => ({
      source,
      partition: state.partition,
      completeTo: new Date(Math.max(0, (state.appendedBefore ?? 0) - receiptMarginMs)),
      nextOffset: state.nextOffset,
      highWatermark: state.highWatermark,
      partitions: ends.partitions,
      observedAt: new Date(at),
    }));
    await this.#freshness.publish(entries);
  }

  #log(error: unknown): void {
    const repeated = this.#lines.next("freshness_unknown");
    if (repeated !== null) this.#logger.warn("freshness_unknown", { error, ...repeated });
  }
}
