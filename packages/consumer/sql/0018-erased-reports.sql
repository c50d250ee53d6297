-- Which rows of reports were removed on request: places in the log only, nothing about whom. The corrections of ranges are counted from it.
CREATE TABLE IF NOT EXISTS {database}.erased_reports
(
    source LowCardinality(String) COMMENT 'Cluster, topic and incarnation of the topic',
    partition UInt32 COMMENT 'Partition of the record',
    offset UInt64 COMMENT 'Offset of the record',
    was_dead_letter SimpleAggregateFunction(max, UInt8) COMMENT '1 when the row had been made of a dead letter',
    erased_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')) DEFAULT now64(3, 'UTC') COMMENT 'When its removal was booked'
)
ENGINE = AggregatingMergeTree
ORDER BY (source, partition, offset)
TTL toDateTime(erased_at) + INTERVAL {retention_months} MONTH
SETTINGS
    non_replicated_deduplication_window = {deduplication_window},
    fsync_after_insert = 1,
    fsync_part_directory = 1
COMMENT 'Rows that were removed on request; read it with FINAL';
