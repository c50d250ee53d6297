-- One row a notification: what all reports of one device about one publish say together. Every state is one that the same report
-- again does not change, so order, repetition and splitting of the reports are indifferent, before merges (read it with FINAL) and after.
-- Partitions follow those of reports: a row sums up what was received in one month, FINAL joins the months, and what expires here is
-- what expires there. The facts are bits of one number, because counting them is what the analysts' questions mostly do.
CREATE TABLE IF NOT EXISTS {database}.notifications
(
    received_month Date COMMENT 'Month of receipt of the reports that the row sums up',
    instance_id UUID COMMENT 'The Beams instance',
    publish_id String COMMENT 'The publish request that led to the notification' CODEC(ZSTD(1)),
    device_id String COMMENT 'The device, opaque text' CODEC(ZSTD(1)),
    facts SimpleAggregateFunction(groupBitOr, UInt8) COMMENT '1: a delivery report; 2: an open report; some delivery report says that the app was in the background: 4 true, 8 false; that there was displayable content: 16 true, 32 false; that there was data: 64 true, 128 false',
    first_delivered_at SimpleAggregateFunction(min, Nullable(DateTime('UTC'))) COMMENT 'Earliest delivery by the device''s clock; NULL without a delivery report' CODEC(ZSTD(1)),
    first_delivery_received_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))) COMMENT 'When the first delivery report was received' CODEC(ZSTD(1)),
    first_opened_at SimpleAggregateFunction(min, Nullable(DateTime('UTC'))) COMMENT 'Earliest open by the device''s clock; NULL without an open report' CODEC(ZSTD(1)),
    first_open_received_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))) COMMENT 'When the first open report was received' CODEC(ZSTD(1)),
    last_received_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'When the last report was received' CODEC(ZSTD(1)),
    user_ids SimpleAggregateFunction(groupUniqArrayArray, Array(String)) COMMENT 'Every user that a report names, in no order' CODEC(ZSTD(1)),
    client_library SimpleAggregateFunction(max, LowCardinality(String)) COMMENT 'The client library; of several, the last in alphabetical order',
    -- A granule at the edge of a publish is left out where it holds none of it, so that FINAL has nothing to merge but the publish's own parts.
    INDEX by_publish_id publish_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_user_id user_ids TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = AggregatingMergeTree
PARTITION BY received_month
ORDER BY (instance_id, publish_id, device_id)
TTL toDateTime(last_received_at) + INTERVAL {retention_months} MONTH
SETTINGS
    non_replicated_deduplication_window = {deduplication_window},
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    ttl_only_drop_parts = 1
COMMENT 'One row per instance, publish and device; read it with FINAL, or the view notification_facts';

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.notifications_of_reports TO {database}.notifications AS
SELECT
    toDate(toStartOfMonth(received_at, 'UTC')) AS received_month,
    instance_id,
    publish_id,
    device_id,
    groupBitOr(toUInt8(multiIf(
        event = 'open', 2,
        1 + multiIf(isNull(app_in_background), 0, app_in_background, 4, 8)
          + multiIf(isNull(has_displayable_content), 0, has_displayable_content, 16, 32)
          + multiIf(isNull(has_data), 0, has_data, 64, 128)))) AS facts,
    minOrNullIf(occurred_at, event = 'delivery') AS first_delivered_at,
    minOrNullIf(received_at, event = 'delivery') AS first_delivery_received_at,
    minOrNullIf(occurred_at, event = 'open') AS first_opened_at,
    minOrNullIf(received_at, event = 'open') AS first_open_received_at,
    max(received_at) AS last_received_at,
    groupUniqArray(user_id) AS user_ids,
    max(client_library) AS client_library
FROM {database}.reports
WHERE instance_id != toUUID('{canary_instance}')
GROUP BY instance_id, publish_id, device_id, received_month;
