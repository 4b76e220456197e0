-- What operators change while the market runs; a key without a row has its default.
CREATE TABLE platform.option (
    key text PRIMARY KEY,
    value jsonb NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL
);

-- The operator's lists and figures.
CREATE INDEX seller_order_by_time ON orders.seller_order (placed_at);
CREATE INDEX purchase_by_total ON orders.purchase (total, id);
CREATE INDEX account_by_time ON identity.account (created_at);
CREATE INDEX payment_by_state ON payments.payment (state, id);
CREATE INDEX payment_by_time ON payments.payment (created_at);
CREATE INDEX audit_by_actor ON platform.audit (actor, id);
CREATE INDEX audit_by_action ON platform.audit (action text_pattern_ops, id);

-- A commission rule may end; sales keep the rule of their day.
ALTER TABLE ledger.commission_rule ADD COLUMN valid_until timestamptz;
ALTER TABLE ledger.commission_rule ADD CONSTRAINT commission_rule_ends_after_it_begins
CHECK (valid_until > valid_from);
