-- What changed in ranges after they were complete: dead letters that became rows later, rows that were erased.
CREATE TABLE IF NOT EXISTS {database}.corrections
(
    source LowCardinality(String) COMMENT 'Cluster, topic and incarnation of the topic',
    partition UInt32 COMMENT 'Partition of the range',
    first UInt64 COMMENT 'First offset of the range, as in the ledger',
    kind Enum8('replay' = 1, 'erasure' = 2) COMMENT 'replay: dead letters became rows; erasure: rows were removed on request',
    rows Int64 COMMENT 'Rows that the range has by now beyond those in the ledger; fewer when negative',
    corrected_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When it was counted; the latest count of a kind is valid'
)
ENGINE = ReplacingMergeTree(corrected_at)
ORDER BY (source, partition, first, kind)
TTL toDateTime(corrected_at) + INTERVAL {retention_months} MONTH
SETTINGS
    non_replicated_deduplication_window = {deduplication_window},
    fsync_after_insert = 1,
    fsync_part_directory = 1
COMMENT 'Changes of complete ranges; read it with FINAL';
