import type { JudgedStretch } from "./judged-records.js";
import { spanOf } from "./report-range.js";

/** The latest records that were judged, of all partitions, in the order in which that was done. */
export class JudgedWindow {
  readonly #windowRecords: number;
  readonly #mostBad: number;
  /** The oldest first. */
  #stretches: JudgedStretch[] = [];
  #records = 0;

  /** @param mostBad so many of `windowRecords` records may be bad. */
  constructor(windowRecords: number, mostBad: number) {
    this.#windowRecords = windowRecords;
    this.#mostBad = mostBad;
  }

  /** Whether more than may be are bad of some `windowRecords` records in a row that end within the stretch, were it the next one. */
  isTooMany(next: JudgedStretch): boolean {
    const before = this.#badBefore(next);
    const within = next.badOffsets.map((offset) => offset - next.first);
    if (before.length + within.length <= this.#mostBad) return false;
    const places = [...before, ...within];
    return places.some((place, index) => {
      const other = places[index - this.#mostBad];
      return index >= before.length && other !== undefined && place - other < this.#windowRecords;
    });
  }

  /** The stretch is the latest; what was known of these records before is forgotten. */
  add(latest: JudgedStretch): void {
    this.#replace([...this.#without(latest), latest]);
  }

  /** What is known of a partition becomes this and what was judged behind it; it finds its place by time. */
  recall(partition: number, stretches: readonly JudgedStretch[]): void {
    const last = stretches.at(-1)?.last ?? Number.NEGATIVE_INFINITY;
    const kept = this.#stretches.filter(
      (stretch) => stretch.partition !== partition || stretch.first > last,
    );
    this.#replace([...kept, ...stretches].sort((a, b) => a.judgedAt - b.judgedAt));
  }

  /** Places of bad records before the stretch, of which the first has the place 0, in order. */
  #badBefore(next: JudgedStretch): readonly number[] {
    const places: number[] = [];
    let begin = 0;
    for (const stretch of this.#without(next).reverse()) {
      if (begin <= -this.#windowRecords) break;
      begin -= spanOf(stretch);
      for (const offset of stretch.badOffsets.toReversed()) {
        const place = begin + offset - stretch.first;
        if (place <= -this.#windowRecords) break;
        places.push(place);
      }
    }
    return places.reverse();
  }

  #without({ partition, first, last }: JudgedStretch): JudgedStretch[] {
    return this.#stretches.filter(
      (other) => other.partition !== partition || other.last < first || other.first > last,
    );
  }

  #replace(stretches: JudgedStretch[]): void {
    this.#stretches = stretches;
    this.#records = stretches.reduce((sum, stretch) => sum + spanOf(stretch), 0);
    let passed = 0;
    for (const stretch of stretches) {
      if (this.#records - spanOf(stretch) < this.#windowRecords) break;
      this.#records -= spanOf(stretch);
      passed += 1;
    }
    this.#stretches.splice(0, passed);
  }
}
