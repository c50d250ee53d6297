-- What consumers know to be complete, a row a partition. Idle partitions are in it too, so that they hold nothing back.
CREATE TABLE IF NOT EXISTS {database}.freshness
(
    source LowCardinality(String) COMMENT 'Cluster, topic and incarnation of the topic',
    partition UInt32 COMMENT 'The partition',
    complete_to SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'Everything on the topic that was received before this time is in every table, or among the dead letters',
    next_offset SimpleAggregateFunction(max, UInt64) COMMENT 'Everything below this offset is complete',
    high_watermark SimpleAggregateFunction(max, UInt64) COMMENT 'One past the last offset of the log when it was observed',
    partitions SimpleAggregateFunction(max, UInt32) COMMENT 'Partitions that the topic has',
    observed_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'When the consumer last looked'
)
ENGINE = AggregatingMergeTree
ORDER BY (source, partition)
SETTINGS
    non_replicated_deduplication_window = {deduplication_window}
COMMENT 'What is complete, by partition; every column only grows. Ask ingest_freshness and ingest_complete_to';

CREATE VIEW IF NOT EXISTS {database}.ingest_freshness AS
SELECT
    source,
    partition,
    max(f.complete_to) AS complete_to,
    max(f.next_offset) AS next_offset,
    max(f.high_watermark) AS high_watermark,
    if(high_watermark > next_offset, high_watermark - next_offset, 0) AS lag_records,
    max(f.partitions) AS partitions,
    max(f.observed_at) AS observed_at
FROM {database}.freshness AS f
GROUP BY source, partition
COMMENT 'By partition: everything that was received before complete_to can be queried; lag as of observed_at';

CREATE VIEW IF NOT EXISTS {database}.ingest_complete_to AS
SELECT
    if(count() = 0 OR countIf(known < partitions) > 0, NULL, min(source_complete_to)) AS complete_to,
    min(source_observed_at) AS observed_at
FROM
(
    SELECT
        source,
        count() AS known,
        max(f.partitions) AS partitions,
        min(f.complete_to) AS source_complete_to,
        min(f.observed_at) AS source_observed_at
    FROM {database}.ingest_freshness AS f
    GROUP BY source
)
COMMENT 'One row: everything that was received before complete_to can be queried. NULL while not every partition of every source is known';
