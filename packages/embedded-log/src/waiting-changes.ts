import type { LogRecord } from "./embedded-log.js";

interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** A record that waits for its commit. */
export interface WaitingRecord extends Waiter<number> {
  readonly record: LogRecord;
  /** Its length in a chunk. */
  readonly bytes: number;
}

/** A mark that waits for its commit. */
export interface WaitingMark extends Waiter<void> {
  readonly name: string;
  readonly value: string;
}

/** A trim that waits until every chunk below it is gone. */
export interface WaitingTrim extends Waiter<void> {
  readonly beforeOffset: number;
}

/** What one commit takes along. */
export interface TakenChanges {
  readonly records: readonly WaitingRecord[];
  readonly marks: readonly WaitingMark[];
  readonly trims: readonly WaitingTrim[];
}

/** Everything that arrived since the last commit was composed, in the order of arrival. */
export class WaitingChanges {
  #records: WaitingRecord[] = [];
  #marks: WaitingMark[] = [];
  #trims: WaitingTrim[] = [];
  #recordsBytes = 0;

  /** Bytes of the records that wait and have not been taken. */
  get recordsBytes(): number {
    return this.#recordsBytes;
  }

  isEmpty(): boolean {
    return this.#records.length === 0 && this.#marks.length === 0 && this.#trims.length === 0;
  }

  addRecord(waiting: WaitingRecord): void {
    this.#records.push(waiting);
    this.#recordsBytes += waiting.bytes;
  }

  addMark(waiting: WaitingMark): void {
    this.#marks.push(waiting);
  }

  addTrim(waiting: WaitingTrim): void {
    this.#trims.push(waiting);
  }

  /** Takes all marks and trims, and records of `maxBytes` at most, but at least one. */
  take(maxBytes: number): TakenChanges {
    let count = 0;
    let bytes = 0;
    for (const waiting of this.#records) {
      if (count > 0 && bytes + waiting.bytes > maxBytes) break;
      bytes += waiting.bytes;
      count += 1;
    }
    const taken = {
      records: this.#records.slice(0, count),
      marks: this.#marks,
      trims: this.#trims,
    };
    this.#records = this.#records.slice(count);
    this.#recordsBytes -= bytes;
    this.#marks = [];
    this.#trims = [];
    return taken;
  }

  /** Puts trims back whose chunks are not all gone yet. */
  keepTrims(trims: readonly WaitingTrim[]): void {
    this.#trims.push(...trims);
  }
}
