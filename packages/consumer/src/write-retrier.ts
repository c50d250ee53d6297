import {
  Backoff,
  type BackoffOptions,
  type Clock,
  type Logger,
  RepeatedLines,
} from "@push-reports/service-kit";
import type { Epoch } from "./record-source.js";
import { WriteError, type WriteFailure } from "./report-writer.js";
import { untilEnded } from "./until-ended.js";

/** What is being written or asked, for logs and metrics. */
export type WriteOperation =
  | "insert"
  | "probe"
  | "dead_letters"
  | "ledger"
  | "look_up"
  | "read_position"
  | "freshness";

/** Why writing does not succeed at the moment. */
export interface WriteProblem {
  readonly operation: WriteOperation;
  readonly failure: WriteFailure;
  readonly clickHouseCode: number;
  /** The error's own words; they hold nothing of a record where the failure is `misconfigured`. */
  readonly message: string;
  /** Unix milliseconds of the first failure since the last success. */
  readonly since: number;
}

/** What a {@link WriteRetrier} tells of each failed attempt. */
export interface RetryObserver {
  retried(operation: WriteOperation, failure: WriteFailure, partition: number): void;
}

/** Delays between attempts by what failed. */
export interface RetryDelays {
  readonly passing: BackoffOptions;
  readonly misconfigured: BackoffOptions;
}

/**
 * Repeats a write unchanged until it succeeds or the epoch that it belongs to ends, for as long as that takes: quickly
 * while the database is away, slowly while it is misconfigured. A `bad_record` failure of an insert or a probe goes to the caller.
 */
export class WriteRetrier {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #delays: RetryDelays;
  readonly #observer: RetryObserver;
  /** Of calls of {@link run}, and of operations that their callers repeat. */
  readonly #problems = new Map<object | WriteOperation, WriteProblem>();
  readonly #lines: RepeatedLines;

  constructor(clock: Clock, logger: Logger, delays: RetryDelays, observer: RetryObserver) {
    this.#clock = clock;
    this.#logger = logger;
    this.#delays = delays;
    this.#observer = observer;
    this.#lines = new RepeatedLines(clock);
  }

  /** The oldest problem among the writes that are being repeated, or null when all goes well. */
  problem(): WriteProblem | null {
    const problems = [...this.#problems.values()].sort((a, b) => a.since - b.since);
    return problems.find(({ failure }) => failure === "misconfigured") ?? problems[0] ?? null;
  }

  /**
   * @param epoch that it belongs to; once it has ended no attempt begins and what is under way is no longer waited for.
   * @throws WriteError `bad_record` for the operations `insert` and `probe`; the abort reason of the epoch; whatever else `attempt` throws.
   */
  async run<T>(
    operation: WriteOperation,
    { partition, ended }: Epoch,
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
          if (!(error instanceof WriteError)) throw error;
          const failure = failureIn(operation, error);
          if (failure === "bad_record") throw error;
          const backoff = failure === "misconfigured" ? misconfigured : passing;
          const delayMs = backoff.next();
          this.#observer.retried(operation, failure, partition);
          this.#note(call, operation, failure, error, backoff.attempts, delayMs);
          await this.#clock.sleep(delayMs, ended);
        }
      }
    } finally {
      this.#problems.delete(call);
    }
  }

  /**
   * One attempt at what the caller repeats by itself: a misconfiguration is known and told as one of {@link run}'s, until an attempt does
   * not meet it. @throws whatever `attempt` throws
   */
  async once<T>(operation: WriteOperation, attempt: () => Promise<T>): Promise<T> {
    try {
      const result = await attempt();
      this.#problems.delete(operation);
      return result;
    } catch (error) {
      const failure = error instanceof WriteError ? failureIn(operation, error) : null;
      if (error instanceof WriteError && failure === "misconfigured") {
        this.#keep(operation, operation, failure, error);
        this.#logMisconfiguration(operation, error);
      } else this.#problems.delete(operation);
      throw error;
    }
  }

  #keep(
    call: object | WriteOperation,
    operation: WriteOperation,
    failure: WriteFailure,
    { clickHouseCode, message }: WriteError,
  ): void {
    const since = this.#problems.get(call)?.since ?? this.#clock.now();
    this.#problems.set(call, { operation, failure, clickHouseCode, message, since });
  }

  #note(
    call: object,
    operation: WriteOperation,
    failure: WriteFailure,
    error: WriteError,
    attempt: number,
    delayMs: number,
  ): void {
    const { clickHouseCode } = error;
    this.#keep(call, operation, failure, error);
    if (failure === "misconfigured") this.#logMisconfiguration(operation, error);
    else this.#logger.warn("write_retry", { operation, attempt, delayMs, clickHouseCode, error });
  }

  #logMisconfiguration(operation: WriteOperation, error: WriteError): void {
    const repeated = this.#lines.next("misconfigured");
    if (repeated === null) return;
    const { clickHouseCode } = error;
    this.#logger.error("misconfigured", { operation, clickHouseCode, error, ...repeated });
  }
}

/** Writes in which a record can be at fault. All others are of our own making, so that an unknown code is the deployment's. */
const CARRIES_RECORDS: ReadonlySet<WriteOperation> = new Set(["insert", "probe"]);

function failureIn(operation: WriteOperation, { failure }: WriteError): WriteFailure {
  return failure === "bad_record" && !CARRIES_RECORDS.has(operation) ? "misconfigured" : failure;
}
