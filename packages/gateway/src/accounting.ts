import type { GatewayMetrics, Outcome } from "./metrics.js";

/** One request to the reporting path, from when it is received until its one outcome. */
export class Accounting {
  readonly #metrics: GatewayMetrics;
  #inFlight = 0;

  constructor(metrics: GatewayMetrics) {
    this.#metrics = metrics;
  }

  /** Requests received whose outcome is open. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Counts a request as received. */
  received(): void {
    this.#inFlight += 1;
    this.#metrics.requests.inc();
    this.#metrics.inFlightRequests.set(this.#inFlight);
  }

  /** Counts its outcome; call it exactly once for each {@link received}. */
  ended(outcome: Outcome): void {
    this.#inFlight -= 1;
    this.#metrics.outcomes.inc({ outcome });
    this.#metrics.inFlightRequests.set(this.#inFlight);
  }

  /** A record became durable so many ms after its body had arrived. */
  madeDurable(tookMs: number): void {
    this.#metrics.durabilitySeconds.observe(tookMs / 1_000);
  }
}
