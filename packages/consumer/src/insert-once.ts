import type { Clock, Logger } from "@push-reports/service-kit";
import type { Ledger } from "./ledger.js";
import { receivedAtMs, stretchOf } from "./receipt-times.js";
import type { Epoch } from "./record-source.js";
import { insertedSince, type ReportRange } from "./report-range.js";
import { type ReportWriter, WriteError } from "./report-writer.js";
import { type RowLines, selectLines } from "./row-lines.js";
import type { StoredReports, StoredStretch } from "./stored-reports.js";
import type { WriteRetrier } from "./write-retrier.js";

/** The collaborators of {@link insertOnce}. */
export interface InsertOnceParts {
  readonly writer: ReportWriter;
  readonly storedReports: StoredReports;
  readonly ledger: Ledger;
  readonly retrier: WriteRetrier;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long after it was cut a range's token is sure to be remembered, ms; past that its rows are looked up. */
  readonly tokenTrustMs: number;
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
 * The same once the range is so old that its token may be forgotten: the database was out of reach for long, or this process stood still
 * between two lines. Then a successor may have completed the range as well, so the ledger is asked too.
 * @returns an attempt, for a {@link WriteRetrier}.
 */
export function insertOnce(
  insert: OneInsert,
  parts: InsertOnceParts,
  lines: RowLines,
): () => Promise<void> {
  const { range, token, mayBeStored, epoch } = insert;
  const { writer, clock } = parts;
  let firstAttemptAt = mayBeStored ? insertedSince(range) : null;
  return async () => {
    let mustLookUp = false;
    if (firstAttemptAt === null) firstAttemptAt = clock.now();
    else mustLookUp = (await writer.rememberedSince()).getTime() > firstAttemptAt;
    if (mustLookUp || isOld(range, parts)) return await insertMissing(insert, parts, lines);
    epoch.ended.throwIfAborted();
    await writer.write(token, lines);
    if (insert.isPartlyStored) await writer.completeViews(stretchOf(range));
  };
}

/** Whether the range was cut so long ago that what was written under its name may be forgotten. */
export function isOld(
  { cutAt }: ReportRange,
  { clock, tokenTrustMs }: Pick<InsertOnceParts, "clock" | "tokenTrustMs">,
): boolean {
  return clock.now() - cutAt.getTime() > tokenTrustMs;
}

async function insertMissing(
  insert: OneInsert,
  parts: InsertOnceParts,
  lines: RowLines,
): Promise<void> {
  const { range, token, epoch } = insert;
  const { writer, logger, clock } = parts;
  const stretch = stretchOf(range);
  let missing = await missingLines(insert, parts, stretch, lines);
  const wasStored = insert.isPartlyStored || missing.records.length < lines.records.length;
  missing = await unbookedLines(insert, parts, missing);
  for (let hollow = 0; missing.records.length > 0; hollow += 1) {
    if (hollow > MAX_HOLLOW)
      throw new WriteError("passes_with_time", 0, `${range.name} is acknowledged and not there`);
    epoch.ended.throwIfAborted();
    await writer.write(hollow === 0 ? token : `${token}/again-${hollow}`, missing);
    missing = await missingLines(insert, parts, stretch, missing);
    missing = await unexpiredLines(insert, parts, missing);
    if (missing.records.length === 0) break;
    const { name, source, partition } = range;
    logger.error("insert_hollow", { name, source, partition, rows: missing.records.length });
    await clock.sleep(SETTLE_MS, epoch.ended);
    missing = await missingLines(insert, parts, stretch, missing);
  }
  epoch.ended.throwIfAborted();
  if (wasStored) await writer.completeViews(stretch);
}

/** What the table is sure to keep: rows beyond their age are inserted and gone again, and another attempt would change nothing. */
async function unexpiredLines(
  { range, epoch }: OneInsert,
  { storedReports, retrier, logger }: InsertOnceParts,
  lines: RowLines,
): Promise<RowLines> {
  if (lines.records.length === 0) return lines;
  const before = await retrier.run("look_up", epoch, () => storedReports.expiredBefore());
  const kept = selectLines(lines, (record) => receivedAtMs(record) >= before.getTime());
  const rows = lines.records.length - kept.records.length;
  const { name, source, partition } = range;
  if (rows > 0) logger.warn("rows_expired", { name, source, partition, rows, before });
  return kept;
}

/** What the ledger does not call complete: a successor may have booked as absent what it no longer found in the log. */
async function unbookedLines(
  { range, epoch }: OneInsert,
  { ledger, retrier, logger }: InsertOnceParts,
  lines: RowLines,
): Promise<RowLines> {
  if (lines.records.length === 0) return lines;
  const { name, source, partition, first } = range;
  const end = await retrier.run("look_up", epoch, () => ledger.endFrom(partition, first));
  if (end === null || end <= first) return lines;
  const unbooked = selectLines(lines, ({ offset }) => offset >= end);
  const rows = lines.records.length - unbooked.records.length;
  logger.warn("rows_booked_meanwhile", { name, source, partition, rows, end });
  return unbooked;
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
