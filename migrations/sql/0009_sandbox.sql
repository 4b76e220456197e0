CREATE SCHEMA sandbox;

CREATE TABLE sandbox.payment_method (
    id text PRIMARY KEY,
    brand text NOT NULL,
    last4 text NOT NULL,
    faults text[] NOT NULL,
    exp_month smallint NOT NULL,
    exp_year smallint NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE sandbox.intent (
    id text PRIMARY KEY,
    client_secret text NOT NULL UNIQUE,
    amount bigint NOT NULL CHECK (amount > 0),
    currency char(3) NOT NULL,
    status text NOT NULL CHECK (status IN (
        'requires_payment_method', 'requires_action', 'processing', 'requires_capture', 'succeeded',
        'canceled')),
    capture_method text NOT NULL CHECK (capture_method IN ('automatic', 'manual')),
    hosted boolean NOT NULL,
    amount_captured bigint NOT NULL CHECK (amount_captured BETWEEN 0 AND amount),
    amount_refunded bigint NOT NULL CHECK (amount_refunded BETWEEN 0 AND amount_captured),
    payment_method text,
    brand text,
    last4 text,
    faults text[] NOT NULL,
    return_url text,
    reference text,
    metadata jsonb NOT NULL,
    error_code text,
    decline_code text,
    error_message text,
    settle_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX intent_by_reference ON sandbox.intent (reference) WHERE reference IS NOT NULL;

CREATE TABLE sandbox.refund (
    id text PRIMARY KEY,
    intent_id text NOT NULL REFERENCES sandbox.intent (id),
    amount bigint NOT NULL CHECK (amount > 0),
    currency char(3) NOT NULL,
    status text NOT NULL CHECK (status IN ('succeeded', 'failed')),
    failure_code text,
    reason text,
    reference text,
    created_at timestamptz NOT NULL
);
CREATE INDEX refund_by_intent ON sandbox.refund (intent_id);
CREATE INDEX refund_by_reference ON sandbox.refund (reference) WHERE reference IS NOT NULL;

CREATE TABLE sandbox.payout (
    id text PRIMARY KEY,
    amount bigint NOT NULL CHECK (amount > 0),
    currency char(3) NOT NULL,
    destination text NOT NULL,
    final_status text NOT NULL CHECK (final_status IN ('paid', 'failed')),
    failure_code text,
    reference text,
    created_at timestamptz NOT NULL,
    arrives_at timestamptz NOT NULL
);
CREATE INDEX payout_by_reference ON sandbox.payout (reference) WHERE reference IS NOT NULL;

CREATE TABLE sandbox.balance_transaction (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    kind text NOT NULL CHECK (kind IN ('charge', 'refund', 'payout', 'payout_failure')),
    source text NOT NULL,
    reference text,
    amount bigint NOT NULL,
    fee bigint NOT NULL,
    currency char(3) NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX balance_transaction_by_time ON sandbox.balance_transaction (created_at);

CREATE TABLE sandbox.event (
    id text PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    type text NOT NULL,
    object_id text NOT NULL,
    payload text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX event_by_object ON sandbox.event (object_id);

CREATE TABLE sandbox.webhook_delivery (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id text NOT NULL REFERENCES sandbox.event (id),
    signing text NOT NULL CHECK (signing IN ('valid', 'forged', 'stale')),
    next_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    open boolean NOT NULL DEFAULT true,
    answer integer
);
CREATE INDEX webhook_delivery_due ON sandbox.webhook_delivery (next_at) WHERE open;
CREATE INDEX webhook_delivery_by_event ON sandbox.webhook_delivery (event_id);

CREATE TABLE sandbox.idempotency (
    key text PRIMARY KEY,
    request_hash bytea NOT NULL,
    status smallint NOT NULL,
    body bytea NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX idempotency_age ON sandbox.idempotency (created_at);

CREATE TABLE sandbox.fault_seen (
    key text PRIMARY KEY,
    created_at timestamptz NOT NULL
);
