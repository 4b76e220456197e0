"""Reading listings. Public lists and details are bytes that were rendered when they changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from souk.contexts.listings import store
from souk.contexts.listings.domain import VISIBLE, Kind, Listing, State
from souk.contexts.listings.errors import listing_not_found
from souk.contexts.listings.importing.text import plain_text
from souk.contexts.listings.own_queries import decode_place
from souk.contexts.listings.rendering import ListingCard, ListingDocument
from souk.kernel.page import Page, encode_cursor
from souk.platform.database import ReadConn

_BLOCK_END = re.compile(r"</(?:p|li|h\d|td|th|div|dd|dt|pre|blockquote)>|<[bh]r>")
_decode_card = msgspec.json.Decoder(ListingCard).decode
_decode_document = msgspec.json.Decoder(ListingDocument).decode


class Purchasable(msgspec.Struct, frozen=True, kw_only=True):
    """What a cart and an order need of a variant.

    `amount` is minor units of `currency`. `state` is `active` only when it can be bought now: the
    listing and the variant are active and the seller is neither suspended nor away.
    """

    variant_id: UUID
    listing_id: UUID
    seller_id: UUID
    kind: str
    title: str
    variant_title: str
    sku: str
    amount: int
    currency: str
    state: str
    seller_open: bool
    category_path: list[UUID]
    image_key: str | None
    weight_g: int | None
    slug: str
    file_ids: list[UUID]
    species_id: UUID | None = None
    live_plant: bool = False


class SearchFields(msgspec.Struct, frozen=True, kw_only=True):
    """What the search index takes from a listing. `price` is the lowest, in minor units."""

    listing_id: UUID
    seller_id: UUID
    seller_name: str
    seller_slug: str
    title: str
    slug: str
    kind: str
    state: str
    price: int
    currency: str
    published_at: datetime
    description_text: str
    category_id: UUID | None
    category_path: list[UUID]
    species_id: UUID | None
    attributes: dict[str, object]
    tags: list[str]
    rating_sum: int = 0
    rating_count: int = 0


class FileForDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """Where a sold file lies. `key` is for the file store and never leaves the server."""

    id: UUID
    listing_id: UUID
    seller_id: UUID
    key: str
    filename: str
    media_type: str
    size: int
    sha256: str
    version: int


_OPEN = """(s.id IS NULL OR NOT s.suspended AND NOT (
    coalesce(s.away_from <= $2, false) AND coalesce(s.away_until > $2, true)))"""
_PURCHASABLE = f"""
SELECT v.id, v.listing_id, v.seller_id, v.options, v.sku, v.price, v.weight_g, v.active,
  l.kind, l.title, l.currency, l.state, l.category_path, l.image_key, l.slug, l.species_id,
  l.live_plant, {_OPEN} AS seller_open,
  CASE WHEN l.kind = 'digital' THEN ARRAY(SELECT f.id FROM listings.digital_file f
    WHERE f.listing_id = l.id AND f.current ORDER BY f.filename) ELSE '{{}}' END AS file_ids
FROM listings.variant v
JOIN listings.listing l ON l.id = v.listing_id
LEFT JOIN listings.seller s ON s.id = l.seller_id
WHERE v.id = ANY($1::uuid[])
"""


async def purchasable(conn: ReadConn, variant_ids: Sequence[UUID]) -> dict[UUID, Purchasable]:
    """Everything that a sale needs to know, in one statement; unknown variants are absent."""
    rows = await conn.fetch(_PURCHASABLE, list(variant_ids), conn.clock.now())
    return {
        row["id"]: Purchasable(
            variant_id=row["id"],
            listing_id=row["listing_id"],
            seller_id=row["seller_id"],
            kind=row["kind"],
            title=row["title"],
            variant_title=" / ".join(row["options"].values()),
            sku=row["sku"],
            amount=row["price"],
            currency=row["currency"],
            state=row["state"] if row["active"] and row["seller_open"] else State.PAUSED.value,
            seller_open=row["seller_open"],
            category_path=row["category_path"],
            image_key=row["image_key"],
            weight_g=row["weight_g"],
            slug=row["slug"],
            file_ids=row["file_ids"],
            species_id=row["species_id"],
            live_plant=row["live_plant"],
        )
        for row in rows
    }


async def card_bytes(conn: ReadConn, listing_ids: Sequence[UUID]) -> list[bytes]:
    """The JSON of visible listings, in the order of `listing_ids`; others are left out."""
    rows = await conn.fetch(
        "SELECT l.card FROM unnest($1::uuid[]) WITH ORDINALITY AS wanted (id, place)"
        " JOIN listings.listing l ON l.id = wanted.id AND l.state IN ('active', 'sold_out')"
        " ORDER BY wanted.place",
        list(listing_ids),
    )
    return [row["card"] for row in rows]


async def cards(conn: ReadConn, listing_ids: Sequence[UUID]) -> list[ListingCard]:
    """Visible listings, in the order of `listing_ids`; others are left out."""
    return [_decode_card(card) for card in await card_bytes(conn, listing_ids)]


def _newest_sql(*, category: bool, seller: bool, kind: bool, after: bool) -> tuple[str, list[str]]:
    """The statement of one combination of filters and the names of its parameters, in order."""
    names = ["limit"]
    conditions: list[str] = []

    def parameter(name: str, cast: str) -> str:
        names.append(name)
        return f"${len(names)}::{cast}"

    place, listing = ("p.published_at", "p.listing_id") if category else ("l.published_at", "l.id")
    if category:
        source = (
            "listings.placement p JOIN listings.listing l"
            " ON l.id = p.listing_id AND l.state = 'active'"
        )
        conditions.append(f"p.category_id = {parameter('category_id', 'uuid')}")
    else:
        source = "listings.listing l"
        conditions.append("l.state = 'active'")
    if seller:
        conditions.append(f"l.seller_id = {parameter('seller_id', 'uuid')}")
    if kind:
        conditions.append(f"l.kind = {parameter('kind', 'text')}")
    if after:
        at, last = parameter("at", "timestamptz"), parameter("last", "uuid")
        conditions.append(f"({place}, {listing}) < ({at}, {last})")
    sql = (
        f"SELECT l.card, {place} AS at, {listing} AS id FROM {source}"
        f" WHERE {' AND '.join(conditions)} ORDER BY {place} DESC, {listing} DESC LIMIT $1"
    )
    return sql, names


_NEWEST = {
    (category, seller, kind, after): _newest_sql(
        category=category, seller=seller, kind=kind, after=after
    )
    for category in (False, True)
    for seller in (False, True)
    for kind in (False, True)
    for after in (False, True)
}


async def newest_bytes(
    conn: ReadConn,
    *,
    category_id: UUID | None = None,
    seller_id: UUID | None = None,
    kind: Kind | None = None,
    cursor: str | None = None,
    limit: int = 20,
) -> Page[bytes]:
    """Active listings as JSON, newest first, in one statement. Raises BadCursor."""
    values: dict[str, object] = {
        "limit": limit + 1,
        "category_id": category_id,
        "seller_id": seller_id,
        "kind": kind,
    }
    if cursor is not None:
        values["at"], values["last"] = decode_place(cursor)
    sql, names = _NEWEST[
        category_id is not None, seller_id is not None, kind is not None, cursor is not None
    ]
    rows = await conn.fetch(sql, *[values[name] for name in names])
    following = None
    if len(rows) > limit:
        last = rows[limit - 1]
        following = encode_cursor(last["at"].isoformat(), str(last["id"]))
    return Page([row["card"] for row in rows[:limit]], following)


async def newest(
    conn: ReadConn,
    *,
    category_id: UUID | None = None,
    seller_id: UUID | None = None,
    kind: Kind | None = None,
    cursor: str | None = None,
    limit: int = 20,
) -> Page[ListingCard]:
    """As `newest_bytes`, as structs for pages."""
    page = await newest_bytes(
        conn, category_id=category_id, seller_id=seller_id, kind=kind, cursor=cursor, limit=limit
    )
    return Page([_decode_card(card) for card in page.items], page.next_cursor)


async def detail_bytes(conn: ReadConn, key: UUID | str) -> tuple[UUID, bytes]:
    """A visible listing's id and document by id or slug, in one statement. Raises NotFound."""
    by = "id" if isinstance(key, UUID) else "slug"
    row = await conn.fetchrow(
        f"SELECT id, document FROM listings.listing WHERE {by} = $1"
        " AND state IN ('active', 'sold_out')",
        key,
    )
    if row is None:
        raise listing_not_found()
    return row["id"], row["document"]


async def detail(conn: ReadConn, key: UUID | str) -> ListingDocument:
    """As `detail_bytes`, as a struct for pages. Raises NotFound."""
    _, document = await detail_bytes(conn, key)
    return _decode_document(document)


async def documents(
    conn: ReadConn, keys: Sequence[UUID | str]
) -> dict[UUID | str, ListingDocument]:
    """Visible listings by the id or slug that was asked for; others are absent."""
    rows = await conn.fetch(
        "SELECT id, slug, document FROM listings.listing"
        " WHERE (id = ANY($1::uuid[]) OR slug = ANY($2::text[]))"
        " AND state IN ('active', 'sold_out')",
        [key for key in keys if isinstance(key, UUID)],
        [key for key in keys if isinstance(key, str)],
    )
    found: dict[UUID | str, ListingDocument] = {}
    for row in rows:
        found[row["id"]] = found[row["slug"]] = _decode_document(row["document"])
    return {key: found[key] for key in keys if key in found}


async def own(conn: ReadConn, listing_id: UUID, *, seller_id: UUID) -> Listing:
    """A seller's own listing in any state, with everything. Raises NotFound."""
    found = await store.find(conn, listing_id, seller_id=seller_id)
    if found is None:
        raise listing_not_found()
    return found[0]


async def any_state(conn: ReadConn, listing_id: UUID) -> Listing:
    """Any listing in any state, for operators and flows. Raises NotFound."""
    found = await store.find(conn, listing_id, seller_id=None)
    if found is None:
        raise listing_not_found()
    return found[0]


async def search_documents(conn: ReadConn, listing_ids: Sequence[UUID]) -> list[SearchFields]:
    """Visible listings for the index; a wanted id that is absent must leave the index."""
    rows = await conn.fetch(
        "SELECT l.id AS listing_id, l.seller_id, coalesce(s.name, '') AS seller_name,"
        " coalesce(s.slug, '') AS seller_slug, l.title, l.slug, l.kind, l.state,"
        " l.price_min AS price, l.currency, l.published_at, l.description_html, l.category_id,"
        " l.category_path, l.species_id, l.attributes, l.tags, l.rating_sum, l.rating_count"
        " FROM listings.listing l"
        " LEFT JOIN listings.seller s ON s.id = l.seller_id"
        " WHERE l.id = ANY($1::uuid[]) AND l.state = ANY($2::text[])",
        list(listing_ids),
        [state.value for state in VISIBLE],
    )
    return [
        SearchFields(
            description_text=plain_text(_BLOCK_END.sub(r"\g<0> ", row["description_html"])),
            **{name: value for name, value in row.items() if name != "description_html"},
        )
        for row in rows
    ]


async def visible_ids(conn: ReadConn, *, after: UUID, limit: int = 1_000) -> list[UUID]:
    """Visible listings by id from after `after`: for building an index from nothing."""
    rows = await conn.fetch(
        "SELECT id FROM listings.listing WHERE state IN ('active', 'sold_out') AND id > $1"
        " ORDER BY id LIMIT $2",
        after,
        limit,
    )
    return [row["id"] for row in rows]


async def files_for_delivery(
    conn: ReadConn, file_ids: Sequence[UUID]
) -> dict[UUID, FileForDelivery]:
    """Files by id, earlier versions included; unknown ones are absent."""
    rows = await conn.fetch(
        "SELECT f.id, f.listing_id, l.seller_id, f.key, f.filename, f.media_type, f.size,"
        " encode(f.sha256, 'hex') AS sha256, f.version FROM listings.digital_file f"
        " JOIN listings.listing l ON l.id = f.listing_id WHERE f.id = ANY($1::uuid[])",
        list(file_ids),
    )
    return {row["id"]: FileForDelivery(**dict(row)) for row in rows}
