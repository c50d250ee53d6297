import { createHash } from "node:crypto";
import { decodeReport } from "@push-reports/report";
import { bookReplay } from "./book-replay.js";
import type { ClickHouseStatements } from "./clickhouse-statements.js";
import { uuidList } from "./clickhouse-uuids.js";
import { findBadRecords, refusesEverything } from "./find-bad-records.js";
import { receiptWindow } from "./receipt-times.js";
import type { SourceRecord } from "./record-source.js";
import { WriteError } from "./report-writer.js";
import {
  type BadRecord,
  buildRowLines,
  controlLine,
  type RowLines,
  selectLines,
} from "./row-lines.js";
import {
  type DeadLetter,
  type DeadLetterFilter,
  recordOf,
  SelectedDeadLetters,
} from "./selected-dead-letters.js";
import type { StoredReports } from "./stored-reports.js";

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

/** Report ids of one statement, which may have 256 KiB. */
const LOOKED_UP_AT_ONCE = 1_000;
/** Parts of a replay. */
export interface ReplayParts {
  readonly statements: ClickHouseStatements;
  readonly storedReports: StoredReports;
  readonly database: string;
  /** Resolves when some time has passed: between two looks at what is refused with a code that may be chance. */
  readonly pause: () => Promise<void>;
  /** Is told of each dead letter that the database still refuses. */
  readonly onRefused: (letter: RefusedLetter) => void;
}

/** Counts what {@link replay} would do, and writes nothing. @throws WriteError */
export async function planReplay(
  parts: ReplayParts,
  filter: DeadLetterFilter,
): Promise<ReplayPlan> {
  let decidedByTrying = 0;
  const outcome = await forEachPage(parts, filter, async (_partition, letters, lines) => {
    const refused = new Set(
      letters.filter(({ reason }) => reason === "refused").map(({ offset }) => Number(offset)),
    );
    const { length } = lines.records.filter(({ offset }) => refused.has(offset));
    decidedByTrying += length;
    return length;
  });
  return { ...outcome, stillBad: outcome.stillBad - decidedByTrying, decidedByTrying };
}

/**
 * Makes rows of the dead letters that this version can read, with their original source, partition and offset, and books them as
 * corrections of their ranges. Those that are rows already are left alone, so replaying twice doubles nothing, and so are those that the
 * database still refuses, which keep no other from becoming a row.
 * @throws WriteError when the database refuses inserts though no dead letter is at fault; what was written before stays, and a repeated replay
 * goes on from there.
 */
export async function replay(parts: ReplayParts, filter: DeadLetterFilter): Promise<ReplayOutcome> {
  return await forEachPage(parts, filter, async (partition, letters, lines) => {
    const { source } = filter;
    const refused = await insertAllButRefused(parts, { source, partition }, lines);
    await bookReplay(parts, source, partition, letters);
    for (const { record, clickHouseCode } of refused)
      parts.onRefused({ partition, offset: record.offset, clickHouseCode });
    return refused.length;
  });
}

/** @returns those that the database refuses. @throws WriteError when it is not they that are at fault. */
async function insertAllButRefused(
  { statements, pause }: ReplayParts,
  at: { readonly source: string; readonly partition: number },
  lines: RowLines,
): Promise<readonly BadRecord[]> {
  const refused: BadRecord[] = [];
  let rest = lines;
  while (rest.records.length > 0) {
    const name = `replay/${at.source}/${at.partition}/${digest(rest.records.map(({ offset }) => offset))}`;
    try {
      await statements.insert("reports", name, rest.bytes);
      break;
    } catch (error) {
      if (!(error instanceof WriteError) || error.failure !== "bad_record") throw error;
      const found = await refusedAmong(rest, { statements, pause }, controlLine(at));
      if (found === null || found.length === 0) throw error;
      refused.push(...found);
      const bad = new Set(found.map(({ record }) => record));
      rest = selectLines(rest, (record) => !bad.has(record));
    }
  }
  return refused;
}

async function refusedAmong(
  lines: RowLines,
  { statements, pause }: Pick<ReplayParts, "statements" | "pause">,
  control: RowLines,
): Promise<readonly BadRecord[] | null> {
  const probe = (some: RowLines) => statements.insert("probe", "", some.bytes);
  if (await refusesEverything(lines, control, probe)) return null;
  return await findBadRecords(lines, probe, { isEnough: () => false, control, pause });
}

/** @param write gives how many of the lines did not become rows. */
async function forEachPage(
  parts: ReplayParts,
  filter: DeadLetterFilter,
  write: (partition: number, letters: readonly DeadLetter[], lines: RowLines) => Promise<number>,
): Promise<ReplayOutcome> {
  let outcome: ReplayOutcome = { selected: 0, alreadyRows: 0, stillBad: 0, replayed: 0 };
  const deadLetters = new SelectedDeadLetters(parts.statements, parts.database, filter);
  for (const partition of await deadLetters.partitions()) {
    let after = -1;
    for (;;) {
      const letters = await deadLetters.pageOf(partition, after);
      const last = letters.at(-1);
      if (last === undefined) break;
      after = Number(last.offset);
      const selected = letters.map(recordOf);
      const stored = await storedAmong(parts, partition, selected);
      const missing = selected.filter(({ offset }) => !stored.has(offset));
      const records = await withoutOtherCopies(parts, missing);
      const { lines, unreadable } = buildRowLines({ source: filter.source, partition }, records);
      const refused = await write(partition, letters, lines);
      outcome = {
        selected: outcome.selected + letters.length,
        alreadyRows: outcome.alreadyRows + stored.size + missing.length - records.length,
        stillBad: outcome.stillBad + unreadable.length + refused,
        replayed: outcome.replayed + lines.records.length - refused,
      };
    }
  }
  return outcome;
}

/** Which of the records are rows: all of them are there, so that their own times of receipt suffice. */
async function storedAmong(
  { storedReports }: ReplayParts,
  partition: number,
  records: readonly SourceRecord[],
): Promise<ReadonlySet<number>> {
  const offsets = records.map(({ offset }) => offset);
  const [first, last] = [Math.min(...offsets), Math.max(...offsets)];
  const stored = await storedReports.offsetsIn({
    partition,
    first,
    last,
    ...receiptWindow(records),
  });
  return new Set(offsets.filter((offset) => stored.has(offset)));
}

/**
 * Leaves out what is a row under another offset, or will be: a record that was sent again may have been set aside twice, or only once, and its
 * report id names the request for ever.
 */
async function withoutOtherCopies(
  { statements, database }: ReplayParts,
  records: readonly SourceRecord[],
): Promise<readonly SourceRecord[]> {
  const ids = records.map((record) => {
    const decoded = decodeReport(record);
    return decoded.ok ? decoded.report.reportId : null;
  });
  const known = ids.filter((id) => id !== null);
  const taken = new Set<string>();
  for (let at = 0; at < known.length; at += LOOKED_UP_AT_ONCE) {
    const rows = await statements.select<{ id: string }>(
      `SELECT DISTINCT toString(report_id) AS id FROM ${database}.reports
       WHERE report_id IN (${uuidList(known.slice(at, at + LOOKED_UP_AT_ONCE))})`,
      {},
    );
    for (const { id } of rows) taken.add(id);
  }
  return records.filter((_record, index) => {
    const id = ids[index] ?? null;
    if (id === null) return true;
    if (taken.has(id)) return false;
    taken.add(id);
    return true;
  });
}

function digest(offsets: readonly number[]): string {
  return createHash("sha256").update(offsets.join(",")).digest("hex").slice(0, 32);
}
