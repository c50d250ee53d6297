import type { Clock } from "@push-reports/service-kit";

/** How long new records may wait for the last of the spill, ms. */
const HOLD_MS = 1_000;
/** After a wait in vain none is tried for so long, ms: Kafka is slow, and waiting would cost every caller. */
const NO_HOLD_MS = 5_000;

/**
 * Where new records go: straight to Kafka, or behind those in the spill. Were they to go behind them until none is left, a steady stream
 * would keep it from ever being empty. So for the moment that the last batch takes they wait.
 */
export class HandOver {
  readonly #clock: Clock;
  #isBehind = false;
  #held: { readonly over: Promise<void>; readonly end: AbortController } | null = null;
  #noHoldUntil = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether new records go behind those in the spill. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Resolves when it is decided where a new record goes: at once, but for the moment of the last batch. */
  decided(): Promise<void> | null {
    return this.#held?.over ?? null;
  }

  /** There is something in the spill, or about to be. */
  fallBehind(): void {
    this.#isBehind = true;
  }

  /** The last batch is on its way: new records wait for it, for a short time. */
  hold(): void {
    if (this.#held !== null || this.#clock.now() < this.#noHoldUntil) return;
    const end = new AbortController();
    const over = this.#clock.sleep(HOLD_MS, end.signal).then(() => {
      if (!end.signal.aborted) this.#noHoldUntil = this.#clock.now() + NO_HOLD_MS;
      this.#held = null;
    });
    this.#held = { over, end };
  }

  /** Nothing is left in the spill that could go: records go straight to Kafka. */
  catchUp(): void {
    this.#isBehind = false;
    this.#held?.end.abort();
  }
}
