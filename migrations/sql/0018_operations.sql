-- What operators change while the market runs; a key without a row has its default.
CREATE TABLE platform.option (
    key text PRIMARY KEY,
    value jsonb NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL
);

-- The operator's lists, each sorted by what it can be sorted by, and the figures of the dashboard.
CREATE INDEX seller_order_by_time ON orders.seller_order (placed_at)
INCLUDE (currency, state, total, commission);
CREATE INDEX purchase_by_time ON orders.purchase (placed_at, id);
CREATE INDEX purchase_by_total ON orders.purchase (total, id);
CREATE INDEX account_by_time ON identity.account (created_at, id);
CREATE INDEX payment_by_time ON payments.payment (created_at, id);
CREATE INDEX payment_by_amount ON payments.payment (amount, id);
CREATE INDEX refund_by_payment ON payments.refund (payment_id);
CREATE INDEX listing_by_change ON listings.listing (updated_at, id);
CREATE INDEX listing_by_state ON listings.listing (state, updated_at, id);
CREATE INDEX audit_by_actor ON platform.audit (actor, id);
CREATE INDEX audit_by_action ON platform.audit (action text_pattern_ops, id);

-- A commission rule may end; one withdrawn before it began ends when it would have begun.
ALTER TABLE ledger.commission_rule ADD COLUMN valid_until timestamptz;
ALTER TABLE ledger.commission_rule ADD CONSTRAINT commission_rule_ends_after_begin
CHECK (valid_until >= valid_from);
