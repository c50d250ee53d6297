import type { ClickHouseStatements } from "./clickhouse-statements.js";
import type { PartitionPosition } from "./record-source.js";

/** Something that is not as it must be; each is a stretch of one partition. */
export interface Discrepancy {
  readonly kind: /** No range covers these offsets, though later ones are complete or committed. */
    | "gap"
    /** More than one range covers these offsets. */
    | "overlap"
    /** The range has fewer or more rows than were booked, or the same offset twice. */
    | "wrong_rows"
    /** The log ends before what was read from it. */
    | "log_ends_early";
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
}

/** What to verify. */
export interface VerifyScope {
  readonly database: string;
  readonly source: string;
  /** Only ranges cut since then: older rows may have expired. */
  readonly since: Date;
  readonly positions: ReadonlyMap<number, PartitionPosition>;
}

interface Island {
  readonly partition: number;
  readonly first: string;
  readonly last: string;
}
interface WrongRange {
  readonly partition: number;
  readonly first: string;
  readonly last: string;
  readonly booked: string;
  readonly stored: string;
  readonly offsets: string;
}

/**
 * Compares the log's offsets with the ledger, and each range of the ledger with the rows of `reports`, corrections included.
 * Ranges under way are left alone. @throws WriteError when ClickHouse does not answer.
 */
export async function verify(
  statements: ClickHouseStatements,
  scope: VerifyScope,
): Promise<Verification> {
  const { database, source, positions } = scope;
  const params = { source, since: scope.since.toISOString().slice(0, 19).replace("T", " ") };
  const islands = await statements.select<Island>(islandsQuery(database), params);
  const overlaps = await statements.select<Island>(
    `SELECT partition, toString(first) AS first, toString(last) AS last FROM ${database}.ingest_overlaps
     WHERE source = {source:String} AND completed_at >= {since:DateTime('UTC')} ORDER BY partition, first LIMIT 1000`,
    params,
  );
  const [totals] = await statements.select<{ ranges: string; absent: string }>(
    `SELECT toString(count()) AS ranges, toString(sum(absent)) AS absent FROM ${database}.ledger
     WHERE source = {source:String} AND cut_at >= {since:DateTime('UTC')}`,
    params,
  );
  const wrong = await statements.select<WrongRange>(wrongRangesQuery(database), params);
  const discrepancies = [
    ...[...positions].flatMap(([partition, position]) =>
      gapsOf(partition, position, islandsOf(islands, partition)),
    ),
    ...overlaps.map((row) => discrepancy("overlap", row, "more than one range covers these")),
    ...wrong.map((row) =>
      discrepancy(
        "wrong_rows",
        row,
        `${row.booked} rows booked, ${row.stored} rows of ${row.offsets} offsets found`,
      ),
    ),
  ];
  return {
    partitions: positions.size,
    ranges: Number(totals?.ranges ?? 0),
    absentOffsets: Number(totals?.absent ?? 0),
    waitingRecords: [...positions].reduce(
      (sum, [partition, position]) => sum + waitingOf(position, islandsOf(islands, partition)),
      0,
    ),
    discrepancies,
  };
}

/** Contiguous stretches of the ledger. */
function islandsQuery(database: string): string {
  return `SELECT partition, toString(min(first)) AS first, toString(max(last)) AS last FROM (
      SELECT partition, first, last, sum(begins) OVER (PARTITION BY partition ORDER BY first, last) AS island FROM (
        SELECT partition, first, last, first > 1 + max(last) OVER (
          PARTITION BY partition ORDER BY first, last ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS begins
        FROM ${database}.ledger WHERE source = {source:String} AND completed_at >= {since:DateTime('UTC')}
      )
    ) GROUP BY partition, island ORDER BY partition, island LIMIT 10000`;
}

/** A bitmap of the offsets finds a row that is there twice behind one that is missing, at a bit an offset. */
function wrongRangesQuery(database: string): string {
  return `SELECT partition, toString(l.first) AS first, toString(l.last) AS last,
      toString(l.booked) AS booked, toString(s.stored) AS stored, toString(s.offsets) AS offsets
    FROM (
      SELECT partition, first, last, toInt64(rows) + c.changed AS booked
      FROM ${database}.ledger AS ranges
      LEFT JOIN (
        SELECT partition, first, sum(rows) AS changed FROM ${database}.corrections FINAL
        WHERE source = {source:String} GROUP BY partition, first
      ) AS c USING (partition, first)
      WHERE source = {source:String} AND cut_at >= {since:DateTime('UTC')}
    ) AS l
    LEFT JOIN (
      SELECT r.partition AS partition, l.first AS first, count() AS stored, groupBitmap(r.offset) AS offsets
      FROM (SELECT partition, offset FROM ${database}.reports WHERE source = {source:String}) AS r
      ASOF INNER JOIN (
        SELECT partition, first, last FROM ${database}.ledger
        WHERE source = {source:String} AND cut_at >= {since:DateTime('UTC')}
      ) AS l ON r.partition = l.partition AND r.offset >= l.first
      WHERE r.offset <= l.last
      GROUP BY partition, first
    ) AS s ON l.partition = s.partition AND l.first = s.first
    WHERE toInt64(s.stored) != l.booked OR toInt64(s.offsets) != l.booked
    ORDER BY partition, l.first LIMIT 1000`;
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

function gapsOf(
  partition: number,
  { committedOffset, highWatermark }: PartitionPosition,
  islands: readonly Stretch[],
): readonly Discrepancy[] {
  const between = islands.slice(1).map((island, index) => ({
    first: (islands[index]?.last ?? 0) + 1,
    last: island.first - 1,
  }));
  const end = (islands.at(-1)?.last ?? -1) + 1;
  const skipped =
    committedOffset !== null && committedOffset > end
      ? [{ first: end, last: committedOffset - 1 }]
      : [];
  const gaps = [...between, ...skipped].map((gap) =>
    discrepancy(
      "gap",
      { partition, ...gap },
      "no range covers these, though the group is past them",
    ),
  );
  if (end <= highWatermark) return gaps;
  const beyond = { partition, first: highWatermark, last: end - 1 };
  return [...gaps, discrepancy("log_ends_early", beyond, "the log ends before what was read")];
}

function waitingOf(
  { lowWatermark, highWatermark }: PartitionPosition,
  islands: readonly Stretch[],
): number {
  const end = (islands.at(-1)?.last ?? -1) + 1;
  return Math.max(0, highWatermark - Math.max(end, lowWatermark));
}

function discrepancy(
  kind: Discrepancy["kind"],
  row: { partition: number; first: string | number; last: string | number },
  detail: string,
): Discrepancy {
  const { partition } = row;
  return { kind, partition, first: Number(row.first), last: Number(row.last), detail };
}
