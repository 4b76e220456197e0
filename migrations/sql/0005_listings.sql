CREATE SCHEMA listings;

-- What the listings need to know of sellers, kept by handlers of the sellers' events.
CREATE TABLE listings.seller (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    slug text NOT NULL,
    suspended boolean NOT NULL DEFAULT false,
    away_from timestamptz,
    away_until timestamptz
);

CREATE TABLE listings.listing (
    id uuid PRIMARY KEY,
    seller_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('goods', 'digital', 'secondhand')),
    state text NOT NULL CHECK (
        state IN ('draft', 'in_review', 'active', 'paused', 'sold_out', 'flagged', 'archived')
    ),
    title text NOT NULL,
    slug text NOT NULL UNIQUE,
    description_html text NOT NULL,
    category_id uuid,
    category_path uuid [] NOT NULL,
    species_id uuid,
    attributes jsonb NOT NULL,
    tags text [] NOT NULL,
    currency char(3) NOT NULL,
    price_min bigint,
    price_max bigint,
    condition text CHECK (condition IN ('new', 'like_new', 'good', 'fair', 'poor')),
    condition_note text NOT NULL,
    location text NOT NULL,
    live_plant boolean NOT NULL,
    seo_title text NOT NULL,
    seo_description text NOT NULL,
    image_key text,
    review_note text NOT NULL,
    reviewed boolean NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    published_at timestamptz,
    card bytea NOT NULL,
    document bytea NOT NULL,
    CHECK (price_min <= price_max),
    CHECK (state NOT IN ('active', 'sold_out') OR published_at IS NOT NULL)
);
CREATE INDEX listing_newest ON listings.listing (published_at, id) WHERE state = 'active';
CREATE INDEX listing_by_seller ON listings.listing (seller_id, id);
CREATE INDEX listing_in_shop ON listings.listing (seller_id, published_at, id)
WHERE state = 'active';
CREATE INDEX listing_by_kind ON listings.listing (kind, published_at, id)
WHERE state = 'active';
CREATE INDEX listing_for_review ON listings.listing (updated_at, id) WHERE state = 'in_review';
CREATE INDEX listing_by_category ON listings.listing (category_id);

-- One row per active listing and category above it: pages of any category in one index scan.
CREATE TABLE listings.placement (
    category_id uuid NOT NULL,
    listing_id uuid NOT NULL REFERENCES listings.listing (id) ON DELETE CASCADE,
    published_at timestamptz NOT NULL,
    PRIMARY KEY (category_id, listing_id)
);
CREATE INDEX placement_page ON listings.placement (category_id, published_at, listing_id);
CREATE INDEX placement_by_listing ON listings.placement (listing_id);

CREATE TABLE listings.variant (
    id uuid PRIMARY KEY,
    listing_id uuid NOT NULL REFERENCES listings.listing (id) ON DELETE CASCADE,
    seller_id uuid NOT NULL,
    position smallint NOT NULL,
    -- json keeps the order of the options; jsonb would sort them.
    options json NOT NULL,
    sku text NOT NULL,
    price bigint NOT NULL CHECK (price > 0),
    compare_at bigint CHECK (compare_at > price),
    weight_g integer CHECK (weight_g >= 0),
    active boolean NOT NULL,
    UNIQUE (seller_id, sku)
);
CREATE INDEX variant_by_listing ON listings.variant (listing_id, position);

CREATE TABLE listings.image (
    id uuid PRIMARY KEY,
    listing_id uuid NOT NULL REFERENCES listings.listing (id) ON DELETE CASCADE,
    position smallint NOT NULL,
    key text NOT NULL,
    alt text NOT NULL,
    width integer NOT NULL CHECK (width > 0),
    height integer NOT NULL CHECK (height > 0),
    size bigint NOT NULL
);
CREATE INDEX image_by_listing ON listings.image (listing_id, position);

CREATE TABLE listings.digital_file (
    id uuid PRIMARY KEY,
    listing_id uuid NOT NULL REFERENCES listings.listing (id) ON DELETE CASCADE,
    key text NOT NULL,
    filename text NOT NULL,
    media_type text NOT NULL,
    size bigint NOT NULL CHECK (size > 0),
    sha256 bytea NOT NULL,
    version integer NOT NULL,
    current boolean NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX digital_file_by_listing ON listings.digital_file (listing_id, filename);
