import type { AccountFigures, GatewayMetrics, Outcome } from "./metrics.js";

/**
 * One request to the reporting path, from when it is received until its one outcome. Counts in plain numbers, which the metrics
 * read when they are asked for: a request costs two additions.
 */
export class Accounting implements AccountFigures {
  readonly #metrics: GatewayMetrics;
  readonly #outcomes = new Map<Outcome, number>();
  #received = 0;
  #inFlight = 0;

  /** Call it once for each `metrics`. */
  constructor(metrics: GatewayMetrics) {
    this.#metrics = metrics;
    metrics.watchAccounts(() => this);
  }

  /** Requests received so far. */
  get requests(): number {
    return this.#received;
  }

  /** Requests received whose outcome is open. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** How many ended in each outcome. */
  get outcomes(): ReadonlyMap<Outcome, number> {
    return this.#outcomes;
  }

  /** Counts a request as received. */
  received(): void {
    this.#received += 1;
    this.#inFlight += 1;
  }

  /** Counts its outcome; call it exactly once for each {@link received}. */
  ended(outcome: Outcome): void {
    this.#inFlight -= 1;
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
  }

  /** A record became durable so many ms after its body had arrived. */
  madeDurable(tookMs: number): void {
    this.#metrics.durabilitySeconds.observe(tookMs / 1_000);
  }
}
