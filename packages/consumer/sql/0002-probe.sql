-- Takes what reports would take and keeps nothing: the consumer finds by it which records are refused.
CREATE TABLE IF NOT EXISTS {database}.probe AS {database}.reports
ENGINE = Null
COMMENT 'Refuses what reports would refuse, keeps nothing';
