import type { Logger } from "@push-reports/service-kit";
import type { DeadLetters } from "./dead-letters.js";
import { findBadRecords } from "./find-bad-records.js";
import { findRepeats } from "./find-repeats.js";
import type { Ledger } from "./ledger.js";
import type { AssignedPartition } from "./record-source.js";
import { encodeIntent, type ReportRange, spanOf } from "./report-range.js";
import { type ReportWriter, WriteError } from "./report-writer.js";
import { type BadRecord, buildRowLines, type RowLines, selectLines } from "./row-lines.js";
import type { StoredReports } from "./stored-reports.js";
import type { WriteRetrier } from "./write-retrier.js";

/** The steps of the protocol, in order. */
export type IngestStep =
  | "cut"
  | "intent_committed"
  | "set_aside"
  | "inserted"
  | "ledger_written"
  | "committed";

/** What became of a range's offsets. */
export interface RangeCounts {
  readonly rows: number;
  readonly setAside: number;
  readonly repeated: number;
  readonly absent: number;
}

/** Hears of each step as it is reached; the protocol goes on once `reached` has resolved. */
export interface IngestObserver {
  reached(step: IngestStep, range: ReportRange): Promise<void>;
  setAside(bad: readonly BadRecord[]): void;
  completed(range: ReportRange, counts: RangeCounts, rowBytes: number): void;
}

/** The collaborators of the protocol. */
export interface IngestParts {
  readonly writer: ReportWriter;
  readonly deadLetters: DeadLetters;
  readonly ledger: Ledger;
  readonly storedReports: StoredReports;
  readonly retrier: WriteRetrier;
  readonly observer: IngestObserver;
  readonly logger: Logger;
}

/** How one range follows another. */
export interface RangeTurn {
  /** Its intent was committed already: with the range before it, or by an earlier owner. */
  readonly announced: boolean;
  /** Offsets of it that are rows already: known when it is recovered by looking them up, else empty. */
  readonly stored: ReadonlySet<number>;
  /** Cuts the range that follows when its records are there, so that its intent rides along with this one's commit. */
  readonly cutNext: () => ReportRange | null;
}

/**
 * Takes one range from the log into the tables, exactly once, whatever dies at any line: each step is durable before the
 * next begins, and a successor that finds the intent does the same again under the same name.
 * @returns the next range, announced, when there was one.
 * @throws EpochEndedError when the partition is no longer ours: nothing after that line has happened.
 */
export async function ingestRange(
  range: ReportRange,
  assigned: AssignedPartition,
  parts: IngestParts,
  turn: RangeTurn,
): Promise<ReportRange | null> {
  const { observer, retrier, ledger } = parts;
  const { ended } = assigned;

  await observer.reached("cut", range);
  if (!turn.announced) await assigned.commit(range.first, encodeIntent(range));
  await observer.reached("intent_committed", range);

  const missing = range.records.filter((record) => !turn.stored.has(record.offset));
  const repeated = await findRepeats(missing, (candidates) =>
    retrier.run("look_up", ended, () =>
      parts.storedReports.repeatedAmong(range.partition, candidates),
    ),
  );
  const fresh = missing.filter((record) => !repeated.has(record.offset));
  const { lines, unreadable } = buildRowLines(range, fresh);
  await setAside(range, unreadable, ended, parts);
  await observer.reached("set_aside", range);

  const inserted = await insertRows(range, lines, ended, parts);
  await observer.reached("inserted", range);

  const counts: RangeCounts = {
    rows: turn.stored.size + inserted.records.length,
    setAside: fresh.length - inserted.records.length,
    repeated: repeated.size,
    absent: spanOf(range) - turn.stored.size - missing.length,
  };
  const receivedTo = latestReceipt(range);
  await retrier.run("ledger", ended, () => ledger.close({ ...range, ...counts, receivedTo }));
  await observer.reached("ledger_written", range);

  const next = turn.cutNext();
  await assigned.commit(range.last + 1, next === null ? "" : encodeIntent(next));
  await observer.reached("committed", range);
  if (counts.absent > 0) nameAbsent(range, counts, parts.logger);
  observer.completed(range, counts, inserted.bytes.length);
  return next;
}

/** Inserts every line that the database takes, in one insert under the range's name, and sets the others aside before it. */
async function insertRows(
  range: ReportRange,
  lines: RowLines,
  ended: AbortSignal,
  parts: IngestParts,
): Promise<RowLines> {
  const { retrier, writer } = parts;
  let remaining = lines;
  for (;;) {
    try {
      const rows = remaining;
      await retrier.run("insert", ended, () => writer.write(range.name, rows));
      return rows;
    } catch (error) {
      if (!(error instanceof WriteError)) throw error;
      const refused = await findBadRecords(remaining, (some) =>
        retrier.run("probe", ended, () => writer.probe(some)),
      );
      if (refused.length === 0) return await insertWhenMended(range, remaining, ended, parts);
      await setAside(range, refused, ended, parts);
      const bad = new Set(refused.map(({ record }) => record));
      remaining = selectLines(remaining, (record) => !bad.has(record));
    }
  }
}

/** No record is at fault, though the database's error looked like it: then it is the deployment, and no row is given up. */
async function insertWhenMended(
  range: ReportRange,
  lines: RowLines,
  ended: AbortSignal,
  { retrier, writer }: IngestParts,
): Promise<RowLines> {
  await retrier.run("insert", ended, async () => {
    try {
      await writer.write(range.name, lines);
    } catch (error) {
      if (!(error instanceof WriteError) || error.failure !== "bad_record") throw error;
      throw new WriteError("misconfigured", error.clickHouseCode, error.message, error);
    }
  });
  return lines;
}

async function setAside(
  range: ReportRange,
  bad: readonly BadRecord[],
  ended: AbortSignal,
  { retrier, deadLetters, observer }: IngestParts,
): Promise<void> {
  if (bad.length === 0) return;
  const { name, source, partition } = range;
  await retrier.run("dead_letters", ended, () =>
    deadLetters.setAside({ name, source, partition, records: bad }),
  );
  observer.setAside(bad);
}

function latestReceipt({ records }: ReportRange): Date | null {
  if (records.length === 0) return null;
  return new Date(records.reduce((latest, { timestampMs }) => Math.max(latest, timestampMs), 0));
}

function nameAbsent(range: ReportRange, { absent }: RangeCounts, logger: Logger): void {
  const { source, partition, first, last, name } = range;
  const at = range.records[0]?.offset ?? null;
  logger.error("records_absent", { source, partition, first, last, name, absent, firstHeld: at });
}
