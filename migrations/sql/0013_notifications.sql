CREATE SCHEMA notifications;

CREATE TABLE notifications.message (
    id uuid PRIMARY KEY,
    user_id uuid,
    address text NOT NULL,
    name text NOT NULL,
    locale text NOT NULL,
    kind text NOT NULL,
    content jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('queued', 'sent', 'failed', 'bounced', 'dropped')),
    attempts smallint NOT NULL DEFAULT 0,
    error text NOT NULL DEFAULT '',
    dedupe_key text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    sent_at timestamptz
);
CREATE INDEX message_by_user ON notifications.message (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX message_by_age ON notifications.message (created_at);
COMMENT ON COLUMN notifications.message.content IS 'what the mail says; never a link that opens an account';

CREATE TABLE notifications.notice (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    kind text NOT NULL,
    title text NOT NULL,
    text text NOT NULL,
    url text NOT NULL,
    dedupe_key text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    read_at timestamptz
);
CREATE INDEX notice_by_user ON notifications.notice (user_id, id);
CREATE INDEX notice_unread ON notifications.notice (user_id) WHERE read_at IS NULL;
CREATE INDEX notice_by_age ON notifications.notice (created_at);
