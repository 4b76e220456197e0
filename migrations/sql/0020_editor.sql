-- How a seller reads a product file of their own: kept with the run, and per column for the next.
ALTER TABLE listings.import_run ADD COLUMN mapping jsonb;

-- `field` is one of Souk's own columns or `attr:<name>`; empty means that the column is left out.
CREATE TABLE listings.import_column (
    seller_id uuid NOT NULL,
    header text NOT NULL,
    field text NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (seller_id, header)
);

-- Drafts that publish themselves. `failure` says why the last try was refused.
CREATE TABLE listings.scheduled_publication (
    listing_id uuid PRIMARY KEY REFERENCES listings.listing (id) ON DELETE CASCADE,
    seller_id uuid NOT NULL,
    publish_at timestamptz NOT NULL,
    failure text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL
);
CREATE INDEX scheduled_publication_due ON listings.scheduled_publication (publish_at)
WHERE failure = '';
