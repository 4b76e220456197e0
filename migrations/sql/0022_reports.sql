-- The desk lists what was looked into, the last first.
CREATE INDEX report_closed ON listings.report (closed_at, id) WHERE closed_at IS NOT NULL;
