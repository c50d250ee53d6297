import type { Clock } from "@push-reports/service-kit";

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
export class SharedBuffer {
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
    const dealtOut = options.maxBytes * (1 - options.lentPercent / 100);
    this.shareBytes = Math.max(1, Math.floor(dealtOut / shares));
    const lendable = options.maxBytes - shares * this.shareBytes;
    this.loanBytes = Math.max(1, Math.min(options.rangeBytes, this.shareBytes + lendable));
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

  /** The partition is no longer ours. */
  leave(place: BufferPlace): void {
    this.withdraw(place);
    this.#places.delete(place);
    this.lend();
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

/** What one partition holds of a {@link SharedBuffer}. */
export class BufferPlace {
  readonly #buffer: SharedBuffer;
  readonly #onRoom: () => void;
  readonly #onAnswer: () => void;
  #waiting = 0;
  #inHand = 0;
  #isGrowing = false;
  #isFull = false;
  /** What came did not fit, and would not if it came again. */
  #isOverfull = false;
  #isRefused = false;
  #lentAt = Number.NEGATIVE_INFINITY;

  constructor(buffer: SharedBuffer, onRoom: () => void, onAnswer: () => void) {
    this.#buffer = buffer;
    this.#onRoom = onRoom;
    this.#onAnswer = onAnswer;
  }

  get waitingBytes(): number {
    return this.#waiting;
  }

  get inHandBytes(): number {
    return this.#inHand;
  }

  /** What it holds, and what it may come to hold without asking. */
  get reservedBytes(): number {
    return (
      Math.max(this.#limitBytes, this.#waiting) + Math.max(this.#buffer.shareBytes, this.#inHand)
    );
  }

  /** Whether nothing more should come until there was room. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Whether what waits is as much as it may ever be. */
  get isGrown(): boolean {
    const { loanBytes, shareBytes } = this.#buffer;
    const canGrow = !this.#isGrowing && loanBytes > shareBytes;
    return this.#waiting >= loanBytes || (this.#isFull && !canGrow);
  }

  /** Whether only a loan would let more come. */
  get needsLoan(): boolean {
    return this.#isFull && !this.#isGrowing && !this.isGrown;
  }

  /** Whether what waits is all that there will be before it is taken. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** When it was lent what it holds; while it needs a loan, when any place was lent one. Unix ms. */
  get lentAt(): number {
    return this.needsLoan ? this.#buffer.lentAt : this.#lentAt;
  }

  /** Whether it has a loan for what waits. */
  get isGrowing(): boolean {
    return this.#isGrowing;
  }

  /** How much of so many bytes may come now. */
  roomFor(bytes: number): number {
    if (!this.#isGrowing && this.#waiting + bytes > this.#limitBytes)
      this.#buffer.askInPassing(this);
    return Math.max(0, this.#limitBytes - this.#waiting);
  }

  /** Records have come and wait. */
  add(bytes: number): void {
    this.#waiting += bytes;
    const limitBytes = this.#limitBytes;
    // As much again would not fit, and what does not fit has been fetched in vain.
    const isNearlyFull = !this.#isGrowing && this.#waiting + bytes > limitBytes;
    if (this.#waiting >= limitBytes || isNearlyFull) this.#isFull = true;
  }

  /** There was no room for what came. */
  fill(): void {
    this.#isFull = true;
    this.#isOverfull = true;
  }

  /** What waits is too little for a range: makes use of its room, or asks for a loan. */
  ask(): void {
    if (!this.#isOverfull) this.#makeRoom(this.#limitBytes);
    if (this.#isFull && !this.#isGrowing && !this.#isRefused) this.#buffer.ask(this);
    // Whoever takes more before it is done with what it took would wait for itself.
    if (!this.needsLoan || this.#inHand === 0) return;
    this.#isRefused = true;
    this.#buffer.withdraw(this);
  }

  /** A loan was given. */
  grow(now: number): void {
    this.#isGrowing = true;
    this.#lentAt = now;
    this.#makeRoom(this.#buffer.loanBytes);
    this.#onAnswer();
  }

  /** There is no memory for a loan, and nobody is going to free any. */
  refuse(): void {
    this.#isRefused = true;
    this.#onAnswer();
  }

  /** Records that waited are in hand now: a loan goes with them, until they are released. */
  take(bytes: number): void {
    this.#waiting -= bytes;
    this.#inHand += bytes;
    this.#isGrowing = false;
    this.#isRefused = false;
    this.#buffer.withdraw(this);
    this.#makeRoom(this.#buffer.shareBytes / 2 + 1);
    this.#buffer.lend();
  }

  /** Records that were in hand are done with. */
  release(bytes: number): void {
    this.#inHand -= bytes;
    this.#makeRoom(this.#buffer.shareBytes / 2 + 1);
    this.#buffer.lend();
  }

  /** Everything is dropped, for good. */
  end(): void {
    this.#waiting = 0;
    this.#inHand = 0;
    this.#buffer.leave(this);
  }

  get #limitBytes(): number {
    const { shareBytes, loanBytes } = this.#buffer;
    return this.#isGrowing ? loanBytes : shareBytes;
  }

  #makeRoom(belowBytes: number): void {
    if (!this.#isFull || this.#waiting >= belowBytes) return;
    this.#isFull = false;
    this.#isOverfull = false;
    this.#onRoom();
  }
}
