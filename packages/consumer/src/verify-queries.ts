import { MONTH_MARGIN_DAYS } from "./clickhouse-time.js";

/** Rows of one list; each row says in `found` how many there are in all. */
export const MOST_LISTED = 1_000;

/**
 * Gaps between a source's ranges that were noticed at a time or later. What is missing before a partition's first range is not among them.
 * Parameters: `source`, `since`.
 */
export function gapsQuery(database: string): string {
  return `SELECT partition, toString(gaps.first) AS first, toString(gaps.last) AS last, toString(count() OVER ()) AS found
    FROM ${database}.ingest_gaps AS gaps
    WHERE source = {source:String} AND noticed_at >= {since:DateTime('UTC')} AND gaps.first > 0
    ORDER BY partition, gaps.first LIMIT ${MOST_LISTED}`;
}

/** Whether the tables are so young that no row of the ledger can have expired: the shortest retention is a month. */
export function isYoungQuery(database: string): string {
  return `SELECT min(applied_at) > now64(3, 'UTC') - INTERVAL 28 DAY AS young FROM ${database}.schema_migrations`;
}

/** Up to when rows of a table may have expired, which is asked of the table itself, with some days of margin for what has not been removed yet, or just has. */
const horizonOf = (table: string) => `(
      SELECT if(months = 0, toDateTime64(0, 3, 'UTC'), subtractMonths(now64(3, 'UTC'), months) + INTERVAL ${MONTH_MARGIN_DAYS} DAY) FROM (
        SELECT max(toUInt32OrZero(extract(create_table_query, 'toIntervalMonth\\((\\d+)\\)'))) AS months FROM system.tables
        WHERE database = {database:String} AND name = '${table}'
      )
    )`;

/**
 * The lowest offset by partition of a source's rows and dead letters since a time, none so old that the ledger's row of its range may have
 * expired. A time of receipt in the future tells nothing. Parameters: `source`, `since`, `database`.
 */
export function lowestTracesQuery(database: string): string {
  return `WITH greatest(toDateTime64({since:DateTime('UTC')}, 3, 'UTC'), ${horizonOf("ledger")}) AS unexpired
    SELECT partition, toString(min(traces.offset)) AS lowest FROM (
      SELECT partition, offset FROM ${database}.reports WHERE source = {source:String} AND received_at BETWEEN unexpired AND now64(3, 'UTC') + INTERVAL 1 DAY
      UNION ALL
      SELECT partition, offset FROM ${database}.dead_letters WHERE source = {source:String} AND set_aside_at >= unexpired
    ) AS traces GROUP BY partition`;
}

const RANGES =
  "source = {source:String} AND completed_at >= {since:DateTime('UTC')} AND completed_at <= {until:DateTime64(3, 'UTC')}";

/**
 * Ranges of a source's ledger whose rows are not those that were booked, of those that were complete at a time that is past. Parameters: `source`,
 * `since`, `until`, `database`. Rows that a range booked
 * without its records may be of any time: then all of `reports` is read. They were looked for up to 31 days before it was cut.
 * A bitmap of the offsets finds a row that is there twice behind one that is missing, at a bit an offset.
 */
export function wrongRangesQuery(database: string): string {
  return `WITH
      ${horizonOf("reports")} AS horizon,
      (SELECT minOrNullIf(ifNull(received_from, toDateTime64(0, 3, 'UTC')), ledger.rows + ledger.set_aside > 0) FROM ${database}.ledger
       WHERE ${RANGES}) AS oldest
    SELECT partition, toString(l.first) AS first, toString(l.last) AS last,
      toString(l.booked) AS booked, toString(s.stored) AS stored, toString(s.offsets) AS offsets,
      toString(count() OVER ()) AS found
    FROM (
      SELECT partition, first, last, toInt64(rows) + c.changed AS booked, ifNull(received_from, cut_at - INTERVAL 31 DAY) < horizon AS may_have_expired
      FROM ${database}.ledger AS ranges
      LEFT JOIN (
        SELECT partition, first, sum(rows) AS changed FROM ${database}.corrections FINAL
        WHERE source = {source:String} GROUP BY partition, first
      ) AS c USING (partition, first)
      WHERE ${RANGES}
    ) AS l
    LEFT JOIN (
      SELECT r.partition AS partition, l.first AS first, count() AS stored, groupBitmap(r.offset) AS offsets
      FROM (
        SELECT partition, offset FROM ${database}.reports
        WHERE source = {source:String} AND received_at >= ifNull(oldest, toDateTime64(0, 3, 'UTC'))
      ) AS r
      ASOF INNER JOIN (
        SELECT partition, first, last FROM ${database}.ledger
        WHERE ${RANGES}
      ) AS l ON r.partition = l.partition AND r.offset >= l.first
      WHERE r.offset <= l.last
      GROUP BY partition, first
    ) AS s ON l.partition = s.partition AND l.first = s.first
    WHERE toInt64(s.offsets) != toInt64(s.stored)
      OR (toInt64(s.stored) != l.booked AND (NOT l.may_have_expired OR toInt64(s.stored) > l.booked))
    ORDER BY partition, l.first LIMIT ${MOST_LISTED}`;
}

/**
 * Ranges of a source's ledger with fewer dead letters than were booked, those included that were erased on request. A record may be a dead
 * letter beyond them: it was one before its range made it a row. Parameters as of {@link wrongRangesQuery}.
 */
export function lostDeadLettersQuery(database: string): string {
  return `WITH ${horizonOf("dead_letters")} AS horizon
    SELECT partition, toString(l.first) AS first, toString(l.last) AS last,
      toString(l.set_aside) AS booked, toString(k.letters) AS kept, toString(count() OVER ()) AS found
    FROM (
      SELECT partition, first, last, set_aside FROM ${database}.ledger
      WHERE ${RANGES} AND set_aside > 0 AND cut_at >= horizon
    ) AS l
    LEFT JOIN (
      SELECT d.partition AS partition, r.first AS first, uniqExact(d.offset) AS letters
      FROM (
        SELECT partition, offset FROM ${database}.dead_letters WHERE source = {source:String}
        UNION ALL
        SELECT partition, offset FROM ${database}.erased_reports WHERE source = {source:String} AND was_dead_letter = 1
      ) AS d
      ASOF INNER JOIN (SELECT partition, first, last FROM ${database}.ledger WHERE ${RANGES}) AS r
        ON d.partition = r.partition AND d.offset >= r.first
      WHERE d.offset <= r.last
      GROUP BY partition, first
    ) AS k ON l.partition = k.partition AND l.first = k.first
    WHERE k.letters < l.set_aside
    ORDER BY partition, l.first LIMIT ${MOST_LISTED}`;
}
