import type { Clock } from "@push-reports/service-kit";
import type { IngestObserver, IngestStep } from "./ingest-observer.js";
import type { LogEnds } from "./record-source.js";
import type { ReportRange } from "./report-range.js";

/** How far one partition is ingested, as of the last look at the log's end. */
export interface PartitionBacklog {
  readonly partition: number;
  /** Everything below it is complete in every table. */
  readonly nextOffset: number;
  readonly highWatermark: number;
  readonly lagRecords: number;
  /** Age of the oldest record that is not complete, at most; null while nothing is known of it. */
  readonly lagSeconds: number | null;
  /** Everything that was appended to the partition before this time is complete, Unix ms; null while nothing is known. */
  readonly appendedBefore: number | null;
}

/** A look at the log's end: what was appended before `at` lies below `highWatermark`. */
interface Look {
  readonly at: number;
  readonly highWatermark: number;
}

interface State {
  nextOffset: number;
  /** Looks that ingestion has not passed yet, oldest first. */
  looks: Look[];
  lastLook: Look | null;
  appendedBefore: number | null;
  /** Timestamp of the first record of the range in hand. */
  inHandSince: number | null;
}

/** Looks that are kept of one partition; while ingestion is further behind than that, they are thinned out. */
const MAX_LOOKS = 128;
/** Over how long the speed of draining is measured, ms. */
const SPEED_WINDOW_MS = 60_000;

/**
 * What is left to ingest, and up to which time everything is complete.
 *
 * Two things prove that all that was appended before a time is complete: ingestion passed the end that the log had then; or it
 * completed a record that bears this time, since a record is appended no earlier than it is received, and all that is not complete
 * was appended behind it. A timestamp later than the cut is a clock gone wrong and proves no more than the time of the cut.
 */
export class Backlog implements IngestObserver {
  readonly #clock: Clock;
  readonly #states = new Map<number, State>();
  #totals: { readonly at: number; readonly lag: number }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  started(partition: number, cursor: number): void {
    this.#totals = [];
    this.#states.set(partition, {
      nextOffset: cursor,
      looks: [],
      lastLook: null,
      appendedBefore: null,
      inHandSince: null,
    });
  }

  ended(partition: number): void {
    this.#totals = [];
    this.#states.delete(partition);
  }

  async reached(step: IngestStep, range: ReportRange): Promise<void> {
    const state = this.#states.get(range.partition);
    if (state === undefined) return;
    if (step === "cut") state.inHandSince = range.records[0]?.timestampMs ?? null;
    if (step === "ledger_written") this.#complete(state, range);
  }

  setAside(): void {
    // A range is complete when its ledger row is there.
  }

  completed(): void {
    // The step "ledger_written" has said so.
  }

  /** @param at Unix ms before the ends were asked for. */
  look(ends: LogEnds, at: number): void {
    for (const [partition, state] of this.#states) {
      const highWatermark = ends.highWatermarks.get(partition);
      if (highWatermark === undefined) continue;
      state.lastLook = { at, highWatermark };
      state.looks.push(state.lastLook);
      if (state.looks.length > MAX_LOOKS)
        state.looks = state.looks.filter((_, index) => index % 2 === 0);
      passLooks(state);
    }
    this.#noteTotals(at);
  }

  /** Every partition that has begun and been looked at. */
  partitions(): readonly PartitionBacklog[] {
    return [...this.#states].flatMap(([partition, state]) => {
      const { nextOffset, lastLook, appendedBefore } = state;
      if (lastLook === null) return [];
      const { highWatermark } = lastLook;
      const lagRecords = Math.max(0, highWatermark - nextOffset);
      const lagSeconds = lagRecords === 0 ? 0 : this.#ageSeconds(state);
      return [{ partition, nextOffset, highWatermark, lagRecords, lagSeconds, appendedBefore }];
    });
  }

  /** Records of one partition that are known to wait; 0 while nothing is known. */
  lagRecords(partition: number): number {
    const state = this.#states.get(partition);
    if (state === undefined || state.lastLook === null) return 0;
    return Math.max(0, state.lastLook.highWatermark - state.nextOffset);
  }

  /**
   * Time until nothing is left at the speed of the last minute, s: 0 without lag, Infinity while it does not shrink, NaN while the
   * speed is not known.
   */
  drainEtaSeconds(): number {
    const last = this.#totals.at(-1);
    const first = this.#totals[0];
    if (last === undefined || first === undefined || last.lag === 0) return 0;
    if (first === last) return Number.NaN;
    const perSecond = (first.lag - last.lag) / ((last.at - first.at) / 1_000);
    return perSecond > 0 ? last.lag / perSecond : Number.POSITIVE_INFINITY;
  }

  #complete(state: State, range: ReportRange): void {
    state.nextOffset = Math.max(state.nextOffset, range.last + 1);
    state.inHandSince = null;
    const receivedAt = range.records.at(-1)?.timestampMs;
    if (receivedAt !== undefined) prove(state, Math.min(receivedAt, range.cutAt.getTime()));
    passLooks(state);
  }

  #noteTotals(at: number): void {
    const lag = this.partitions().reduce((sum, { lagRecords }) => sum + lagRecords, 0);
    this.#totals.push({ at, lag });
    this.#totals = this.#totals.filter((total) => total.at >= at - SPEED_WINDOW_MS);
  }

  #ageSeconds({ inHandSince, appendedBefore }: State): number | null {
    const since = inHandSince ?? appendedBefore;
    return since === null ? null : Math.max(0, this.#clock.now() - since) / 1_000;
  }
}

function passLooks(state: State): void {
  const isBehind = state.looks.findIndex((look) => look.highWatermark > state.nextOffset);
  const passed = isBehind === -1 ? state.looks : state.looks.slice(0, isBehind);
  const last = passed.at(-1);
  if (last !== undefined) prove(state, last.at);
  state.looks = state.looks.slice(passed.length);
}

function prove(state: State, time: number): void {
  state.appendedBefore = Math.max(state.appendedBefore ?? 0, time);
}
