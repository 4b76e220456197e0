"""Carts in PostgreSQL: load, lock, save."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from souk.contexts.carts.domain import (
    EMPTY,
    MAX_LINES,
    Cart,
    CartItem,
    CartLine,
    WaitingCart,
    Wish,
    most_of,
)
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


def holder_key(holder: Holder) -> tuple[str, UUID | bytes | None]:
    """The column that names the holder, and its value."""
    return ("user_id", holder.user_id) if holder.user_id else ("guest", holder.guest)


async def add_wish(tx: WriteTx, holder: Holder, wanted: Wish, *, most: int) -> bool:
    """Put a listing on the list unless it is full; whether it is on it now."""
    column, key = holder_key(holder)
    return await tx.fetchval(
        "WITH added AS (INSERT INTO carts.wish"
        "   (user_id, guest, listing_id, title, price_seen, currency, in_stock_seen, added_at)"
        "  SELECT $1, $2, $3, $4, $5, $6, $7, $8"
        f"  WHERE (SELECT count(*) FROM carts.wish WHERE {column} = $9) < $10"
        f"  ON CONFLICT ({column}, listing_id) DO NOTHING RETURNING 1)"
        " SELECT EXISTS (SELECT FROM added) OR EXISTS"
        f"  (SELECT FROM carts.wish WHERE {column} = $9 AND listing_id = $3)",
        holder.user_id,
        holder.guest if holder.user_id is None else None,
        wanted.listing_id,
        wanted.title,
        wanted.price_seen,
        wanted.currency,
        wanted.in_stock_seen,
        tx.clock.now(),
        key,
        most,
    )


async def remove_wish(tx: WriteTx, holder: Holder, listing_id: UUID) -> bool:
    """Take a listing off the list; whether it was on it."""
    column, key = holder_key(holder)
    found = await tx.fetchval(
        f"DELETE FROM carts.wish WHERE {column} = $1 AND listing_id = $2 RETURNING true",
        key,
        listing_id,
    )
    return bool(found)


async def note_viewed(
    tx: WriteTx, holder: Holder, listing_ids: Sequence[UUID], *, most: int
) -> None:
    """Note views, the latest first, and drop what is older than the last `most`. One statement."""
    column, key = holder_key(holder)
    await tx.execute(
        "WITH given AS (SELECT id, place FROM unnest($3::uuid[]) WITH ORDINALITY AS g (id, place)),"
        " noted AS (INSERT INTO carts.viewed AS v (user_id, guest, listing_id, viewed_at)"
        "  SELECT $1, $2, id, $4::timestamptz - make_interval(secs => (place - 1) * 0.001)"
        "  FROM given ON CONFLICT ("
        f"{column}, listing_id) DO UPDATE"
        "  SET viewed_at = greatest(v.viewed_at, excluded.viewed_at))"
        f" DELETE FROM carts.viewed WHERE {column} = $5 AND listing_id IN (SELECT listing_id"
        f"  FROM carts.viewed WHERE {column} = $5 AND listing_id <> ALL ($3::uuid[])"
        "  ORDER BY viewed_at DESC OFFSET $6)",
        holder.user_id,
        holder.guest if holder.user_id is None else None,
        list(dict.fromkeys(listing_ids)),
        tx.clock.now(),
        key,
        max(0, most - len(set(listing_ids))),
    )


async def forget_viewed(tx: WriteTx, holder: Holder) -> int:
    """Drop every view of the holder; how many there were."""
    column, key = holder_key(holder)
    return await tx.fetchval(
        f"WITH gone AS (DELETE FROM carts.viewed WHERE {column} = $1 RETURNING 1)"
        " SELECT count(*) FROM gone",
        key,
    )


async def merge_lists(tx: WriteTx, guest: bytes, user_id: UUID) -> None:
    """Give the guest's wishes and views to the member, who keeps what is on both. Repeatable."""
    for table in ("carts.wish", "carts.viewed"):
        await tx.execute(
            f"WITH gone AS (DELETE FROM {table} g USING {table} m WHERE g.guest = $1"
            "   AND m.user_id = $2 AND m.listing_id = g.listing_id RETURNING g.listing_id)"
            f" UPDATE {table} SET guest = NULL, user_id = $2 WHERE guest = $1"
            "   AND listing_id NOT IN (SELECT listing_id FROM gone)",
            guest,
            user_id,
        )


async def delete_idle_lists(tx: WriteTx, *, days: int, limit: int) -> None:
    """Drop guests' wishes and views that are older than their cookie lives."""
    for table, column in (("carts.wish", "added_at"), ("carts.viewed", "viewed_at")):
        await tx.execute(
            f"DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table}"
            f" WHERE user_id IS NULL AND {column} < $1::timestamptz - make_interval(days => $2)"
            f" ORDER BY {column} LIMIT $3))",
            tx.clock.now(),
            days,
            limit,
        )


async def add_reminder(tx: WriteTx, cart: WaitingCart) -> bool:
    """Note a reminder once per cart and filling; whether it is new."""
    made = await tx.fetchval(
        "INSERT INTO carts.reminder"
        " (cart_id, began_at, user_id, pieces, amount, currency, sent_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING true",
        cart.cart_id,
        cart.began_at,
        cart.user_id,
        cart.pieces,
        cart.amount,
        cart.currency,
        tx.clock.now(),
    )
    return bool(made)


async def close_reminders(tx: WriteTx, user_id: UUID, *, amount: int, days: int) -> None:
    """The newest open reminder of a member led to a purchase."""
    await tx.execute(
        "UPDATE carts.reminder SET bought_at = $2, bought_amount = $3"
        " WHERE (cart_id, began_at) IN (SELECT cart_id, began_at FROM carts.reminder"
        "  WHERE user_id = $1 AND bought_at IS NULL"
        "  AND sent_at > $2::timestamptz - make_interval(days => $4)"
        "  ORDER BY sent_at DESC LIMIT 1)",
        user_id,
        tx.clock.now(),
        amount,
        days,
    )
