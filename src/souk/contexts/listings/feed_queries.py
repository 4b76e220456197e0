"""The whole market in batches, for sitemaps and product feeds."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from souk.contexts.listings.rendering import ListingDocument
from souk.platform.database import ReadConn

_decode_document = msgspec.json.Decoder(ListingDocument).decode


class MapRow(msgspec.Struct, frozen=True, kw_only=True):
    """A visible listing in the sitemap, with its first pictures."""

    id: UUID
    slug: str
    updated_at: datetime
    image_keys: list[str]


async def map_rows(conn: ReadConn, *, after: UUID, images: int, limit: int) -> list[MapRow]:
    """Visible listings by id from after `after`, each with at most so many pictures."""
    rows = await conn.fetch(
        "SELECT l.id, l.slug, l.updated_at, ARRAY(SELECT i.key FROM listings.image i"
        "   WHERE i.listing_id = l.id ORDER BY i.position LIMIT $3) AS image_keys"
        " FROM listings.listing l WHERE l.state IN ('active', 'sold_out') AND l.id > $1"
        " ORDER BY l.id LIMIT $2",
        after,
        limit,
        images,
    )
    return [MapRow(**dict(row)) for row in rows]


async def documents_for_feed(conn: ReadConn, *, after: UUID, limit: int) -> list[ListingDocument]:
    """Listings on sale of sellers who are not suspended, by id from after `after`."""
    rows = await conn.fetch(
        "SELECT l.document FROM listings.listing l LEFT JOIN listings.seller s"
        " ON s.id = l.seller_id WHERE l.state IN ('active', 'sold_out') AND l.id > $1"
        " AND NOT coalesce(s.suspended, false) ORDER BY l.id LIMIT $2",
        after,
        limit,
    )
    return [_decode_document(row["document"]) for row in rows]
