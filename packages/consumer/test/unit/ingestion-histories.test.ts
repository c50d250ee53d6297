import { describe, expect, it } from "@jest/globals";
import { CLOCK_START, nextTurn } from "@push-reports/test-support";
import fc from "fast-check";
import type { TakeLimits } from "../../src/record-source.js";
import { History, ledgerSums, outcomeOf, type RecordKind } from "../fakes/history.js";
import { IngestionWorld } from "../fakes/ingestion-world.js";
import { liveWith, type Trouble } from "../fakes/troubled-life.js";

/** Histories of one test. */
const HISTORIES = 150;
/** Records of one range may be of two months, and the parts of its insert come one by one. */
const FORTNIGHT_MS = 14 * 24 * 3_600_000;
/** Longer than a token is trusted, ms. */
const LONG_MS = 3_600_000;

/** A process's life, and what happens before the next one begins. */
interface Chapter {
  readonly appended: readonly RecordKind[];
  readonly limits: TakeLimits;
  readonly troubles: readonly Trouble[];
  readonly afterwards: "next" | "late_calls_arrive" | "long_pause";
  /** Picks one of what a test's world can suffer between two lives. */
  readonly pick: number;
}

const ARRIVED = "late_calls_arrive" as const;

const kinds: fc.Arbitrary<readonly RecordKind[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant<RecordKind>("good") },
    { weight: 1, arbitrary: fc.constant<RecordKind>("unreadable") },
    { weight: 1, arbitrary: fc.constant<RecordKind>("refused") },
    { weight: 1, arbitrary: fc.constant<RecordKind>("unwritten_before") },
    { weight: 2, arbitrary: fc.record({ of: fc.nat(30) }) },
  ),
  { maxLength: 25 },
);

const trouble: fc.Arbitrary<Trouble> = fc.oneof(
  fc.record({
    kind: fc.constant("step" as const),
    nth: fc.integer({ min: 1, max: 24 }),
    how: fc.constantFrom("crash", "end"),
  }),
  fc.record({
    kind: fc.constant("call" as const),
    part: fc.constantFrom(
      ...(["writer", "part", "probe", "ledger", "deadLetters", "storedReports", "commit"] as const),
      "position" as const,
    ),
    passing: fc.nat(5),
    moment: fc.constantFrom("before", "after"),
    how: fc.constantFrom("crash", "away"),
  }),
  fc.record({
    kind: fc.constant("late" as const),
    part: fc.constantFrom("writer", "ledger", "deadLetters", "commit"),
    passing: fc.nat(5),
  }),
);

const stories: fc.Arbitrary<readonly Chapter[]> = fc.array(
  fc.record({
    appended: kinds,
    limits: fc.record({
      maxRecords: fc.integer({ min: 1, max: 12 }),
      maxBytes: fc.integer({ min: 1, max: 6_000 }),
      maxDelayMs: fc.constant(100),
    }),
    troubles: fc.array(trouble, { maxLength: 3 }),
    afterwards: fc.constantFrom("next", "late_calls_arrive", "long_pause"),
    pick: fc.nat(99),
  }),
  { minLength: 1, maxLength: 6 },
);

/** Lives through a story; a call that hangs comes to its end before the token of its range is forgotten, as a server sees to. */
async function liveThrough(
  story: readonly Chapter[],
  between: (world: IngestionWorld, pick: number) => void = () => undefined,
) {
  const world = new IngestionWorld();
  const history = new History(world);
  let late: (() => void)[] = [];
  const arrive = async () => {
    for (const release of late) release();
    late = [];
    await nextTurn();
  };
  for (const { appended, limits, troubles, afterwards, pick } of story) {
    history.append(appended, { receivedAt: new Date(CLOCK_START - (pick % 3) * FORTNIGHT_MS) });
    late.push(...(await liveWith(world, { limits }, troubles)));
    if (afterwards !== "next") await arrive();
    if (afterwards === "long_pause") {
      world.writer.forgetTokens();
      world.clock.leap(LONG_MS);
    }
    between(world, pick);
  }
  // What retention removed is booked with the next record that there is.
  history.append(["good"]);
  // A failure that was planned for a call which hung may still be waiting: then one more process takes over.
  for (let lives = 0; lives < 5; lives += 1) if (!(await world.live()).crashed) break;
  await arrive();
  return { world, history };
}

function expectExactlyOnce(world: IngestionWorld, history: History): void {
  const { rows, deadLetters, repeated } = history.outcome;
  expect(outcomeOf(world)).toEqual({ rows, deadLetters });
  expect(ledgerSums(world)).toEqual({
    end: world.log.highWatermark,
    rows: rows.length,
    setAside: deadLetters.length,
    repeated: repeated.length,
    absent: 0,
  });
}

/** The group loses its last commits, or all of them, once everything is complete. */
function loseCommits({ log, ledger }: IngestionWorld, pick: number): void {
  const end = Math.max(0, ...ledger.entries.map(({ last }) => last + 1));
  const earlier = log.commits[pick % Math.max(1, log.commits.length)];
  if (earlier === undefined || end < log.highWatermark) return;
  if (pick % 4 === 0) log.forgetCommits();
  else log.commit(earlier.offset, earlier.metadata);
}

describe("ingestion, whatever dies whenever,", () => {
  it("makes one row of every report, and one dead letter of what cannot be one", async () => {
    await fc.assert(
      fc.asyncProperty(stories, async (story) => {
        const { world, history } = await liveThrough(story);
        expectExactlyOnce(world, history);
      }),
      { numRuns: HISTORIES },
    );
  });

  it("does nothing again when the group loses commits of what is complete", async () => {
    await fc.assert(
      fc.asyncProperty(stories, async (story) => {
        const { world, history } = await liveThrough(story, loseCommits);
        expectExactlyOnce(world, history);
      }),
      { numRuns: HISTORIES },
    );
  });

  it("accounts for every offset when retention overtakes it, and doubles nothing", async () => {
    await fc.assert(
      fc.asyncProperty(stories, async (story) => {
        // An insert takes seconds and retention days: none is under way while its records are removed.
        const settled = story.map((chapter) => ({ ...chapter, afterwards: ARRIVED }));
        const { world, history } = await liveThrough(settled, ({ log }, pick) =>
          log.trimTo(log.lowWatermark + (pick % 20)),
        );
        const { rows, deadLetters, repeated } = history.outcome;
        const outcome = outcomeOf(world);
        const sums = ledgerSums(world);
        expect(new Set(outcome.rows).size).toBe(outcome.rows.length);
        expect(sums.end).toBe(world.log.highWatermark);
        expect(sums.rows).toBe(outcome.rows.length);
        // A copy of a report that retention removed before it was read is the report now.
        expect([...rows, ...repeated]).toEqual(expect.arrayContaining([...outcome.rows]));
        expect(deadLetters).toEqual(expect.arrayContaining([...outcome.deadLetters]));
        expect(sums.setAside).toBeLessThanOrEqual(outcome.deadLetters.length);
        expect(sums.absent).toBeLessThanOrEqual(world.log.lowWatermark);
      }),
      { numRuns: HISTORIES },
    );
  });
});
