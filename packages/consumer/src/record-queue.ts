import type { Clock } from "@push-reports/service-kit";
import type { BufferPlace } from "./buffer-place.js";
import type { Awaited, SourceRecord, TakeLimits } from "./record-source.js";
import type { SharedBuffer } from "./shared-buffer.js";
import { takeBy } from "./take-by.js";

/** While the log has more, a range waits for it as long as it keeps coming, but not longer than so many delays; for memory likewise. */
const LONGEST_DELAYS = 10;

/** What a record costs in memory besides its bytes, roughly: objects, slots in arrays. */
const RECORD_OVERHEAD_BYTES = 256;

/** Memory that a record holds, in bytes; an upper bound of its row's length too. */
export function footprintBytes(record: SourceRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + (record.value?.length ?? 0) + (record.key?.length ?? 0);
  for (const name in record.headers) bytes += name.length + (record.headers[name]?.length ?? 0);
  return bytes;
}

interface Waiting {
  readonly record: SourceRecord;
  readonly bytes: number;
  readonly arrivedAt: number;
}

/**
 * Records of one partition between the loop that fetches them and the one that ingests them. It holds what it is given,
 * so whoever fills it must stop while `isFull()` and may go on once `onRoom` was called.
 * One taker at a time; what it took counts as held until it is released.
 */
export class RecordQueue {
  readonly #clock: Clock;
  readonly #place: BufferPlace;
  #waiting: Waiting[] = [];
  #head = 0;
  #inHand: { readonly last: number; readonly bytes: number }[] = [];
  #nextOffset = 0;
  #logEnd = 0;
  #pushedAt = 0;
  #takesWhole = false;
  #ended: Error | null = null;
  #wake: (() => void) | null = null;

  /** @param onRoom called each time that a full queue has room again. */
  constructor(clock: Clock, buffer: SharedBuffer, onRoom: () => void) {
    this.#clock = clock;
    this.#place = buffer.place(onRoom, () => this.#wake?.());
  }

  /** Footprint of what waits, bytes. */
  get bytes(): number {
    return this.#place.waitingBytes;
  }

  /** Number of records that wait. */
  get length(): number {
    return this.#waiting.length - this.#head;
  }

  /** The offset behind everything that was pushed, whether a record was there or not. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  isFull(): boolean {
    return this.#place.isFull;
  }

  /** Where the log is read from, and where it is known to end. */
  startAt(offset: number, logEnd: number): void {
    this.#nextOffset = offset;
    this.#logEnd = logEnd;
  }

  /**
   * How many of the records with these footprints there is room for, beginning with the first. A record larger than all room comes alone, and what is to be taken
   * as a whole comes in any case. When it is not all of them the queue is full.
   */
  roomFor(footprints: readonly number[]): number {
    if (this.#takesWhole) return footprints.length;
    const { waitingBytes, inHandBytes } = this.#place;
    let room = this.#place.roomFor(footprints.reduce((sum, bytes) => sum + bytes, 0));
    let count = 0;
    for (const bytes of footprints) {
      room -= bytes;
      if (room < 0 && waitingBytes + inHandBytes + count > 0) break;
      count += 1;
    }
    if (count < footprints.length) this.#place.fill();
    return count;
  }

  /** Adds records in order; `nextOffset` is where the log goes on behind them, `logEnd` where it ended when they were read, `footprints` those of the records. */
  push(
    records: readonly SourceRecord[],
    nextOffset: number,
    logEnd: number,
    footprints: readonly number[] = records.map(footprintBytes),
  ): void {
    if (this.#ended !== null) return;
    const arrivedAt = this.#clock.now();
    let added = 0;
    for (const [index, record] of records.entries()) {
      const bytes = footprints[index] ?? 0;
      this.#waiting.push({ record, bytes, arrivedAt });
      added += bytes;
    }
    this.#place.add(added);
    this.startAt(nextOffset, logEnd);
    this.#pushedAt = arrivedAt;
    this.#wake?.();
  }

  /** Drops everything; waiting and later takes reject with `error`. */
  end(error: Error): void {
    this.#ended ??= error;
    this.#waiting = [];
    this.#head = 0;
    this.#inHand = [];
    this.#place.end();
    this.#wake?.();
  }

  /** Whoever took records below this offset is done with them. */
  release(beforeOffset: number): void {
    const done = this.#inHand.filter(({ last }) => last < beforeOffset);
    this.#inHand = this.#inHand.filter(({ last }) => last >= beforeOffset);
    for (const { bytes } of done) this.#place.release(bytes);
  }

  /** Waits for at least one record, then until a limit is reached or waiting longer is not worth it. */
  async take(limits: TakeLimits): Promise<readonly SourceRecord[]> {
    let turnAt: number | null = null;
    for (;;) {
      if (this.#ended !== null) throw this.#ended;
      if (this.#reaches(limits)) {
        if (turnAt === null) limits.pace?.took();
        return this.#shift(limits);
      }
      if (this.isFull()) this.#place.ask();
      const now = this.#clock.now();
      const dueAt = this.#dueAt(limits);
      if (dueAt !== null && dueAt <= now) turnAt ??= limits.pace?.reserve() ?? now;
      if (turnAt !== null && turnAt <= now) return this.#shift(limits);
      limits.onWait?.(turnAt === null ? this.#awaited() : "turn");
      const wakeAt = turnAt ?? dueAt;
      await this.#changed(wakeAt === null ? null : wakeAt - now);
    }
  }

  /** Records that already reach a limit, or null. */
  takeReady(limits: TakeLimits): readonly SourceRecord[] | null {
    if (this.#ended !== null) throw this.#ended;
    if (!this.#reaches(limits)) return null;
    limits.pace?.took();
    return this.#shift(limits);
  }

  /** Waits until the log was read past `lastOffset` and gives every record up to it. */
  async takeThrough(lastOffset: number): Promise<readonly SourceRecord[]> {
    this.#takesWhole = true;
    const taken: SourceRecord[] = [];
    for (;;) {
      if (this.#ended !== null) throw this.#ended;
      const from = taken.length;
      let bytes = 0;
      let next = this.#waiting[this.#head];
      while (next !== undefined && next.record.offset <= lastOffset) {
        bytes += next.bytes;
        taken.push(next.record);
        this.#head += 1;
        next = this.#waiting[this.#head];
      }
      this.#hand(taken.slice(from), bytes);
      if (next !== undefined || this.#nextOffset > lastOffset) break;
      await this.#changed(null);
    }
    this.#takesWhole = false;
    return taken;
  }

  #reaches(limits: TakeLimits): boolean {
    return (
      this.length > 0 &&
      (this.length >= limits.maxRecords || this.bytes >= limits.maxBytes || this.#place.isGrown)
    );
  }

  get #isBehind(): boolean {
    return this.isFull() || this.#nextOffset < this.#logEnd;
  }

  #awaited(): Awaited {
    if (this.#place.needsLoan) return "turn";
    return this.#isBehind ? "fetch" : "idle";
  }

  /** When what waits is taken however little it is, Unix ms; null while nothing waits. */
  #dueAt(limits: TakeLimits): number | null {
    const { maxDelayMs } = limits;
    const oldest = this.#waiting[this.#head];
    if (oldest === undefined) return null;
    if (!this.#isBehind) return takeBy(oldest.record, oldest.arrivedAt, limits);
    const { needsLoan, isRefused, lentAt } = this.#place;
    if (isRefused) return this.#pushedAt;
    const longest = maxDelayMs * LONGEST_DELAYS;
    // As long as others are lent memory, its turn comes; when nobody gets on with theirs, this one goes on with its share.
    if (needsLoan) return Math.max(this.#pushedAt + maxDelayMs, lentAt + longest);
    const lastGain = Math.max(this.#pushedAt, lentAt);
    return Math.min(lastGain + maxDelayMs, Math.max(oldest.arrivedAt, lentAt) + longest);
  }

  #shift(limits: TakeLimits): readonly SourceRecord[] {
    const taken: SourceRecord[] = [];
    let bytes = 0;
    let next = this.#waiting[this.#head];
    while (next !== undefined && taken.length < limits.maxRecords) {
      if (taken.length > 0 && bytes + next.bytes > limits.maxBytes) break;
      bytes += next.bytes;
      taken.push(next.record);
      this.#head += 1;
      next = this.#waiting[this.#head];
    }
    this.#hand(taken, bytes);
    return taken;
  }

  #hand(taken: readonly SourceRecord[], bytes: number): void {
    this.#waiting = this.#waiting.slice(this.#head);
    this.#head = 0;
    const last = taken.at(-1)?.offset;
    if (last === undefined) return;
    this.#inHand.push({ last, bytes });
    this.#place.take(bytes);
  }

  /** Resolves when something was pushed, the queue ended, or `withinMs` passed. */
  async #changed(withinMs: number | null): Promise<void> {
    const done = new AbortController();
    const changed = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    const waits = withinMs === null ? [] : [this.#clock.sleep(withinMs, done.signal)];
    await Promise.race([changed, ...waits]);
    this.#wake = null;
    done.abort();
  }
}
