import type { Clock } from "@push-reports/service-kit";
import type { TakePace } from "./record-source.js";

const SECOND_MS = 1_000;

/**
 * Gives turns so that no second holds more inserts than allowed, whatever the number of partitions. Inserts that are as large as
 * they may be do not wait for a turn, since smaller ones would only be more; but they count.
 */
export class InsertPacer implements TakePace {
  readonly #clock: Clock;
  readonly #perSecond: number;
  /** Times of the latest inserts, past and to come, in order; as many as a second may hold. */
  #times: number[] = [];

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
  }

  reserve(): number {
    const now = this.#clock.now();
    const before = this.#times.at(-this.#perSecond);
    const turnAt = before === undefined ? now : Math.max(now, before + SECOND_MS);
    this.#note(turnAt);
    return turnAt;
  }

  took(): void {
    this.#note(this.#clock.now());
  }

  #note(time: number): void {
    const at = this.#times.findLastIndex((earlier) => earlier <= time) + 1;
    this.#times.splice(at, 0, time);
    if (this.#times.length > this.#perSecond) this.#times.shift();
  }
}
