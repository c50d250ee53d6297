import Joi from "joi";
import { publishesQuestion } from "./publishes-question.js";
import type { Question } from "./question.js";
import { INSTANCE, PUBLISH, TIME } from "./question-parameters.js";

/** More hours and minutes than a screen has pixels are of no use; then the timeline is by hour. */
const MOST_MINUTES = 600;
/** Instances that can be picked from a list; others by their id in the address. */
const MOST_INSTANCES = 1_000;

const IN_TIME =
  "received_from = {from:DateTime64(3, 'UTC')}, received_to = {to:DateTime64(3, 'UTC')}";

/** Every question of the page, by name. `$db` stands for the database. */
export const QUESTIONS = {
  freshness: {
    about: "Everything that was received before this time can be seen.",
    parameters: Joi.object({}),
    sql: () => "SELECT complete_to FROM $db.ingest_complete_to",
  },
  instances: {
    about: "Instances with reports in this time, those with the most notifications first.",
    parameters: Joi.object(TIME),
    sql: () => `SELECT instance_id, uniqCombined64Merge(12)(delivered) AS delivered_approx
FROM $db.instance_hours
WHERE hour >= toStartOfHour({from:DateTime64(3, 'UTC')}) AND hour < {to:DateTime64(3, 'UTC')}
GROUP BY instance_id
ORDER BY delivered_approx DESC, instance_id
LIMIT ${MOST_INSTANCES}`,
  },
  overview: {
    about: "All publishes whose first report was received in this time, together.",
    parameters: Joi.object({ ...INSTANCE, ...TIME }),
    sql: () => `SELECT
    uniqExact(publish_id) AS publishes,
    countIf(is_delivered) AS delivered,
    countIf(is_openable) AS openable,
    countIf(is_opened) AS opened,
    countIf(is_opened AND is_openable) / nullIf(openable, 0) AS open_rate,
    if(count(time_to_open_secs) = 0, NULL, quantileExact(0.5)(time_to_open_secs)) AS p50_secs,
    uniqExact(device_id) AS devices
FROM $db.notification_facts
WHERE instance_id = {instance:UUID} AND publish_id IN
(
    SELECT publish_id
    FROM $db.publish_activity
    WHERE instance_id = {instance:UUID}
    GROUP BY publish_id
    HAVING min(publish_activity.first_received_at) >= {from:DateTime64(3, 'UTC')} AND min(publish_activity.first_received_at) < {to:DateTime64(3, 'UTC')}
)`,
  },
  instance_hours: {
    about:
      "Notifications with a delivery and with an open report in each hour of receipt; estimates with a standard error of 1.6 %.",
    parameters: Joi.object({ ...INSTANCE, ...TIME }),
    sql: () => `SELECT hour, reports, delivered_approx, openable_approx, opened_approx, devices_approx
FROM $db.instance_hourly(instance = {instance:UUID}, ${IN_TIME})
ORDER BY hour`,
  },
  publishes: publishesQuestion,
  clients: {
    about:
      "Reports received in this time by the client library that sent them. Late: an hour or more after it happened, by the device's clock.",
    parameters: Joi.object({ ...INSTANCE, ...TIME }),
    sql: () => `SELECT client_library, devices, reports, repeated_share, late_p50_secs, late_share, clock_ahead_share, without_app_in_background_share
FROM $db.client_quality(instance = {instance:UUID}, ${IN_TIME})
LIMIT 100`,
  },
  publish: {
    about: "Devices of the publish, over all reports that ever came of it.",
    parameters: Joi.object(PUBLISH),
    sql: () => `SELECT title, recipients, delivered, openable, opened_openable, opened, opened_without_delivery, open_rate, opened_per_openable,
    acknowledgement_rate, users, reports, repeated_reports, repeated_share, first_received_at AS first_activity, last_received_at AS last_activity
FROM $db.publish_figures(instance = {instance:UUID})
WHERE publish_id = {publish:String}`,
  },
  publish_timeline: {
    about:
      "Devices whose first delivery and whose first open was received in each minute, or hour where the publish goes on for long.",
    parameters: Joi.object(PUBLISH),
    sql: () => `WITH
    timeline AS (SELECT * FROM $db.publish_timeline(instance = {instance:UUID}, publish = {publish:String})),
    (SELECT max(minute) - min(minute) > ${MOST_MINUTES} FROM timeline) AS is_long
SELECT
    min(starts_at) AS at,
    if(is_long, 60, 1) AS step_minutes,
    sum(delivered) AS delivered,
    sum(openable) AS openable,
    sum(opened) AS opened
FROM timeline
GROUP BY if(is_long, hour, minute)
ORDER BY at`,
  },
  time_to_open: {
    about:
      "First open minus first delivery of a device, by that device's own clock; only devices with both.",
    parameters: Joi.object(PUBLISH),
    sql: () => `SELECT
    count(time_to_open_secs) AS devices,
    if(devices = 0, NULL, quantileExact(0.5)(time_to_open_secs)) AS p50_secs,
    if(devices = 0, NULL, quantileExact(0.9)(time_to_open_secs)) AS p90_secs,
    if(devices = 0, NULL, quantileExact(0.99)(time_to_open_secs)) AS p99_secs,
    countIf(time_to_open_secs <= 60) AS within_minute,
    countIf(time_to_open_secs <= 600) AS within_10_minutes,
    countIf(time_to_open_secs <= 3600) AS within_hour,
    countIf(time_to_open_secs <= 86400) AS within_day
FROM $db.notification_facts
WHERE instance_id = {instance:UUID} AND publish_id = {publish:String}`,
  },
  publish_clients: {
    about:
      "Devices of the publish by their client library; of several, the last in alphabetical order.",
    parameters: Joi.object(PUBLISH),
    sql: () => `SELECT
    client_library,
    countIf(is_delivered) AS delivered,
    countIf(is_openable) AS openable,
    countIf(is_opened) AS opened,
    countIf(is_opened AND is_openable) / nullIf(openable, 0) AS open_rate
FROM $db.notification_facts
WHERE instance_id = {instance:UUID} AND publish_id = {publish:String}
GROUP BY client_library
ORDER BY delivered DESC, client_library
LIMIT 100`,
  },
} as const satisfies Readonly<Record<string, Question>>;
