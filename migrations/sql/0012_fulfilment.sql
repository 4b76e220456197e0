CREATE SCHEMA fulfilment;

CREATE TABLE fulfilment.address (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    label text NOT NULL,
    is_default boolean NOT NULL,
    name text NOT NULL,
    company text NOT NULL,
    line1 text NOT NULL,
    line2 text NOT NULL,
    city text NOT NULL,
    region text NOT NULL,
    postal_code text NOT NULL,
    country char(2) NOT NULL,
    phone text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX address_by_user ON fulfilment.address (user_id, id);
CREATE UNIQUE INDEX address_one_default ON fulfilment.address (user_id) WHERE is_default;

CREATE TABLE fulfilment.shipping_method (
    id uuid PRIMARY KEY,
    seller_id uuid NOT NULL,
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('delivery', 'pickup')),
    currency char(3) NOT NULL,
    pickup_note text NOT NULL,
    position smallint NOT NULL,
    active boolean NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX shipping_method_by_seller ON fulfilment.shipping_method (seller_id, position, id);

CREATE TABLE fulfilment.shipping_rate (
    method_id uuid NOT NULL REFERENCES fulfilment.shipping_method (id) ON DELETE CASCADE,
    position smallint NOT NULL,
    countries text[] NOT NULL,
    amount bigint NOT NULL CHECK (amount >= 0),
    free_over bigint CHECK (free_over >= 0),
    bracket_g integer[] NOT NULL,
    bracket_amount bigint[] NOT NULL,
    min_days smallint NOT NULL CHECK (min_days >= 0),
    max_days smallint NOT NULL CHECK (max_days >= min_days),
    PRIMARY KEY (method_id, position),
    CHECK (cardinality(bracket_g) = cardinality(bracket_amount))
);
COMMENT ON COLUMN fulfilment.shipping_rate.countries IS 'ISO 3166 codes; empty is everywhere else';
COMMENT ON COLUMN fulfilment.shipping_rate.bracket_g IS 'up to this many grams; empty is a flat rate';

CREATE TABLE fulfilment.shipment (
    id uuid PRIMARY KEY,
    seller_order_id uuid NOT NULL,
    seller_id uuid NOT NULL,
    state text NOT NULL
        CHECK (state IN ('label_pending', 'shipped', 'in_transit', 'delivered', 'returned')),
    carrier text NOT NULL,
    tracking_number text NOT NULL,
    created_at timestamptz NOT NULL,
    shipped_at timestamptz,
    delivered_at timestamptz,
    estimate_from date,
    estimate_to date,
    version integer NOT NULL DEFAULT 1
);
CREATE INDEX shipment_by_order ON fulfilment.shipment (seller_order_id, id);
CREATE INDEX shipment_by_seller ON fulfilment.shipment (seller_id, id);

CREATE TABLE fulfilment.shipment_line (
    shipment_id uuid NOT NULL REFERENCES fulfilment.shipment (id),
    order_line_id uuid NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (shipment_id, order_line_id)
);

CREATE TABLE fulfilment.shipment_step (
    shipment_id uuid NOT NULL REFERENCES fulfilment.shipment (id),
    number smallint NOT NULL,
    at timestamptz NOT NULL,
    state text NOT NULL,
    actor text NOT NULL,
    note text NOT NULL,
    PRIMARY KEY (shipment_id, number)
);

CREATE TABLE fulfilment.download_grant (
    id uuid PRIMARY KEY,
    order_line_id uuid NOT NULL,
    seller_order_id uuid NOT NULL,
    seller_id uuid NOT NULL,
    buyer_id uuid,
    buyer_email text NOT NULL,
    file_id uuid NOT NULL,
    storage_key text NOT NULL,
    filename text NOT NULL,
    content_type text NOT NULL,
    size bigint NOT NULL CHECK (size >= 0),
    granted_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    max_downloads smallint NOT NULL CHECK (max_downloads > 0),
    downloads smallint NOT NULL DEFAULT 0 CHECK (downloads BETWEEN 0 AND max_downloads),
    revoked_at timestamptz,
    revoked_for text NOT NULL DEFAULT '',
    UNIQUE (order_line_id, file_id)
);
CREATE INDEX download_grant_by_order ON fulfilment.download_grant (seller_order_id, id);
CREATE INDEX download_grant_by_buyer ON fulfilment.download_grant (buyer_id, id)
    WHERE buyer_id IS NOT NULL;

CREATE TABLE fulfilment.download_session (
    id uuid PRIMARY KEY,
    grant_id uuid NOT NULL REFERENCES fulfilment.download_grant (id),
    link bytea NOT NULL,
    buyer text NOT NULL,
    started_at timestamptz NOT NULL,
    resumed_bytes bigint NOT NULL DEFAULT 0,
    ip text
);
COMMENT ON COLUMN fulfilment.download_session.buyer IS 'account id, else e-mail: the hourly limit counts it';
CREATE INDEX download_session_by_link ON fulfilment.download_session (grant_id, link, id);
CREATE INDEX download_session_by_buyer ON fulfilment.download_session (buyer, started_at);

CREATE TABLE fulfilment.licence_claim (
    order_line_id uuid PRIMARY KEY,
    seller_order_id uuid NOT NULL,
    seller_id uuid NOT NULL,
    variant_id uuid NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    assigned integer NOT NULL DEFAULT 0 CHECK (assigned BETWEEN 0 AND quantity),
    claimed_at timestamptz NOT NULL,
    revoked_at timestamptz,
    revoked_for text NOT NULL DEFAULT ''
);
CREATE INDEX licence_claim_by_order ON fulfilment.licence_claim (seller_order_id);
CREATE INDEX licence_claim_waiting ON fulfilment.licence_claim (seller_id, variant_id, order_line_id)
    WHERE assigned < quantity AND revoked_at IS NULL;

CREATE TABLE fulfilment.licence_key (
    id uuid PRIMARY KEY,
    seller_id uuid NOT NULL,
    variant_id uuid NOT NULL,
    content text NOT NULL,
    added_at timestamptz NOT NULL,
    order_line_id uuid REFERENCES fulfilment.licence_claim (order_line_id),
    assigned_at timestamptz,
    UNIQUE (seller_id, variant_id, content),
    CHECK ((order_line_id IS NULL) = (assigned_at IS NULL))
);
CREATE INDEX licence_key_free ON fulfilment.licence_key (seller_id, variant_id, id)
    WHERE order_line_id IS NULL;
CREATE INDEX licence_key_by_line ON fulfilment.licence_key (order_line_id)
    WHERE order_line_id IS NOT NULL;
