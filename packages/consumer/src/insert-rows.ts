import type { BadShareBreaker } from "./bad-share-breaker.js";
import { findBadRecords, refusesEverything } from "./find-bad-records.js";
import { type InsertOnceParts, insertOnce } from "./insert-once.js";
import type { Epoch } from "./record-source.js";
import type { ReportRange } from "./report-range.js";
import { WriteError } from "./report-writer.js";
import { type BadRecord, controlLine, type RowLines, selectLines } from "./row-lines.js";
import { type SetAsideParts, setAside } from "./set-aside.js";

/** The collaborators of {@link insertRows}. */
export interface InsertRowsParts extends InsertOnceParts, SetAsideParts {
  readonly breaker: BadShareBreaker;
}

/** One range's insert. */
export interface RowsInsert {
  readonly range: ReportRange;
  /** What the database recognises a repetition by. */
  readonly token: string;
  readonly mayBeStored: boolean;
  readonly isPartlyStored: boolean;
  readonly epoch: Epoch;
  readonly parts: InsertRowsParts;
}

/** Inserts every line that the database takes, in one insert under the token, and sets the others aside before it. */
export async function insertRows(insert: RowsInsert, lines: RowLines): Promise<RowLines> {
  const { range, epoch, parts } = insert;
  let remaining = lines;
  for (;;) {
    const rows = remaining;
    const attempt = insertOnce(insert, parts, rows);
    try {
      await parts.retrier.run("insert", epoch, attempt);
      return rows;
    } catch (error) {
      if (!(error instanceof WriteError)) throw error;
    }
    const refused = await parts.breaker.admit(range, () => refusedAmong(insert, rows), epoch.ended);
    if (refused.length === 0) {
      await insertWhenMended(insert, attempt);
      return rows;
    }
    await setAside(range, refused, epoch, parts);
    const bad = new Set(refused.map(({ record }) => record));
    remaining = selectLines(rows, (record) => !bad.has(record));
  }
}

/** The records that are at fault; none when the tables are. */
async function refusedAmong(
  { range, epoch, parts }: RowsInsert,
  lines: RowLines,
): Promise<readonly BadRecord[]> {
  const { retrier, writer, observer, breaker } = parts;
  const probe = async (some: RowLines) => {
    observer.probed?.(range);
    await retrier.run("probe", epoch, () => writer.probe(some));
  };
  if (await refusesEverything(lines, controlLine(range), probe)) return [];
  return await findBadRecords(lines, probe, { enough: breaker.enoughBad });
}

/**
 * No record is at fault, though the database's error looked like it: then it is the deployment, and no row is given up.
 * @param attempt the same as before: it knows since when rows of it may be there.
 */
async function insertWhenMended(
  { epoch, parts }: RowsInsert,
  attempt: () => Promise<void>,
): Promise<void> {
  await parts.retrier.run("insert", epoch, async () => {
    try {
      await attempt();
    } catch (error) {
      if (!(error instanceof WriteError) || error.failure !== "bad_record") throw error;
      throw new WriteError("misconfigured", error.clickHouseCode, error.message, error);
    }
  });
}
