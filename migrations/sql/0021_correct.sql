-- A suspended shop's listings are paused by us: this is the state to which they come back.
ALTER TABLE listings.listing ADD COLUMN suspended_from text;
-- Since when something new is shown that no moderator has looked at.
ALTER TABLE listings.listing ADD COLUMN relook_at timestamptz;
CREATE INDEX listing_for_relook ON listings.listing (relook_at, id) WHERE relook_at IS NOT NULL;

ALTER TABLE listings.seller ADD COLUMN trusted boolean NOT NULL DEFAULT false;

-- Where the listings of a category belong since it was moved or merged; a job brings them there.
CREATE TABLE listings.category_place (
    category_id uuid PRIMARY KEY,
    under uuid NOT NULL,
    path uuid [] NOT NULL
);

CREATE INDEX download_session_with_address ON fulfilment.download_session (started_at)
WHERE ip IS NOT NULL;
