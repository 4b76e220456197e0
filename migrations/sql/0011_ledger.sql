CREATE SCHEMA ledger;

-- Amounts are signed: a debit is above zero, a credit below. `balance` is the sum of the folded
-- postings: all of them for an ordinary account, and for a hot one all that are not in `unfolded`.
CREATE TABLE ledger.account (
    id uuid PRIMARY KEY,
    code text NOT NULL,
    currency char(3) NOT NULL,
    kind text NOT NULL,
    hot boolean NOT NULL,
    guarded boolean NOT NULL,
    seller_id uuid,
    balance bigint NOT NULL DEFAULT 0,
    UNIQUE (code, currency),
    UNIQUE (id, currency),
    CONSTRAINT account_kind CHECK (kind IN ('asset', 'liability', 'revenue', 'expense', 'equity')),
    CONSTRAINT account_guard CHECK (NOT (hot AND guarded))
);
CREATE INDEX account_by_seller ON ledger.account (seller_id) WHERE seller_id IS NOT NULL;

CREATE TABLE ledger.entry (
    id uuid PRIMARY KEY,
    key text NOT NULL UNIQUE,
    input_hash bytea NOT NULL,
    cause text NOT NULL,
    text text NOT NULL,
    actor text NOT NULL,
    at timestamptz NOT NULL,
    reverses uuid UNIQUE REFERENCES ledger.entry (id),
    CONSTRAINT entry_does_not_reverse_itself CHECK (reverses <> id)
);
CREATE INDEX entry_by_cause ON ledger.entry (cause, id);
CREATE INDEX entry_by_time ON ledger.entry (at);

CREATE TABLE ledger.posting (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entry_id uuid NOT NULL REFERENCES ledger.entry (id),
    position smallint NOT NULL,
    account_id uuid NOT NULL,
    currency char(3) NOT NULL,
    amount bigint NOT NULL,
    balance_after bigint,
    UNIQUE (entry_id, position),
    FOREIGN KEY (account_id, currency) REFERENCES ledger.account (id, currency),
    CONSTRAINT posting_moves CHECK (amount <> 0)
);
CREATE INDEX posting_by_account ON ledger.posting (account_id, id);

CREATE TABLE ledger.unfolded (
    posting_id bigint PRIMARY KEY,
    account_id uuid NOT NULL,
    amount bigint NOT NULL
);
CREATE INDEX unfolded_by_account ON ledger.unfolded (account_id);

CREATE FUNCTION ledger.refuse_unbalanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
BEGIN
    SELECT currency, sum(amount) AS total INTO wrong FROM ledger.posting
    WHERE entry_id = NEW.entry_id GROUP BY currency HAVING sum(amount) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry % is out of balance by % %', NEW.entry_id, wrong.total, wrong.currency
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON ledger.posting
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION ledger.refuse_unbalanced();

CREATE FUNCTION ledger.refuse_overdrawn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'account % % would be overdrawn by %', NEW.code, NEW.currency, abs(NEW.balance)
        USING ERRCODE = 'check_violation';
END
$$;
-- A trigger, because a CHECK would also judge the amount that an upsert offers to add.
CREATE TRIGGER never_overdrawn AFTER INSERT OR UPDATE ON ledger.account
    FOR EACH ROW
    WHEN (NEW.guarded AND CASE NEW.kind WHEN 'asset' THEN NEW.balance < 0 ELSE NEW.balance > 0 END)
    EXECUTE FUNCTION ledger.refuse_overdrawn();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger.entry
    FOR EACH ROW EXECUTE FUNCTION platform.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger.posting
    FOR EACH ROW EXECUTE FUNCTION platform.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON ledger.entry
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON ledger.posting
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();

-- Earnings that wait for the end of the hold period; `id` is the entry that made the earning.
CREATE TABLE ledger.hold (
    id uuid PRIMARY KEY,
    seller_order_id uuid NOT NULL,
    seller_id uuid NOT NULL,
    amount bigint NOT NULL,
    currency char(3) NOT NULL,
    release_at timestamptz NOT NULL,
    released boolean NOT NULL DEFAULT false,
    CONSTRAINT hold_amount CHECK (amount > 0)
);
CREATE INDEX hold_due ON ledger.hold (release_at, id) WHERE NOT released;
CREATE INDEX hold_by_order ON ledger.hold (seller_order_id);

CREATE TABLE ledger.commission_rule (
    id uuid PRIMARY KEY,
    scope text NOT NULL,
    seller_id uuid,
    tier text,
    category_id uuid,
    kind text,
    rate_bp integer NOT NULL,
    currency char(3),
    fixed bigint NOT NULL DEFAULT 0,
    minimum bigint,
    maximum bigint,
    tax_bp integer NOT NULL DEFAULT 0,
    valid_from timestamptz NOT NULL,
    CONSTRAINT commission_rule_scope CHECK (
        (scope = 'seller') = (seller_id IS NOT NULL)
        AND (scope = 'tier') = (tier IS NOT NULL)
        AND (scope = 'category') = (category_id IS NOT NULL)
        AND scope IN ('platform', 'category', 'tier', 'seller')),
    CONSTRAINT commission_rule_rates CHECK (rate_bp BETWEEN 0 AND 10000 AND tax_bp BETWEEN 0 AND 10000),
    CONSTRAINT commission_rule_amounts CHECK (
        fixed >= 0 AND minimum >= 0 AND maximum >= 0 AND minimum <= maximum
        AND (currency IS NOT NULL
             OR (fixed = 0 AND minimum IS NULL AND maximum IS NULL)))
);
CREATE INDEX commission_rule_by_scope ON ledger.commission_rule (scope, valid_from);
INSERT INTO ledger.commission_rule (id, scope, rate_bp, valid_from)
VALUES ('00000000-0000-7000-8000-000000000001', 'platform', 1000, '2000-01-01T00:00:00Z');
