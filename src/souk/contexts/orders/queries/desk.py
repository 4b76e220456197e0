"""What a seller's desk asks of orders: lists with filters, counts, and what they came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from souk.contexts.orders.deadlines import accept_by, ship_by
from souk.kernel.ids import parse_uuid
from souk.kernel.page import DEFAULT_LIMIT, BadCursor, Page, decode_cursor, encode_cursor, page_of
from souk.platform.database import ReadConn


class DeskFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which orders to list. `search` is a part of the number, of the name on the parcel or of a
    title, or a whole SKU; `packed` keeps those that are packed, or are not."""

    states: tuple[str, ...] = ()
    packed: bool | None = None
    search: str = ""
    placed_from: datetime | None = None
    placed_until: datetime | None = None
    oldest_first: bool = False


class DeskRow(msgspec.Struct, frozen=True, kw_only=True):
    """An order in the desk's list. Amounts in minor units; `units` without what was cancelled."""

    id: UUID
    order_id: UUID
    number: str
    state: str
    packed_at: datetime | None
    currency: str
    total: int
    refunded: int
    placed_at: datetime
    name: str
    city: str
    country: str
    delivery_label: str
    units: int
    titles: list[str]
    image_key: str | None
    to_ship: bool

    @property
    def due_at(self) -> datetime | None:
        """When the next step should have been taken; None when the seller owes none."""
        if not self.to_ship or self.state not in {"confirmed", "processing"}:
            return None
        return (accept_by if self.state == "confirmed" else ship_by)(self.placed_at)


_ROWS = """
SELECT so.id, so.order_id, p.number, so.state, so.packed_at, so.currency, so.total, so.refunded,
  so.placed_at, coalesce(p.shipping_address ->> 'name', '') AS name,
  coalesce(p.shipping_address ->> 'city', '') AS city,
  coalesce(p.shipping_address ->> 'country', '') AS country,
  coalesce(so.delivery_choice ->> 'label', '') AS delivery_label, parts.*
FROM orders.seller_order so JOIN orders.purchase p ON p.id = so.order_id CROSS JOIN LATERAL (
  SELECT sum(l.quantity - l.cancelled)::integer AS units,
    (array_agg(l.title ORDER BY l.position))[1:3] AS titles,
    (array_agg(l.image_key ORDER BY l.position))[1] AS image_key,
    bool_or(l.kind <> 'digital' AND l.cancelled < l.quantity) AS to_ship
  FROM orders.line l WHERE l.seller_order_id = so.id) parts
WHERE so.seller_id = $1 AND (cardinality($2::text[]) = 0 OR so.state = ANY($2))
  AND ($3::boolean IS NULL OR (so.packed_at IS NOT NULL) = $3)
  AND ($4::timestamptz IS NULL OR so.placed_at >= $4)
  AND ($5::timestamptz IS NULL OR so.placed_at <= $5)
  AND ($6 = '' OR strpos(p.number, upper($6)) > 0
    OR strpos(lower(p.shipping_address ->> 'name'), lower($6)) > 0
    OR EXISTS (SELECT FROM orders.line f WHERE f.seller_order_id = so.id
      AND (strpos(lower(f.title), lower($6)) > 0 OR lower(f.sku) = lower($6))))
"""


async def desk_orders(
    conn: ReadConn,
    *,
    seller_id: UUID,
    only: DeskFilter,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[DeskRow]:
    """A seller's orders that pass the filter. Raises BadCursor."""
    step, way = (">", "ASC") if only.oldest_first else ("<", "DESC")
    rows = await conn.fetch(
        f"{_ROWS} AND ($7::uuid IS NULL OR so.id {step} $7) ORDER BY so.id {way} LIMIT $8",
        seller_id,
        list(only.states),
        only.packed,
        only.placed_from,
        only.placed_until,
        only.search.strip(),
        _after(cursor),
        limit + 1,
    )
    items = [DeskRow(**dict(row)) for row in rows]
    return page_of(items, limit=limit, cursor_of=lambda item: encode_cursor(str(item.id)))


def _after(cursor: str | None) -> UUID | None:
    if cursor is None:
        return None
    (key,) = decode_cursor(cursor, size=1)
    found = parse_uuid(str(key))
    if found is None:
        raise BadCursor
    return found


class DeskCounts(msgspec.Struct, frozen=True):
    """How many of a seller's orders are in each state, and how many of them are packed."""

    states: Mapping[str, int]
    packed: int


async def desk_order_counts(conn: ReadConn, *, seller_id: UUID) -> DeskCounts:
    """Counts of all of a seller's orders, in one statement."""
    rows = await conn.fetch(
        "SELECT state, count(*) AS n, count(*) FILTER (WHERE state = 'processing'"
        " AND packed_at IS NOT NULL) AS packed"
        " FROM orders.seller_order WHERE seller_id = $1 GROUP BY state",
        seller_id,
    )
    return DeskCounts({row["state"]: row["n"] for row in rows}, sum(row["packed"] for row in rows))


class DeskDay(msgspec.Struct, frozen=True):
    """What a seller sold on one day (UTC) in one currency: orders that were not cancelled, and what
    buyers paid for them less what they got back, in minor units."""

    day: date
    currency: str
    orders: int
    total: int


async def desk_sales(conn: ReadConn, *, seller_id: UUID, since: datetime) -> list[DeskDay]:
    """Sales from `since` on, oldest day first; days without are absent."""
    rows = await conn.fetch(
        "SELECT (placed_at AT TIME ZONE 'UTC')::date AS day, currency, count(*) AS orders,"
        " sum(total - refunded)::bigint AS total FROM orders.seller_order"
        " WHERE seller_id = $1 AND placed_at >= $2 AND state <> 'cancelled'"
        " GROUP BY 1, 2 ORDER BY 1, 2",
        seller_id,
        since,
    )
    return [DeskDay(*row.values()) for row in rows]


class SoldListing(msgspec.Struct, frozen=True):
    """What one listing sold in a period: pieces, and minor units with tax."""

    listing_id: UUID
    title: str
    currency: str
    units: int
    total: int


async def top_sellers(
    conn: ReadConn, *, seller_id: UUID, since: datetime, limit: int = 5
) -> list[SoldListing]:
    """The listings that sold for most from `since` on, cancelled pieces left out."""
    rows = await conn.fetch(
        "SELECT l.listing_id, max(l.title) AS title, so.currency,"
        " sum(l.quantity - l.cancelled)::integer AS units,"
        " sum(l.total - l.refunded)::bigint AS total FROM orders.seller_order so"
        " JOIN orders.line l ON l.seller_order_id = so.id"
        " WHERE so.seller_id = $1 AND so.placed_at >= $2 AND so.state <> 'cancelled'"
        " GROUP BY l.listing_id, so.currency HAVING sum(l.quantity - l.cancelled) > 0"
        " ORDER BY total DESC LIMIT $3",
        seller_id,
        since,
        limit,
    )
    return [SoldListing(*row.values()) for row in rows]


class ExportLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an order with where it goes, for a seller's own tables. Minor units."""

    number: str
    placed_at: datetime
    state: str
    sku: str
    title: str
    variant_title: str
    quantity: int
    fulfilled: int
    cancelled: int
    unit_price: int
    total: int
    currency: str
    delivery_label: str
    address: dict[str, str] | None


async def export_lines(conn: ReadConn, *, seller_id: UUID, ids: Sequence[UUID]) -> list[ExportLine]:
    """The lines of these orders of the seller, in the order of `ids`."""
    rows = await conn.fetch(
        "SELECT p.number, so.placed_at, so.state, l.sku, l.title, l.variant_title, l.quantity,"
        " l.fulfilled, l.cancelled, l.unit_price, l.total, so.currency,"
        " coalesce(so.delivery_choice ->> 'label', '') AS delivery_label,"
        " p.shipping_address AS address"
        " FROM orders.seller_order so JOIN orders.purchase p ON p.id = so.order_id"
        " JOIN orders.line l ON l.seller_order_id = so.id"
        " WHERE so.seller_id = $1 AND so.id = ANY($2::uuid[])"
        " ORDER BY array_position($2::uuid[], so.id), l.position",
        seller_id,
        list(ids),
    )
    return [ExportLine(**dict(row)) for row in rows]


async def slips(
    conn: ReadConn, *, seller_id: UUID, ids: Sequence[UUID]
) -> dict[UUID, dict[str, str] | None]:
    """The delivery address of each of these orders that is the seller's, by seller order."""
    rows = await conn.fetch(
        "SELECT so.id, p.shipping_address AS address FROM orders.seller_order so"
        " JOIN orders.purchase p ON p.id = so.order_id"
        " WHERE so.seller_id = $1 AND so.id = ANY($2::uuid[])",
        seller_id,
        list(ids),
    )
    return {row["id"]: row["address"] for row in rows}


class Neighbours(msgspec.Struct, frozen=True):
    """The orders before and after one in the queue, oldest first; None at an end."""

    before: UUID | None
    after: UUID | None


async def neighbours(
    conn: ReadConn, *, seller_id: UUID, seller_order_id: UUID, states: Sequence[str]
) -> Neighbours:
    """Which of the seller's orders in these states stand beside this one."""
    row = await conn.fetchrow(
        "SELECT (SELECT id FROM orders.seller_order WHERE seller_id = $1 AND state = ANY($3)"
        "  AND id < $2 ORDER BY id DESC LIMIT 1) AS before,"
        " (SELECT id FROM orders.seller_order WHERE seller_id = $1 AND state = ANY($3)"
        "  AND id > $2 ORDER BY id LIMIT 1) AS after",
        seller_id,
        seller_order_id,
        list(states),
    )
    assert row is not None
    return Neighbours(row["before"], row["after"])


async def parts_by_reference(
    conn: ReadConn, *, seller_id: UUID, references: Sequence[str]
) -> dict[str, tuple[str, UUID]]:
    """The seller's orders that movements of stock name, as `order:` and a number or `checkout:` and
    an id: each reference's number and seller order. Others' are absent."""
    numbers = {text.removeprefix("order:"): text for text in references if "order:" in text[:6]}
    checkouts: dict[UUID, str] = {}
    for text in references:
        found = parse_uuid(text.removeprefix("checkout:")) if text[:9] == "checkout:" else None
        if found is not None:
            checkouts[found] = text
    rows = await conn.fetch(
        "SELECT p.number, p.checkout_id, so.id FROM orders.purchase p"
        " JOIN orders.seller_order so ON so.order_id = p.id AND so.seller_id = $1"
        " WHERE p.number = ANY($2::text[]) OR p.checkout_id = ANY($3::uuid[])",
        seller_id,
        list(numbers),
        list(checkouts),
    )
    named: dict[str, tuple[str, UUID]] = {}
    for row in rows:
        for text in (numbers.get(row["number"]), checkouts.get(row["checkout_id"])):
            if text is not None:
                named[text] = row["number"], row["id"]
    return named


async def numbers_of(conn: ReadConn, *, seller_id: UUID, ids: Sequence[UUID]) -> dict[UUID, str]:
    """The human number of each of these orders that is the seller's."""
    rows = await conn.fetch(
        "SELECT so.id, p.number FROM orders.seller_order so"
        " JOIN orders.purchase p ON p.id = so.order_id"
        " WHERE so.seller_id = $1 AND so.id = ANY($2::uuid[])",
        seller_id,
        list(ids),
    )
    return {row["id"]: row["number"] for row in rows}
