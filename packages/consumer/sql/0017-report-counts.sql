-- Reports by publish, hour and event, kept by ClickHouse with each part of reports: exact whatever happens to the rows. Counting
-- all reports of publishes or hours reads it instead of the rows.
ALTER TABLE {database}.reports ADD PROJECTION IF NOT EXISTS counts
(
    SELECT instance_id, publish_id, toStartOfHour(received_at) AS hour, event, count()
    GROUP BY instance_id, publish_id, hour, event
);
