CREATE SCHEMA platform;

CREATE TABLE platform.event (
    id uuid PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    name text NOT NULL,
    aggregate_id uuid NOT NULL,
    actor text NOT NULL,
    occurred_at timestamptz NOT NULL,
    payload jsonb NOT NULL
);
CREATE INDEX event_by_aggregate ON platform.event (aggregate_id, seq);
CREATE INDEX event_by_name ON platform.event (name, seq);

CREATE TABLE platform.delivery (
    event_id uuid NOT NULL REFERENCES platform.event (id),
    subscriber text NOT NULL,
    aggregate_id uuid NOT NULL,
    seq bigint NOT NULL,
    next_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    dead boolean NOT NULL DEFAULT false,
    error text NOT NULL DEFAULT '',
    PRIMARY KEY (event_id, subscriber)
);
CREATE INDEX delivery_due ON platform.delivery (subscriber, seq) WHERE NOT dead;
CREATE INDEX delivery_order ON platform.delivery (subscriber, aggregate_id, seq) WHERE NOT dead;
CREATE INDEX delivery_dead ON platform.delivery (seq) WHERE dead;

CREATE TABLE platform.audit (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    detail jsonb NOT NULL,
    ip text
);
CREATE INDEX audit_by_subject ON platform.audit (subject, id);
CREATE TABLE platform.audit_seal (
    seq bigint PRIMARY KEY,
    audit_id uuid NOT NULL UNIQUE,
    hash bytea NOT NULL
);

CREATE FUNCTION platform.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON platform.audit
    FOR EACH ROW EXECUTE FUNCTION platform.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON platform.audit_seal
    FOR EACH ROW EXECUTE FUNCTION platform.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON platform.event
    FOR EACH ROW EXECUTE FUNCTION platform.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON platform.audit
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();

CREATE TABLE platform.idempotency (
    caller text NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    status smallint,
    content_type text,
    body bytea,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_age ON platform.idempotency (created_at);

CREATE UNLOGGED TABLE platform.rate_limit (
    bucket text NOT NULL,
    window_start timestamptz NOT NULL,
    hits integer NOT NULL,
    PRIMARY KEY (bucket, window_start)
);

CREATE TABLE platform.local_mail (
    id uuid PRIMARY KEY,
    sent_at timestamptz NOT NULL,
    sender text NOT NULL,
    recipient text NOT NULL,
    subject text NOT NULL,
    html text NOT NULL,
    plain text NOT NULL
);
CREATE INDEX local_mail_by_recipient ON platform.local_mail (recipient, id);
