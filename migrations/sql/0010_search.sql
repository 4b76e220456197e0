CREATE SCHEMA search;

-- Listings whose place in the index is out of date. Indexing a listing again while it is being
-- indexed gives its row a new seq, so that the older work does not take the note away.
CREATE SEQUENCE search.stale_seq AS bigint;
CREATE TABLE search.stale_listing (
  listing_id uuid PRIMARY KEY,
  seq bigint NOT NULL,
  noted_at timestamptz NOT NULL
);
CREATE INDEX stale_listing_seq ON search.stale_listing (seq);

-- At most one row: the whole index is to be built anew.
CREATE TABLE search.rebuild_request (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  asked_at timestamptz NOT NULL
);

-- What was looked for, by day and without any trace of who asked.
CREATE TABLE search.query_log (
  day date NOT NULL,
  query text NOT NULL CHECK (char_length(query) BETWEEN 1 AND 100),
  searches bigint NOT NULL CHECK (searches > 0),
  without_results bigint NOT NULL CHECK (without_results BETWEEN 0 AND searches),
  PRIMARY KEY (day, query)
);
