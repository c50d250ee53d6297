-- Distinct things by instance and hour of receipt, as sketches of fixed size: a month costs the same whatever the traffic.
CREATE TABLE IF NOT EXISTS {database}.instance_hours
(
    instance_id UUID COMMENT 'The Beams instance',
    hour DateTime('UTC') COMMENT 'Hour of receipt',
    delivered AggregateFunction(uniqCombined64(12), String, String) COMMENT 'Notifications with a delivery report in the hour',
    openable AggregateFunction(uniqCombined64(12), String, String) COMMENT 'Notifications with a delivery report in the hour that says both in background and displayable',
    opened AggregateFunction(uniqCombined64(12), String, String) COMMENT 'Notifications with an open report in the hour',
    devices AggregateFunction(uniqCombined64(12), String) COMMENT 'Devices with a report in the hour',
    users AggregateFunction(uniqCombined64(12), String) COMMENT 'Users with a report in the hour'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (instance_id, hour)
TTL toDateTime(hour) + INTERVAL {retention_months} MONTH
SETTINGS
    non_replicated_deduplication_window = {deduplication_window},
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    ttl_only_drop_parts = 1,
    -- A row holds several sketches: reading those of other instances would cost more than a finer index.
    index_granularity = 64
COMMENT 'Sketches by instance and hour of receipt; ask the view instance_hourly';

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.instance_hours_of_reports TO {database}.instance_hours AS
SELECT
    instance_id,
    toStartOfHour(toDateTime(received_at, 'UTC')) AS hour,
    uniqCombined64StateIf(12)(publish_id, device_id, event = 'delivery') AS delivered,
    uniqCombined64StateIf(12)(publish_id, device_id, event = 'delivery' AND app_in_background AND has_displayable_content) AS openable,
    uniqCombined64StateIf(12)(publish_id, device_id, event = 'open') AS opened,
    uniqCombined64State(12)(device_id) AS devices,
    uniqCombined64StateIf(12)(assumeNotNull(user_id), isNotNull(user_id)) AS users
FROM {database}.reports
WHERE instance_id != toUUID('{canary_instance}')
GROUP BY instance_id, hour;
