CREATE VIEW IF NOT EXISTS {database}.ingest_gaps AS
SELECT
    source,
    partition,
    before + 1 AS first,
    first_of_next - 1 AS last,
    first_of_next - 1 - before AS offsets,
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
WHERE ranges_before > 0 AND first_of_next > before + 1
COMMENT 'Offsets between complete ranges that no range covers: records that were never taken. Empty in a healthy system';

CREATE VIEW IF NOT EXISTS {database}.ingest_overlaps AS
SELECT
    source,
    partition,
    first_of_next AS first,
    least(before, last_of_next) AS last,
    name,
    completed_at
FROM
(
    SELECT
        source,
        partition,
        ledger.first AS first_of_next,
        ledger.last AS last_of_next,
        name,
        completed_at,
        max(ledger.last) OVER earlier AS before,
        count() OVER earlier AS ranges_before
    FROM {database}.ledger
    WINDOW earlier AS (PARTITION BY source, partition ORDER BY ledger.first, ledger.last ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
WHERE ranges_before > 0 AND first_of_next <= before
COMMENT 'Offsets that more than one range covers: rows may be doubled. Empty in a healthy system';
