CREATE SCHEMA inventory;

CREATE TABLE inventory.stock (
    variant_id uuid PRIMARY KEY,
    listing_id uuid NOT NULL,
    seller_id uuid NOT NULL,
    on_hand bigint NOT NULL DEFAULT 0,
    reserved bigint NOT NULL DEFAULT 0,
    tracked boolean NOT NULL,
    low_stock_at bigint NOT NULL DEFAULT 3,
    CONSTRAINT stock_never_below_zero CHECK (on_hand >= 0 AND reserved >= 0),
    CONSTRAINT stock_covers_reservations CHECK (reserved <= on_hand),
    CONSTRAINT stock_untracked_is_not_counted CHECK (tracked OR (on_hand = 0 AND reserved = 0)),
    CONSTRAINT stock_low_stock_at CHECK (low_stock_at >= 0)
);
CREATE INDEX stock_by_listing ON inventory.stock (listing_id);
CREATE INDEX stock_by_seller ON inventory.stock (seller_id, variant_id);

CREATE TABLE inventory.movement (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    variant_id uuid NOT NULL REFERENCES inventory.stock (variant_id),
    delta bigint NOT NULL,
    balance bigint NOT NULL,
    reason text NOT NULL,
    reference text NOT NULL DEFAULT '',
    actor text NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT movement_moves CHECK (delta <> 0),
    CONSTRAINT movement_balance CHECK (balance >= 0),
    CONSTRAINT movement_reason CHECK (
        reason IN ('initial', 'restock', 'correction', 'sale', 'return', 'import', 'loss'))
);
CREATE INDEX movement_by_variant ON inventory.movement (variant_id, id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON inventory.movement
    FOR EACH ROW EXECUTE FUNCTION platform.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON inventory.movement
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();

CREATE TABLE inventory.reservation (
    checkout_id uuid NOT NULL,
    variant_id uuid NOT NULL REFERENCES inventory.stock (variant_id),
    quantity bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (checkout_id, variant_id),
    CONSTRAINT reservation_quantity CHECK (quantity > 0)
);
CREATE INDEX reservation_by_expiry ON inventory.reservation (expires_at);
CREATE INDEX reservation_by_variant ON inventory.reservation (variant_id);
