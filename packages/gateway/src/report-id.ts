import { randomFillSync } from "node:crypto";

const POOL_BYTES = 4_096;
const RANDOM_BYTES = 8;
const MAX_SEQUENCE = 0xfff;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/**
 * Makes UUIDv7 texts in lower case, each greater than the one before: Unix milliseconds, a sequence of 12 bits within
 * the millisecond, 62 random bits. When a millisecond's sequence is used up, or the clock goes back, ids run ahead of it.
 * Written here because the usual library takes ten times as long, which would be a twentieth of a request.
 */
export class ReportIds {
  readonly #now: () => number;
  readonly #pool = Buffer.alloc(POOL_BYTES);
  #used = POOL_BYTES;
  #lastMs = -1;
  #sequence = 0;

  /** @param now Unix milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  next(): string {
    this.#advance();
    const at = this.#takeRandom();
    const time = this.#lastMs.toString(16).padStart(12, "0");
    const sequence = this.#sequence.toString(16).padStart(3, "0");
    const variant = HEX[0x80 | (this.#byte(at) & 0x3f)];
    return (
      `${time.slice(0, 8)}-${time.slice(8)}-7${sequence}-${variant}${this.#hex(at + 1, 1)}` +
      `-${this.#hex(at + 2, 6)}`
    );
  }

  #advance(): void {
    const nowMs = this.#now();
    if (nowMs > this.#lastMs) {
      this.#lastMs = nowMs;
      this.#sequence = 0;
    } else if (this.#sequence < MAX_SEQUENCE) {
      this.#sequence += 1;
    } else {
      this.#lastMs += 1;
      this.#sequence = 0;
    }
  }

  #takeRandom(): number {
    if (this.#used + RANDOM_BYTES > POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += RANDOM_BYTES;
    return at;
  }

  #byte(at: number): number {
    return this.#pool[at] ?? 0;
  }

  #hex(at: number, length: number): string {
    let text = "";
    for (let index = at; index < at + length; index += 1) text += HEX[this.#byte(index)];
    return text;
  }
}
