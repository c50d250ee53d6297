import { Backoff, type BackoffOptions, type Clock, type Logger } from "@push-reports/service-kit";
import { WriteError, type WriteFailure } from "./report-writer.js";

/** What is being written or asked, for logs and metrics. */
export type WriteOperation =
  | "insert"
  | "probe"
  | "dead_letters"
  | "ledger"
  | "look_up"
  | "read_position";

/** Why writing does not succeed at the moment. */
export interface WriteProblem {
  readonly operation: WriteOperation;
  readonly failure: WriteFailure;
  readonly clickHouseCode: number;
  /** Unix milliseconds of the first failure since the last success. */
  readonly since: number;
}

/** What a {@link WriteRetrier} tells of each failed attempt. */
export interface RetryObserver {
  retried(operation: WriteOperation, failure: WriteFailure): void;
}

/** Delays between attempts by what failed. */
export interface RetryDelays {
  readonly passing: BackoffOptions;
  readonly misconfigured: BackoffOptions;
}

/** How often a lasting misconfiguration is said again, ms. */
const REPEAT_LOG_MS = 60_000;

/**
 * Repeats a write unchanged until it succeeds or the epoch that it belongs to ends, for as long as that takes: quickly
 * while the database is away, slowly while it is misconfigured. A `bad_record` failure goes to the caller.
 */
export class WriteRetrier {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #delays: RetryDelays;
  readonly #observer: RetryObserver;
  readonly #problems = new Map<object, WriteProblem>();
  #misconfigurationLoggedAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, logger: Logger, delays: RetryDelays, observer: RetryObserver) {
    this.#clock = clock;
    this.#logger = logger;
    this.#delays = delays;
    this.#observer = observer;
  }

  /** The oldest problem among the writes that are being repeated, or null when all goes well. */
  problem(): WriteProblem | null {
    const problems = [...this.#problems.values()].sort((a, b) => a.since - b.since);
    return problems.find(({ failure }) => failure === "misconfigured") ?? problems[0] ?? null;
  }

  /**
   * @param ended the epoch; once it aborts no attempt begins and what is under way is no longer waited for.
   * @throws WriteError `bad_record`; the abort reason of `ended`; whatever else `attempt` throws.
   */
  async run<T>(
    operation: WriteOperation,
    ended: AbortSignal,
    attempt: () => Promise<T>,
  ): Promise<T> {
    const call = {};
    const passing = new Backoff(this.#delays.passing);
    const misconfigured = new Backoff(this.#delays.misconfigured);
    try {
      for (;;) {
        ended.throwIfAborted();
        try {
          return await untilEnded(attempt(), ended);
        } catch (error) {
          if (!(error instanceof WriteError) || error.failure === "bad_record") throw error;
          const backoff = error.failure === "misconfigured" ? misconfigured : passing;
          const delayMs = backoff.next();
          this.#note(call, operation, error, backoff.attempts, delayMs);
          await this.#clock.sleep(delayMs, ended);
        }
      }
    } finally {
      this.#problems.delete(call);
    }
  }

  #note(
    call: object,
    operation: WriteOperation,
    error: WriteError,
    attempt: number,
    delayMs: number,
  ): void {
    const { failure, clickHouseCode } = error;
    const since = this.#problems.get(call)?.since ?? this.#clock.now();
    this.#problems.set(call, { operation, failure, clickHouseCode, since });
    this.#observer.retried(operation, failure);
    if (failure === "misconfigured") this.#logMisconfiguration(operation, error);
    else this.#logger.warn("write_retry", { operation, attempt, delayMs, clickHouseCode, error });
  }

  #logMisconfiguration(operation: WriteOperation, error: WriteError): void {
    const now = this.#clock.now();
    if (now - this.#misconfigurationLoggedAt < REPEAT_LOG_MS) return;
    this.#misconfigurationLoggedAt = now;
    const { clickHouseCode } = error;
    this.#logger.error("misconfigured", { operation, clickHouseCode, error });
  }
}

/** Settles as `work` does, or rejects with the abort reason first; `work` goes on unheard then. */
async function untilEnded<T>(work: Promise<T>, ended: AbortSignal): Promise<T> {
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(ended.reason);
    ended.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (onAbort) ended.removeEventListener("abort", onAbort);
  }
}
