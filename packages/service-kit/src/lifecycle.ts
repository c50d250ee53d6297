import type { Clock } from "./clock.js";
import type { Logger } from "./logger.js";

/** Something that a service starts and stops. */
export interface Part {
  readonly name: string;
  start?(): Promise<void>;
  /** Must be safe after a failed or missing start. */
  stop?(): Promise<void>;
}

/** The parts that had not stopped when the deadline passed. */
export class StopDeadlineError extends Error {
  override readonly name = "StopDeadlineError";
  readonly code = "stop_deadline";

  constructor(part: string, deadlineMs: number) {
    super(`${part} had not stopped ${deadlineMs} ms after the stop began`);
  }
}

/** Starts parts in order and stops them in reverse, within one deadline for all of them. */
export class Lifecycle {
  readonly #parts: readonly Part[];
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #stopDeadlineMs: number;
  #stopped: Promise<void> | null = null;

  constructor(
    parts: readonly Part[],
    options: { readonly logger: Logger; readonly clock: Clock; readonly stopDeadlineMs: number },
  ) {
    this.#parts = parts;
    this.#logger = options.logger;
    this.#clock = options.clock;
    this.#stopDeadlineMs = options.stopDeadlineMs;
  }

  /**
   * Resolves once every part has started, or a stop began meanwhile: then no further part is started.
   * When one fails, all are stopped and its error is thrown.
   */
  async start(): Promise<void> {
    try {
      for (const part of this.#parts) {
        await part.start?.();
        if (this.#stopped !== null) return;
      }
    } catch (error) {
      await this.stop().catch((stopError: unknown) =>
        this.#logger.error("stop_failed", { error: stopError }),
      );
      throw error;
    }
  }

  /**
   * Stops every part, the last started first; a part that fails does not keep the others from stopping.
   * Calling it again gives the same result. @throws StopDeadlineError, or the first part's error.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    const endsAt = this.#clock.now() + this.#stopDeadlineMs;
    let failure: unknown;
    for (const part of this.#parts.toReversed()) {
      try {
        await this.#stopPart(part, endsAt);
      } catch (error) {
        this.#logger.error("part_stop_failed", { part: part.name, error });
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
  }

  async #stopPart(part: Part, endsAt: number): Promise<void> {
    const stopping = part.stop?.();
    if (stopping === undefined) return;
    const settled = new AbortController();
    const late = this.#clock
      .sleep(Math.max(0, endsAt - this.#clock.now()), settled.signal)
      .then(() => {
        if (!settled.signal.aborted) throw new StopDeadlineError(part.name, this.#stopDeadlineMs);
      });
    await Promise.race([stopping, late]).finally(() => settled.abort());
  }
}
