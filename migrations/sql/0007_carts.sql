CREATE SCHEMA carts;

CREATE TABLE carts.cart (
    id uuid PRIMARY KEY,
    user_id uuid UNIQUE,
    guest bytea UNIQUE,
    currency char(3) NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    CHECK (num_nonnulls(user_id, guest) = 1)
);
COMMENT ON COLUMN carts.cart.guest IS 'SHA-256 of the token that the guest keeps';
CREATE INDEX cart_idle_guests ON carts.cart (updated_at) WHERE user_id IS NULL;

CREATE TABLE carts.line (
    cart_id uuid NOT NULL REFERENCES carts.cart (id) ON DELETE CASCADE,
    variant_id uuid NOT NULL,
    listing_id uuid NOT NULL,
    seller_id uuid NOT NULL,
    quantity smallint NOT NULL CHECK (quantity BETWEEN 1 AND max_quantity),
    max_quantity smallint NOT NULL CHECK (max_quantity BETWEEN 1 AND 99),
    price_seen bigint NOT NULL CHECK (price_seen >= 0),
    added_at timestamptz NOT NULL,
    PRIMARY KEY (cart_id, variant_id)
);
COMMENT ON COLUMN carts.line.price_seen IS 'unit price shown when the line was put in';
