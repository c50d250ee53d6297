import type { Clock } from "./clock.js";

/** A line that is said again and again is written once in this time, ms. */
const REPEAT_MS = 60_000;
/** Lines that differ, within {@link REPEAT_MS}; more than these are left out and counted together. */
const MAX_DIFFERENT = 50;

/** What a line that is written carries. */
export interface RepeatedFields {
  /** How many lines like it were left out before it. */
  readonly leftOut?: number;
  /** How many other lines were left out that nothing else tells of: of too many different ones. */
  readonly othersLeftOut?: number;
}

/** Bounds how much of what goes on for long comes into the log: a line is written at once, and then once a minute for as long as it goes on. */
export class RepeatedLines {
  readonly #clock: Pick<Clock, "now">;
  /** By line; the one that was written first comes first. */
  readonly #written = new Map<string, { at: number; leftOut: number }>();
  #othersLeftOut = 0;

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** What the line must carry; null when it must be left out. @param line what makes it the same as another one. */
  next(line: string): RepeatedFields | null {
    const now = this.#clock.now();
    const last = this.#written.get(line);
    if (last !== undefined && now - last.at < REPEAT_MS) {
      last.leftOut += 1;
      return null;
    }
    this.#written.delete(line);
    this.#forget(now);
    if (this.#written.size >= MAX_DIFFERENT) {
      this.#othersLeftOut += 1;
      return null;
    }
    this.#written.set(line, { at: now, leftOut: 0 });
    const leftOut = last?.leftOut ?? 0;
    const othersLeftOut = this.#othersLeftOut;
    this.#othersLeftOut = 0;
    return { ...(leftOut > 0 && { leftOut }), ...(othersLeftOut > 0 && { othersLeftOut }) };
  }

  /** What the line says has ended: when it begins anew it is written at once. */
  end(line: string): void {
    const last = this.#written.get(line);
    if (last !== undefined) last.at = Number.NEGATIVE_INFINITY;
  }

  /** Makes room for other lines, once it is needed: until then the number of those that were left out is kept by line. */
  #forget(now: number): void {
    for (const [line, { at, leftOut }] of this.#written) {
      if (this.#written.size < MAX_DIFFERENT || now - at < REPEAT_MS) return;
      this.#written.delete(line);
      this.#othersLeftOut += leftOut;
    }
  }
}
