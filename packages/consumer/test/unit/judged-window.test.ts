import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { JudgedStretch } from "../../src/judged-records.js";
import { JudgedWindow } from "../../src/judged-window.js";

const stretch = (
  first: number,
  bad: readonly boolean[],
  more: Partial<JudgedStretch> = {},
): JudgedStretch => ({
  partition: 0,
  first,
  last: first + bad.length - 1,
  judgedAt: 0,
  badOffsets: bad.flatMap((isBad, index) => (isBad ? [first + index] : [])),
  ...more,
});
const bad = (count: number) => Array<boolean>(count).fill(true);
const good = (count: number) => Array<boolean>(count).fill(false);

/** Whether of some `window` records in a row, the last of them a new one, more than `most` are bad. */
const plainly = (
  before: readonly boolean[],
  next: readonly boolean[],
  window: number,
  most: number,
) => {
  const all = [...before, ...next];
  return next.some((_, index) => {
    const end = before.length + index + 1;
    return all.slice(Math.max(0, end - window), end).filter(Boolean).length > most;
  });
};

describe("the window of judged records", () => {
  it("says what counting every window says, however the records are cut", async () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.nat({ max: 30 }),
        fc.array(fc.array(fc.boolean(), { minLength: 1, maxLength: 25 }), { maxLength: 12 }),
        (windowRecords, most, cut) => {
          const mostBad = Math.min(most, windowRecords);
          const window = new JudgedWindow(windowRecords, mostBad);
          const judged: boolean[] = [];
          for (const records of cut) {
            const next = stretch(judged.length, records);
            // Only windows that end in a bad record can be the first to hold too many.
            const ends = records
              .map((isBad, index) => (isBad ? index : -1))
              .filter((at) => at >= 0);
            const expected = ends.some((end) =>
              plainly([...judged, ...records.slice(0, end)], [true], windowRecords, mostBad),
            );
            expect(window.isTooMany(next)).toBe(expected);
            window.add(next);
            judged.push(...records);
          }
        },
      ),
    );
  });

  it("puts what it is told of a partition where it belongs by time, in place of what it knew of it", () => {
    const window = new JudgedWindow(100, 20);
    window.add(stretch(0, bad(15), { judgedAt: 10 }));
    window.add(stretch(0, good(200), { partition: 1, judgedAt: 20 }));
    expect(window.isTooMany(stretch(15, bad(20)))).toBe(false);

    window.recall(0, [
      stretch(0, bad(10), { judgedAt: 15 }),
      stretch(10, [...good(30), ...bad(10)], { judgedAt: 30 }),
    ]);
    expect(window.isTooMany(stretch(50, bad(10)))).toBe(false);
    expect(window.isTooMany(stretch(50, bad(11)))).toBe(true);
  });

  it("keeps what was judged behind all that it is told of a partition", () => {
    const window = new JudgedWindow(100, 20);
    window.add(stretch(0, bad(5), { judgedAt: 10 }));
    window.add(stretch(50, bad(15), { judgedAt: 20 }));
    window.recall(0, [stretch(0, good(10), { judgedAt: 5 })]);
    expect(window.isTooMany(stretch(65, bad(5)))).toBe(false);
    expect(window.isTooMany(stretch(65, bad(6)))).toBe(true);
    window.recall(0, []);
    expect(window.isTooMany(stretch(65, bad(6)))).toBe(true);
  });

  it("counts the records of a stretch once that is judged again", () => {
    const window = new JudgedWindow(100, 20);
    const again = stretch(0, [...bad(10), ...good(90)]);
    window.add(again);
    window.add(stretch(0, good(50), { partition: 1 }));
    expect(window.isTooMany(stretch(0, [...bad(20), ...good(80)]))).toBe(false);
    window.add(stretch(0, [...bad(20), ...good(10)]));
    expect(window.isTooMany(stretch(30, bad(1)))).toBe(true);
  });
});
