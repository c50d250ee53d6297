import { type Clock, type Logger, RepeatedLines, within } from "@push-reports/service-kit";
import type { IngestObserver } from "./ingest-observer.js";
import type { JudgedRecords, JudgedStretch } from "./judged-records.js";
import { JudgedWindow } from "./judged-window.js";
import { EpochEndedError, type SourceRecord } from "./record-source.js";
import type { ReportRange } from "./report-range.js";
import type { BadRecord } from "./row-lines.js";
import { untilEnded } from "./until-ended.js";

/** When so many records are bad that it must be the deployment. */
export interface BadShareLimits {
  /** Of how many of the latest records. */
  readonly windowRecords: number;
  /** Bad records among them that are still set aside, percent; 100 sets every bad record aside. */
  readonly maxPercent: number;
}

/** What was found out about a range's records. */
export interface Judgement {
  readonly bad: readonly BadRecord[];
  /** Every record was looked at; else no more was looked for than was needed to hold the range. */
  readonly isWhole: boolean;
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

/** A question what became of a partition's latest records. */
interface Asking {
  readonly partition: number;
  /** Unix ms. */
  readonly since: number;
  readonly answer: Promise<void>;
}

/** How often a held range is judged again: the database may have been mended. */
const JUDGE_AGAIN_MS = 30_000;
/** How long it is waited for what became of the latest records of other partitions than the one whose records are judged, ms. */
const RECALL_MS = 30_000;
/** How often it is said that they wait, ms: more often than any STALL_TIMEOUT_MS. */
const SAY_EVERY_MS = 1_000;

/**
 * Stops ingestion when more of the latest records are bad than can be the records' own fault: a producer of a newer version, a table
 * that was changed. A range is judged as a whole, in the order of its offsets behind all that was judged before, by this process or by others:
 * of no window of records that ends in it more than the limit are set aside. The range that goes too far is held as it is, nothing more of it is
 * set aside, and no further one is begun. It goes on when fewer of its records are bad, because the database was mended, or with a new
 * process: a version that reads the records, or a higher limit.
 */
export class BadShareBreaker {
  readonly #windowRecords: number;
  readonly #mostBad: number;
  readonly #window: JudgedWindow;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #observer: IngestObserver;
  readonly #held = new Map<ReportRange, HeldRange>();
  /** Offsets of bad records that were let through. */
  readonly #admitted = new WeakMap<ReportRange, readonly number[]>();
  readonly #toAsk = new Map<number, JudgedRecords["latest"]>();
  readonly #asking = new Set<Asking>();
  readonly #lines: RepeatedLines;
  #open: { readonly closed: Promise<void>; readonly close: () => void } | null = null;

  constructor(limits: BadShareLimits, clock: Clock, logger: Logger, observer: IngestObserver) {
    this.#windowRecords = limits.windowRecords;
    this.#mostBad = Math.floor((limits.windowRecords * limits.maxPercent) / 100);
    this.#window = new JudgedWindow(limits.windowRecords, this.#mostBad);
    this.#clock = clock;
    this.#logger = logger;
    this.#observer = observer;
    this.#lines = new RepeatedLines(clock);
  }

  /**
   * Says how to ask what became of a partition's latest records, to be called when it is assigned: its former owner may have been another
   * process. It is asked once the first bad record is found, which in a healthy system is never. @param latest whatever it throws,
   * {@link admit} throws.
   */
  assigned(partition: number, latest: JudgedRecords["latest"]): void {
    if (this.#mostBad < this.#windowRecords) this.#toAsk.set(partition, latest);
  }

  /** Whether these records of the range are too many already, whatever the others are: no more need to be looked for. */
  isTooMany(range: ReportRange, bad: readonly SourceRecord[]): boolean {
    return this.#window.isTooMany(this.#judged(range, bad));
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
   * @param judge finds them, again each time that the range is judged again; it is given what it found the last time when that alone is
   * too many still, else null.
   * @throws the abort reason of `ended`; whatever `judge` throws.
   */
  async admit(
    range: ReportRange,
    judge: (before: Judgement | null) => Promise<Judgement>,
    ended: AbortSignal,
  ): Promise<readonly BadRecord[]> {
    let before: Judgement | null = null;
    try {
      for (;;) {
        const judgement = await judge(before);
        const { bad } = judgement;
        const isMoreKnown = bad.length > 0 && (await this.#recall(range, ended));
        if (this.#admits(range, judgement)) {
          this.#letThrough(range, bad);
          return bad;
        }
        // By what was known before they were enough to stop looking for more.
        if (isMoreKnown && !judgement.isWhole) {
          before = null;
          continue;
        }
        this.#hold(range, bad.length);
        await this.#clock.sleep(JUDGE_AGAIN_MS, ended);
        ended.throwIfAborted();
        before = this.isTooMany(range, recordsOf(bad)) ? judgement : null;
      }
    } finally {
      this.#release(range);
    }
  }

  #admits(range: ReportRange, { bad, isWhole }: Judgement): boolean {
    return bad.length === 0 || (isWhole && !this.isTooMany(range, recordsOf(bad)));
  }

  #letThrough(range: ReportRange, bad: readonly BadRecord[]): void {
    const judged = this.#judged(range, recordsOf(bad));
    this.#admitted.set(range, judged.badOffsets);
    // Of what the log no longer holds nothing is known.
    if (range.records.length > 0) this.#window.add(judged);
    if (!this.#held.has(range)) return;
    this.#logger.info("bad_records_admitted", { partition: range.partition, name: range.name });
  }

  #judged(range: ReportRange, bad: readonly SourceRecord[]): JudgedStretch {
    const { partition, first, last } = range;
    const offsets = new Set([
      ...(this.#admitted.get(range) ?? []),
      ...bad.map(({ offset }) => offset),
    ]);
    const badOffsets = [...offsets].sort((a, b) => a - b);
    return { partition, first, last, judgedAt: this.#clock.now(), badOffsets };
  }

  /**
   * What became of the latest records of the range's partition is known; and of every other one that was assigned, or that was asked for long
   * enough ago. Waiting for it is no stall: whoever asks repeats it and says so. @returns whether it had to be waited for.
   */
  async #recall({ partition }: ReportRange, ended: AbortSignal): Promise<boolean> {
    for (const [asked, latest] of this.#toAsk) this.#ask(asked, latest);
    this.#toAsk.clear();
    for (let hasWaited = false; ; hasWaited = true) {
      const awaited = [...this.#asking].filter(
        (one) => one.partition === partition || this.#clock.now() - one.since < RECALL_MS,
      );
      if (awaited.length === 0) return hasWaited;
      ended.throwIfAborted();
      this.#observer.waits?.(partition);
      const answers = Promise.all(awaited.map(({ answer }) => answer));
      const end = await untilEnded(within(answers, SAY_EVERY_MS, this.#clock), ended);
      if (end.kind === "rejected") throw end.error;
    }
  }

  #ask(partition: number, latest: JudgedRecords["latest"]): void {
    const most = { records: this.#windowRecords, bad: this.#mostBad + 1 };
    const answer = latest(partition, most)
      .then((stretches) => this.#window.recall(partition, stretches))
      .catch((error: unknown) => {
        // Of a partition that went to somebody else nothing needs to be known any more.
        if (!(error instanceof EpochEndedError)) throw error;
      })
      .finally(() => this.#asking.delete(asking));
    const asking: Asking = { partition, since: this.#clock.now(), answer };
    this.#asking.add(asking);
  }

  #hold(range: ReportRange, badRecords: number): void {
    const { partition, name } = range;
    const now = this.#clock.now();
    const since = this.#held.get(range)?.since ?? now;
    this.#held.set(range, { partition, name, badRecords, since });
    this.#open ??= aPromise();
    const repeated = this.#lines.next("too_many_bad_records");
    if (repeated === null) return;
    const [limit, windowRecords] = [this.#mostBad, this.#windowRecords];
    this.#logger.error("too_many_bad_records", {
      partition,
      name,
      badRecords,
      limit,
      windowRecords,
      ...repeated,
    });
  }

  #release(range: ReportRange): void {
    if (!this.#held.delete(range) || this.#held.size > 0) return;
    this.#open?.close();
    this.#open = null;
    this.#lines.end("too_many_bad_records");
  }
}

function recordsOf(bad: readonly BadRecord[]): readonly SourceRecord[] {
  return bad.map(({ record }) => record);
}

function aPromise(): { readonly closed: Promise<void>; readonly close: () => void } {
  let close: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });
  return { closed, close };
}
