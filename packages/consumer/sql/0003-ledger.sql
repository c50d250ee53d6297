-- One row a range that is complete in every table.
CREATE TABLE IF NOT EXISTS {database}.ledger
(
    source LowCardinality(String) COMMENT 'Cluster, topic and incarnation of the topic',
    partition UInt32 COMMENT 'Partition of the range',
    first UInt64 COMMENT 'First offset of the range',
    last UInt64 COMMENT 'Last offset of the range',
    rows UInt64 COMMENT 'Offsets whose record is a row of reports',
    set_aside UInt64 COMMENT 'Offsets whose record is a dead letter',
    repeated UInt64 COMMENT 'Offsets whose record was sent again and is a row at a lower offset',
    absent UInt64 COMMENT 'Offsets that the log no longer held when they were to be read',
    name String COMMENT 'The name of the range, which is its deduplication token' CODEC(ZSTD(1)),
    cut_at DateTime64(3, 'UTC') COMMENT 'When the range was cut',
    received_to Nullable(DateTime64(3, 'UTC')) COMMENT 'Latest time of receipt in the range',
    completed_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When the range was complete',
    CONSTRAINT offsets_are_in_order CHECK first <= last,
    CONSTRAINT counts_add_up CHECK rows + set_aside + repeated + absent = last - first + 1
)
ENGINE = MergeTree
ORDER BY (source, partition, first)
TTL toDateTime(completed_at) + INTERVAL {retention_months} MONTH
SETTINGS
    non_replicated_deduplication_window = {deduplication_window},
    fsync_after_insert = 1,
    fsync_part_directory = 1
COMMENT 'Ranges that are complete in every table';
