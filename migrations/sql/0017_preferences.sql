-- Whose wish: 'user:<id>' of a member, or 'mail:<address>' of somebody without an account.
CREATE TABLE notifications.preference (
    subject text NOT NULL,
    topic text NOT NULL,
    email text NOT NULL CHECK (email IN ('now', 'daily', 'weekly', 'never')),
    in_app boolean NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (subject, topic)
);

CREATE TABLE notifications.digest_item (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    topic text NOT NULL,
    cadence text NOT NULL CHECK (cadence IN ('daily', 'weekly')),
    address text NOT NULL,
    name text NOT NULL,
    locale text NOT NULL,
    content jsonb NOT NULL,
    dedupe_key text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL
);
CREATE INDEX digest_item_by_user ON notifications.digest_item (cadence, user_id, id);
COMMENT ON TABLE notifications.digest_item IS 'waits to be told in the next summary, then is deleted';

CREATE TABLE notifications.signal (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    kind text NOT NULL,
    subject uuid,
    title text NOT NULL,
    url text NOT NULL,
    dedupe_key text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL
);
CREATE INDEX signal_by_user ON notifications.signal (user_id, created_at);
CREATE INDEX signal_by_age ON notifications.signal (created_at);
COMMENT ON TABLE notifications.signal IS 'told to open pages at once; kept for two days; an empty title says nothing aloud';

CREATE TABLE notifications.address_language (
    address text PRIMARY KEY,
    locale text NOT NULL,
    updated_at timestamptz NOT NULL
);
COMMENT ON TABLE notifications.address_language IS 'the language in which somebody without an account last bought';
