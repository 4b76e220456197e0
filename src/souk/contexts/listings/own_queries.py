"""A seller's own listings as the desk lists them, and the moderators' queue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from souk.contexts.listings import store
from souk.contexts.listings.domain import Kind, Listing, State
from souk.contexts.listings.errors import listing_not_found
from souk.contexts.listings.rendering import ListingDocument
from souk.kernel.ids import parse_uuid
from souk.kernel.page import BadCursor, Page, decode_cursor, encode_cursor, page_of
from souk.platform.database import ReadConn


class SellerListingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A listing in its seller's own list, or in the review queue."""

    id: UUID
    seller_id: UUID
    seller_name: str
    slug: str
    title: str
    kind: str
    state: str
    currency: str
    price_min: int | None
    price_max: int | None
    image_key: str | None
    variant_count: int
    variant_ids: list[UUID]
    review_note: str
    version: int
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None
    relook_at: datetime | None


def decode_place(cursor: str) -> tuple[datetime, UUID]:
    """The time and the id at which a list goes on. Raises BadCursor."""
    at, last = decode_cursor(cursor, size=2)
    listing_id = parse_uuid(str(last))
    try:
        when = datetime.fromisoformat(str(at))
    except ValueError as error:
        raise BadCursor from error
    if listing_id is None or when.tzinfo is None:
        raise BadCursor
    return when, listing_id


LISTING_ROW = """
SELECT l.id, l.seller_id, coalesce(s.name, '') AS seller_name, l.slug, l.title, l.kind, l.state,
  l.currency, l.price_min, l.price_max, l.image_key,
  (SELECT count(*) FROM listings.variant v WHERE v.listing_id = l.id) AS variant_count,
  ARRAY(SELECT v.id FROM listings.variant v WHERE v.listing_id = l.id ORDER BY v.position)
    AS variant_ids,
  l.review_note, l.version, l.created_at, l.updated_at, l.published_at, l.relook_at
FROM listings.listing l LEFT JOIN listings.seller s ON s.id = l.seller_id
"""


class Sort(StrEnum):
    """What a seller's own list is in the order of; `newest` is by creation."""

    NEWEST = "newest"
    TITLE = "title"
    PRICE = "price"
    UPDATED = "updated"


_PLACES = {
    Sort.NEWEST: ("l.id", "$3::uuid"),
    Sort.TITLE: ("lower(l.title)", "lower($3::text)"),
    Sort.PRICE: ("coalesce(l.price_min, -1)", "$3::bigint"),
    Sort.UPDATED: ("l.updated_at", "$3::timestamptz"),
}


def _own_sql(sort: Sort, *, descending: bool) -> str:
    place, cursor = _PLACES[sort]
    less, way = ("<", "DESC") if descending else (">", "ASC")
    return (
        f"{LISTING_ROW} WHERE l.seller_id = $1"
        " AND ($2::text[] = '{}' OR l.state = ANY($2::text[]))"
        f" AND ($4::uuid IS NULL OR ({place}, l.id) {less} ({cursor}, $4))"
        " AND ($6 = '' OR strpos(lower(l.title), lower($6)) > 0 OR EXISTS (SELECT"
        "   FROM listings.variant v WHERE v.listing_id = l.id AND v.sku = $6))"
        " AND ($7 = '' OR l.kind = $7)"
        " AND ($8::uuid IS NULL OR l.category_path @> ARRAY[$8::uuid])"
        f" ORDER BY {place} {way}, l.id {way} LIMIT $5"
    )


_OWN = {(sort, down): _own_sql(sort, descending=down) for sort in Sort for down in (False, True)}


def _own_place(sort: Sort, cursor: str) -> tuple[object, UUID]:
    """The sorted value and the id of the last row that was shown."""
    text, last = (str(part) for part in decode_cursor(cursor, size=2))
    listing_id = parse_uuid(last)
    try:
        value: object = {
            Sort.NEWEST: lambda: UUID(text),
            Sort.TITLE: lambda: text,
            Sort.PRICE: lambda: int(text),
            Sort.UPDATED: lambda: datetime.fromisoformat(text),
        }[sort]()
    except ValueError as error:
        raise BadCursor from error
    if listing_id is None or (isinstance(value, int) and abs(value) >= 2**63):
        raise BadCursor
    return value, listing_id


def _own_cursor(sort: Sort, row: SellerListingRow) -> str:
    value = {
        Sort.NEWEST: str(row.id),
        Sort.TITLE: row.title,
        Sort.PRICE: str(-1 if row.price_min is None else row.price_min),
        Sort.UPDATED: row.updated_at.isoformat(),
    }[sort]
    return encode_cursor(value, str(row.id))


async def of_seller(
    conn: ReadConn,
    seller_id: UUID,
    *,
    states: Sequence[State] = (),
    search: str = "",
    kind: Kind | None = None,
    category_id: UUID | None = None,
    sort: Sort = Sort.NEWEST,
    descending: bool = True,
    cursor: str | None = None,
    limit: int = 20,
) -> Page[SellerListingRow]:
    """A seller's own listings in any of `states` (none means all), newest first unless sorted.

    `search` is a part of the title, or a whole SKU; `category_id` takes in what is below it.
    A cursor goes on in the order that it was made for. Raises BadCursor.
    """
    value, last = _own_place(sort, cursor) if cursor is not None else (None, None)
    rows = await conn.fetch(
        _OWN[sort, descending],
        seller_id,
        list(states),
        value,
        last,
        limit + 1,
        search,
        kind or "",
        category_id,
    )
    found = [SellerListingRow(**dict(row)) for row in rows]
    return page_of(found, limit=limit, cursor_of=lambda row: _own_cursor(sort, row))


async def own_many(
    conn: ReadConn, listing_ids: Sequence[UUID], *, seller_id: UUID
) -> list[Listing]:
    """A seller's own listings with everything, in the order of `listing_ids`; others are absent."""
    return await store.find_many(conn, listing_ids, seller_id=seller_id)


async def attribute_codes(conn: ReadConn, seller_id: UUID) -> list[str]:
    """The attributes that any listing of a seller has a value of."""
    rows = await conn.fetch(
        "SELECT DISTINCT jsonb_object_keys(attributes) AS code FROM listings.listing"
        " WHERE seller_id = $1 ORDER BY code",
        seller_id,
    )
    return [row["code"] for row in rows]


async def state_counts(conn: ReadConn, seller_id: UUID) -> dict[str, int]:
    """How many of a seller's listings are in each state; states without one are absent."""
    rows = await conn.fetch(
        "SELECT state, count(*) AS n FROM listings.listing WHERE seller_id = $1 GROUP BY state",
        seller_id,
    )
    return {row["state"]: row["n"] for row in rows}


# Each sort of waiting by an index of its own.
_FOR_REVIEW = f"""{LISTING_ROW} JOIN (
  SELECT id, updated_at AS since FROM listings.listing WHERE state = 'in_review'
  UNION ALL
  SELECT id, relook_at FROM listings.listing
  WHERE relook_at IS NOT NULL AND state IN ('active', 'sold_out')) w ON w.id = l.id
"""


async def for_review(
    conn: ReadConn, *, cursor: str | None = None, limit: int = 20
) -> Page[SellerListingRow]:
    """Listings that wait for a moderator, longest wait first: those that nobody saw yet, and those
    on sale in which something was changed since (`relook_at`)."""
    at, last = decode_place(cursor) if cursor else (None, None)
    rows = await conn.fetch(
        f"{_FOR_REVIEW} WHERE $1::timestamptz IS NULL OR (w.since, w.id) > ($1, $2::uuid)"
        " ORDER BY w.since, w.id LIMIT $3",
        at,
        last,
        limit + 1,
    )
    found = [SellerListingRow(**dict(row)) for row in rows]
    return page_of(
        found,
        limit=limit,
        cursor_of=lambda row: encode_cursor(
            (row.relook_at or row.updated_at).isoformat(), str(row.id)
        ),
    )


async def own_document(conn: ReadConn, listing_id: UUID, *, seller_id: UUID) -> ListingDocument:
    """What buyers see, or would see, of a seller's own listing. Raises NotFound."""
    document = await conn.fetchval(
        "SELECT document FROM listings.listing WHERE id = $1 AND seller_id = $2",
        listing_id,
        seller_id,
    )
    if document is None:
        raise listing_not_found()
    return msgspec.json.decode(document, type=ListingDocument)
