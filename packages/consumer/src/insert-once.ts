import type { Clock, Logger } from "@push-reports/service-kit";
import { receiptWindowOf } from "./receipt-times.js";
import type { Epoch } from "./record-source.js";
import type { ReportRange } from "./report-range.js";
import { type ReportWriter, WriteError } from "./report-writer.js";
import { type RowLines, selectLines } from "./row-lines.js";
import type { StoredReports, StoredStretch } from "./stored-reports.js";
import type { WriteRetrier } from "./write-retrier.js";

/** The collaborators of {@link insertOnce}. */
export interface InsertOnceParts {
  readonly writer: ReportWriter;
  readonly storedReports: StoredReports;
  readonly retrier: WriteRetrier;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** An insert, and whether an attempt at it may have been made before. */
export interface OneInsert {
  readonly range: ReportRange;
  readonly token: string;
  readonly mayBeStored: boolean;
  /** Rows of the range are known to be there already, besides the lines to insert. */
  readonly isPartlyStored: boolean;
  readonly epoch: Epoch;
}

/** How far the clocks of two consumers and the database's whole seconds may be apart, ms. */
const CLOCK_MARGIN_MS = 60_000;
/** Inserts in a row that the database may acknowledge although their rows are not there. */
const MAX_HOLLOW = 3;
/** Between writing a token down and putting the rows in place pass microseconds, ms: whoever is at it has ended by then. */
const SETTLE_MS = 2_000;

/**
 * Makes attempts at one insert that together leave one row of each line, also where ClickHouse itself dies. The token alone does that
 * only as long as the database lives: a plain table writes the token down before the part is renamed into place, and never syncs it
 * (seen with 26.7 by its system calls). A kill in between leaves a token without rows, and a repetition is acknowledged and inserts nothing;
 * a power cut can leave rows without their token, and a repetition doubles them. So once the database has started anew since the
 * first attempt, `reports` is asked, what is not there is inserted, and `reports` is asked again. Rows that are there already may lack their
 * views, which are given them once more.
 * @returns an attempt, for a {@link WriteRetrier}.
 */
export function insertOnce(
  insert: OneInsert,
  parts: InsertOnceParts,
  lines: RowLines,
): () => Promise<void> {
  const { range, token, mayBeStored } = insert;
  const { writer, clock } = parts;
  let firstAttemptAt = mayBeStored ? range.cutAt.getTime() - CLOCK_MARGIN_MS : null;
  return async () => {
    if (firstAttemptAt === null) firstAttemptAt = clock.now();
    else if ((await writer.rememberedSince()).getTime() > firstAttemptAt)
      return await insertMissing(insert, parts, lines);
    await writer.write(token, lines);
    if (insert.isPartlyStored) await writer.completeViews(stretchOf(range));
  };
}

async function insertMissing(
  insert: OneInsert,
  parts: InsertOnceParts,
  lines: RowLines,
): Promise<void> {
  const { range, token } = insert;
  const { writer, logger, clock } = parts;
  const stretch = stretchOf(range);
  let missing = await missingLines(insert, parts, stretch, lines);
  const wasStored = insert.isPartlyStored || missing.records.length < lines.records.length;
  for (let hollow = 0; missing.records.length > 0; hollow += 1) {
    if (hollow > MAX_HOLLOW)
      throw new WriteError("passes_with_time", 0, `${range.name} is acknowledged and not there`);
    await writer.write(hollow === 0 ? token : `${token}/again-${hollow}`, missing);
    missing = await missingLines(insert, parts, stretch, missing);
    if (missing.records.length === 0) break;
    const { name, source, partition } = range;
    logger.error("insert_hollow", { name, source, partition, rows: missing.records.length });
    await clock.sleep(SETTLE_MS, insert.epoch.ended);
    missing = await missingLines(insert, parts, stretch, missing);
  }
  if (wasStored) await writer.completeViews(stretch);
}

async function missingLines(
  { epoch }: OneInsert,
  { storedReports, retrier }: InsertOnceParts,
  stretch: StoredStretch,
  lines: RowLines,
): Promise<RowLines> {
  if (lines.records.length === 0) return lines;
  const stored = await retrier.run("look_up", epoch, () => storedReports.offsetsIn(stretch));
  return stored.size === 0 ? lines : selectLines(lines, ({ offset }) => !stored.has(offset));
}

/** Where the range's rows are, and between which times of receipt. */
function stretchOf(range: ReportRange): StoredStretch {
  const { partition, first, last } = range;
  return { partition, first, last, ...receiptWindowOf(range) };
}
