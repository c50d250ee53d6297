import { createHash } from "node:crypto";
import type { ClickHouseStatements } from "./clickhouse-statements.js";
import { formatTime } from "./clickhouse-time.js";
import type { SourceRecord } from "./record-source.js";
import { WriteError } from "./report-writer.js";
import { buildRowLines } from "./row-lines.js";
import type { StoredReports } from "./stored-reports.js";

/** Which dead letters to replay; what is not given does not restrict. */
export interface ReplayFilter {
  readonly source: string;
  readonly partition: number | null;
  readonly firstOffset: number | null;
  readonly lastOffset: number | null;
  readonly reason: string | null;
  /** When they were set aside. */
  readonly from: Date | null;
  readonly to: Date | null;
}

/** What a replay did, or would do. */
export interface ReplayOutcome {
  /** Dead letters that the filter selects. */
  readonly selected: number;
  /** Those that are rows already. */
  readonly alreadyRows: number;
  /** Those that still cannot become rows. */
  readonly stillBad: number;
  /** Those that became rows, or would. */
  readonly replayed: number;
}

/** Dead letters of one insert. */
const PAGE = 5_000;
/** How far a row's time of receipt may lie from its record's timestamp. */
const RECEIPT_SPREAD_MS = 31 * 24 * 3_600_000;

interface DeadLetter {
  readonly partition: number;
  readonly offset: string;
  readonly range_name: string;
  readonly record_ms: string;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** Parts of a replay. */
export interface ReplayParts {
  readonly statements: ClickHouseStatements;
  readonly storedReports: StoredReports;
  readonly database: string;
}

/** Counts what {@link replay} would do, and writes nothing. @throws WriteError */
export async function planReplay(parts: ReplayParts, filter: ReplayFilter): Promise<ReplayOutcome> {
  return await forEachPage(parts, filter, async () => undefined);
}

/**
 * Makes rows of the dead letters that this version can read, with their original source, partition and offset, and books them as
 * corrections of their ranges. Those that are rows already are left alone, so replaying twice doubles nothing.
 * @throws WriteError when the database refuses an insert; what was written before stays, and a repeated replay goes on from there.
 */
export async function replay(parts: ReplayParts, filter: ReplayFilter): Promise<ReplayOutcome> {
  return await forEachPage(parts, filter, async (partition, letters, lines) => {
    const { source } = filter;
    if (lines.records.length > 0) {
      const offsets = lines.records.map(({ offset }) => offset);
      const name = `replay/${source}/${partition}/${digest(offsets)}`;
      await parts.statements.insert("reports", name, lines.bytes);
    }
    await bookRows(parts, source, partition, letters);
  });
}

async function forEachPage(
  parts: ReplayParts,
  filter: ReplayFilter,
  write: (
    partition: number,
    letters: readonly DeadLetter[],
    lines: ReturnType<typeof buildRowLines>["lines"],
  ) => Promise<void>,
): Promise<ReplayOutcome> {
  let outcome: ReplayOutcome = { selected: 0, alreadyRows: 0, stillBad: 0, replayed: 0 };
  for (const partition of await partitionsOf(parts, filter)) {
    let after = -1;
    for (;;) {
      const letters = await pageOf(parts, filter, partition, after);
      const last = letters.at(-1);
      if (last === undefined) break;
      after = Number(last.offset);
      const stored = await storedOf(parts, partition, letters);
      const records = letters.filter(({ offset }) => !stored.has(Number(offset))).map(recordOf);
      const { lines, unreadable } = buildRowLines({ source: filter.source, partition }, records);
      await write(partition, letters, lines);
      outcome = {
        selected: outcome.selected + letters.length,
        alreadyRows: outcome.alreadyRows + stored.size,
        stillBad: outcome.stillBad + unreadable.length,
        replayed: outcome.replayed + lines.records.length,
      };
    }
  }
  return outcome;
}

async function partitionsOf(
  { statements, database }: ReplayParts,
  filter: ReplayFilter,
): Promise<readonly number[]> {
  const rows = await statements.select<{ partition: number }>(
    `SELECT DISTINCT partition FROM ${database}.dead_letters WHERE ${conditionsOf(filter)} ORDER BY partition`,
    paramsOf(filter),
  );
  return rows.map(({ partition }) => partition);
}

async function pageOf(
  { statements, database }: ReplayParts,
  filter: ReplayFilter,
  partition: number,
  after: number,
): Promise<readonly DeadLetter[]> {
  return await statements.select<DeadLetter>(
    `SELECT partition, toString(offset) AS offset, range_name, toString(toUnixTimestamp64Milli(record_at)) AS record_ms,
       key_base64 AS key, value_base64 AS value, headers_base64 AS headers
     FROM ${database}.dead_letters FINAL
     WHERE ${conditionsOf(filter)} AND partition = {page_partition:UInt32} AND toInt64(dead_letters.offset) > {after:Int64}
     ORDER BY dead_letters.offset LIMIT ${PAGE}`,
    { ...paramsOf(filter), page_partition: partition, after },
  );
}

function conditionsOf(filter: ReplayFilter): string {
  return [
    "source = {source:String}",
    ...(filter.partition === null ? [] : ["partition = {partition:UInt32}"]),
    ...(filter.firstOffset === null ? [] : ["dead_letters.offset >= {first:UInt64}"]),
    ...(filter.lastOffset === null ? [] : ["dead_letters.offset <= {last:UInt64}"]),
    ...(filter.reason === null ? [] : ["reason = {reason:String}"]),
    ...(filter.from === null ? [] : ["set_aside_at >= {from:DateTime64(3, 'UTC')}"]),
    ...(filter.to === null ? [] : ["set_aside_at < {to:DateTime64(3, 'UTC')}"]),
  ].join(" AND ");
}

function paramsOf(filter: ReplayFilter): Readonly<Record<string, unknown>> {
  return {
    source: filter.source,
    ...(filter.partition === null ? {} : { partition: filter.partition }),
    ...(filter.firstOffset === null ? {} : { first: filter.firstOffset }),
    ...(filter.lastOffset === null ? {} : { last: filter.lastOffset }),
    ...(filter.reason === null ? {} : { reason: filter.reason }),
    ...(filter.from === null ? {} : { from: formatTime(filter.from) }),
    ...(filter.to === null ? {} : { to: formatTime(filter.to) }),
  };
}

async function storedOf(
  { storedReports }: ReplayParts,
  partition: number,
  letters: readonly DeadLetter[],
): Promise<ReadonlySet<number>> {
  const offsets = letters.map(({ offset }) => Number(offset));
  const times = letters.map(({ record_ms }) => Number(record_ms));
  const stored = await storedReports.offsetsIn({
    partition,
    first: Math.min(...offsets),
    last: Math.max(...offsets),
    receivedFrom: new Date(Math.max(0, Math.min(...times) - RECEIPT_SPREAD_MS)),
    receivedTo: new Date(Math.max(...times) + RECEIPT_SPREAD_MS),
  });
  return new Set(offsets.filter((offset) => stored.has(offset)));
}

function recordOf(letter: DeadLetter): SourceRecord {
  const bytes = (base64: string | null) => (base64 === null ? null : Buffer.from(base64, "base64"));
  const headers = Object.entries(letter.headers).map(
    ([name, value]) => [name, Buffer.from(value, "base64")] as const,
  );
  return {
    offset: Number(letter.offset),
    timestampMs: Number(letter.record_ms),
    key: bytes(letter.key),
    value: bytes(letter.value),
    headers: Object.fromEntries(headers),
  };
}

/**
 * Books, for the ranges of these dead letters, how many of all their dead letters are rows by now: a count that comes out the same
 * however often it is taken, so that a replay that died before this line is healed by repeating it.
 */
async function bookRows(
  { statements, database }: ReplayParts,
  source: string,
  partition: number,
  letters: readonly DeadLetter[],
): Promise<void> {
  const names = [...new Set(letters.map(({ range_name }) => range_name))];
  const offsets = letters.map(({ offset }) => Number(offset));
  const counts = await statements.select<{ name: string; rows: string }>(
    `SELECT range_name AS name, toString(uniqExact(offset)) AS rows FROM ${database}.dead_letters
     WHERE source = {source:String} AND partition = {partition:UInt32} AND range_name IN {names:Array(String)}
       AND offset IN (
         SELECT offset FROM ${database}.reports WHERE source = {source:String} AND partition = {partition:UInt32}
           AND offset BETWEEN {first:UInt64} AND {last:UInt64}
       )
     GROUP BY range_name`,
    {
      source,
      partition,
      names,
      first: Math.min(...names.map(firstOf), ...offsets),
      last: Math.max(...names.map(lastOf), ...offsets),
    },
  );
  if (counts.length === 0) return;
  const rows = counts.map(({ name, rows }) =>
    JSON.stringify({ source, partition, first: firstOf(name), kind: "replay", rows: Number(rows) }),
  );
  await statements.insert("corrections", "", Buffer.from(`${rows.join("\n")}\n`));
}

/** The first offset of the range of a name. @throws WriteError for a name that is none. */
function firstOf(rangeName: string): number {
  return boundsOf(rangeName)[0];
}

/** The last offset of the range of a name. @throws WriteError for a name that is none. */
function lastOf(rangeName: string): number {
  return boundsOf(rangeName)[1];
}

function boundsOf(rangeName: string): readonly [number, number] {
  const [, first, last] = /\/(\d+)-(\d+)\/[^/]+$/.exec(rangeName) ?? [];
  if (first === undefined || last === undefined)
    throw new WriteError("misconfigured", 0, `${rangeName} is not the name of a range`);
  return [Number(first), Number(last)];
}

function digest(offsets: readonly number[]): string {
  return createHash("sha256").update(offsets.join(",")).digest("hex").slice(0, 32);
}
