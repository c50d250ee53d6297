CREATE VIEW IF NOT EXISTS {database}.publish_summary AS
SELECT *
FROM {database}.publish_figures(instance = {instance:UUID})
WHERE publish_id IN
(
    SELECT publish_id
    FROM {database}.publish_activity
    WHERE instance_id = {instance:UUID}
    GROUP BY publish_id
    HAVING min(publish_activity.first_received_at) >= {received_from:DateTime64(3, 'UTC')} AND min(publish_activity.first_received_at) < {received_to:DateTime64(3, 'UTC')}
)
COMMENT 'One row a publish of the instance whose first report was received in [received_from, received_to). All figures count distinct devices over all its reports: delivered, opened: at least one such report; openable: delivered with the app in the background and with displayable content; opened_openable: both; opened_without_delivery: no delivery report. open_rate = opened_openable / openable; opened_per_openable = opened / openable, may exceed 1; opens_per_delivery = opened / delivered; acknowledgement_rate = delivered / recipients, from the table publishes; users: distinct users named. reports: all reports; repeated_reports: those beyond one delivery and one open a device; repeated_share = repeated_reports / reports. A zero denominator gives NULL. Times are of receipt';

CREATE VIEW IF NOT EXISTS {database}.latest_publishes AS
SELECT *
FROM {database}.publish_figures(instance = {instance:UUID})
WHERE publish_id IN
(
    SELECT publish_id
    FROM {database}.publish_activity
    WHERE instance_id = {instance:UUID}
    GROUP BY publish_id
    ORDER BY min(publish_activity.first_received_at) DESC, publish_id
    LIMIT {publishes:UInt32}
)
ORDER BY first_received_at DESC, publish_id
COMMENT 'The instance''s latest publishes, by receipt of their first report, with the columns of publish_summary';

CREATE VIEW IF NOT EXISTS {database}.publish_timeline AS
WITH
    (
        SELECT coalesce(min(publish_activity.first_delivery_received_at), min(publish_activity.first_received_at))
        FROM {database}.publish_activity
        WHERE instance_id = {instance:UUID} AND publish_id = {publish:String}
    ) AS origin
SELECT
    toInt32(floor((toUnixTimestamp64Milli(received_at) - toUnixTimestamp64Milli(assumeNotNull(origin))) / 60000)) AS minute,
    toInt32(floor(minute / 60)) AS hour,
    assumeNotNull(origin) + toIntervalMinute(minute) AS starts_at,
    countIf(kind = 'delivery') AS delivered,
    countIf(kind = 'delivery' AND is_openable) AS openable,
    countIf(kind = 'open') AS opened,
    sum(delivered) OVER (ORDER BY minute) AS delivered_so_far,
    sum(openable) OVER (ORDER BY minute) AS openable_so_far,
    sum(opened) OVER (ORDER BY minute) AS opened_so_far
FROM
(
    SELECT
        is_openable,
        arrayJoin([('delivery', first_delivery_received_at), ('open', first_open_received_at)]) AS first,
        first.1 AS kind,
        assumeNotNull(first.2) AS received_at
    FROM {database}.notification_facts
    WHERE instance_id = {instance:UUID} AND publish_id = {publish:String} AND isNotNull(first.2)
)
GROUP BY minute
ORDER BY minute
COMMENT 'One row a minute with anything new: devices whose first delivery (delivered, and openable of these) or first open (opened) was received in it, by time of receipt. minute 0 begins when the publish''s first delivery report was received (its first report when it has none); opens received before are in negative minutes. Each device counts once a column, so minutes add up to hours and to the figures of publish_summary. …_so_far: sums up to and with the minute';

CREATE VIEW IF NOT EXISTS {database}.time_to_open AS
SELECT
    publish_id,
    count(time_to_open_secs) AS devices,
    if(devices = 0, NULL, quantileExact(0.5)(time_to_open_secs)) AS p50_secs,
    if(devices = 0, NULL, quantileExact(0.9)(time_to_open_secs)) AS p90_secs,
    if(devices = 0, NULL, quantileExact(0.99)(time_to_open_secs)) AS p99_secs
FROM {database}.notification_facts
WHERE instance_id = {instance:UUID} AND publish_id IN
(
    SELECT publish_id
    FROM {database}.publish_activity
    WHERE instance_id = {instance:UUID}
    GROUP BY publish_id
    HAVING min(publish_activity.first_received_at) >= {received_from:DateTime64(3, 'UTC')} AND min(publish_activity.first_received_at) < {received_to:DateTime64(3, 'UTC')}
)
GROUP BY publish_id
COMMENT 'One row a publish of the instance whose first report was received in [received_from, received_to): first open minus first delivery of a device, seconds, by that device''s own clock, never below 0. devices: those with both. A percentile is the value at position floor(p * devices) of the sorted values, counted from 0; NULL without devices';

CREATE VIEW IF NOT EXISTS {database}.user_notifications AS
SELECT
    facts.publish_id AS publish_id,
    known.title AS title,
    device_id,
    client_library,
    first_delivered_at,
    first_opened_at,
    first_delivery_received_at,
    first_open_received_at,
    first_received_at,
    is_delivered,
    is_openable,
    is_opened,
    time_to_open_secs
FROM
(
    SELECT *
    FROM {database}.notification_facts
    WHERE instance_id = {instance:UUID} AND (publish_id, device_id) IN
    (
        SELECT publish_id, device_id FROM {database}.notifications WHERE instance_id = {instance:UUID} AND has(user_ids, {user:String})
    )
) AS facts
LEFT JOIN
(
    SELECT publish_id, title FROM {database}.publishes FINAL WHERE instance_id = {instance:UUID}
) AS known ON facts.publish_id = known.publish_id
WHERE first_received_at >= {received_from:DateTime64(3, 'UTC')} AND first_received_at < {received_to:DateTime64(3, 'UTC')}
ORDER BY first_received_at, publish_id, device_id
COMMENT 'One row a notification of one user whose first report was received in [received_from, received_to): every device of a publish for which some report names the user. Times of delivery and open are the device''s, those of receipt ours; time_to_open_secs as in time_to_open';
