-- What is known of publishes from elsewhere. Filled by INSERT or by the command import-publishes; the latest row of a publish counts.
CREATE TABLE IF NOT EXISTS {database}.publishes
(
    instance_id UUID COMMENT 'The Beams instance',
    publish_id String COMMENT 'The publish',
    recipients Nullable(UInt64) COMMENT 'Devices that the publish was sent to; NULL when it is not known',
    title String COMMENT 'What people call the publish; empty when it has no name',
    imported_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When the row was written; the latest counts',
    CONSTRAINT instance_id_is_given CHECK instance_id != toUUID('00000000-0000-0000-0000-000000000000'),
    CONSTRAINT publish_id_is_given CHECK publish_id != ''
)
ENGINE = ReplacingMergeTree(imported_at)
ORDER BY (instance_id, publish_id)
TTL toDateTime(imported_at) + INTERVAL {retention_months} MONTH
SETTINGS
    non_replicated_deduplication_window = {deduplication_window},
    fsync_after_insert = 1,
    fsync_part_directory = 1
COMMENT 'Recipients and titles of publishes; read it with FINAL';
