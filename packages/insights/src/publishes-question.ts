import Joi from "joi";
import type { Question } from "./question.js";
import { INSTANCE, LIST, TIME } from "./question-parameters.js";

/** Columns to sort by that are known before any notification is read. */
const CHEAP_SORTS = ["first_activity", "publish_id"] as const;
const SORTS = [
  ...CHEAP_SORTS,
  "delivered",
  "openable",
  "opened",
  "open_rate",
  "opens_per_delivery",
  "p50_secs",
] as const;

/** Publishes whose first report came in the time, and whose title or id holds the text that is searched for. */
const CANDIDATES = `candidates AS
(
    SELECT activity.publish_id AS publish_id, activity.first_activity AS first_activity, known.title AS title, known.recipients AS recipients
    FROM
    (
        SELECT publish_id, min(publish_activity.first_received_at) AS first_activity
        FROM $db.publish_activity
        WHERE instance_id = {instance:UUID}
        GROUP BY publish_id
        HAVING first_activity >= {from:DateTime64(3, 'UTC')} AND first_activity < {to:DateTime64(3, 'UTC')}
    ) AS activity
    LEFT JOIN
    (
        SELECT publish_id, title, recipients FROM $db.publishes FINAL WHERE instance_id = {instance:UUID}
    ) AS known ON activity.publish_id = known.publish_id
    WHERE positionCaseInsensitiveUTF8(concat(publish_id, ' ', title), {search:String}) > 0
)`;

const PAGE = "LIMIT {limit:UInt32} OFFSET {offset:UInt32}";

/** The list of publishes, a page of it. */
export const publishesQuestion: Question = {
  about:
    "Publishes whose first report was received in this time, with their devices over all reports. Openable: delivered in the background and with something to show; the open rate is of these.",
  parameters: Joi.object({
    ...INSTANCE,
    ...TIME,
    ...LIST,
    sort: Joi.string()
      .valid(...SORTS)
      .default("first_activity"),
  }),
  sql: ({ sort, direction, min_delivered: minDelivered }) => {
    const column = SORTS.find((name) => name === sort);
    // By what the list shows as the publish's name.
    const key = column === "publish_id" ? "if(title = '', publish_id, title)" : column;
    const order = `ORDER BY ${key} ${direction === "asc" ? "ASC" : "DESC"} NULLS LAST, publish_id`;
    // In an order of time only the notifications of this page's publishes are read.
    const isCheap = CHEAP_SORTS.some((name) => name === sort) && minDelivered === 0;
    return `WITH
${CANDIDATES},
chosen AS
(
    SELECT * FROM candidates${isCheap ? ` ${order} ${PAGE}` : ""}
)
SELECT
    chosen.publish_id AS publish_id,
    chosen.title AS title,
    chosen.first_activity AS first_activity,
    chosen.recipients AS recipients,
    figures.delivered AS delivered,
    figures.openable AS openable,
    figures.opened AS opened,
    figures.opened_openable / nullIf(figures.openable, 0) AS open_rate,
    figures.opened / nullIf(figures.delivered, 0) AS opens_per_delivery,
    figures.delivered / nullIf(chosen.recipients, 0) AS acknowledgement_rate,
    figures.p50_secs AS p50_secs,
    ${isCheap ? "(SELECT count() FROM candidates)" : "count() OVER ()"} AS total
FROM chosen
INNER JOIN
(
    SELECT
        publish_id,
        countIf(is_delivered) AS delivered,
        countIf(is_openable) AS openable,
        countIf(is_opened) AS opened,
        countIf(is_opened AND is_openable) AS opened_openable,
        if(count(time_to_open_secs) = 0, NULL, quantileExact(0.5)(time_to_open_secs)) AS p50_secs
    FROM $db.notification_facts
    WHERE instance_id = {instance:UUID} AND publish_id IN (SELECT publish_id FROM chosen)
    GROUP BY publish_id
) AS figures ON chosen.publish_id = figures.publish_id
WHERE delivered >= {min_delivered:UInt32}
${order}${isCheap ? "" : `\n${PAGE}`}`;
  },
};
