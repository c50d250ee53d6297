/** Which ranges of the ledger {@link replayCountsQuery} counts. */
export interface CountedRanges {
  /** Condition on `ledger`. */
  readonly ranges: string;
  /** Condition on `source`, `partition` and `offset` of every table, true of all records of these ranges. */
  readonly records: string;
}

/**
 * Query of how many dead letters of some ranges became rows after the range was complete, rows that were erased since then included:
 * source, partition, first and rows. It comes out the same however often it is taken, and a count never falls: what is missing later is a loss.
 *
 * Dead letters beyond those that a range counts were made by an attempt before it was complete. They became rows with it, by a version that
 * could read them, or are among its repeated or absent offsets: where both may be, its other rows tell how many of its rows they are.
 */
export function replayCountsQuery(database: string, { ranges, records }: CountedRanges): string {
  const erased = `SELECT source, partition, offset FROM ${database}.erased_reports FINAL WHERE ${records}`;
  return `WITH
      letters AS (
        SELECT source, partition, offset FROM (
          SELECT source, partition, offset FROM ${database}.dead_letters WHERE ${records}
          UNION ALL ${erased} AND was_dead_letter = 1
        ) GROUP BY source, partition, offset
      ),
      letter_rows AS (
        SELECT source, partition, offset FROM ${database}.reports
        WHERE ${records} AND (source, partition, offset) IN (SELECT source, partition, offset FROM letters)
        UNION ALL ${erased} AND was_dead_letter = 1 AND was_row = 1
      ),
      counted AS (
        SELECT l.source AS source, l.partition AS partition, l.first AS first, any(l.last) AS last, toInt64(any(l.booked)) AS booked,
          toInt64(count()) - toInt64(any(l.set_aside)) AS beyond,
          countIf((d.source, d.partition, d.offset) IN (SELECT source, partition, offset FROM letter_rows)) AS are_rows,
          greatest(beyond - toInt64(any(l.other)), 0) AS with_range_min,
          greatest(least(beyond, booked), 0) AS with_range_max
        FROM letters AS d
        ASOF INNER JOIN (
          SELECT source, partition, first, last, rows AS booked, set_aside, repeated + absent AS other
          FROM ${database}.ledger WHERE ${ranges}
        ) AS l ON d.source = l.source AND d.partition = l.partition AND d.offset >= l.first
        WHERE d.offset <= l.last
        GROUP BY l.source, l.partition, l.first
      ),
      uncertain AS (SELECT source, partition, first, last FROM counted WHERE with_range_min < with_range_max),
      others AS (
        SELECT u.source AS source, u.partition AS partition, u.first AS first, toInt64(uniqExact(r.offset)) AS rows
        FROM (
          SELECT source, partition, offset FROM ${database}.reports
          WHERE ${records} AND (source, partition) IN (SELECT source, partition FROM uncertain)
          UNION ALL ${erased} AND was_dead_letter = 0
        ) AS r
        ASOF INNER JOIN uncertain AS u ON r.source = u.source AND r.partition = u.partition AND r.offset >= u.first
        WHERE r.offset <= u.last AND (r.source, r.partition, r.offset) NOT IN (SELECT source, partition, offset FROM letters)
        GROUP BY u.source, u.partition, u.first
      )
    SELECT n.source AS source, n.partition AS partition, n.first AS first,
      greatest(
        toInt64(n.are_rows) - greatest(n.with_range_min, least(n.with_range_max, n.booked - o.rows)),
        c.rows, 0
      ) AS rows
    FROM counted AS n
    LEFT JOIN others AS o ON n.source = o.source AND n.partition = o.partition AND n.first = o.first
    LEFT JOIN (
      SELECT source, partition, first, rows FROM ${database}.corrections FINAL WHERE kind = 'replay'
    ) AS c ON n.source = c.source AND n.partition = c.partition AND n.first = c.first`;
}
