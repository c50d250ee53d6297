import type { PendingRecord } from "./pending-record.js";

/** Records that no lane has taken yet, first in first out; all have the same time to wait, so the first expires first. */
export class WaitingRecords {
  readonly #records: PendingRecord[] = [];
  /** Records before this index are taken. */
  #first = 0;
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#first === this.#records.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** When the one that waits longest expires, ms; infinity when none waits. */
  get firstExpiresAt(): number {
    return this.#records[this.#first]?.expiresAt ?? Number.POSITIVE_INFINITY;
  }

  add(record: PendingRecord): void {
    this.#records.push(record);
    this.#bytes += record.bytes;
  }

  /** Gives back what was taken; it is the front again, but for what was put back before and expires sooner. */
  putBack(records: readonly PendingRecord[]): void {
    this.#records.splice(0, this.#first, ...records);
    this.#records.sort((a, b) => a.expiresAt - b.expiresAt);
    this.#first = 0;
    for (const { bytes } of records) this.#bytes += bytes;
  }

  /** Takes records from the front up to `maxBytes` and `maxRecords`, at least one when there is any. */
  take(maxBytes: number, maxRecords: number): readonly PendingRecord[] {
    const from = this.#first;
    let bytes = 0;
    while (this.#first < this.#records.length && this.#first - from < maxRecords) {
      bytes += this.#records[this.#first]?.bytes ?? 0;
      if (bytes > maxBytes && this.#first > from) break;
      this.#first += 1;
    }
    return this.#cut(from);
  }

  /** Takes those whose time to wait is over. */
  takeExpired(now: number): readonly PendingRecord[] {
    const from = this.#first;
    while ((this.#records[this.#first]?.expiresAt ?? Number.POSITIVE_INFINITY) <= now)
      this.#first += 1;
    return this.#cut(from);
  }

  #cut(from: number): readonly PendingRecord[] {
    const taken = this.#records.slice(from, this.#first);
    for (const { bytes } of taken) this.#bytes -= bytes;
    // Removing from the front of an array moves the rest: done only when little is left of it.
    if (this.#first > this.#records.length / 2) {
      this.#records.splice(0, this.#first);
      this.#first = 0;
    }
    return taken;
  }
}
