/** Bounds of a {@link Backoff}. */
export interface BackoffOptions {
  /** Upper bound of the first delay, ms. */
  readonly initialMs: number;
  /** Upper bound of every delay, ms. */
  readonly maxMs: number;
  /** Random number in [0, 1). @default Math.random */
  readonly random?: () => number;
}

/**
 * Delays between attempts: the bound doubles from `initialMs` to `maxMs`, the delay lies anywhere in
 * its upper half, so that many processes do not come back in step.
 */
export class Backoff {
  readonly #options: BackoffOptions;
  #attempts = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Delays given since the last reset. */
  get attempts(): number {
    return this.#attempts;
  }

  /** The next delay in ms. */
  next(): number {
    const { initialMs, maxMs, random = Math.random } = this.#options;
    const boundMs = Math.min(maxMs, initialMs * 2 ** Math.min(this.#attempts, 30));
    this.#attempts += 1;
    return Math.round(boundMs * (0.5 + random() / 2));
  }

  reset(): void {
    this.#attempts = 0;
  }
}
