import type { Clock } from "@push-reports/service-kit";
import { BufferPlace, type Lender } from "./buffer-place.js";

/** How much is shared, and by how many. */
export interface SharedBufferOptions {
  /** Footprint of all records from their fetch to their commit, bytes. */
  readonly maxBytes: number;
  /** Footprint of the largest range, bytes. */
  readonly rangeBytes: number;
  readonly partitions: number;
  /** How much of it is lent, 0 to 90 %. The rest is dealt out to the partitions: half of that for what waits, half for what is in hand. */
  readonly lentPercent: number;
}

/**
 * Memory for the records of all partitions of a process. Each partition has a share of its own, so that no other can stop it. The rest, where there is any, is
 * lent, in order of asking, to those that want to grow to a whole range: as many at a time as there is memory for, because
 * many partitions that grow side by side would all stop halfway.
 */
export class SharedBuffer implements Lender {
  /** What of a partition may wait without a loan, bytes. */
  readonly shareBytes: number;
  /** What a partition may hold with a loan: a whole range, or as much of it as there is memory for, bytes. */
  readonly loanBytes: number;
  readonly #options: SharedBufferOptions;
  readonly #clock: Pick<Clock, "now">;
  readonly #places = new Set<BufferPlace>();
  #asking: BufferPlace[] = [];
  #lentAt = Number.NEGATIVE_INFINITY;

  constructor(options: SharedBufferOptions, clock: Pick<Clock, "now">) {
    this.#options = options;
    this.#clock = clock;
    const shares = 2 * Math.max(1, options.partitions);
    const lendable = Math.floor((options.maxBytes * options.lentPercent) / 100);
    this.shareBytes = Math.max(1, Math.floor((options.maxBytes - lendable) / shares));
    this.loanBytes = Math.max(1, Math.min(options.rangeBytes, this.shareBytes + lendable));
  }

  get lends(): boolean {
    return this.loanBytes > this.shareBytes;
  }

  /** Footprint of everything that waits or is in hand, bytes. */
  get heldBytes(): number {
    let bytes = 0;
    for (const place of this.#places) bytes += place.waitingBytes + place.inHandBytes;
    return bytes;
  }

  /** When the latest loan was given, Unix ms. */
  get lentAt(): number {
    return this.#lentAt;
  }

  /**
   * The place of one partition.
   * @param onRoom called each time that a full place has room again.
   * @param onAnswer called each time that it got a loan, or was refused one.
   */
  place(onRoom: () => void, onAnswer: () => void): BufferPlace {
    const place = new BufferPlace(this, onRoom, onAnswer);
    this.#places.add(place);
    return place;
  }

  /** Lends at once if there is memory and nobody else has asked for it. */
  askInPassing(place: BufferPlace): void {
    if (this.#asking.length === 0 && this.#loanOf(place) <= this.#freeBytes()) this.#lendTo(place);
  }

  /** Lends at once, or later; whoever asks first comes first. */
  ask(place: BufferPlace): void {
    if (!this.#asking.includes(place)) this.#asking.push(place);
    this.lend();
  }

  /** Lends what has become free. When nobody is going to free anything, those that ask have to do with what they hold. */
  lend(): void {
    for (let [next] = this.#asking; next !== undefined; [next] = this.#asking) {
      if (this.#loanOf(next) > this.#freeBytes()) break;
      this.#asking.shift();
      this.#lendTo(next);
    }
    if (this.#isMoving()) return;
    for (const place of this.#asking.splice(0)) place.refuse();
  }

  /** The place wants no loan any more. */
  withdraw(place: BufferPlace): void {
    this.#asking = this.#asking.filter((asking) => asking !== place);
  }

  /** The partition is no longer ours, and no other one is: all leave together, so nothing is lent to those that are about to. */
  leave(place: BufferPlace): void {
    this.withdraw(place);
    this.#places.delete(place);
  }

  #lendTo(place: BufferPlace): void {
    this.#lentAt = this.#clock.now();
    place.grow(this.#lentAt);
  }

  #loanOf({ waitingBytes }: BufferPlace): number {
    return Math.max(0, this.loanBytes - Math.max(this.shareBytes, waitingBytes));
  }

  /** What nobody holds and nobody is sure of, bytes; negative where single records are larger than a share. */
  #freeBytes(): number {
    let free = this.#options.maxBytes;
    for (const place of this.#places) free -= place.reservedBytes;
    return free;
  }

  #isMoving(): boolean {
    for (const place of this.#places) if (place.isGrowing || place.inHandBytes > 0) return true;
    return false;
  }
}
