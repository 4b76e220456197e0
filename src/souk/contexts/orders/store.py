"""Checkouts and orders to and from rows; every FOR UPDATE of the context.

Lock order: checkout → (stock, elsewhere) → seller orders by id.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from souk.contexts.orders.domain import (
    Checkout,
    CheckoutLine,
    CheckoutState,
    DeliveryChoice,
    OrderLine,
    SellerOrder,
    SellerOrderState,
    Totals,
)
from souk.kernel.ids import uuid7
from souk.platform.database import ReadConn, Record, WriteTx

_COLUMNS = (
    "id", "state", "user_id", "guest", "cart_id", "payment_id", "order_id", "expires_at",
    "created_at", "version",
)  # fmt: skip
_SELECT = f"SELECT {', '.join(_COLUMNS)}, body::text AS body FROM orders.checkout"


class _Body(msgspec.Struct):
    """The parts of a checkout that are only ever read and replaced together."""

    currency: str
    lines: list[CheckoutLine]
    email: str | None
    shipping_address: dict[str, str] | None
    billing_address: dict[str, str] | None
    choices: list[DeliveryChoice]
    totals: Totals
    tax_rate: int
    tax_country: str = ""


_decode_body = msgspec.json.Decoder(_Body).decode
_BODY_FIELDS = _Body.__struct_fields__


def checkout_of(row: Record) -> Checkout:
    """The entity in one row of `_SELECT`."""
    body = _decode_body(row["body"])
    parts = {name: getattr(body, name) for name in _BODY_FIELDS}
    columns = {name: row[name] for name in _COLUMNS if name != "state"}
    return Checkout(state=CheckoutState(row["state"]), **columns, **parts)


def _body_of(checkout: Checkout) -> dict[str, object]:
    return {name: getattr(checkout, name) for name in _BODY_FIELDS}


async def insert_checkout(tx: WriteTx, checkout: Checkout) -> None:
    await tx.execute(
        "INSERT INTO orders.checkout (id, state, user_id, guest, cart_id, payment_id, order_id,"
        " expires_at, created_at, version, body)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        *(getattr(checkout, name) for name in _COLUMNS),
        _body_of(checkout),
    )


async def save_checkout(tx: WriteTx, checkout: Checkout) -> None:
    """Keep a checkout that was locked in this transaction."""
    checkout.version += 1
    await tx.execute(
        "UPDATE orders.checkout SET state = $2, payment_id = $3, order_id = $4, expires_at = $5,"
        " version = $6, user_id = $7, guest = $8, body = $9 WHERE id = $1",
        checkout.id,
        checkout.state,
        checkout.payment_id,
        checkout.order_id,
        checkout.expires_at,
        checkout.version,
        checkout.user_id,
        checkout.guest,
        _body_of(checkout),
    )


async def lock_checkout(tx: WriteTx, checkout_id: UUID) -> Checkout | None:
    """The first lock of every path that moves a purchase on."""
    row = await tx.fetchrow(f"{_SELECT} WHERE id = $1 FOR UPDATE", checkout_id)
    return checkout_of(row) if row else None


async def find_checkout(conn: ReadConn, checkout_id: UUID) -> Checkout | None:
    """The checkout as it is, whoever holds it: the caller asks `held_by`."""
    row = await conn.fetchrow(f"{_SELECT} WHERE id = $1", checkout_id)
    return checkout_of(row) if row else None


async def lock_due_checkouts(
    tx: WriteTx, *, now: datetime, also: Sequence[UUID] = (), limit: int
) -> list[Checkout]:
    """Open checkouts past their end and, in whatever state, those of `also`.

    Those that somebody is working on are left for later.
    """
    rows = await tx.fetch(
        f"{_SELECT} WHERE (state IN ('open', 'awaiting_payment') AND expires_at < $1)"
        " OR id = ANY($3::uuid[]) ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED",
        now,
        limit,
        list(also),
    )
    return [checkout_of(row) for row in rows]


_PLACE = """
WITH checkout AS (
  UPDATE orders.checkout SET state = $21, payment_id = $4, order_id = $1, version = $22
  WHERE id = $3
), purchase AS (
  INSERT INTO orders.purchase (id, number, checkout_id, payment_id, user_id, guest, email,
    currency, items, discount, delivery, tax, total, shipping_address, billing_address, placed_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
), seller_order AS (
  INSERT INTO orders.seller_order (id, order_id, seller_id, buyer_id, currency, state, items,
    discount, delivery, tax, total, delivery_tax, commission, commission_tax, delivery_choice,
    placed_at)
  SELECT r.id, $1, r.seller_id, $5, $8, r.state, r.items, r.discount, r.delivery, r.tax, r.total,
    r.delivery_tax, r.commission, r.commission_tax, r.delivery_choice, $16
  FROM jsonb_to_recordset($17::jsonb) AS r (id uuid, seller_id uuid, state text, items bigint,
    discount bigint, delivery bigint, tax bigint, total bigint, delivery_tax bigint,
    commission bigint, commission_tax bigint, delivery_choice jsonb)
), line AS (
  INSERT INTO orders.line (id, seller_order_id, position, variant_id, listing_id, kind, title,
    variant_title, sku, slug, image_key, unit_price, quantity, discount, tax, total, commission,
    commission_tax, commission_rule_id, file_ids)
  SELECT r.id, r.seller_order_id, r.position, r.variant_id, r.listing_id, r.kind, r.title,
    r.variant_title, r.sku, r.slug, r.image_key, r.unit_price, r.quantity, r.discount, r.tax,
    r.total, r.commission, r.commission_tax, r.commission_rule_id, r.file_ids
  FROM jsonb_to_recordset($18::jsonb) AS r (id uuid, seller_order_id uuid, position smallint,
    variant_id uuid, listing_id uuid, kind text, title text, variant_title text, sku text,
    slug text, image_key text, unit_price bigint, quantity integer, discount bigint, tax bigint,
    total bigint, commission bigint, commission_tax bigint, commission_rule_id uuid,
    file_ids uuid[])
)
INSERT INTO orders.transition (id, seller_order_id, at, actor, previous, state, reason)
SELECT r.id, r.seller_order_id, $16, $19, r.previous, r.state, r.reason
FROM jsonb_to_recordset($20::jsonb) AS r (id uuid, seller_order_id uuid, previous text,
  state text, reason text)
"""


async def insert_order(
    tx: WriteTx,
    checkout: Checkout,
    *,
    order_id: UUID,
    number: str,
    payment_id: UUID,
    placed_at: datetime,
    seller_orders: Sequence[SellerOrder],
    actor: str,
) -> None:
    """Order, seller orders, lines, first transitions and where the checkout stands, in one
    statement. What the checkout holds is what was ordered, and stays as it was."""
    checkout.version += 1
    totals = checkout.totals
    await tx.execute(
        _PLACE,
        order_id,
        number,
        checkout.id,
        payment_id,
        checkout.user_id,
        checkout.guest,
        checkout.email,
        checkout.currency,
        totals.items,
        totals.discount,
        totals.delivery,
        totals.tax,
        totals.total,
        checkout.shipping_address,
        checkout.billing_address,
        placed_at,
        [_seller_order_row(part) for part in seller_orders],
        [
            _line_row(part.id, position, line)
            for part in seller_orders
            for position, line in enumerate(part.lines)
        ],
        actor,
        [
            {
                "id": uuid7(),
                "seller_order_id": part.id,
                "previous": SellerOrderState.PENDING,
                "state": part.state,
                "reason": "The payment was captured.",
            }
            for part in seller_orders
        ],
        checkout.state,
        checkout.version,
    )


def _seller_order_row(part: SellerOrder) -> dict[str, object]:
    totals: dict[str, object] = msgspec.structs.asdict(part.totals)
    return totals | {
        "id": part.id,
        "seller_id": part.seller_id,
        "state": part.state,
        "delivery_tax": part.delivery_tax,
        "commission": part.commission,
        "commission_tax": part.commission_tax,
        "delivery_choice": part.delivery,
    }


def _line_row(seller_order_id: UUID, position: int, line: OrderLine) -> dict[str, object]:
    # PostgreSQL reads a uuid[] inside a record from its own array notation.
    files = "{" + ",".join(map(str, line.file_ids)) + "}"
    row: dict[str, object] = msgspec.structs.asdict(line)
    return row | {"seller_order_id": seller_order_id, "position": position, "file_ids": files}


_LINE_FIELDS = OrderLine.__struct_fields__
_LINES = f"SELECT {', '.join(_LINE_FIELDS)}, seller_order_id FROM orders.line"


async def lock_seller_orders(tx: WriteTx, ids: Sequence[UUID]) -> list[SellerOrder]:
    """Lock and load, in id order; absent ids are simply not in the answer."""
    rows = await tx.fetch(
        "SELECT * FROM orders.seller_order WHERE id = ANY($1) ORDER BY id FOR UPDATE", list(ids)
    )
    lines = await tx.fetch(
        f"{_LINES} WHERE seller_order_id = ANY($1) ORDER BY seller_order_id, position", list(ids)
    )
    return [
        seller_order_of(row, [line for line in lines if line["seller_order_id"] == row["id"]])
        for row in rows
    ]


def seller_order_of(row: Record, lines: Sequence[Record]) -> SellerOrder:
    """The entity in a row of `seller_order` and its lines' rows."""
    return SellerOrder(
        id=row["id"],
        order_id=row["order_id"],
        seller_id=row["seller_id"],
        buyer_id=row["buyer_id"],
        currency=row["currency"],
        state=SellerOrderState(row["state"]),
        totals=Totals(row["items"], row["discount"], row["delivery"], row["tax"], row["total"]),
        delivery_tax=row["delivery_tax"],
        commission=row["commission"],
        commission_tax=row["commission_tax"],
        delivery=msgspec.convert(row["delivery_choice"], DeliveryChoice),
        lines=[OrderLine(**{name: line[name] for name in _LINE_FIELDS}) for line in lines],
        delivered_at=row["delivered_at"],
        released=row["released"],
        refunded=row["refunded"],
        packed_at=row["packed_at"],
    )


async def save_seller_order(tx: WriteTx, part: SellerOrder) -> None:
    """State, release, refunds and the quantities of its lines."""
    await tx.execute(
        "UPDATE orders.seller_order SET state = $2, delivered_at = $3, released = $4,"
        " refunded = $5, packed_at = $6 WHERE id = $1",
        part.id,
        part.state,
        part.delivered_at,
        part.released,
        part.refunded,
        part.packed_at,
    )
    await tx.execute(
        "UPDATE orders.line l SET fulfilled = r.fulfilled, cancelled = r.cancelled,"
        " returned = r.returned, refunded = r.refunded FROM jsonb_to_recordset($1::jsonb)"
        " AS r (id uuid, fulfilled integer, cancelled integer, returned integer, refunded bigint)"
        " WHERE l.id = r.id",
        [
            {
                "id": line.id,
                "fulfilled": line.fulfilled,
                "cancelled": line.cancelled,
                "returned": line.returned,
                "refunded": line.refunded,
            }
            for line in part.lines
        ],
    )


async def add_transition(
    tx: WriteTx, part: SellerOrder, *, previous: SellerOrderState, actor: str, reason: str
) -> None:
    await tx.execute(
        "INSERT INTO orders.transition (id, seller_order_id, at, actor, previous, state, reason)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        uuid7(),
        part.id,
        tx.clock.now(),
        actor,
        previous,
        part.state,
        reason,
    )


async def sent_before(
    conn: ReadConn, moment: datetime, *, without: Sequence[UUID], limit: int
) -> list[UUID]:
    """Seller orders that are shipped, since before the moment."""
    rows = await conn.fetch(
        "SELECT so.id FROM orders.seller_order so WHERE so.state = 'shipped'"
        " AND so.id <> ALL($3::uuid[]) AND (SELECT max(t.at) FROM orders.transition t"
        "   WHERE t.seller_order_id = so.id AND t.state = 'shipped') < $1 LIMIT $2",
        moment,
        limit,
        list(without),
    )
    return [row["id"] for row in rows]


async def due_deliveries(
    conn: ReadConn, *, delivered_before: datetime, without: Sequence[UUID], limit: int
) -> list[UUID]:
    """Delivered seller orders whose return window is over."""
    rows = await conn.fetch(
        "SELECT id FROM orders.seller_order WHERE state = 'delivered' AND delivered_at < $1"
        " AND id <> ALL($3::uuid[]) ORDER BY delivered_at LIMIT $2",
        delivered_before,
        limit,
        list(without),
    )
    return [row["id"] for row in rows]
