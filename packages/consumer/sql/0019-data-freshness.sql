CREATE VIEW IF NOT EXISTS {database}.data_freshness AS
SELECT
    complete_to,
    observed_at,
    (SELECT sum(lag_records) FROM {database}.ingest_freshness) AS lag_records,
    dateDiff('millisecond', complete_to, now64(3, 'UTC')) / 1000 AS behind_secs
FROM {database}.ingest_complete_to
COMMENT 'One row. complete_to: every report that was received before it is in the answers of all views; NULL while that is not known of every partition. observed_at: when the consumers last looked. lag_records: records that waited then. behind_secs: now minus complete_to, seconds; it grows when consumers stop';
