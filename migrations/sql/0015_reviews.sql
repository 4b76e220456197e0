CREATE SCHEMA reviews;

-- `subject_id` is the listing or the seller that is reviewed. Authors that were forgotten have
-- neither an account nor a guest's token.
CREATE TABLE reviews.review (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('listing', 'seller')),
    subject_id uuid NOT NULL,
    seller_id uuid NOT NULL,
    order_id uuid NOT NULL,
    seller_order_id uuid NOT NULL,
    order_line_id uuid,
    author_id uuid,
    guest bytea,
    author_name text NOT NULL,
    title text NOT NULL,
    detail text NOT NULL,
    slug text NOT NULL,
    stars smallint NOT NULL CHECK (stars BETWEEN 1 AND 5),
    text text NOT NULL CHECK (length(text) <= 5000),
    state text NOT NULL CHECK (state IN ('published', 'held', 'hidden', 'deleted')),
    held_for text [] NOT NULL,
    note text NOT NULL,
    was_hidden boolean NOT NULL,
    announced boolean NOT NULL,
    returned boolean NOT NULL,
    helpful integer NOT NULL CHECK (helpful >= 0),
    reports integer NOT NULL CHECK (reports >= 0),
    reply text NOT NULL CHECK (length(reply) <= 2000),
    replied_at timestamptz,
    created_at timestamptz NOT NULL,
    edited_at timestamptz,
    version integer NOT NULL,
    CHECK ((kind = 'listing') = (order_line_id IS NOT NULL)),
    CHECK (kind = 'listing' OR subject_id = seller_id),
    CHECK (author_id IS NULL OR guest IS NULL),
    CHECK ((reply = '') = (replied_at IS NULL)),
    CHECK (state <> 'deleted' OR text = '')
);
-- One living review of each listing, and of the seller, per seller order.
CREATE UNIQUE INDEX review_once ON reviews.review (seller_order_id, subject_id)
WHERE state <> 'deleted';
CREATE INDEX review_newest ON reviews.review (subject_id, id) WHERE state = 'published';
CREATE INDEX review_helpful ON reviews.review (subject_id, helpful, id) WHERE state = 'published';
CREATE INDEX review_by_stars ON reviews.review (subject_id, stars, id) WHERE state = 'published';
CREATE INDEX review_of_seller ON reviews.review (seller_id, id) WHERE state = 'published';
CREATE INDEX review_by_author ON reviews.review (author_id, id);
CREATE INDEX review_by_guest ON reviews.review (guest, id) WHERE guest IS NOT NULL;
CREATE INDEX review_held ON reviews.review (id) WHERE state = 'held';
CREATE INDEX review_hidden ON reviews.review (id) WHERE state = 'hidden';
CREATE INDEX review_reported ON reviews.review (id) WHERE reports > 0;

CREATE TABLE reviews.photo (
    id uuid PRIMARY KEY,
    review_id uuid NOT NULL REFERENCES reviews.review (id) ON DELETE CASCADE,
    position smallint NOT NULL,
    key text NOT NULL,
    width integer NOT NULL CHECK (width > 0),
    height integer NOT NULL CHECK (height > 0)
);
CREATE INDEX photo_by_review ON reviews.photo (review_id, position);

-- What a review said before each change, as long as the review itself is there.
CREATE TABLE reviews.revision (
    review_id uuid NOT NULL REFERENCES reviews.review (id) ON DELETE CASCADE,
    version integer NOT NULL,
    stars smallint NOT NULL,
    text text NOT NULL,
    replaced_at timestamptz NOT NULL,
    PRIMARY KEY (review_id, version)
);

CREATE TABLE reviews.vote (
    review_id uuid NOT NULL REFERENCES reviews.review (id) ON DELETE CASCADE,
    user_id uuid NOT NULL,
    voted_at timestamptz NOT NULL,
    PRIMARY KEY (review_id, user_id)
);

CREATE TABLE reviews.report (
    review_id uuid NOT NULL REFERENCES reviews.review (id) ON DELETE CASCADE,
    reporter_id uuid NOT NULL,
    reason text NOT NULL,
    note text NOT NULL CHECK (length(note) <= 1000),
    reported_at timestamptz NOT NULL,
    settled_at timestamptz,
    PRIMARY KEY (review_id, reporter_id)
);

-- How many published reviews gave how many stars; kept by the transaction that changes a review.
CREATE TABLE reviews.rating (
    subject_id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('listing', 'seller')),
    seller_id uuid NOT NULL,
    n1 integer NOT NULL CHECK (n1 >= 0),
    n2 integer NOT NULL CHECK (n2 >= 0),
    n3 integer NOT NULL CHECK (n3 >= 0),
    n4 integer NOT NULL CHECK (n4 >= 0),
    n5 integer NOT NULL CHECK (n5 >= 0),
    count integer NOT NULL GENERATED ALWAYS AS (n1 + n2 + n3 + n4 + n5) STORED,
    sum integer NOT NULL GENERATED ALWAYS AS (n1 + 2 * n2 + 3 * n3 + 4 * n4 + 5 * n5) STORED
);

CREATE TABLE reviews.asked (
    seller_order_id uuid PRIMARY KEY,
    asked_at timestamptz NOT NULL
);

-- A review with one of these words is looked at before it is shown.
CREATE TABLE reviews.held_word (word text PRIMARY KEY CHECK (length(word) BETWEEN 2 AND 60));
INSERT INTO reviews.held_word (word) VALUES
('arsehole'), ('asshole'), ('bastard'), ('bitch'), ('fuck'), ('fucking'), ('shit'),
('telegram'), ('western union'), ('whatsapp');

ALTER TABLE listings.listing
ADD COLUMN rating_sum integer NOT NULL DEFAULT 0,
ADD COLUMN rating_count integer NOT NULL DEFAULT 0;

-- How a shop carries orders out, and what that and its reviews come to in hundredths of a star.
ALTER TABLE sellers.seller
ADD COLUMN orders_due integer NOT NULL DEFAULT 0,
ADD COLUMN orders_on_time integer NOT NULL DEFAULT 0,
ADD COLUMN orders_cancelled integer NOT NULL DEFAULT 0,
ADD COLUMN standing smallint;

CREATE INDEX seller_order_delivered ON orders.seller_order (delivered_at, id)
WHERE delivered_at IS NOT NULL;
