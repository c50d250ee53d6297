import { SqlFault } from "./sql-fault.js";

/** Bounds of {@link QuerySlots}. */
export interface QuerySlotsOptions {
  /** Statements that run side by side. Each holds one of the few threads that the disk's and the database's work shares. */
  readonly maxRunning: number;
  /** Statements that run or wait. */
  readonly maxQueries: number;
  readonly maxWaitMs: number;
}

/** Lets a few statements run at a time, first come, first served, and refuses what would wait too long. */
export class QuerySlots {
  readonly #options: QuerySlotsOptions;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(options: QuerySlotsOptions) {
    this.#options = options;
  }

  /**
   * Runs `work` once it is its turn.
   * @throws SqlFault "TOO_MANY_SIMULTANEOUS_QUERIES" at the bounds; the reason of `stop` when it is aborted before the turn.
   */
  async run<T>(stop: AbortSignal, work: () => Promise<T>): Promise<T> {
    const { maxRunning, maxQueries } = this.#options;
    if (this.#running + this.#waiting.size >= maxQueries)
      throw new SqlFault(
        "TOO_MANY_SIMULTANEOUS_QUERIES",
        `Too many simultaneous queries. Maximum: ${maxQueries}`,
      );
    if (this.#running < maxRunning) this.#running += 1;
    else await this.#handedOver(stop);
    try {
      return await work();
    } finally {
      // A slot is handed over as it is, so that nobody gets in between.
      const [next] = this.#waiting;
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  #handedOver(stop: AbortSignal): Promise<void> {
    stop.throwIfAborted();
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(begin);
        clearTimeout(late);
        stop.removeEventListener("abort", onStop);
      };
      const begin = () => {
        leave();
        resolve();
      };
      const giveUp = (reason: unknown) => {
        leave();
        reject(reason);
      };
      const onStop = () => giveUp(stop.reason);
      const late = setTimeout(() => giveUp(tooLate()), this.#options.maxWaitMs);
      stop.addEventListener("abort", onStop);
      this.#waiting.add(begin);
    });
  }
}

function tooLate(): SqlFault {
  return new SqlFault("TOO_MANY_SIMULTANEOUS_QUERIES", "The queries before took too long");
}
