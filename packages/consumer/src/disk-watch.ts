import type { ClickHouseClient } from "@clickhouse/client";
import type { Clock, Logger, Part } from "@push-reports/service-kit";

/** What the watch works with. */
export interface DiskWatchParts {
  readonly clickHouse: ClickHouseClient;
  /** Hears of the free share, 0 to 1, of the fullest disk that ClickHouse stores tables on; NaN while it cannot be found out. */
  readonly onLook: (freeShare: number) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

const LOOK_EVERY_MS = 30_000;
/** Disks of objects have no end, and say 0 or more bytes than there are. */
const FULLEST =
  "SELECT toString(min(toFloat64(unreserved_space) / toFloat64(total_space))) AS free FROM system.disks WHERE total_space BETWEEN 1 AND 1e18";

/** Looks at the disks of the server that rows go to, again and again: when one is full, no row gets in any more. */
export class DiskWatch implements Part {
  readonly name = "disk-watch";
  readonly #parts: DiskWatchParts;
  readonly #stopped = new AbortController();
  #looking: Promise<void> | null = null;
  #isFaulty = false;

  constructor(parts: DiskWatchParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    this.#looking = this.#lookAgain();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#looking;
  }

  async #lookAgain(): Promise<void> {
    const { clock, onLook, logger } = this.#parts;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        onLook(await this.#look());
        this.#isFaulty = false;
      } catch (error) {
        onLook(Number.NaN);
        if (!this.#isFaulty && !signal.aborted) logger.info("disks_unknown", { error });
        this.#isFaulty = true;
      }
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  }

  async #look(): Promise<number> {
    const result = await this.#parts.clickHouse.query({
      query: FULLEST,
      format: "JSONEachRow",
      abort_signal: this.#stopped.signal,
    });
    const [row] = await result.json<{ readonly free: string }>();
    return Number.parseFloat(row?.free ?? "");
  }
}
