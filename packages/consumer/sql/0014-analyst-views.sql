-- What the questions of the next files rest on. The operators' own probes are left out here and in the tables above, nowhere else.
CREATE VIEW IF NOT EXISTS {database}.customer_reports AS
SELECT * FROM {database}.reports WHERE instance_id != toUUID('{canary_instance}')
COMMENT 'Every report but those of the operators'' own probes: one row a report, repeated ones included';

CREATE VIEW IF NOT EXISTS {database}.notification_facts AS
SELECT
    instance_id,
    publish_id,
    device_id,
    user_ids,
    client_library,
    first_delivered_at,
    first_delivery_received_at,
    first_opened_at,
    first_open_received_at,
    coalesce(least(first_delivery_received_at, first_open_received_at), first_delivery_received_at, first_open_received_at) AS first_received_at,
    last_received_at,
    multiIf(bitTest(facts, 2), true, bitTest(facts, 3), false, NULL) AS app_in_background,
    multiIf(bitTest(facts, 4), true, bitTest(facts, 5), false, NULL) AS has_displayable_content,
    multiIf(bitTest(facts, 6), true, bitTest(facts, 7), false, NULL) AS has_data,
    bitTest(facts, 0) = 1 AS is_delivered,
    bitAnd(facts, 20) = 20 AS is_openable,
    bitTest(facts, 1) = 1 AS is_opened,
    if(is_delivered AND is_opened, greatest(0, dateDiff('second', first_delivered_at, first_opened_at)), NULL) AS time_to_open_secs
FROM {database}.notifications FINAL
COMMENT 'One row per instance, publish and device. delivered: at least one delivery report; opened: at least one open report; openable: some delivery report says that the app was in the background and some that there was displayable content (NULL is not said, flags of open reports never count). time_to_open_secs: first open minus first delivery by the device''s clock, seconds, never below 0, NULL unless both were reported. Ask for an instance, better for a publish too: the rows are ordered by them';

CREATE VIEW IF NOT EXISTS {database}.instances AS
SELECT
    instance_id,
    uniqExact(publish_id) AS publishes,
    min(publish_activity.first_received_at) AS first_received_at,
    max(publish_activity.last_received_at) AS last_received_at
FROM {database}.publish_activity
GROUP BY instance_id
COMMENT 'Every instance with a report: its publishes, and when its first and its last report was received';

-- Three small tables join one row a publish; the filter on publish_id reaches all of them. The notifications are grouped by publish_id
-- alone, which is why the instance is a parameter.
CREATE VIEW IF NOT EXISTS {database}.publish_figures AS
SELECT
    figures.publish_id AS publish_id,
    known.title AS title,
    known.recipients AS recipients,
    delivered,
    openable,
    opened,
    opened_openable,
    opened_without_delivery,
    opened_openable / nullIf(openable, 0) AS open_rate,
    opened / nullIf(openable, 0) AS opened_per_openable,
    opened / nullIf(delivered, 0) AS opens_per_delivery,
    delivered / nullIf(known.recipients, 0) AS acknowledgement_rate,
    users,
    first_received_at,
    last_received_at,
    received.reports AS reports,
    received.reports - delivered - opened AS repeated_reports,
    repeated_reports / nullIf(received.reports, 0) AS repeated_share
FROM
(
    SELECT
        publish_id,
        countIf(is_delivered) AS delivered,
        countIf(is_openable) AS openable,
        countIf(is_opened) AS opened,
        countIf(is_opened AND is_openable) AS opened_openable,
        countIf(is_opened AND NOT is_delivered) AS opened_without_delivery,
        -- By 64-bit hash, which halves the time: a million users are miscounted with a probability of one in ten million.
        uniqExactArray(arrayMap(user_id -> sipHash64(user_id), user_ids)) AS users
    FROM {database}.notification_facts
    WHERE instance_id = {instance:UUID}
    GROUP BY publish_id
) AS figures
INNER JOIN
(
    SELECT
        publish_id,
        min(publish_activity.first_received_at) AS first_received_at,
        max(publish_activity.last_received_at) AS last_received_at
    FROM {database}.publish_activity
    WHERE instance_id = {instance:UUID}
    GROUP BY publish_id
) AS active ON figures.publish_id = active.publish_id
INNER JOIN
(
    SELECT publish_id, count() AS reports
    FROM {database}.customer_reports
    WHERE instance_id = {instance:UUID}
    GROUP BY publish_id
) AS received ON figures.publish_id = received.publish_id
LEFT JOIN
(
    SELECT publish_id, title, recipients
    FROM {database}.publishes FINAL
    WHERE instance_id = {instance:UUID}
) AS known ON figures.publish_id = known.publish_id
COMMENT 'What publish_summary and latest_publishes show, of all publishes of an instance. Ask those, or name publishes: it reads everything else';
