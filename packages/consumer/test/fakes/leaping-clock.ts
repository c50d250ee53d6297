import type { Clock } from "@push-reports/service-kit";
import { CLOCK_START } from "./fake-clock.js";
import { nextTurn } from "./next-turn.js";

/** A clock for which every sleep is over in the next turn of the event loop: time leaps to its end. */
export class LeapingClock implements Clock {
  #now = CLOCK_START;

  now(): number {
    return this.#now;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const until = this.#now + ms;
    await nextTurn();
    if (!signal?.aborted) this.#now = Math.max(this.#now, until);
  }

  /** Lets time pass at once. */
  leap(ms: number): void {
    this.#now += ms;
  }
}
