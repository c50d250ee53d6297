import type { ClickHouseStatements } from "./clickhouse-statements.js";
import type { PartitionPosition } from "./record-source.js";
import { islandsQuery, MOST_LISTED, wrongRangesQuery } from "./verify-queries.js";

/** Something that is not as it must be; each is a stretch of one partition. */
export interface Discrepancy {
  readonly kind: /** No range covers these offsets, though later ones are complete or committed. */
    | "gap"
    /** More than one range covers these offsets. */
    | "overlap"
    /** The range has fewer or more rows than were booked, or the same offset twice. */
    | "wrong_rows"
    /** The log ends before what was read from it. */
    | "log_ends_early"
    /** The log no longer held these offsets when they were to be read: retention was too short. */
    | "absent";
  readonly partition: number;
  readonly first: number;
  readonly last: number;
  readonly detail: string;
}

/** What {@link verify} has looked at and found. */
export interface Verification {
  readonly partitions: number;
  readonly ranges: number;
  /** Records in the log that no complete range covers yet: they wait, and are no fault. */
  readonly waitingRecords: number;
  /** Offsets that the log no longer held when they were to be read, as booked. */
  readonly absentOffsets: number;
  readonly discrepancies: readonly Discrepancy[];
  /** Kinds of which there are more than `discrepancies` has. */
  readonly cut: readonly CutList[];
}

/** Of which so many more were found than are listed. */
export interface CutList {
  readonly kind: Discrepancy["kind"];
  readonly unlisted: number;
}

/** What to verify. */
export interface VerifyScope {
  readonly database: string;
  readonly source: string;
  /** Only ranges that were complete since then. */
  readonly since: Date;
  /** Reads where the log and the group stand at the moment: it is asked before the ledger is read and after. */
  readonly readPositions: () => Promise<ReadonlyMap<number, PartitionPosition>>;
}

interface Island {
  readonly partition: number;
  readonly first: string;
  readonly last: string;
  /** How many there are in all, of islands the gaps between them. */
  readonly found: string;
}
interface End {
  readonly partition: number;
  readonly end: string;
}
interface AbsentRange extends Island {
  readonly absent: string;
}
interface WrongRange extends Island {
  readonly booked: string;
  readonly stored: string;
  readonly offsets: string;
}

/**
 * Compares the log's offsets with the ledger, and each range of the ledger with the rows of `reports`, corrections included.
 * Ranges under way are left alone, and so are rows that may have expired: of a range that has some, none must be too many.
 * @throws WriteError when ClickHouse does not answer.
 */
export async function verify(
  statements: ClickHouseStatements,
  scope: VerifyScope,
): Promise<Verification> {
  const { database, source } = scope;
  const params = { source, since: scope.since.toISOString().slice(0, 19).replace("T", " ") };
  const before = await scope.readPositions();
  const [now] = await statements.select<{ until: string }>(
    "SELECT toString(now64(3, 'UTC')) AS until",
    {},
  );
  const islands = await statements.select<Island>(islandsQuery(database), params);
  const ends = await statements.select<End>(
    `SELECT partition, toString(max(last) + 1) AS end FROM ${database}.ledger
     WHERE source = {source:String} GROUP BY partition`,
    params,
  );
  const overlaps = await statements.select<Island>(
    `SELECT partition, toString(first) AS first, toString(last) AS last, toString(count() OVER ()) AS found FROM ${database}.ingest_overlaps
     WHERE source = {source:String} AND completed_at >= {since:DateTime('UTC')} ORDER BY partition, first LIMIT ${MOST_LISTED}`,
    params,
  );
  const absent = await statements.select<AbsentRange>(
    `SELECT partition, toString(first) AS first, toString(last) AS last, toString(absent) AS absent, toString(count() OVER ()) AS found FROM ${database}.ledger
     WHERE source = {source:String} AND completed_at >= {since:DateTime('UTC')} AND ledger.absent > 0
     ORDER BY partition, ledger.first LIMIT ${MOST_LISTED}`,
    params,
  );
  const [totals] = await statements.select<{ ranges: string; absent: string }>(
    `SELECT toString(count()) AS ranges, toString(sum(absent)) AS absent FROM ${database}.ledger
     WHERE source = {source:String} AND completed_at >= {since:DateTime('UTC')}`,
    params,
  );
  const wrong = await statements.select<WrongRange>(wrongRangesQuery(database), {
    ...params,
    database,
    until: now?.until,
  });
  const after = await scope.readPositions();
  // Consumers may be at work: what the ledger has was in the log before, and what is committed or gone from the log is in the ledger later.
  const logs = [...before].map(([partition, position]) => ({
    ...position,
    highWatermark: after.get(partition)?.highWatermark ?? position.highWatermark,
    partition,
    end: endOf(partition, ends),
  }));
  const gaps = logs.flatMap((log) => gapsOf(log, islandsOf(islands, log.partition)));
  const gapsListed = islands.length - new Set(islands.map(({ partition }) => partition)).size;
  const discrepancies = [
    ...gaps,
    ...overlaps.map((row) => discrepancy("overlap", row, "more than one range covers these")),
    ...wrong.map((row) =>
      discrepancy(
        "wrong_rows",
        row,
        `${row.booked} rows booked, ${row.stored} rows of ${row.offsets} offsets found`,
      ),
    ),
    ...absent.map((row) =>
      discrepancy(
        "absent",
        row,
        `${row.absent} of these were gone from the log before they were read`,
      ),
    ),
  ];
  return {
    partitions: before.size,
    ranges: Number(totals?.ranges ?? 0),
    absentOffsets: Number(totals?.absent ?? 0),
    waitingRecords: logs.reduce((sum, log) => sum + waitingOf(log), 0),
    discrepancies,
    cut: [
      cutOf("gap", islands, gapsListed),
      cutOf("overlap", overlaps),
      cutOf("wrong_rows", wrong),
      cutOf("absent", absent),
    ].filter(({ unlisted }) => unlisted > 0),
  };
}

function cutOf(
  kind: CutList["kind"],
  rows: readonly { readonly found: string }[],
  listed = rows.length,
): CutList {
  return { kind, unlisted: Math.max(0, Number(rows[0]?.found ?? 0) - listed) };
}

function islandsOf(islands: readonly Island[], partition: number): readonly Stretch[] {
  return islands
    .filter((island) => island.partition === partition)
    .map(({ first, last }) => ({ first: Number(first), last: Number(last) }));
}

interface Stretch {
  readonly first: number;
  readonly last: number;
}

/** Where a partition's log and ledger stand. */
interface LogAndLedger extends PartitionPosition {
  readonly partition: number;
  /** One past the last offset that any range covers; null when there is no range. */
  readonly end: number | null;
}

function endOf(partition: number, ends: readonly End[]): number | null {
  const found = ends.find((entry) => entry.partition === partition);
  return found === undefined ? null : Number(found.end);
}

function gapsOf(log: LogAndLedger, islands: readonly Stretch[]): readonly Discrepancy[] {
  const { partition, committedOffset, lowWatermark, highWatermark } = log;
  const between = islands.slice(1).map((island, index) => ({
    first: (islands[index]?.last ?? 0) + 1,
    last: island.first - 1,
  }));
  // A ledger without any range of the partition may have expired: then only what the log still holds tells of a gap.
  const end = log.end ?? Math.min(lowWatermark, committedOffset ?? lowWatermark);
  const skipped =
    committedOffset !== null && committedOffset > end
      ? [{ first: end, last: committedOffset - 1 }]
      : [];
  const read = Math.max(end, committedOffset ?? 0);
  const lost =
    log.end !== null && lowWatermark > read ? [{ first: read, last: lowWatermark - 1 }] : [];
  const early = end > highWatermark ? [{ first: highWatermark, last: end - 1 }] : [];
  const named = (kind: Discrepancy["kind"], stretches: readonly Stretch[], detail: string) =>
    stretches.map((stretch) => discrepancy(kind, { partition, ...stretch }, detail));
  return [
    ...named(
      "gap",
      [...between, ...skipped],
      "no range covers these, though the group is past them",
    ),
    ...named(
      "absent",
      lost,
      "these are gone from the log, and no consumer has read or booked them",
    ),
    ...named("log_ends_early", early, "the log ends before what was read"),
  ];
}

function waitingOf({ end, committedOffset, lowWatermark, highWatermark }: LogAndLedger): number {
  const next = Math.max(end ?? committedOffset ?? 0, lowWatermark);
  return Math.max(0, highWatermark - next);
}

function discrepancy(
  kind: Discrepancy["kind"],
  row: { partition: number; first: string | number; last: string | number },
  detail: string,
): Discrepancy {
  const { partition } = row;
  return { kind, partition, first: Number(row.first), last: Number(row.last), detail };
}
