-- Dead letters that were removed on request are booked as well, also those that had not become rows.
ALTER TABLE {database}.erased_reports
ADD COLUMN IF NOT EXISTS was_row SimpleAggregateFunction(max, UInt8) DEFAULT 1 COMMENT '1 when it was a row of reports; 0 when it was only a dead letter' AFTER was_dead_letter;
