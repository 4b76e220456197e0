-- Imports of product files: the runs, what became of each product, and which listing a product is.
CREATE TABLE listings.import_run (
    id uuid PRIMARY KEY,
    seller_id uuid NOT NULL,
    actor text NOT NULL,
    filename text NOT NULL,
    file_key text NOT NULL,
    file_size bigint NOT NULL,
    currency char(3) NOT NULL,
    state text NOT NULL CHECK (
        state IN (
            'uploaded', 'previewing', 'previewed', 'running', 'done', 'failed', 'undoing', 'undone'
        )
    ),
    format text NOT NULL,
    source text NOT NULL,
    problems jsonb NOT NULL,
    failure text NOT NULL,
    position integer NOT NULL CHECK (position >= 0),
    total integer,
    counts jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    finished_at timestamptz
);
CREATE INDEX import_run_by_seller ON listings.import_run (seller_id, id);
-- One import of a seller at a time: two would take each other's products for new ones.
CREATE UNIQUE INDEX import_run_at_work ON listings.import_run (seller_id)
WHERE state IN ('previewing', 'running', 'undoing');

-- The listing that a product of another shop became. `content` is the product as last imported.
CREATE TABLE listings.import_link (
    seller_id uuid NOT NULL,
    source text NOT NULL,
    external_id text NOT NULL,
    listing_id uuid NOT NULL REFERENCES listings.listing (id) ON DELETE CASCADE,
    run_id uuid NOT NULL,
    content_hash bytea NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (seller_id, source, external_id)
);
CREATE INDEX import_link_by_listing ON listings.import_link (listing_id);

-- One row per product and phase. `former` is the listing before an update, for undoing it, and
-- `version` the listing's version after it, to tell whether somebody changed it since.
-- `completed` says that its pictures were fetched, or that they could not be.
CREATE TABLE listings.import_result (
    run_id uuid NOT NULL REFERENCES listings.import_run (id) ON DELETE CASCADE,
    phase text NOT NULL CHECK (phase IN ('preview', 'import')),
    position integer NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('created', 'updated', 'unchanged', 'refused')),
    external_id text NOT NULL,
    title text NOT NULL,
    rows integer [] NOT NULL,
    problems jsonb NOT NULL,
    listing_id uuid,
    former bytea,
    version integer,
    completed boolean NOT NULL DEFAULT false,
    undo text CHECK (undo IN ('undone', 'kept')),
    undo_note text NOT NULL DEFAULT '',
    PRIMARY KEY (run_id, phase, position)
);
