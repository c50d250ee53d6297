import type { BadShareBreaker, Judgement } from "./bad-share-breaker.js";
import {
  findBadRecords,
  LOOK_AGAIN_MS,
  type Probe,
  refusesEverything,
} from "./find-bad-records.js";
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
    let looks = 0;
    const judge = async (before: Judgement | null) => {
      if (before !== null && (await areStillRefused(insert, rows, before.bad, looks++)))
        return before;
      return await refusedUnlessInserted(insert, rows, attempt);
    };
    const refused = await parts.breaker.admit(range, judge, epoch.ended);
    if (refused.length === 0) return rows;
    await setAside(range, refused, epoch, parts);
    const bad = new Set(refused.map(({ record }) => record));
    remaining = selectLines(rows, (record) => !bad.has(record));
  }
}

/** Of a held range's bad records, so many are asked about before the whole range is searched again. */
const SAMPLES = 4;

/**
 * Whether nothing has been mended as far as a few of the bad records tell, other ones at each look. Only what the database refused can be
 * mended while this process runs.
 */
async function areStillRefused(
  insert: RowsInsert,
  lines: RowLines,
  before: readonly BadRecord[],
  look: number,
): Promise<boolean> {
  const refused = before.filter(({ reason }) => reason === "refused");
  const step = Math.max(1, Math.ceil(refused.length / SAMPLES));
  const sample = refused.filter((_, index) => index % step === look % step);
  for (const { record } of sample) {
    const line = selectLines(lines, (other) => other === record);
    try {
      await probeOf(insert)(line);
      return false;
    } catch (error) {
      if (!(error instanceof WriteError) || error.failure !== "bad_record") throw error;
    }
  }
  return true;
}

/**
 * The records that are at fault; none once all are inserted after all. When none is at fault, though the database's error looked like it, it
 * is the deployment, and no row is given up. When it is not clear, it passes with time. Both are repeated, and looked into again each time.
 * @param attempt the same as before: it knows since when rows of it may be there.
 */
async function refusedUnlessInserted(
  insert: RowsInsert,
  rows: RowLines,
  attempt: () => Promise<void>,
): Promise<Judgement> {
  const { epoch, parts } = insert;
  return await parts.retrier.run("insert", epoch, async () => {
    const refused = await refusedAmong(insert, rows);
    if (refused !== null && refused.bad.length > 0) return refused;
    try {
      await attempt();
      return NONE_BAD;
    } catch (error) {
      if (!(error instanceof WriteError) || error.failure !== "bad_record") throw error;
      const failure = refused === null ? "passes_with_time" : "misconfigured";
      throw new WriteError(failure, error.clickHouseCode, error.message, error);
    }
  });
}

const NONE_BAD: Judgement = { bad: [], isWhole: true };

/** The records that are at fault; none when the tables are; null when that is not clear. */
async function refusedAmong(insert: RowsInsert, lines: RowLines): Promise<Judgement | null> {
  const { range, epoch, parts } = insert;
  const probe = probeOf(insert);
  const control = controlLine(range);
  if (await refusesEverything(lines, control, probe)) return NONE_BAD;
  let isWhole = true;
  const bad = await findBadRecords(lines, probe, {
    isEnough: (found) => {
      const isEnough = parts.breaker.isTooMany(range, found);
      if (isEnough) isWhole = false;
      return isEnough;
    },
    control,
    pause: () => parts.clock.sleep(LOOK_AGAIN_MS, epoch.ended),
  });
  return bad === null ? null : { bad, isWhole };
}

function probeOf({ range, epoch, parts }: RowsInsert): Probe {
  const { retrier, writer, observer } = parts;
  return async (lines) => {
    // A search that nobody waits for any more must not speak of a partition that may be another consumer's by now.
    epoch.ended.throwIfAborted();
    observer.probed?.(range);
    await retrier.run("probe", epoch, () => writer.probe(lines));
  };
}
