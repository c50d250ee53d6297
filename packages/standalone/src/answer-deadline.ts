import { PublishError } from "@push-reports/gateway";
import type { Clock } from "@push-reports/service-kit";

/** How often those whose time is over are looked for, ms. */
const SWEEP_MS = 100;

/** One that waits. */
interface Waiting {
  readonly expiresAt: number;
  isSettled: boolean;
  readonly expire: () => void;
}

/** Lets callers go in time, however long what they wait for takes: one timer for all of them, since all may wait equally long. */
export class AnswerDeadline {
  readonly #waitMs: number;
  readonly #clock: Clock;
  #waiting: Waiting[] = [];
  #isSweeping = false;

  /** @param deadlineMs from when a request was read to its answer. */
  constructor(deadlineMs: number, clock: Clock) {
    this.#waitMs = deadlineMs - 2 * SWEEP_MS;
    this.#clock = clock;
  }

  /**
   * What becomes of `work`.
   * @param since when the request was read, Unix ms. @throws PublishError `timeout` when the time is over first; the work goes on.
   */
  bound<T>(work: Promise<T>, since: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        expiresAt: since + this.#waitMs,
        isSettled: false,
        expire: () => reject(new PublishError("timeout", "The disk did not take it in time")),
      };
      work.then(
        (value) => {
          waiting.isSettled = true;
          resolve(value);
        },
        (error: unknown) => {
          waiting.isSettled = true;
          reject(error);
        },
      );
      this.#waiting.push(waiting);
      if (!this.#isSweeping) void this.#sweep();
    });
  }

  async #sweep(): Promise<void> {
    this.#isSweeping = true;
    while (this.#waiting.length > 0) {
      await this.#clock.sleep(SWEEP_MS);
      const now = this.#clock.now();
      const open = this.#waiting.filter(({ isSettled }) => !isSettled);
      for (const { expiresAt, expire } of open) if (expiresAt <= now) expire();
      this.#waiting = open.filter(({ expiresAt }) => expiresAt > now);
    }
    this.#isSweeping = false;
  }
}
