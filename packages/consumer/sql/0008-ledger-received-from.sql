-- Tells whether rows of a range may have expired already.
ALTER TABLE {database}.ledger
ADD COLUMN IF NOT EXISTS received_from Nullable(DateTime64(3, 'UTC')) COMMENT 'Earliest time of receipt in the range' AFTER cut_at;
