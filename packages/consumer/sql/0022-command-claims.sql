-- Which command is at work that no other may run beside: replay and erase. A claim that is not repeated in time is void.
CREATE TABLE IF NOT EXISTS {database}.command_claims
(
    holder UUID COMMENT 'One run of a command',
    command LowCardinality(String) COMMENT 'Its name',
    said_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When the run said that it is at work, by the database''s clock',
    state Enum8('asks' = 0, 'works' = 1, 'is over' = 2) COMMENT 'asks: it looks whether another is at work; works: none was; is over: its last row'
)
ENGINE = MergeTree
ORDER BY holder
TTL toDateTime(said_at) + INTERVAL {retention_months} MONTH
SETTINGS
    non_replicated_deduplication_window = {deduplication_window},
    fsync_after_insert = 1,
    fsync_part_directory = 1
COMMENT 'What replay and erase say while they are at work, so that two of them never are';
