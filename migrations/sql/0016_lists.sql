CREATE TABLE carts.wish (
    user_id uuid,
    guest bytea,
    listing_id uuid NOT NULL,
    title text NOT NULL,
    price_seen bigint CHECK (price_seen >= 0),
    currency char(3) NOT NULL,
    in_stock_seen boolean NOT NULL,
    added_at timestamptz NOT NULL,
    CHECK (num_nonnulls(user_id, guest) = 1),
    UNIQUE (user_id, listing_id),
    UNIQUE (guest, listing_id)
);
COMMENT ON COLUMN carts.wish.price_seen IS 'lowest price in minor units when it was put on the list';
CREATE INDEX wish_idle_guests ON carts.wish (added_at) WHERE user_id IS NULL;

CREATE TABLE carts.viewed (
    user_id uuid,
    guest bytea,
    listing_id uuid NOT NULL,
    viewed_at timestamptz NOT NULL,
    CHECK (num_nonnulls(user_id, guest) = 1),
    UNIQUE (user_id, listing_id),
    UNIQUE (guest, listing_id)
);
CREATE INDEX viewed_idle_guests ON carts.viewed (viewed_at) WHERE user_id IS NULL;

CREATE TABLE carts.reminder (
    cart_id uuid NOT NULL,
    began_at timestamptz NOT NULL,
    user_id uuid NOT NULL,
    pieces integer NOT NULL CHECK (pieces > 0),
    amount bigint NOT NULL CHECK (amount >= 0),
    currency char(3) NOT NULL,
    sent_at timestamptz NOT NULL,
    bought_at timestamptz,
    bought_amount bigint CHECK (bought_amount >= 0),
    PRIMARY KEY (cart_id, began_at)
);
COMMENT ON COLUMN carts.reminder.began_at IS
'when the oldest line was put in: a cart that was emptied and filled again is another one';
CREATE INDEX reminder_open ON carts.reminder (user_id) WHERE bought_at IS NULL;
CREATE INDEX reminder_sent ON carts.reminder (sent_at);
CREATE INDEX cart_waiting ON carts.cart (updated_at) WHERE user_id IS NOT NULL;

CREATE TABLE listings.report (
    id uuid PRIMARY KEY,
    listing_id uuid NOT NULL,
    reason text NOT NULL,
    note text NOT NULL DEFAULT '',
    reporter text NOT NULL,
    reporter_email text NOT NULL DEFAULT '',
    reported_at timestamptz NOT NULL,
    closed_at timestamptz,
    closed_by text NOT NULL DEFAULT '',
    outcome text NOT NULL DEFAULT ''
);
COMMENT ON COLUMN listings.report.reporter IS 'user:<id> or guest:<hash>';
CREATE INDEX report_open ON listings.report (listing_id, reported_at) WHERE closed_at IS NULL;
CREATE UNIQUE INDEX report_once ON listings.report (listing_id, reporter) WHERE closed_at IS NULL;

CREATE INDEX checkout_paying_user ON orders.checkout (user_id)
WHERE state = 'awaiting_payment' AND user_id IS NOT NULL;
CREATE INDEX checkout_paying_guest ON orders.checkout (guest)
WHERE state = 'awaiting_payment' AND guest IS NOT NULL;
