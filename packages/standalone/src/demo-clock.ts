import { type Clock, systemClock } from "@push-reports/service-kit";

/** A clock that begins in the past, stands until it is started, and then runs fast until it has caught up with the machine's. */
export class CatchingUpClock implements Clock {
  readonly #beginsAt: number;
  readonly #behindMs: number;
  readonly #takesMs: number;
  #startedAt: number | null = null;

  /** @param behindMs how far in the past it begins. @param takesMs how long it takes to catch up. */
  constructor(behindMs: number, takesMs: number) {
    this.#beginsAt = systemClock.now() - behindMs;
    this.#behindMs = behindMs;
    this.#takesMs = takesMs;
  }

  /** Lets it run. */
  start(): void {
    this.#startedAt = systemClock.now();
  }

  now(): number {
    if (this.#startedAt === null) return this.#beginsAt;
    const now = systemClock.now();
    const factor = (this.#behindMs + this.#takesMs) / this.#takesMs;
    return Math.min(now, this.#beginsAt + (now - this.#startedAt) * factor);
  }

  /** Waits by the machine's clock. */
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(ms, signal);
  }
}
