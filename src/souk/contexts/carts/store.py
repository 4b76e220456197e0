"""Carts in PostgreSQL: load, lock, save."""

from __future__ import annotations

from uuid import UUID

from souk.contexts.carts.domain import EMPTY, MAX_LINES, Cart, CartItem, CartLine, most_of
from souk.contexts.carts.errors import CartFull
from souk.kernel.ids import uuid7
from souk.platform.database import ReadConn, Record, WriteTx
from souk.platform.http.holder import Holder

_SELECT = """
SELECT c.id, c.currency, c.version, c.updated_at,
       l.variant_id, l.listing_id, l.seller_id, l.quantity, l.max_quantity, l.price_seen, l.added_at
FROM carts.cart c LEFT JOIN carts.line l ON l.cart_id = c.id
"""
# One predicate per kind of holder: each is served by its own unique index.
_BY_USER = _SELECT + " WHERE c.user_id = $1 ORDER BY l.added_at, l.variant_id"
_BY_GUEST = _SELECT + " WHERE c.guest = $1 ORDER BY l.added_at, l.variant_id"


def _cart(rows: list[Record]) -> Cart:
    if not rows:
        return EMPTY
    head = rows[0]
    return Cart(
        id=head["id"],
        currency=head["currency"],
        version=head["version"],
        updated_at=head["updated_at"],
        lines=[
            CartLine(
                variant_id=row["variant_id"],
                listing_id=row["listing_id"],
                seller_id=row["seller_id"],
                quantity=row["quantity"],
                max_quantity=row["max_quantity"],
                price_seen=row["price_seen"],
                added_at=row["added_at"],
            )
            for row in rows
            if row["variant_id"] is not None
        ],
    )


def _key(holder: Holder) -> tuple[str, UUID | bytes | None]:
    return (_BY_USER, holder.user_id) if holder.user_id else (_BY_GUEST, holder.guest)


async def load(conn: ReadConn, holder: Holder) -> Cart:
    """The holder's cart, the empty one when there is none."""
    sql, key = _key(holder)
    return _cart(await conn.fetch(sql, key))


async def lock(tx: WriteTx, holder: Holder) -> None:
    """Lock the cart's row alone: a `load` after it sees every line that was put in before."""
    column, key = ("user_id", holder.user_id) if holder.user_id else ("guest", holder.guest)
    await tx.fetchval(f"SELECT id FROM carts.cart WHERE {column} = $1 FOR UPDATE", key)


async def load_for_update(tx: WriteTx, holder: Holder) -> Cart:
    """As `load`, with the cart's row locked until the transaction ends."""
    sql, key = _key(holder)
    return _cart(await tx.fetch(sql + " FOR UPDATE OF c", key))


_PUT = """
WITH kept AS (
  INSERT INTO carts.cart AS c (id, user_id, guest, currency, created_at, updated_at)
  VALUES ($1, $2, $3, $4, $5, $5)
  ON CONFLICT ({holder}) DO UPDATE
    SET currency = excluded.currency, updated_at = excluded.updated_at, version = c.version + 1
  RETURNING c.id, c.version
), line AS (
  INSERT INTO carts.line AS l
    (cart_id, variant_id, listing_id, seller_id, quantity, max_quantity, price_seen, added_at)
  SELECT kept.id, $6, $7, $8, least($9::int, $10), $10, $11, $5 FROM kept
  WHERE (SELECT count(*) FROM carts.line o WHERE o.cart_id = kept.id AND o.variant_id <> $6) < $12
  ON CONFLICT (cart_id, variant_id) DO UPDATE
    SET quantity = least(l.quantity + $9::int, excluded.max_quantity),
        max_quantity = excluded.max_quantity, price_seen = excluded.price_seen
  RETURNING l.cart_id, l.quantity, l.added_at
)
SELECT kept.id, kept.version, line.quantity, line.added_at
FROM kept JOIN line ON line.cart_id = kept.id
"""
_PUT_USER = _PUT.format(holder="user_id")
_PUT_GUEST = _PUT.format(holder="guest")


async def put(tx: WriteTx, holder: Holder, *, item: CartItem, quantity: int) -> Record:
    """Add `quantity` of `item`, making the cart if need be; both upserts survive a race.

    Answers the cart's id and version and the line's quantity and time. Raises CartFull: lines
    that others put in while this waited for the lock of the cart count too.
    """
    row = await tx.fetchrow(
        _PUT_USER if holder.user_id else _PUT_GUEST,
        uuid7(),
        holder.user_id,
        holder.guest if holder.user_id is None else None,
        item.currency,
        tx.clock.now(),
        item.variant_id,
        item.listing_id,
        item.seller_id,
        quantity,
        most_of(item.kind),
        item.price,
        MAX_LINES,
    )
    if row is None:
        raise CartFull(most=MAX_LINES)
    return row


async def set_quantity(tx: WriteTx, cart_id: UUID, *, variant_id: UUID, quantity: int) -> None:
    await tx.execute(
        "WITH touched AS (UPDATE carts.cart SET version = version + 1, updated_at = $4"
        " WHERE id = $1)"
        " UPDATE carts.line SET quantity = $3 WHERE cart_id = $1 AND variant_id = $2",
        cart_id,
        variant_id,
        quantity,
        tx.clock.now(),
    )


async def remove_lines(tx: WriteTx, cart_id: UUID, variant_ids: list[UUID]) -> int:
    """Take lines out; answers how many were there."""
    return await tx.fetchval(
        "WITH gone AS (DELETE FROM carts.line WHERE cart_id = $1 AND variant_id = ANY($2)"
        " RETURNING 1), touched AS (UPDATE carts.cart SET version = version + 1, updated_at = $3"
        " WHERE id = $1 AND EXISTS (SELECT FROM gone)) SELECT count(*) FROM gone",
        cart_id,
        variant_ids,
        tx.clock.now(),
    )


async def ensure_member(tx: WriteTx, user_id: UUID, *, currency: str) -> None:
    """Make the member's cart if there is none; two log-ins at once make one."""
    await tx.execute(
        "INSERT INTO carts.cart (id, user_id, currency, created_at, updated_at)"
        " VALUES ($1, $2, $3, $4, $4) ON CONFLICT (user_id) DO NOTHING",
        uuid7(),
        user_id,
        currency,
        tx.clock.now(),
    )


async def delete(tx: WriteTx, cart_id: UUID) -> None:
    await tx.execute("DELETE FROM carts.cart WHERE id = $1", cart_id)


async def save_lines(tx: WriteTx, cart_id: UUID, *, currency: str, lines: list[CartLine]) -> None:
    """Write the given lines into the cart, over the ones of the same variants."""
    await tx.execute(
        "WITH touched AS (UPDATE carts.cart SET version = version + 1, updated_at = $2,"
        "   currency = $3 WHERE id = $1)"
        " INSERT INTO carts.line (cart_id, variant_id, listing_id, seller_id, quantity,"
        "   max_quantity, price_seen, added_at)"
        " SELECT $1, * FROM unnest($4::uuid[], $5::uuid[], $6::uuid[], $7::smallint[],"
        "   $8::smallint[], $9::bigint[], $10::timestamptz[])"
        " ON CONFLICT (cart_id, variant_id) DO UPDATE SET quantity = excluded.quantity",
        cart_id,
        tx.clock.now(),
        currency,
        [line.variant_id for line in lines],
        [line.listing_id for line in lines],
        [line.seller_id for line in lines],
        [line.quantity for line in lines],
        [line.max_quantity for line in lines],
        [line.price_seen for line in lines],
        [line.added_at for line in lines],
    )


async def delete_idle_guests(tx: WriteTx, *, days: int, limit: int) -> int:
    """Drop guests' carts that nobody touched for `days`; their cookie has ended by then."""
    return await tx.fetchval(
        "WITH gone AS (DELETE FROM carts.cart WHERE id IN (SELECT id FROM carts.cart"
        " WHERE user_id IS NULL AND updated_at < $1::timestamptz - make_interval(days => $2)"
        " ORDER BY updated_at LIMIT $3 FOR UPDATE SKIP LOCKED) RETURNING 1)"
        " SELECT count(*) FROM gone",
        tx.clock.now(),
        days,
        limit,
    )
