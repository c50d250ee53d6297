import { MONTH_MARGIN_DAYS } from "./clickhouse-time.js";

/** Rows of one list; each row says in `found` how many there are in all. */
export const MOST_LISTED = 1_000;
/** Stretches that are looked at. */
const MOST_ISLANDS = 10_000;

/** Contiguous stretches of a source's ledger: partition, first and last offset as text. Parameters: `source`, `since`. */
export function islandsQuery(database: string): string {
  return `SELECT partition, toString(min(first)) AS first, toString(max(last)) AS last,
      toString(count() OVER () - uniqExact(partition) OVER ()) AS found FROM (
      SELECT partition, first, last, sum(begins) OVER (PARTITION BY partition ORDER BY first, last) AS island FROM (
        SELECT partition, first, last, first > 1 + max(last) OVER (
          PARTITION BY partition ORDER BY first, last ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS begins
        FROM ${database}.ledger WHERE source = {source:String} AND completed_at >= {since:DateTime('UTC')}
      )
    ) GROUP BY partition, island ORDER BY partition, island LIMIT ${MOST_ISLANDS}`;
}

const RANGES =
  "source = {source:String} AND completed_at >= {since:DateTime('UTC')} AND completed_at <= {until:DateTime64(3, 'UTC')}";

/**
 * Ranges of a source's ledger whose rows are not those that were booked, of those that were complete at a time that is past. Parameters: `source`,
 * `since`, `until`, `database`. Rows that a range booked
 * without its records may be of any time: then all of `reports` is read. They were looked for up to 31 days before it was cut.
 * A bitmap of the offsets finds a row that is there twice behind one that is missing, at a bit an offset. When rows expire is asked
 * of the table itself; some days of margin cover what the database has not removed yet, or just has.
 */
export function wrongRangesQuery(database: string): string {
  return `WITH
      (SELECT toUInt32OrZero(extract(create_table_query, 'toIntervalMonth\\((\\d+)\\)')) FROM system.tables
       WHERE database = {database:String} AND name = 'reports') AS months,
      if(months = 0, toDateTime64(0, 3, 'UTC'), subtractMonths(now64(3, 'UTC'), months) + INTERVAL ${MONTH_MARGIN_DAYS} DAY) AS horizon,
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
