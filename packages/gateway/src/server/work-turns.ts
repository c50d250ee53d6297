/** How long a queue of work may be. */
export interface WorkTurnsLimits {
  /** Of each turn of the event loop, what goes into work at the least, ms. */
  readonly sliceMs: number;
  /** Of a long turn, the share of it that the next one gives to work, 0 to 1: what is refused takes time from work, and not all of it. */
  readonly share: number;
  /** Of the longest turn, what the next one gives to work at the most, ms. */
  readonly maxSliceMs: number;
  /** How long the first in the queue may have waited before no more is to be taken, ms. */
  readonly maxWaitMs: number;
}

/** Work that waits for its turn. */
interface Waiting {
  readonly since: number;
  readonly begin: () => void;
}

/**
 * Gives the work of requests a slice of each turn of the event loop, in order, so that a turn stays short however much has arrived: what
 * is refused meanwhile is refused in time. At less than full load everything is done at once.
 */
export class WorkTurns {
  readonly #limits: WorkTurnsLimits;
  readonly #now: () => number;
  #waiting: Waiting[] = [];
  /** Waiting before this index has begun. */
  #first = 0;
  #turnBeganAt: number | null = null;
  #sliceMs: number;

  /** @param now a clock that does not jump, ms. */
  constructor(limits: WorkTurnsLimits, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
    this.#sliceMs = limits.sliceMs;
  }

  /** Whether what waits has waited for so long that more would wait in vain. */
  get isBehind(): boolean {
    const first = this.#waiting[this.#first];
    return first !== undefined && this.#now() - first.since > this.#limits.maxWaitMs;
  }

  /** Begins `work`, which rejects but never throws, now while this turn has time left and nothing else waits, or else in its own turn. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const now = this.#now();
    if (this.#turnBeganAt === null) this.#beginTurn(now);
    if (this.#isIdle && this.#hasTime(now)) return work();
    return new Promise((resolve) => {
      this.#waiting.push({ since: now, begin: () => resolve(work()) });
    });
  }

  get #isIdle(): boolean {
    return this.#first === this.#waiting.length;
  }

  #hasTime(now: number): boolean {
    return this.#turnBeganAt !== null && now - this.#turnBeganAt < this.#sliceMs;
  }

  #beginTurn(now: number): void {
    this.#turnBeganAt = now;
    setImmediate(() => this.#endTurn(now));
  }

  /** Sockets have been read in between; now it is the queue's turn. */
  #endTurn(beganAt: number): void {
    const { sliceMs, share, maxSliceMs } = this.#limits;
    const tookMs = this.#now() - beganAt;
    this.#sliceMs = Math.max(sliceMs, Math.min(maxSliceMs, tookMs * share));
    this.#turnBeganAt = null;
    if (this.#isIdle) return;
    this.#beginTurn(this.#now());
    while (!this.#isIdle && this.#hasTime(this.#now())) {
      const next = this.#waiting[this.#first];
      this.#first += 1;
      next?.begin();
    }
    if (this.#first < this.#waiting.length / 2) return;
    this.#waiting = this.#waiting.slice(this.#first);
    this.#first = 0;
  }
}
