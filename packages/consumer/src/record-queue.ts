import type { Clock } from "@push-reports/service-kit";
import type { SourceRecord, TakeLimits } from "./record-source.js";

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
 * One taker at a time.
 */
export class RecordQueue {
  readonly #clock: Clock;
  readonly #capacityBytes: number;
  readonly #onRoom: () => void;
  #waiting: Waiting[] = [];
  #head = 0;
  #bytes = 0;
  #nextOffset = 0;
  #ended: Error | null = null;
  #wake: (() => void) | null = null;

  /** @param onRoom called each time that a full queue has drained to half of its capacity. */
  constructor(clock: Clock, capacityBytes: number, onRoom: () => void) {
    this.#clock = clock;
    this.#capacityBytes = capacityBytes;
    this.#onRoom = onRoom;
  }

  /** Footprint of what waits, bytes. */
  get bytes(): number {
    return this.#bytes;
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
    return this.#bytes >= this.#capacityBytes;
  }

  /** Adds records in order; `nextOffset` is where the log goes on behind them. */
  push(records: readonly SourceRecord[], nextOffset: number): void {
    if (this.#ended !== null) return;
    const arrivedAt = this.#clock.now();
    for (const record of records) {
      const bytes = footprintBytes(record);
      this.#waiting.push({ record, bytes, arrivedAt });
      this.#bytes += bytes;
    }
    this.#nextOffset = nextOffset;
    this.#wake?.();
  }

  /** Drops everything; waiting and later takes reject with `error`. */
  end(error: Error): void {
    this.#ended ??= error;
    this.#waiting = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#wake?.();
  }

  /** Waits for at least one record, then until a limit is reached or the queue is full. */
  async take(limits: TakeLimits): Promise<readonly SourceRecord[]> {
    let turnAt: number | null = null;
    for (;;) {
      if (this.#ended !== null) throw this.#ended;
      if (this.#reaches(limits)) {
        if (turnAt === null) limits.pace?.took();
        return this.#shift(limits);
      }
      const now = this.#clock.now();
      const oldest = this.#waiting[this.#head];
      const isDue = oldest !== undefined && oldest.arrivedAt + limits.maxDelayMs <= now;
      if (isDue) turnAt ??= limits.pace?.reserve() ?? now;
      if (turnAt !== null && turnAt <= now) return this.#shift(limits);
      const wakeAt = turnAt ?? (oldest ? oldest.arrivedAt + limits.maxDelayMs : null);
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
    const taken: SourceRecord[] = [];
    for (;;) {
      if (this.#ended !== null) throw this.#ended;
      let next = this.#waiting[this.#head];
      while (next !== undefined && next.record.offset <= lastOffset) {
        taken.push(this.#shiftOne(next));
        next = this.#waiting[this.#head];
      }
      this.#compact();
      if (next !== undefined || this.#nextOffset > lastOffset) return taken;
      await this.#changed(null);
    }
  }

  #reaches(limits: TakeLimits): boolean {
    return (
      this.length > 0 &&
      (this.length >= limits.maxRecords || this.#bytes >= limits.maxBytes || this.isFull())
    );
  }

  #shift(limits: TakeLimits): readonly SourceRecord[] {
    const taken: SourceRecord[] = [];
    let bytes = 0;
    let next = this.#waiting[this.#head];
    while (next !== undefined && taken.length < limits.maxRecords) {
      bytes += next.bytes;
      if (taken.length > 0 && bytes > limits.maxBytes) break;
      taken.push(this.#shiftOne(next));
      next = this.#waiting[this.#head];
    }
    this.#compact();
    return taken;
  }

  #shiftOne(next: Waiting): SourceRecord {
    const wasRoomless = this.#bytes > this.#capacityBytes / 2;
    this.#head += 1;
    this.#bytes -= next.bytes;
    if (wasRoomless && this.#bytes <= this.#capacityBytes / 2) this.#onRoom();
    return next.record;
  }

  #compact(): void {
    this.#waiting = this.#waiting.slice(this.#head);
    this.#head = 0;
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
