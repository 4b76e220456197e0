CREATE SCHEMA identity;

CREATE TABLE identity.account (
    id uuid PRIMARY KEY,
    email text NOT NULL UNIQUE CHECK (email = lower(email)),
    password_hash text NOT NULL,
    display_name text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 80),
    locale text NOT NULL,
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended')),
    staff_roles text [] NOT NULL DEFAULT '{}'
    CHECK (staff_roles <@ ARRAY['moderator', 'support', 'finance', 'admin']),
    email_verified_at timestamptz,
    password_changed_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX account_by_email_prefix ON identity.account (email text_pattern_ops);
CREATE INDEX account_by_name_prefix ON identity.account (
    lower(display_name) text_pattern_ops
);

-- One person works for at most one seller; seller_id belongs to another context.
CREATE TABLE identity.membership (
    user_id uuid PRIMARY KEY REFERENCES identity.account (id),
    seller_id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('owner', 'staff')),
    created_at timestamptz NOT NULL
);
CREATE INDEX membership_by_seller ON identity.membership (seller_id);

-- A browser session has a secret; an API session is a family of rotating refresh tokens.
CREATE TABLE identity.session (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES identity.account (id),
    kind text NOT NULL CHECK (kind IN ('browser', 'api')),
    secret_hash bytea UNIQUE,
    created_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    revoked_at timestamptz,
    revoked_because text,
    ip text,
    user_agent text NOT NULL,
    CHECK ((kind = 'browser') = (secret_hash IS NOT NULL)),
    CHECK ((revoked_at IS NULL) = (revoked_because IS NULL))
);
CREATE INDEX session_by_user ON identity.session (user_id, id) WHERE revoked_at IS NULL;
CREATE INDEX session_by_last_seen ON identity.session (last_seen_at);

CREATE TABLE identity.refresh_token (
    token_hash bytea PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES identity.session (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX refresh_token_by_session ON identity.refresh_token (session_id);

-- The link's secret is a MAC of the id: nothing here lets its reader follow a link.
CREATE TABLE identity.email_token (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES identity.account (id),
    purpose text NOT NULL
    CHECK (purpose IN ('verify', 'reset', 'change_email_old', 'change_email_new')),
    new_email text,
    change_id uuid,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    CHECK ((purpose IN ('change_email_old', 'change_email_new')) = (new_email IS NOT NULL)),
    CHECK ((new_email IS NULL) = (change_id IS NULL))
);
CREATE INDEX email_token_by_user ON identity.email_token (user_id, created_at);
CREATE INDEX email_token_by_change ON identity.email_token (change_id)
WHERE change_id IS NOT NULL;
CREATE INDEX email_token_by_age ON identity.email_token (created_at);

-- Tries of a password, counted per address whether or not an account has it: a lockout tells nobody
-- which addresses exist.
CREATE TABLE identity.attempt (
    key bytea PRIMARY KEY,
    attempts integer NOT NULL,
    locks integer NOT NULL,
    window_start timestamptz NOT NULL,
    locked_until timestamptz,
    touched_at timestamptz NOT NULL
);
CREATE INDEX attempt_by_age ON identity.attempt (touched_at);

CREATE TABLE identity.device (
    user_id uuid NOT NULL REFERENCES identity.account (id),
    fingerprint bytea NOT NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, fingerprint)
);
CREATE INDEX device_by_age ON identity.device (last_seen_at);
