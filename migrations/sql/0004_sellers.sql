CREATE SCHEMA sellers;

CREATE TABLE sellers.seller (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL UNIQUE,
    slug text NOT NULL UNIQUE,
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('private', 'business')),
    country char(2) NOT NULL,
    state text NOT NULL CHECK (
        state IN ('applied', 'needs_info', 'approved', 'rejected', 'suspended')
    ),
    tier text NOT NULL CHECK (tier IN ('standard', 'premium')),
    bio text NOT NULL,
    shipping_policy text NOT NULL DEFAULT '',
    returns_policy text NOT NULL DEFAULT '',
    banner_key text,
    logo_key text,
    holiday_from timestamptz,
    holiday_until timestamptz,
    holiday_message text NOT NULL DEFAULT '',
    rating_sum bigint NOT NULL DEFAULT 0,
    rating_count bigint NOT NULL DEFAULT 0,
    applied_at timestamptz NOT NULL,
    approved_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    CHECK (holiday_until IS NULL OR holiday_from IS NOT NULL),
    CHECK (holiday_until > holiday_from)
);
CREATE INDEX seller_waiting ON sellers.seller (applied_at, id)
WHERE state IN ('applied', 'needs_info');
CREATE INDEX seller_public ON sellers.seller (approved_at DESC, id DESC) WHERE state = 'approved';

CREATE TABLE sellers.step (
    id uuid PRIMARY KEY,
    seller_id uuid NOT NULL REFERENCES sellers.seller (id),
    at timestamptz NOT NULL,
    actor text NOT NULL,
    state text NOT NULL,
    reason text NOT NULL
);
CREATE INDEX step_by_seller ON sellers.step (seller_id, id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON sellers.step
    FOR EACH ROW EXECUTE FUNCTION platform.refuse_change();
