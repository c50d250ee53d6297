import type { Clock } from "@push-reports/service-kit";
import { nextTurn } from "./next-turn.js";

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** Turns of the event loop that whatever was woken may take to wait again. */
const TURNS = 3;

/** When fake clocks begin, Unix milliseconds. */
export const CLOCK_START = Date.parse("2026-01-02T03:04:05.678Z");

/** A clock that stands still until a test advances it. */
export class FakeClock implements Clock {
  #now = CLOCK_START;
  readonly #sleepers = new Set<Sleeper>();

  /** How many sleeps have not ended. */
  get sleepers(): number {
    return this.#sleepers.size;
  }

  now(): number {
    return this.#now;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        signal?.removeEventListener("abort", wake);
        this.#sleepers.delete(sleeper);
        resolve();
      };
      const sleeper = { until: this.#now + ms, wake };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", wake, { once: true });
    });
  }

  /** Moves on by `ms`, stopping at each sleeper's time for what it wakes to run. */
  async advance(ms: number): Promise<void> {
    const target = this.#now + ms;
    await nextTurn(TURNS);
    for (;;) {
      const [first] = [...this.#sleepers].sort((a, b) => a.until - b.until);
      if (first === undefined || first.until > target) break;
      this.#now = Math.max(this.#now, first.until);
      first.wake();
      await nextTurn(TURNS);
    }
    this.#now = target;
    await nextTurn(TURNS);
  }
}
