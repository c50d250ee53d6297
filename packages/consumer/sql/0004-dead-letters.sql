-- Records that cannot become rows. Read it with FINAL: the same record may be set aside again after a crash.
CREATE TABLE IF NOT EXISTS {database}.dead_letters
(
    source LowCardinality(String) COMMENT 'Cluster, topic and incarnation of the topic',
    partition UInt32 COMMENT 'Partition of the record',
    offset UInt64 COMMENT 'Offset of the record',
    set_aside_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When it was set aside',
    record_at DateTime64(3, 'UTC') COMMENT 'Timestamp of the record',
    reason LowCardinality(String) COMMENT 'Why it cannot become a row',
    detail String COMMENT 'The fault in words, without the record''s own text',
    clickhouse_code Int32 COMMENT 'ClickHouse''s error code, or 0',
    key_base64 Nullable(String) COMMENT 'The key''s bytes; NULL when it had none' CODEC(ZSTD(1)),
    value_base64 Nullable(String) COMMENT 'The value''s bytes; NULL for a tombstone' CODEC(ZSTD(1)),
    headers_base64 Map(String, String) COMMENT 'The headers'' bytes' CODEC(ZSTD(1)),
    range_name String COMMENT 'The range that it belonged to' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (source, partition, offset)
TTL toDateTime(set_aside_at) + INTERVAL {retention_months} MONTH
SETTINGS
    non_replicated_deduplication_window = {deduplication_window},
    fsync_after_insert = 1,
    fsync_part_directory = 1
COMMENT 'Records that cannot become rows, with their bytes and the reason';
