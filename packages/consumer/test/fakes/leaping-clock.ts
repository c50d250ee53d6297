import type { Clock } from "@push-reports/service-kit";
import { CLOCK_START, nextTurn } from "@push-reports/test-support";

/** A clock for which every sleep is over in the next turn of the event loop: time leaps to its end. */
export class LeapingClock implements Clock {
  #now = CLOCK_START;
  #awaited: { readonly at: number; readonly reached: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const until = this.#now + ms;
    await nextTurn();
    if (!signal?.aborted) this.#now = Math.max(this.#now, until);
    this.#awaited = this.#awaited.filter(({ at, reached }) => {
      if (at <= this.#now) reached();
      return at > this.#now;
    });
  }

  /** Resolves once a sleep has brought the time to `at`. */
  async reaches(at: number): Promise<void> {
    await new Promise<void>((reached) => {
      this.#awaited.push({ at, reached });
    });
  }

  /** Lets time pass at once. */
  leap(ms: number): void {
    this.#now += ms;
  }
}
