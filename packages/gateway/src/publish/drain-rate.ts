/**
 * How fast records leave, from the two whole seconds before this one. Where nothing left in one of them the pace is not known: a
 * standstill, and the parts of a second around it, say nothing of what comes after.
 */
export class DrainRate {
  #second = 0;
  #bytes = 0;
  #bytesBefore = 0;
  #bytesBeforeThat = 0;

  /** So many bytes were acknowledged. @param now ms */
  left(bytes: number, now: number): void {
    this.#turnTo(now);
    this.#bytes += bytes;
  }

  /** How long what waits will take, ms; 0 when the pace is not known. */
  waitMs(waitingBytes: number, now: number): number {
    this.#turnTo(now);
    if (this.#bytesBefore === 0 || this.#bytesBeforeThat === 0) return 0;
    return (waitingBytes / Math.max(this.#bytesBefore, this.#bytesBeforeThat)) * 1_000;
  }

  #turnTo(now: number): void {
    const second = Math.floor(now / 1_000);
    const passed = second - this.#second;
    if (passed === 0) return;
    this.#bytesBeforeThat = passed === 1 ? this.#bytesBefore : 0;
    this.#bytesBefore = passed === 1 ? this.#bytes : 0;
    this.#bytes = 0;
    this.#second = second;
  }
}
