-- Reports of stock read the movements of a variant by time, from the index alone.
CREATE INDEX movement_by_time ON inventory.movement (variant_id, at) INCLUDE (reason, delta);

-- The desk: what is packed and waits for the carrier.
ALTER TABLE orders.seller_order ADD COLUMN packed_at timestamptz;

-- The storefront: a line at the top, where else the shop is found, and how to reach it.
ALTER TABLE sellers.seller ADD COLUMN announcement text NOT NULL DEFAULT '';
ALTER TABLE sellers.seller ADD COLUMN links jsonb NOT NULL DEFAULT '[]';
ALTER TABLE sellers.seller ADD COLUMN contact_email text NOT NULL DEFAULT '';
ALTER TABLE sellers.seller ADD COLUMN contact_phone text NOT NULL DEFAULT '';
