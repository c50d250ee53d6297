/** Whoever deals out the memory, as a place sees it. */
export interface Lender {
  /** What of a partition may wait without a loan, bytes. */
  readonly shareBytes: number;
  /** What of a partition may wait with a loan, bytes. */
  readonly loanBytes: number;
  /** Whether a loan is more than a share. */
  readonly lends: boolean;
  /** When the latest loan was given, Unix ms. */
  readonly lentAt: number;
  askInPassing(place: BufferPlace): void;
  ask(place: BufferPlace): void;
  withdraw(place: BufferPlace): void;
  leave(place: BufferPlace): void;
  lend(): void;
}

/** What one partition holds of a SharedBuffer: what waits, and what is in hand until its commit. */
export class BufferPlace {
  readonly #lender: Lender;
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

  /**
   * @param onRoom called each time that a full place has room again.
   * @param onAnswer called each time that it got a loan, or was refused one.
   */
  constructor(lender: Lender, onRoom: () => void, onAnswer: () => void) {
    this.#lender = lender;
    this.#onRoom = onRoom;
    this.#onAnswer = onAnswer;
  }

  get waitingBytes(): number {
    return this.#waiting;
  }

  get inHandBytes(): number {
    return this.#inHand;
  }

  /** What it holds, and what it may come to hold without asking, bytes. */
  get reservedBytes(): number {
    return (
      Math.max(this.#limitBytes, this.#waiting) + Math.max(this.#lender.shareBytes, this.#inHand)
    );
  }

  /** Whether nothing more should come until there was room. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Whether what waits is as much as it may ever be. */
  get isGrown(): boolean {
    return (this.#isFull && !this.#canGrow) || this.#waiting >= this.#lender.loanBytes;
  }

  /** Whether only a loan would let more come. */
  get needsLoan(): boolean {
    return this.#isFull && this.#canGrow;
  }

  /** Whether what waits is all that there will be before it is taken. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** When it was lent what it holds; while it needs a loan, when any place was lent one. Unix ms. */
  get lentAt(): number {
    return this.needsLoan ? this.#lender.lentAt : this.#lentAt;
  }

  /** Whether it has a loan for what waits. */
  get isGrowing(): boolean {
    return this.#isGrowing;
  }

  /** How much of so many bytes may come now. */
  roomFor(bytes: number): number {
    if (this.#canGrow && this.#waiting + bytes > this.#limitBytes) this.#lender.askInPassing(this);
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
    if (this.needsLoan && !this.#isRefused) this.#lender.ask(this);
  }

  /** A loan was given. */
  grow(now: number): void {
    this.#isGrowing = true;
    this.#lentAt = now;
    this.#makeRoom(this.#lender.loanBytes);
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
    this.#lender.withdraw(this);
    this.#makeRoom(this.#lender.shareBytes / 2 + 1);
    this.#lender.lend();
  }

  /** Records that were in hand are done with. */
  release(bytes: number): void {
    this.#inHand -= bytes;
    this.#makeRoom(this.#lender.shareBytes / 2 + 1);
    this.#lender.lend();
  }

  /** Everything is dropped, for good. */
  end(): void {
    this.#waiting = 0;
    this.#inHand = 0;
    this.#lender.leave(this);
  }

  get #canGrow(): boolean {
    return this.#lender.lends && !this.#isGrowing;
  }

  get #limitBytes(): number {
    const { shareBytes, loanBytes } = this.#lender;
    return this.#isGrowing ? loanBytes : shareBytes;
  }

  #makeRoom(belowBytes: number): void {
    if (!this.#isFull || this.#waiting >= belowBytes) return;
    this.#isFull = false;
    this.#isOverfull = false;
    this.#onRoom();
  }
}
