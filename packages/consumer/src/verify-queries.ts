/** Contiguous stretches of a source's ledger: partition, first and last offset as text. Parameters: `source`, `since`. */
export function islandsQuery(database: string): string {
  return `SELECT partition, toString(min(first)) AS first, toString(max(last)) AS last FROM (
      SELECT partition, first, last, sum(begins) OVER (PARTITION BY partition ORDER BY first, last) AS island FROM (
        SELECT partition, first, last, first > 1 + max(last) OVER (
          PARTITION BY partition ORDER BY first, last ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS begins
        FROM ${database}.ledger WHERE source = {source:String} AND completed_at >= {since:DateTime('UTC')}
      )
    ) GROUP BY partition, island ORDER BY partition, island LIMIT 10000`;
}

/**
 * Ranges of a source's ledger whose rows are not those that were booked. Parameters: `source`, `since`, `database`.
 * A bitmap of the offsets finds a row that is there twice behind one that is missing, at a bit an offset. When rows expire is asked
 * of the table itself; a day of margin covers what the database has not removed yet, or just has.
 */
export function wrongRangesQuery(database: string): string {
  return `WITH
      (SELECT toUInt32OrZero(extract(create_table_query, 'toIntervalMonth\\((\\d+)\\)')) FROM system.tables
       WHERE database = {database:String} AND name = 'reports') AS months,
      if(months = 0, toDateTime64(0, 3, 'UTC'), subtractMonths(now64(3, 'UTC'), months) + INTERVAL 1 DAY) AS horizon,
      (SELECT min(received_from) FROM ${database}.ledger
       WHERE source = {source:String} AND completed_at >= {since:DateTime('UTC')}) AS oldest
    SELECT partition, toString(l.first) AS first, toString(l.last) AS last,
      toString(l.booked) AS booked, toString(s.stored) AS stored, toString(s.offsets) AS offsets
    FROM (
      SELECT partition, first, last, toInt64(rows) + c.changed AS booked, ifNull(received_from < horizon, 0) AS may_have_expired
      FROM ${database}.ledger AS ranges
      LEFT JOIN (
        SELECT partition, first, sum(rows) AS changed FROM ${database}.corrections FINAL
        WHERE source = {source:String} GROUP BY partition, first
      ) AS c USING (partition, first)
      WHERE source = {source:String} AND completed_at >= {since:DateTime('UTC')}
    ) AS l
    LEFT JOIN (
      SELECT r.partition AS partition, l.first AS first, count() AS stored, groupBitmap(r.offset) AS offsets
      FROM (
        SELECT partition, offset FROM ${database}.reports
        WHERE source = {source:String} AND received_at >= ifNull(oldest, toDateTime64(0, 3, 'UTC'))
      ) AS r
      ASOF INNER JOIN (
        SELECT partition, first, last FROM ${database}.ledger
        WHERE source = {source:String} AND completed_at >= {since:DateTime('UTC')}
      ) AS l ON r.partition = l.partition AND r.offset >= l.first
      WHERE r.offset <= l.last
      GROUP BY partition, first
    ) AS s ON l.partition = s.partition AND l.first = s.first
    WHERE toInt64(s.offsets) != toInt64(s.stored)
      OR (toInt64(s.stored) != l.booked AND (NOT l.may_have_expired OR toInt64(s.stored) > l.booked))
    ORDER BY partition, l.first LIMIT 1000`;
}
