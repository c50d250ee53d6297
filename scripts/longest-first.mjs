import Sequencer from "@jest/test-sequencer";

/** Test files that take minutes: begun last, they would run while the other workers have nothing left to do. */
const LONGEST = [
  "broken-services",
  "side-by-side",
  "spill",
  "bad-records",
  "faults-under-load",
  "insights-unanswered",
  "accounting",
  "overload",
  "standalone-faults",
  "freshness",
  "standalone",
];

/** The order in which Jest's workers take the test files: the longest first, then Jest's own order. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const placeOf = ({ path }) => {
      const place = LONGEST.findIndex((name) => path.endsWith(`/${name}.test.ts`));
      return place < 0 ? LONGEST.length : place;
    };
    return super.sort(tests).toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}
