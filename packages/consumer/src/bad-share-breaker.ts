import type { Clock, Logger } from "@push-reports/service-kit";
import { type ReportRange, spanOf } from "./report-range.js";
import type { BadRecord } from "./row-lines.js";

/** When so many records are bad that it must be the deployment. */
export interface BadShareLimits {
  /** Of how many of the latest records. */
  readonly windowRecords: number;
  /** Bad records among them that are still set aside, percent; 100 sets every bad record aside. */
  readonly maxPercent: number;
}

/** A range that is held because too many records are bad. */
export interface HeldRange {
  readonly partition: number;
  readonly name: string;
  /** Bad records of the range, as many as were looked for. */
  readonly badRecords: number;
  /** Unix ms. */
  readonly since: number;
}

/** How often a held range is judged again: the database may have been mended. */
const JUDGE_AGAIN_MS = 30_000;
/** How often it is said again that ranges are held. */
const REPEAT_LOG_MS = 60_000;

/**
 * Stops ingestion when more of the latest records are bad than can be the records' own fault: a producer of a newer version, a table
 * that was changed. The range that goes too far is held as it is, nothing of it is set aside, and no further one is begun. It goes on
 * when fewer of its records are bad, because the database was mended, or with a new process: a version that reads the records, or a
 * higher limit.
 */
export class BadShareBreaker {
  readonly #windowRecords: number;
  readonly #mostBad: number;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #held = new Map<ReportRange, HeldRange>();
  readonly #positions = new WeakMap<ReportRange, number>();
  /** Places of bad records in the sequence of all that were judged, in order. */
  #badAt: readonly number[] = [];
  #judged = 0;
  #loggedAt = Number.NEGATIVE_INFINITY;
  #open: { readonly closed: Promise<void>; readonly close: () => void } | null = null;

  constructor(limits: BadShareLimits, clock: Clock, logger: Logger) {
    this.#windowRecords = limits.windowRecords;
    this.#mostBad = Math.floor((limits.windowRecords * limits.maxPercent) / 100);
    this.#clock = clock;
    this.#logger = logger;
  }

  /** So many bad records close together hold a range: no more need to be looked for at a time. */
  get enoughBad(): number {
    return this.#mostBad + 1;
  }

  /** The range that has been held for longest, or null. */
  heldRange(): HeldRange | null {
    return [...this.#held.values()][0] ?? null;
  }

  /** The partitions of all ranges that are held. */
  heldPartitions(): readonly number[] {
    return [...this.#held.values()].map(({ partition }) => partition);
  }

  /** Resolves when no range is held, or once `ended` aborts. */
  async untilClosed(ended: AbortSignal): Promise<void> {
    while (this.#open !== null && !ended.aborted) {
      const done = new AbortController();
      await Promise.race([
        this.#open.closed,
        this.#clock.sleep(JUDGE_AGAIN_MS, AbortSignal.any([ended, done.signal])),
      ]);
      done.abort();
    }
  }

  /**
   * Gives the bad records of a range once they are few enough to be set aside; holds the range until then.
   * @param judge finds them, again each time that the range is judged again; it is given what it found the last time, or null.
   * @throws the abort reason of `ended`; whatever `judge` throws.
   */
  async admit(
    range: ReportRange,
    judge: (before: readonly BadRecord[] | null) => Promise<readonly BadRecord[]>,
    ended: AbortSignal,
  ): Promise<readonly BadRecord[]> {
    let before: readonly BadRecord[] | null = null;
    try {
      for (;;) {
        const bad = await judge(before);
        before = bad;
        if (this.#admits(range, bad)) return bad;
        this.#hold(range, bad.length);
        await this.#clock.sleep(JUDGE_AGAIN_MS, ended);
        ended.throwIfAborted();
      }
    } finally {
      this.#release(range);
    }
  }

  #admits(range: ReportRange, bad: readonly BadRecord[]): boolean {
    const base = this.#positions.get(range) ?? this.#judged;
    if (!this.#positions.has(range)) {
      this.#positions.set(range, base);
      this.#judged += spanOf(range);
    }
    if (bad.length === 0) return true;
    const places = bad.map(({ record }) => base + record.offset - range.first);
    const all = [...this.#badAt, ...places].sort((a, b) => a - b);
    const isTooMany = all.some((place, index) => {
      const before = all[index - this.#mostBad];
      return before !== undefined && place - before < this.#windowRecords;
    });
    if (isTooMany) return false;
    this.#badAt = all.filter((place) => place >= this.#judged - this.#windowRecords);
    return true;
  }

  #hold(range: ReportRange, badRecords: number): void {
    const { partition, name } = range;
    const now = this.#clock.now();
    const since = this.#held.get(range)?.since ?? now;
    this.#held.set(range, { partition, name, badRecords, since });
    this.#open ??= aPromise();
    if (now - this.#loggedAt < REPEAT_LOG_MS) return;
    this.#loggedAt = now;
    const [limit, windowRecords] = [this.#mostBad, this.#windowRecords];
    this.#logger.error("too_many_bad_records", {
      partition,
      name,
      badRecords,
      limit,
      windowRecords,
    });
  }

  #release(range: ReportRange): void {
    if (!this.#held.delete(range) || this.#held.size > 0) return;
    this.#open?.close();
    this.#open = null;
    this.#loggedAt = Number.NEGATIVE_INFINITY;
    this.#logger.info("bad_records_admitted", { partition: range.partition, name: range.name });
  }
}

function aPromise(): { readonly closed: Promise<void>; readonly close: () => void } {
  let close: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });
  return { closed, close };
}
