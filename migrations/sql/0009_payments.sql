CREATE SCHEMA payments;

CREATE TABLE payments.payment (
    id uuid PRIMARY KEY,
    checkout_id uuid NOT NULL,
    gateway text NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    currency char(3) NOT NULL,
    state text NOT NULL CHECK (state IN (
        'created', 'requires_action', 'authorised', 'captured', 'failed', 'cancelled')),
    holds_checkout boolean NOT NULL,
    method_token text,
    return_url text NOT NULL,
    gateway_ref text,
    action_url text,
    decline_code text,
    method_label text,
    captured bigint NOT NULL DEFAULT 0,
    refunded bigint NOT NULL DEFAULT 0 CHECK (refunded >= 0),
    refund_held bigint NOT NULL DEFAULT 0 CHECK (refund_held >= 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT captured_once CHECK (captured = CASE WHEN state = 'captured' THEN amount ELSE 0 END),
    CONSTRAINT refunds_within_capture CHECK (refunded + refund_held <= captured)
);
-- At most one payment of a checkout may be under way or done.
CREATE UNIQUE INDEX payment_live ON payments.payment (checkout_id) WHERE holds_checkout;
CREATE INDEX payment_by_checkout ON payments.payment (checkout_id, id);
CREATE INDEX payment_unsettled ON payments.payment (updated_at)
    WHERE state IN ('created', 'requires_action', 'authorised');
CREATE UNIQUE INDEX payment_by_gateway_ref ON payments.payment (gateway, gateway_ref)
    WHERE gateway_ref IS NOT NULL;

CREATE TABLE payments.transition (
    id uuid PRIMARY KEY,
    payment_id uuid NOT NULL REFERENCES payments.payment (id),
    at timestamptz NOT NULL,
    actor text NOT NULL,
    source text NOT NULL,
    previous text,
    state text NOT NULL,
    detail text NOT NULL
);
CREATE INDEX transition_by_payment ON payments.transition (payment_id, id);

CREATE TABLE payments.refund (
    id uuid PRIMARY KEY,
    payment_id uuid NOT NULL REFERENCES payments.payment (id),
    key text NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    currency char(3) NOT NULL,
    reason text NOT NULL,
    state text NOT NULL CHECK (state IN ('requested', 'succeeded', 'failed')),
    gateway_ref text,
    failure_code text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (payment_id, key)
);
CREATE INDEX refund_requested ON payments.refund (created_at) WHERE state = 'requested';

CREATE TABLE payments.webhook_inbox (
    id uuid PRIMARY KEY,
    gateway text NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    payment_id uuid,
    payload bytea NOT NULL,
    fact text NOT NULL,
    received_at timestamptz NOT NULL,
    processed_at timestamptz,
    note text NOT NULL DEFAULT '',
    UNIQUE (gateway, event_id)
);
CREATE INDEX webhook_inbox_open ON payments.webhook_inbox (received_at) WHERE processed_at IS NULL;
CREATE INDEX webhook_inbox_by_payment ON payments.webhook_inbox (payment_id)
    WHERE payment_id IS NOT NULL;
