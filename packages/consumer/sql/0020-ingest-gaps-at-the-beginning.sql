-- A partition's ranges begin at offset 0: what the log no longer held when it was first read is booked as absent. The ledger's first
-- rows may have expired, but not within the shortest month of retention that there can be.
DROP VIEW IF EXISTS {database}.ingest_gaps;

CREATE VIEW IF NOT EXISTS {database}.ingest_gaps AS
SELECT
    source,
    partition,
    if(ranges_before = 0, 0, before + 1) AS first,
    first_of_next - 1 AS last,
    last - first + 1 AS offsets,
    completed_at AS noticed_at
FROM
(
    SELECT
        source,
        partition,
        ledger.first AS first_of_next,
        completed_at,
        max(ledger.last) OVER earlier AS before,
        count() OVER earlier AS ranges_before
    FROM {database}.ledger
    WINDOW earlier AS (PARTITION BY source, partition ORDER BY ledger.first, ledger.last ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
WHERE first_of_next > if(ranges_before = 0, 0, before + 1)
    AND (ranges_before > 0 OR (SELECT min(applied_at) FROM {database}.schema_migrations) > now64(3, 'UTC') - INTERVAL 28 DAY)
COMMENT 'Offsets before or between complete ranges that no range covers: records that were never taken. Empty in a healthy system. What is missing before the first range is told for 28 days after the tables were made: later, the ledger''s first rows may have expired';
