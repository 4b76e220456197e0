"""What people see of orders: buyers, sellers and operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from souk.contexts.orders.domain import SellerOrderState, order_state
from souk.contexts.orders.errors import OrderNotFound
from souk.kernel.page import DEFAULT_LIMIT, Page, decode_cursor, encode_cursor, page_of
from souk.platform.database import ReadConn, Record


class LineView(msgspec.Struct, frozen=True):
    """Amounts in minor units of the order's currency."""

    id: UUID
    variant_id: UUID
    listing_id: UUID
    kind: str
    title: str
    variant_title: str
    sku: str
    slug: str
    image_key: str | None
    unit_price: int
    quantity: int
    discount: int
    tax: int
    total: int
    commission: int
    fulfilled: int
    cancelled: int
    returned: int
    refunded: int
    commission_tax: int


class StepView(msgspec.Struct, frozen=True):
    """One step of the timeline: from `previous` to `state`, when, by whom and why. Ids are in the
    order in which steps were taken."""

    at: datetime
    actor: str
    previous: str
    state: str
    reason: str
    id: UUID


class SellerOrderView(msgspec.Struct, frozen=True, kw_only=True):
    """One seller's part. Amounts in minor units.

    `delivery_days`: the most working days that the parcel travels; None where nothing is brought.
    """

    id: UUID
    order_id: UUID
    number: str
    seller_id: UUID
    buyer_id: UUID | None
    state: str
    currency: str
    items: int
    discount: int
    delivery: int
    tax: int
    total: int
    commission: int
    commission_tax: int
    delivery_tax: int
    delivery_label: str
    delivery_days: int | None
    placed_at: datetime
    delivered_at: datetime | None
    released: bool
    refunded: int
    packed_at: datetime | None
    lines: list[LineView]
    timeline: list[StepView]


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """A buyer's order with its parts. Amounts in minor units."""

    id: UUID
    number: str
    state: str
    buyer_id: UUID | None
    email: str
    currency: str
    items: int
    discount: int
    delivery: int
    tax: int
    total: int
    refunded: int
    shipping_address: dict[str, str] | None
    billing_address: dict[str, str] | None
    checkout_id: UUID
    payment_id: UUID
    placed_at: datetime
    seller_orders: list[SellerOrderView]


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """An order in a list: `titles` of the first lines, `units` in all."""

    id: UUID
    number: str
    state: str
    email: str
    currency: str
    total: int
    placed_at: datetime
    sellers: int
    units: int
    titles: list[str]
    image_key: str | None


class SellerOrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """A seller order in the seller's list."""

    id: UUID
    order_id: UUID
    number: str
    state: str
    currency: str
    total: int
    commission: int
    placed_at: datetime
    units: int
    titles: list[str]
    image_key: str | None
    to_ship: bool


_LINES = """
SELECT seller_order_id, id, variant_id, listing_id, kind, title, variant_title, sku, slug,
  image_key, unit_price, quantity, discount, tax, total, commission, fulfilled, cancelled,
  returned, refunded, commission_tax
FROM orders.line WHERE seller_order_id = ANY($1) ORDER BY seller_order_id, position
"""
_STEPS = """
SELECT seller_order_id, at, actor, previous, state, reason, id
FROM orders.transition WHERE seller_order_id = ANY($1) ORDER BY seller_order_id, id
"""
_PARTS = """
SELECT so.*, p.number FROM orders.seller_order so JOIN orders.purchase p ON p.id = so.order_id
"""


async def order(
    conn: ReadConn,
    order_id: UUID,
    *,
    user_id: UUID | None = None,
    guest: bytes | None = None,
    any_holder: bool = False,
) -> OrderView:
    """One order through its buyer; `any_holder` is for operators, flows and verified mail links.

    Raises OrderNotFound.
    """
    row = await conn.fetchrow(
        "SELECT * FROM orders.purchase WHERE id = $1 AND ($4 OR user_id = $2 OR guest = $3)",
        order_id,
        user_id,
        guest,
        any_holder,
    )
    if row is None:
        raise OrderNotFound
    parts = await _parts(conn, f"{_PARTS} WHERE so.order_id = $1 ORDER BY so.seller_id", order_id)
    return OrderView(
        id=row["id"],
        number=row["number"],
        state=order_state([SellerOrderState(part.state) for part in parts]),
        buyer_id=row["user_id"],
        email=row["email"],
        currency=row["currency"],
        items=row["items"],
        discount=row["discount"],
        delivery=row["delivery"],
        tax=row["tax"],
        total=row["total"],
        refunded=sum(part.refunded for part in parts),
        shipping_address=row["shipping_address"],
        billing_address=row["billing_address"],
        checkout_id=row["checkout_id"],
        payment_id=row["payment_id"],
        placed_at=row["placed_at"],
        seller_orders=parts,
    )


async def seller_order(
    conn: ReadConn, seller_order_id: UUID, *, seller_id: UUID | None = None
) -> SellerOrderView:
    """One part through its seller; without `seller_id` for operators and flows.

    Raises OrderNotFound.
    """
    parts = await _parts(
        conn,
        f"{_PARTS} WHERE so.id = $1 AND ($2::uuid IS NULL OR so.seller_id = $2)",
        seller_order_id,
        seller_id,
    )
    if not parts:
        raise OrderNotFound
    return parts[0]


async def seller_parts(
    conn: ReadConn, ids: Sequence[UUID], *, seller_id: UUID
) -> list[SellerOrderView]:
    """Those of these parts that are the seller's, oldest first."""
    return await _parts(
        conn,
        f"{_PARTS} WHERE so.id = ANY($1::uuid[]) AND so.seller_id = $2 ORDER BY so.id",
        list(ids),
        seller_id,
    )


async def address_of(conn: ReadConn, order_id: UUID) -> dict[str, str] | None:
    """Where the order goes; for the sellers who ship it."""
    return await conn.fetchval(
        "SELECT shipping_address FROM orders.purchase WHERE id = $1", order_id
    )


class PaidWith(msgspec.Struct, frozen=True):
    """The payment behind an order and the country to which its tax is due."""

    payment_id: UUID
    country: str


async def payment_of(conn: ReadConn, order_id: UUID) -> PaidWith:
    """How an order was paid. Raises OrderNotFound."""
    row = await conn.fetchrow(
        "SELECT p.payment_id, coalesce(nullif(c.body ->> 'tax_country', ''),"
        " coalesce(p.shipping_address, p.billing_address) ->> 'country') AS country"
        " FROM orders.purchase p JOIN orders.checkout c ON c.id = p.checkout_id WHERE p.id = $1",
        order_id,
    )
    if row is None:
        raise OrderNotFound
    return PaidWith(row["payment_id"], row["country"] or "")


async def _parts(conn: ReadConn, sql: str, *args: object) -> list[SellerOrderView]:
    rows = await conn.fetch(sql, *args)
    ids = [row["id"] for row in rows]
    lines = _grouped(await conn.fetch(_LINES, ids))
    steps = _grouped(await conn.fetch(_STEPS, ids))
    return [
        SellerOrderView(
            **{name: row[name] for name in _PART_COLUMNS},
            delivery_label=row["delivery_choice"]["label"],
            delivery_days=_days(row["delivery_choice"]),
            lines=[LineView(*tuple(line.values())[1:]) for line in lines.get(row["id"], [])],
            timeline=[StepView(*tuple(step.values())[1:]) for step in steps.get(row["id"], [])],
        )
        for row in rows
    ]


_PART_COLUMNS = tuple(
    name
    for name in SellerOrderView.__struct_fields__
    if name not in {"delivery_label", "delivery_days", "lines", "timeline"}
)


def _days(choice: Mapping[str, Any]) -> int | None:
    return None if choice.get("kind") == "pickup" else choice.get("max_days") or None


def _grouped(rows: Sequence[Record]) -> dict[UUID, list[Record]]:
    groups: dict[UUID, list[Record]] = {}
    for row in rows:
        groups.setdefault(row["seller_order_id"], []).append(row)
    return groups


ORDER_LIST = """
SELECT p.id, p.number, p.email, p.currency, p.total, p.placed_at, parts.states, parts.sellers,
  parts.units, parts.titles, parts.image_key
FROM orders.purchase p CROSS JOIN LATERAL (
  SELECT array_agg(DISTINCT so.state) AS states, count(DISTINCT so.id) AS sellers,
    sum(l.quantity)::integer AS units, (array_agg(l.title ORDER BY l.id))[1:3] AS titles,
    (array_agg(l.image_key ORDER BY l.id) FILTER (WHERE l.image_key IS NOT NULL))[1] AS image_key
  FROM orders.seller_order so JOIN orders.line l ON l.seller_order_id = so.id
  WHERE so.order_id = p.id) parts
"""


async def orders_of(
    conn: ReadConn,
    *,
    user_id: UUID | None,
    guest: bytes | None = None,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[OrderRow]:
    """A buyer's orders, newest first."""
    rows = await conn.fetch(
        f"{ORDER_LIST} WHERE (p.user_id = $1 OR p.guest = $2)"
        " AND ($3::uuid IS NULL OR p.id < $3) ORDER BY p.id DESC LIMIT $4",
        user_id,
        guest,
        _after(cursor),
        limit + 1,
    )
    return _order_page(rows, limit)


async def all_orders(
    conn: ReadConn, *, search: str = "", cursor: str | None = None, limit: int = DEFAULT_LIMIT
) -> Page[OrderRow]:
    """Every order, newest first, for operators; `search` is a number or an e-mail address."""
    rows = await conn.fetch(
        f"{ORDER_LIST} WHERE ($1 = '' OR p.number = upper($1) OR lower(p.email) = lower($1))"
        " AND ($2::uuid IS NULL OR p.id < $2) ORDER BY p.id DESC LIMIT $3",
        search.strip(),
        _after(cursor),
        limit + 1,
    )
    return _order_page(rows, limit)


def order_rows(rows: Sequence[Record]) -> list[OrderRow]:
    """Rows of `ORDER_LIST` as they are shown."""
    return [
        OrderRow(
            id=row["id"],
            number=row["number"],
            state=order_state([SellerOrderState(state) for state in row["states"]]),
            email=row["email"],
            currency=row["currency"],
            total=row["total"],
            placed_at=row["placed_at"],
            sellers=row["sellers"],
            units=row["units"],
            titles=row["titles"],
            image_key=row["image_key"],
        )
        for row in rows
    ]


def _order_page(rows: Sequence[Record], limit: int) -> Page[OrderRow]:
    items = order_rows(rows)
    return page_of(items, limit=limit, cursor_of=lambda item: encode_cursor(str(item.id)))


async def seller_orders(
    conn: ReadConn,
    *,
    seller_id: UUID,
    states: Sequence[str] = (),
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[SellerOrderRow]:
    """A seller's orders, newest first, in any of `states` (empty means all)."""
    rows = await conn.fetch(
        "SELECT so.id, so.order_id, p.number, so.state, so.currency, so.total, so.commission,"
        " so.placed_at, parts.* FROM orders.seller_order so"
        " JOIN orders.purchase p ON p.id = so.order_id CROSS JOIN LATERAL ("
        " SELECT sum(l.quantity)::integer AS units,"
        "  (array_agg(l.title ORDER BY l.position))[1:3] AS titles,"
        "  (array_agg(l.image_key ORDER BY l.position))[1] AS image_key,"
        "  bool_or(l.kind <> 'digital') AS to_ship"
        "  FROM orders.line l WHERE l.seller_order_id = so.id) parts"
        " WHERE so.seller_id = $1 AND (cardinality($2::text[]) = 0 OR so.state = ANY($2))"
        " AND ($3::uuid IS NULL OR so.id < $3) ORDER BY so.id DESC LIMIT $4",
        seller_id,
        list(states),
        _after(cursor),
        limit + 1,
    )
    items = [SellerOrderRow(**dict(row)) for row in rows]
    return page_of(items, limit=limit, cursor_of=lambda item: encode_cursor(str(item.id)))


async def seller_order_counts(conn: ReadConn, *, seller_id: UUID) -> dict[str, int]:
    """How many of a seller's orders are in each state."""
    rows = await conn.fetch(
        "SELECT state, count(*) AS n FROM orders.seller_order WHERE seller_id = $1 GROUP BY state",
        seller_id,
    )
    return {row["state"]: row["n"] for row in rows}


class DaySales(msgspec.Struct, frozen=True):
    """What was sold on one day (UTC) in one currency: seller orders that were not cancelled, and
    what they come to in minor units."""

    day: date
    currency: str
    orders: int
    total: int
    commission: int


def _after(cursor: str | None) -> UUID | None:
    if cursor is None:
        return None
    (key,) = decode_cursor(cursor, size=1)
    try:
        return UUID(str(key))
    except ValueError:
        return UUID(int=0)
