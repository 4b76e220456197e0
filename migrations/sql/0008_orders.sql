CREATE SCHEMA orders;

CREATE TABLE orders.checkout (
    id uuid PRIMARY KEY,
    state text NOT NULL CHECK (
        state IN ('open', 'awaiting_payment', 'completed', 'expired', 'cancelled')
    ),
    user_id uuid,
    guest bytea,
    cart_id uuid,
    payment_id uuid,
    order_id uuid,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    version integer NOT NULL,
    body jsonb NOT NULL,
    CHECK ((user_id IS NULL) <> (guest IS NULL))
);
CREATE INDEX checkout_due ON orders.checkout (expires_at)
WHERE state IN ('open', 'awaiting_payment');
CREATE INDEX checkout_by_payment ON orders.checkout (payment_id);

CREATE TABLE orders.purchase (
    id uuid PRIMARY KEY,
    number text NOT NULL UNIQUE,
    checkout_id uuid NOT NULL UNIQUE REFERENCES orders.checkout (id),
    payment_id uuid NOT NULL UNIQUE,
    user_id uuid,
    guest bytea,
    email text NOT NULL,
    currency char(3) NOT NULL,
    items bigint NOT NULL CHECK (items >= 0),
    discount bigint NOT NULL CHECK (discount >= 0),
    delivery bigint NOT NULL CHECK (delivery >= 0),
    tax bigint NOT NULL CHECK (tax >= 0),
    total bigint NOT NULL,
    shipping_address jsonb,
    billing_address jsonb,
    placed_at timestamptz NOT NULL,
    CHECK (total = items - discount + delivery + tax)
);
CREATE INDEX purchase_by_user ON orders.purchase (user_id, id);
CREATE INDEX purchase_by_guest ON orders.purchase (guest, id) WHERE guest IS NOT NULL;
CREATE INDEX purchase_by_email ON orders.purchase (lower(email), id);

CREATE TABLE orders.seller_order (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders.purchase (id),
    seller_id uuid NOT NULL,
    buyer_id uuid,
    currency char(3) NOT NULL,
    state text NOT NULL,
    items bigint NOT NULL,
    discount bigint NOT NULL,
    delivery bigint NOT NULL,
    tax bigint NOT NULL,
    total bigint NOT NULL,
    delivery_tax bigint NOT NULL,
    commission bigint NOT NULL,
    commission_tax bigint NOT NULL,
    delivery_choice jsonb NOT NULL,
    placed_at timestamptz NOT NULL,
    delivered_at timestamptz,
    released boolean NOT NULL DEFAULT false,
    refunded bigint NOT NULL DEFAULT 0,
    CHECK (total = items - discount + delivery + tax),
    CHECK (refunded BETWEEN 0 AND total)
);
CREATE INDEX seller_order_by_order ON orders.seller_order (order_id);
CREATE INDEX seller_order_by_seller ON orders.seller_order (seller_id, id);
CREATE INDEX seller_order_by_seller_state ON orders.seller_order (seller_id, state, id);
CREATE INDEX seller_order_to_complete ON orders.seller_order (delivered_at)
WHERE state = 'delivered';

CREATE TABLE orders.line (
    id uuid PRIMARY KEY,
    seller_order_id uuid NOT NULL REFERENCES orders.seller_order (id),
    position smallint NOT NULL,
    variant_id uuid NOT NULL,
    listing_id uuid NOT NULL,
    kind text NOT NULL,
    title text NOT NULL,
    variant_title text NOT NULL,
    sku text NOT NULL,
    slug text NOT NULL,
    image_key text,
    unit_price bigint NOT NULL CHECK (unit_price >= 0),
    quantity integer NOT NULL CHECK (quantity > 0),
    discount bigint NOT NULL,
    tax bigint NOT NULL,
    total bigint NOT NULL,
    commission bigint NOT NULL,
    commission_tax bigint NOT NULL,
    commission_rule_id uuid,
    file_ids uuid [] NOT NULL,
    fulfilled integer NOT NULL DEFAULT 0,
    cancelled integer NOT NULL DEFAULT 0,
    returned integer NOT NULL DEFAULT 0,
    refunded bigint NOT NULL DEFAULT 0,
    CHECK (total = unit_price * quantity - discount + tax),
    CHECK (fulfilled >= 0 AND cancelled >= 0 AND fulfilled + cancelled <= quantity),
    CHECK (returned BETWEEN 0 AND fulfilled),
    CHECK (refunded BETWEEN 0 AND total)
);
CREATE INDEX line_by_seller_order ON orders.line (seller_order_id, position);
CREATE INDEX line_by_listing ON orders.line (listing_id);

CREATE TABLE orders.transition (
    id uuid PRIMARY KEY,
    seller_order_id uuid NOT NULL REFERENCES orders.seller_order (id),
    at timestamptz NOT NULL,
    actor text NOT NULL,
    previous text NOT NULL,
    state text NOT NULL,
    reason text NOT NULL
);
CREATE INDEX transition_by_seller_order ON orders.transition (seller_order_id, id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON orders.transition
    FOR EACH ROW EXECUTE FUNCTION platform.refuse_change();
