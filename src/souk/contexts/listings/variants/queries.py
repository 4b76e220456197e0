"""What a list of stock says of variants."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from souk.platform.database import ReadConn


class VariantName(msgspec.Struct, frozen=True, kw_only=True):
    """What a variant is called, and its price in minor units."""

    variant_id: UUID
    listing_id: UUID
    title: str
    variant_title: str
    sku: str
    price: int
    currency: str
    state: str
    image_key: str | None

    @property
    def name(self) -> str:
        """Title and options in one line."""
        return f"{self.title}: {self.variant_title}" if self.variant_title else self.title


_NAMES = """
SELECT v.id AS variant_id, v.listing_id, l.title,
  coalesce((SELECT string_agg(o.value, ' / ') FROM json_each_text(v.options) o), '')
    AS variant_title, v.sku, v.price, l.currency, l.state, l.image_key
FROM listings.variant v JOIN listings.listing l ON l.id = v.listing_id
"""


async def variant_names(
    conn: ReadConn, seller_id: UUID, variant_ids: Sequence[UUID]
) -> dict[UUID, VariantName]:
    """Those of these variants that are the seller's; a removed one is absent."""
    rows = await conn.fetch(
        f"{_NAMES} WHERE v.id = ANY($2::uuid[]) AND l.seller_id = $1", seller_id, list(variant_ids)
    )
    return {row["variant_id"]: VariantName(**dict(row)) for row in rows}


async def variants_like(
    conn: ReadConn, seller_id: UUID, search: str, *, limit: int = 2_000
) -> list[UUID]:
    """The seller's variants whose title or option has `search` in it, or whose SKU begins so."""
    rows = await conn.fetch(
        "SELECT v.id FROM listings.listing l JOIN listings.variant v ON v.listing_id = l.id"
        " WHERE l.seller_id = $1 AND (strpos(lower(l.title), lower($2)) > 0"
        "  OR starts_with(lower(v.sku), lower($2))"
        "  OR strpos(lower(v.options::text), lower($2)) > 0) LIMIT $3",
        seller_id,
        search,
        limit,
    )
    return [row["id"] for row in rows]


class SentBack(msgspec.Struct, frozen=True):
    """A listing that the review team sent back or took out of sight, with what it wrote."""

    id: UUID
    title: str
    state: str
    review_note: str


async def sent_back(conn: ReadConn, seller_id: UUID, *, limit: int = 10) -> list[SentBack]:
    """The seller's listings that wait for an answer to the review team, the latest first."""
    rows = await conn.fetch(
        "SELECT id, title, state, review_note FROM listings.listing WHERE seller_id = $1"
        " AND review_note <> '' AND state IN ('draft', 'flagged')"
        " ORDER BY updated_at DESC, id LIMIT $2",
        seller_id,
        limit,
    )
    return [SentBack(*row.values()) for row in rows]
