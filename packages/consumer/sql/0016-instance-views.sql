CREATE VIEW IF NOT EXISTS {database}.instance_hourly AS
SELECT
    received.hour AS hour,
    reports,
    delivery_reports,
    open_reports,
    delivered_approx,
    openable_approx,
    opened_approx,
    devices_approx,
    users_approx,
    opened_approx / nullIf(openable_approx, 0) AS opened_per_openable_approx,
    opened_approx / nullIf(delivered_approx, 0) AS opens_per_delivery_approx
FROM
(
    SELECT
        hour,
        sum(of_event) AS reports,
        sumIf(of_event, event = 'delivery') AS delivery_reports,
        sumIf(of_event, event = 'open') AS open_reports
    FROM
    (
        -- In this form it reads the projection counts, not the reports.
        SELECT toStartOfHour(received_at) AS hour, event, count() AS of_event
        FROM {database}.customer_reports
        WHERE instance_id = {instance:UUID}
            AND toStartOfHour(received_at) >= {received_from:DateTime64(3, 'UTC')} AND toStartOfHour(received_at) < {received_to:DateTime64(3, 'UTC')}
        GROUP BY hour, event
    )
    GROUP BY hour
) AS received
INNER JOIN
(
    SELECT
        hour,
        uniqCombined64Merge(12)(delivered) AS delivered_approx,
        uniqCombined64Merge(12)(openable) AS openable_approx,
        uniqCombined64Merge(12)(opened) AS opened_approx,
        uniqCombined64Merge(12)(devices) AS devices_approx,
        uniqCombined64Merge(12)(users) AS users_approx
    FROM {database}.instance_hours
    WHERE instance_id = {instance:UUID} AND hour >= {received_from:DateTime64(3, 'UTC')} AND hour < {received_to:DateTime64(3, 'UTC')}
    GROUP BY hour
) AS distinct_things ON received.hour = distinct_things.hour
ORDER BY hour
COMMENT 'One row an hour of receipt that begins in [received_from, received_to) and has a report. reports, delivery_reports, open_reports: exact, repeated ones included. The others are estimates of distinct things: notifications (publish and device) with a delivery report in the hour (delivered), with one that says both in background and displayable content (openable), with an open report (opened); devices and users with a report in the hour. A notification whose reports fall in several hours counts in each. Exact up to about a hundred, beyond that the standard error is 1.6 %';

CREATE VIEW IF NOT EXISTS {database}.daily_active_devices AS
SELECT
    toDate(received_at, 'UTC') AS day,
    uniqExact(device_id) AS devices,
    uniqExactIf(device_id, event = 'open') AS opening_devices,
    uniqExact(user_id) AS users
FROM {database}.customer_reports
WHERE instance_id = {instance:UUID} AND received_at >= {received_from:DateTime64(3, 'UTC')} AND received_at < {received_to:DateTime64(3, 'UTC')}
GROUP BY day
ORDER BY day
COMMENT 'One row a day (UTC, of receipt) with a report received in [received_from, received_to): distinct devices with any report, with an open report, and distinct users. Exact; reads every report of the time. daily_active_devices_approx is faster';

CREATE VIEW IF NOT EXISTS {database}.daily_active_devices_approx AS
SELECT
    toDate(hour, 'UTC') AS day,
    uniqCombined64Merge(12)(devices) AS devices_approx,
    uniqCombined64Merge(12)(users) AS users_approx
FROM {database}.instance_hours
WHERE instance_id = {instance:UUID} AND hour >= {received_from:DateTime64(3, 'UTC')} AND hour < {received_to:DateTime64(3, 'UTC')}
GROUP BY day
ORDER BY day
COMMENT 'As daily_active_devices, estimated from whole hours that begin in [received_from, received_to): exact up to about a hundred, beyond that the standard error is 1.6 %';

CREATE VIEW IF NOT EXISTS {database}.client_quality AS
SELECT
    client_library,
    count() AS reports,
    countIf(event = 'delivery') AS delivery_reports,
    countIf(event = 'open') AS open_reports,
    uniqExact(device_id) AS devices,
    reports - uniqExact(publish_id, device_id, event) AS repeated_reports,
    repeated_reports / reports AS repeated_share,
    quantileExact(0.5)(late_secs) AS late_p50_secs,
    quantileExact(0.9)(late_secs) AS late_p90_secs,
    quantileExact(0.99)(late_secs) AS late_p99_secs,
    countIf(late_secs >= 3600) / reports AS late_share,
    countIf(late_secs < -1) / reports AS clock_ahead_share,
    greatest(0, -min(late_secs)) AS clock_ahead_max_secs,
    countIf(event = 'delivery' AND isNull(app_in_background)) / nullIf(delivery_reports, 0) AS without_app_in_background_share,
    countIf(event = 'delivery' AND isNull(has_displayable_content)) / nullIf(delivery_reports, 0) AS without_displayable_content_share,
    countIf(event = 'delivery' AND isNull(has_data)) / nullIf(delivery_reports, 0) AS without_has_data_share
FROM
(
    SELECT *, toInt64(toUnixTimestamp(toDateTime(received_at, 'UTC'))) - toInt64(toUnixTimestamp(occurred_at)) AS late_secs
    FROM {database}.customer_reports
    WHERE instance_id = {instance:UUID} AND received_at >= {received_from:DateTime64(3, 'UTC')} AND received_at < {received_to:DateTime64(3, 'UTC')}
)
GROUP BY client_library
ORDER BY reports DESC, client_library
COMMENT 'One row a client library (empty: it did not say, as web) over the reports received in [received_from, received_to). repeated_reports: those beyond one of each event of a publish''s device. late_…_secs: time of receipt minus the device''s time of the event, whole seconds, negative when the device''s clock is ahead; percentiles as in time_to_open. late_share: an hour or more. clock_ahead_share: the device''s time lies more than a second after receipt, which only a wrong clock explains; clock_ahead_max_secs: by how much at most. A clock that is behind cannot be told from a late report. without_…_share: delivery reports that do not say';

CREATE VIEW IF NOT EXISTS {database}.late_reports AS
SELECT
    received_at,
    occurred_at,
    toInt64(toUnixTimestamp(toDateTime(received_at, 'UTC'))) - toInt64(toUnixTimestamp(occurred_at)) AS late_secs,
    event,
    publish_id,
    device_id,
    user_id,
    client_library,
    report_id
FROM {database}.customer_reports
WHERE instance_id = {instance:UUID} AND received_at >= {received_from:DateTime64(3, 'UTC')} AND received_at < {received_to:DateTime64(3, 'UTC')}
    AND late_secs >= {late_secs:Int64}
ORDER BY received_at, report_id
COMMENT 'One row a report received in [received_from, received_to) at least late_secs seconds after it happened by the device''s clock: late reports, and devices whose clock is behind';
