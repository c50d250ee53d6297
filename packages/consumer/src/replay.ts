import { bookReplay } from "./book-replay.js";
import type { AskedDatabase } from "./clickhouse-statements.js";
import { type InsertLettersParts, insertLetters } from "./insert-letters.js";
import {
  completeViewsOf,
  type LettersPlace,
  storedAmong,
  withoutOtherCopies,
} from "./letters-in-reports.js";
import type { SourceRecord } from "./record-source.js";
import { buildRowLines, type RowLines } from "./row-lines.js";
import {
  type DeadLetter,
  type DeadLetterFilter,
  recordOf,
  SelectedDeadLetters,
} from "./selected-dead-letters.js";

/** What a replay did. */
export interface ReplayOutcome {
  /** Dead letters that the filter selects. */
  readonly selected: number;
  /** Those that are rows already. */
  readonly alreadyRows: number;
  /** Those that still cannot become rows: this version cannot read them, or the database refuses them. */
  readonly stillBad: number;
  /** Those that became rows, or would. */
  readonly replayed: number;
}

/** What a replay would do. */
export interface ReplayPlan extends ReplayOutcome {
  /** Those that this version can read and the database once refused: only trying tells whether it still does. In no other count but `selected`. */
  readonly decidedByTrying: number;
}

/** A dead letter that the database refuses. */
export interface RefusedLetter {
  readonly partition: number;
  readonly offset: number;
  readonly clickHouseCode: number;
}

/** Parts of a replay. */
export interface ReplayParts extends AskedDatabase, InsertLettersParts {
  /** Is told of each dead letter that the database still refuses. */
  readonly onRefused: (letter: RefusedLetter) => void;
}

/** Dead letters of one page of a partition. */
interface Page {
  readonly place: LettersPlace;
  readonly letters: readonly DeadLetter[];
  /** Those that are rows already. */
  readonly rows: readonly SourceRecord[];
  /** Those that can become rows. */
  readonly lines: RowLines;
}

/** Counts what {@link replay} would do, and writes nothing. @throws WriteError */
export async function planReplay(
  parts: AskedDatabase,
  filter: DeadLetterFilter,
): Promise<ReplayPlan> {
  let decidedByTrying = 0;
  // Of a report with several dead letters one becomes a row, wherever the others are.
  const planned = new Set<string>();
  const outcome = await forEachPage(
    parts,
    filter,
    () => planned,
    async ({ letters, lines }) => {
      const refused = new Set(
        letters.filter(({ reason }) => reason === "refused").map(({ offset }) => Number(offset)),
      );
      const { length } = lines.records.filter(({ offset }) => refused.has(offset));
      decidedByTrying += length;
      return length;
    },
  );
  return { ...outcome, stillBad: outcome.stillBad - decidedByTrying, decidedByTrying };
}

/**
 * Makes rows of the dead letters that this version can read, with their original source, partition and offset, and books them as
 * corrections of their ranges. Those that are rows already are left alone, so replaying twice doubles nothing, and so are those that the
 * database still refuses, which keep no other from becoming a row. Whatever dies on the way, running it again completes it.
 * @throws WriteError when the database refuses inserts though no dead letter is at fault; what was written before stays, and a repeated replay
 * goes on from there. ClaimError
 */
export async function replay(parts: ReplayParts, filter: DeadLetterFilter): Promise<ReplayOutcome> {
  return await forEachPage(
    parts,
    filter,
    () => new Set(),
    async (page) => {
      const { place, letters, rows, lines } = page;
      const { source, partition } = place;
      const refused = await insertLetters(place, parts, lines);
      await parts.claim.renew();
      await completeViewsOf(place, rows);
      await bookReplay(parts, source, partition, letters);
      for (const { record, clickHouseCode } of refused)
        parts.onRefused({ partition, offset: record.offset, clickHouseCode });
      return refused.length;
    },
  );
}

/**
 * @param takenAt ids of reports, at the beginning of a page, that are to be rows besides those in `reports`.
 * @param write gives how many of the lines did not become rows.
 */
async function forEachPage(
  { statements, database }: AskedDatabase,
  filter: DeadLetterFilter,
  takenAt: () => Set<string>,
  write: (page: Page) => Promise<number>,
): Promise<ReplayOutcome> {
  let outcome: ReplayOutcome = { selected: 0, alreadyRows: 0, stillBad: 0, replayed: 0 };
  const { source } = filter;
  const deadLetters = new SelectedDeadLetters(statements, database, filter);
  for (const partition of await deadLetters.partitions()) {
    const place = { statements, database, source, partition };
    let after = -1;
    for (;;) {
      const letters = await deadLetters.pageOf(partition, after);
      const last = letters.at(-1);
      if (last === undefined) break;
      after = Number(last.offset);
      const selected = letters.map(recordOf);
      const stored = await storedAmong(place, selected);
      const rows = selected.filter(({ offset }) => stored.has(offset));
      const missing = selected.filter(({ offset }) => !stored.has(offset));
      const records = await withoutOtherCopies(place, missing, takenAt());
      const { lines, unreadable } = buildRowLines(place, records);
      const refused = await write({ place, letters, rows, lines });
      outcome = {
        selected: outcome.selected + letters.length,
        alreadyRows: outcome.alreadyRows + rows.length + missing.length - records.length,
        stillBad: outcome.stillBad + unreadable.length + refused,
        replayed: outcome.replayed + lines.records.length - refused,
      };
    }
  }
  return outcome;
}
