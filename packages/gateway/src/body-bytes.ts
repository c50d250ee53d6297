/** What a second chunk is given room for at least. */
const MIN_CAPACITY_BYTES = 1_024;

/**
 * The bytes of a body as they come. A body of one chunk, as nearly all are, is that chunk; more chunks are copied together, since a
 * Buffer for each costs some 200 bytes, and a client may send chunks of one.
 */
export class BodyBytes {
  readonly #maxBytes: number;
  #buffer: Buffer = EMPTY;
  #length = 0;

  /** @param maxBytes of all chunks together. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Takes one more chunk. @throws RangeError beyond the bound. */
  add(chunk: Buffer): void {
    const length = this.#length + chunk.length;
    if (length > this.#maxBytes) throw new RangeError(`A body holds ${this.#maxBytes} bytes`);
    if (this.#length === 0) {
      this.#buffer = chunk;
    } else {
      if (length > this.#buffer.length) this.#grow(length);
      chunk.copy(this.#buffer, this.#length);
    }
    this.#length = length;
  }

  /** All of them; not to be added to any more. */
  whole(): Buffer {
    return this.#buffer.length === this.#length
      ? this.#buffer
      : this.#buffer.subarray(0, this.#length);
  }

  #grow(length: number): void {
    const capacity = Math.max(MIN_CAPACITY_BYTES, 2 * length);
    const grown = Buffer.allocUnsafe(Math.min(capacity, this.#maxBytes));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}

const EMPTY = Buffer.alloc(0);
