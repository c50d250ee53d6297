-- When reports of a publish were received: finds an instance's publishes of a time without reading their notifications.
CREATE TABLE IF NOT EXISTS {database}.publish_activity
(
    received_month Date COMMENT 'Month of receipt of the reports that the row sums up',
    instance_id UUID COMMENT 'The Beams instance',
    publish_id String COMMENT 'The publish' CODEC(ZSTD(1)),
    first_received_at SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'When its first report was received',
    first_delivery_received_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))) COMMENT 'When its first delivery report was received',
    last_received_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'When its last report was received'
)
ENGINE = AggregatingMergeTree
PARTITION BY received_month
ORDER BY (instance_id, publish_id)
TTL toDateTime(last_received_at) + INTERVAL {retention_months} MONTH
SETTINGS
    non_replicated_deduplication_window = {deduplication_window},
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    ttl_only_drop_parts = 1
COMMENT 'First and last receipt by publish; read it with FINAL';

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.publish_activity_of_reports TO {database}.publish_activity AS
SELECT
    toDate(toStartOfMonth(received_at, 'UTC')) AS received_month,
    instance_id,
    publish_id,
    min(received_at) AS first_received_at,
    minOrNullIf(received_at, event = 'delivery') AS first_delivery_received_at,
    max(received_at) AS last_received_at
FROM {database}.reports
WHERE instance_id != toUUID('{canary_instance}')
GROUP BY instance_id, publish_id, received_month;
