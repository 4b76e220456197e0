"""Reads of carts, wishlists and what was looked at."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from souk.contexts.carts import store
from souk.contexts.carts.domain import (
    IDLE_HOURS,
    REMEMBERED_DAYS,
    Abandonment,
    Badge,
    Cart,
    WaitingCart,
    Wish,
)
from souk.platform.database import ReadConn
from souk.platform.http.holder import Holder


async def read(conn: ReadConn, holder: Holder) -> Cart:
    """The holder's cart in one statement; the empty one (nil id) when there is none."""
    return await store.load(conn, holder)


async def badge(conn: ReadConn, holder: Holder) -> Badge:
    """What the head of a page shows, in one statement."""
    column, key = store.holder_key(holder)
    row = await conn.fetchrow(
        "SELECT (SELECT coalesce(sum(l.quantity), 0)::int FROM carts.cart c"
        f"   JOIN carts.line l ON l.cart_id = c.id WHERE c.{column} = $1) AS pieces,"
        f" ARRAY(SELECT listing_id FROM carts.wish WHERE {column} = $1) AS wished",
        key,
    )
    assert row is not None
    return Badge(row["pieces"], tuple(row["wished"]))


async def wishes(conn: ReadConn, holder: Holder) -> list[Wish]:
    """The holder's wishlist, newest first, in one statement."""
    column, key = store.holder_key(holder)
    rows = await conn.fetch(
        "SELECT listing_id, title, price_seen, currency, in_stock_seen, added_at FROM carts.wish"
        f" WHERE {column} = $1 ORDER BY added_at DESC, listing_id",
        key,
    )
    return [Wish(**dict(row)) for row in rows]


async def viewed(conn: ReadConn, holder: Holder, *, limit: int = 50) -> list[UUID]:
    """What the holder looked at, the last first, in one statement."""
    column, key = store.holder_key(holder)
    rows = await conn.fetch(
        f"SELECT listing_id FROM carts.viewed WHERE {column} = $1"
        " ORDER BY viewed_at DESC, listing_id LIMIT $2",
        key,
        limit,
    )
    return [row["listing_id"] for row in rows]


_IDLE = """
SELECT c.id AS cart_id, c.user_id, c.currency, min(l.added_at) AS began_at,
  sum(l.quantity)::int AS pieces, sum(l.quantity * l.price_seen)::bigint AS amount,
  array_agg(l.variant_id ORDER BY l.added_at, l.variant_id) AS variant_ids
FROM carts.cart c JOIN carts.line l ON l.cart_id = c.id
WHERE c.updated_at < $1::timestamptz - make_interval(hours => $2)
"""


async def waiting(conn: ReadConn, *, limit: int = 500) -> list[WaitingCart]:
    """Members' carts left standing of which nobody was reminded yet, the longest wait first."""
    rows = await conn.fetch(
        f"{_IDLE} AND c.user_id IS NOT NULL"
        " AND c.updated_at > $1::timestamptz - make_interval(days => $3)"
        " GROUP BY c.id HAVING NOT EXISTS (SELECT FROM carts.reminder r"
        "   WHERE r.cart_id = c.id AND r.sent_at >= min(l.added_at))"
        " ORDER BY c.updated_at LIMIT $4",
        conn.clock.now(),
        IDLE_HOURS,
        REMEMBERED_DAYS,
        limit,
    )
    return [WaitingCart(**dict(row)) for row in rows]


async def abandonment(conn: ReadConn, *, since: datetime, until: datetime) -> list[Abandonment]:
    """Carts that stand idle now, and the reminders sent from `since` to before `until`."""
    rows = await conn.fetch(
        f"WITH idle AS ({_IDLE} GROUP BY c.id), standing AS (SELECT currency, count(*) AS waiting,"
        "  count(user_id) AS waiting_members, sum(amount)::bigint AS waiting_amount"
        "  FROM idle GROUP BY currency),"
        " written AS (SELECT currency, count(*) AS reminded,"
        "  sum(amount)::bigint AS reminded_amount, count(bought_at) AS bought,"
        "  coalesce(sum(bought_amount), 0)::bigint AS bought_amount"
        "  FROM carts.reminder WHERE sent_at >= $3 AND sent_at < $4 GROUP BY currency)"
        " SELECT currency, coalesce(waiting, 0) AS waiting,"
        "  coalesce(waiting_members, 0) AS waiting_members,"
        "  coalesce(waiting_amount, 0) AS waiting_amount, coalesce(reminded, 0) AS reminded,"
        "  coalesce(reminded_amount, 0) AS reminded_amount, coalesce(bought, 0) AS bought,"
        "  coalesce(bought_amount, 0) AS bought_amount"
        " FROM standing FULL JOIN written USING (currency) ORDER BY currency",
        conn.clock.now(),
        IDLE_HOURS,
        since,
        until,
    )
    return [Abandonment(**dict(row)) for row in rows]
