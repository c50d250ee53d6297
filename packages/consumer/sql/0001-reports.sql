-- One row a report. Ordered for questions by instance and publish; received_at decides about retention, because a
-- device's clock may be years off.
CREATE TABLE IF NOT EXISTS {database}.reports
(
    report_id UUID COMMENT 'Names the request for ever; a UUIDv7 made by the gateway',
    received_at DateTime64(3, 'UTC') COMMENT 'When the gateway took the report' CODEC(Delta, ZSTD(1)),
    instance_id UUID COMMENT 'The Beams instance',
    event Enum8('delivery' = 1, 'open' = 2) COMMENT 'delivery: the device received the notification; open: the user tapped it',
    publish_id String COMMENT 'The publish request that led to the notification' CODEC(ZSTD(1)),
    device_id String COMMENT 'The device, opaque text' CODEC(ZSTD(1)),
    occurred_at DateTime('UTC') COMMENT 'When it happened by the device''s clock' CODEC(Delta, ZSTD(1)),
    user_id Nullable(String) COMMENT 'The authenticated user; NULL when there was none' CODEC(ZSTD(1)),
    app_in_background Nullable(Bool) COMMENT 'The app was in the background; NULL when the client did not say',
    has_displayable_content Nullable(Bool) COMMENT 'The notification had something to show; NULL when the client did not say',
    has_data Nullable(Bool) COMMENT 'The notification carried a data payload; NULL when the client did not say',
    client_library LowCardinality(String) COMMENT 'Name and version of the client library; empty when it did not say',
    source LowCardinality(String) COMMENT 'Cluster, topic and incarnation of the topic that the record came from',
    partition UInt32 COMMENT 'Partition that the record came from',
    offset UInt64 COMMENT 'Offset of the record; (source, partition, offset) is unique' CODEC(Delta, ZSTD(1)),
    INDEX by_received_at received_at TYPE minmax GRANULARITY 1,
    CONSTRAINT report_id_is_given CHECK report_id != toUUID('00000000-0000-0000-0000-000000000000'),
    CONSTRAINT instance_id_is_given CHECK instance_id != toUUID('00000000-0000-0000-0000-000000000000'),
    CONSTRAINT publish_id_is_given CHECK publish_id != '',
    CONSTRAINT device_id_is_given CHECK device_id != '',
    CONSTRAINT source_is_given CHECK source != '',
    CONSTRAINT received_at_is_given CHECK received_at > toDateTime64('2000-01-01 00:00:00', 3, 'UTC')
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (instance_id, publish_id, device_id, event, received_at)
TTL toDateTime(received_at) + INTERVAL {retention_months} MONTH
SETTINGS
    non_replicated_deduplication_window = {deduplication_window},
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    ttl_only_drop_parts = 1
COMMENT 'Every report that was answered 200, exactly once';
