/** Buckets of a doubling: a value is known to within 1/64 of itself. */
const STEPS = 64;
const STEP_BITS = 6;
const DOUBLINGS = 27;

/** Times between 1 µs and an hour, in buckets that grow with the time. Longer ones count as the longest. */
export class LatencyHistogram {
  readonly #counts = new Uint32Array(STEPS * DOUBLINGS);
  #total = 0;

  /** @param ms a time, from 0. */
  record(ms: number): void {
    const index = Math.min(bucketOf(Math.round(ms * 1_000)), this.#counts.length - 1);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#total += 1;
  }

  /** Records what another one has recorded. */
  add(other: LatencyHistogram): void {
    for (const [index, count] of other.#counts.entries())
      this.#counts[index] = (this.#counts[index] ?? 0) + count;
    this.#total += other.#total;
  }

  /** How many times were recorded. */
  get total(): number {
    return this.#total;
  }

  /** The time, ms, that `share` of the recorded ones do not exceed; NaN when there are none. @param share 0 to 1. */
  quantile(share: number): number {
    const rank = Math.max(1, Math.ceil(share * this.#total));
    let seen = 0;
    for (const [index, count] of this.#counts.entries()) {
      seen += count;
      if (count > 0 && seen >= rank) return largestOf(index) / 1_000;
    }
    return Number.NaN;
  }
}

function bucketOf(micros: number): number {
  if (micros < STEPS) return micros;
  const shift = 31 - Math.clz32(micros) - STEP_BITS;
  return shift * STEPS + Math.floor(micros / 2 ** shift);
}

/** The greatest number of µs that falls into a bucket. */
function largestOf(index: number): number {
  if (index < 2 * STEPS) return index;
  const shift = Math.floor(index / STEPS) - 1;
  return (index - shift * STEPS + 1) * 2 ** shift - 1;
}
