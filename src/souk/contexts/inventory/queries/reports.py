"""Reports of a seller's stock: what moved, what lies, what sells."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from souk.kernel.page import DEFAULT_LIMIT, BadCursor, Page, decode_cursor, encode_cursor, page_of
from souk.platform.database import ReadConn

Step = Literal["day", "week", "month"]
AGES = (30, 90, 180)
"""Days that part the ages of stock: up to 30, 90, 180, and more."""
_RECEIPTS = "('initial', 'restock', 'import')"


class MovementSum(msgspec.Struct, frozen=True):
    """What moved for one reason in the day, week or month (UTC) that begins on `start`."""

    start: date
    reason: str
    pieces_in: int
    pieces_out: int


async def movement_sums(
    conn: ReadConn, seller_id: UUID, *, since: datetime, until: datetime, step: Step = "day"
) -> list[MovementSum]:
    """Movements from `since` until before `until` by period and reason, oldest first."""
    rows = await conn.fetch(
        "SELECT date_trunc($4, m.at AT TIME ZONE 'UTC')::date AS start, m.reason,"
        " sum(greatest(m.delta, 0))::bigint AS pieces_in,"
        " sum(greatest(-m.delta, 0))::bigint AS pieces_out"
        " FROM inventory.stock s JOIN inventory.movement m ON m.variant_id = s.variant_id"
        " WHERE s.seller_id = $1 AND m.at >= $2 AND m.at < $3 GROUP BY 1, 2 ORDER BY 1, 2",
        seller_id,
        since,
        until,
        step,
    )
    return [MovementSum(*row.values()) for row in rows]


class Ageing(msgspec.Struct, frozen=True):
    """How long a variant's stock has lain. Days since its last sale and its last receipt; null
    when there was none."""

    variant_id: UUID
    listing_id: UUID
    on_hand: int
    last_sale: datetime | None
    last_receipt: datetime | None
    days_since_sale: int | None
    days_since_receipt: int | None

    @property
    def idle_days(self) -> int:
        """Days since anything was sold, or came in where nothing was sold yet."""
        return next(
            (days for days in (self.days_since_sale, self.days_since_receipt) if days is not None),
            0,
        )


_AGEING = ("variant_id", "listing_id", "on_hand", "last_sale", "last_receipt")
_LYING = f"""
SELECT s.variant_id, s.listing_id, s.on_hand, sold.at AS last_sale, got.at AS last_receipt,
  coalesce(sold.at, got.at) AS idle_since
FROM inventory.stock s
LEFT JOIN LATERAL (SELECT m.at FROM inventory.movement m WHERE m.variant_id = s.variant_id
  AND m.reason = 'sale' ORDER BY m.at DESC LIMIT 1) sold ON true
LEFT JOIN LATERAL (SELECT m.at FROM inventory.movement m WHERE m.variant_id = s.variant_id
  AND m.reason IN {_RECEIPTS} ORDER BY m.at DESC LIMIT 1) got ON true
WHERE s.seller_id = $1 AND s.tracked AND s.on_hand > 0
"""


async def ageing(
    conn: ReadConn, seller_id: UUID, *, cursor: str | None = None, limit: int = DEFAULT_LIMIT
) -> Page[Ageing]:
    """What is on hand, the longest unsold first. Raises BadCursor."""
    start = _offset(cursor)
    rows = await conn.fetch(
        f"{_LYING} ORDER BY idle_since NULLS FIRST, s.variant_id OFFSET $2 LIMIT $3",
        seller_id,
        start,
        limit + 1,
    )
    now = conn.clock.now()
    items = [
        Ageing(
            **{name: row[name] for name in _AGEING},
            days_since_sale=_days(row["last_sale"], now),
            days_since_receipt=_days(row["last_receipt"], now),
        )
        for row in rows
    ]
    return page_of(items, limit=limit, cursor_of=lambda _: encode_cursor(start + limit))


def _days(at: datetime | None, now: datetime) -> int | None:
    return None if at is None else max(0, (now - at).days)


class AgeGroup(msgspec.Struct, frozen=True):
    """Stock that has not sold for more than `over` and up to `up_to` days (null: any longer)."""

    over: int
    up_to: int | None
    variants: int
    pieces: int


async def age_groups(conn: ReadConn, seller_id: UUID) -> list[AgeGroup]:
    """All that is on hand by age, the freshest first; every group is there."""
    now = conn.clock.now()
    marks = [now - timedelta(days=days) for days in AGES]
    rows = await conn.fetch(
        "SELECT (SELECT count(*) FROM unnest($2::timestamptz[]) mark"
        f"  WHERE lying.idle_since < mark) AS age, count(*) AS n, sum(on_hand)::bigint AS pieces"
        f" FROM ({_LYING}) lying GROUP BY 1",
        seller_id,
        marks,
    )
    found = {row["age"]: (row["n"], row["pieces"]) for row in rows}
    edges = (0, *AGES)
    ends = (*AGES, None)
    return [
        AgeGroup(over, up_to, *found.get(place, (0, 0)))
        for place, (over, up_to) in enumerate(zip(edges, ends, strict=True))
    ]


class SellThrough(msgspec.Struct, frozen=True):
    """How much of a variant's stock was sold in a period: of `opening` pieces and those that were
    `received`, `sold` less `returned`. `rate_bp` in ten-thousandths; null when there was nothing
    to sell. `lost` counts what was corrected away, lost or broken."""

    variant_id: UUID
    listing_id: UUID
    opening: int
    received: int
    sold: int
    returned: int
    lost: int
    closing: int
    rate_bp: int | None


_PERIOD = """
SELECT s.variant_id, s.listing_id, s.on_hand - m.later AS closing,
  s.on_hand - m.later - m.change AS opening, m.received, m.sold, m.returned, m.lost
FROM inventory.stock s CROSS JOIN LATERAL (
  SELECT coalesce(sum(m.delta) FILTER (WHERE m.at >= $3), 0) AS later,
    coalesce(sum(m.delta) FILTER (WHERE m.at < $3), 0) AS change,
    coalesce(sum(m.delta) FILTER (WHERE m.at < $3 AND m.delta > 0
      AND m.reason IN ('initial', 'restock', 'import', 'correction')), 0) AS received,
    coalesce(-sum(m.delta) FILTER (WHERE m.at < $3 AND m.reason = 'sale'), 0) AS sold,
    coalesce(sum(m.delta) FILTER (WHERE m.at < $3 AND m.reason = 'return'), 0) AS returned,
    coalesce(-sum(m.delta) FILTER (WHERE m.at < $3 AND m.delta < 0
      AND m.reason NOT IN ('sale', 'return')), 0) AS lost
  FROM inventory.movement m WHERE m.variant_id = s.variant_id AND m.at >= $2) m
WHERE s.seller_id = $1 AND s.tracked
"""


async def sell_through(
    conn: ReadConn,
    seller_id: UUID,
    *,
    since: datetime,
    until: datetime,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[SellThrough]:
    """Every variant that there was anything of to sell, the best seller first. Raises BadCursor."""
    start = _offset(cursor)
    rows = await conn.fetch(
        f"SELECT * FROM ({_PERIOD}) p WHERE opening + received > 0 OR sold > 0"
        " ORDER BY sold - returned DESC, opening + received DESC, variant_id OFFSET $4 LIMIT $5",
        seller_id,
        since,
        until,
        start,
        limit + 1,
    )
    items = [_sell_through(dict(row)) for row in rows]
    return page_of(items, limit=limit, cursor_of=lambda _: encode_cursor(start + limit))


async def sell_through_total(
    conn: ReadConn, seller_id: UUID, *, since: datetime, until: datetime
) -> SellThrough:
    """All variants together; its ids are the seller's."""
    row = await conn.fetchrow(
        "SELECT coalesce(sum(closing), 0)::bigint AS closing,"
        " coalesce(sum(opening), 0)::bigint AS opening,"
        " coalesce(sum(received), 0)::bigint AS received, coalesce(sum(sold), 0)::bigint AS sold,"
        " coalesce(sum(returned), 0)::bigint AS returned, coalesce(sum(lost), 0)::bigint AS lost"
        f" FROM ({_PERIOD}) p",
        seller_id,
        since,
        until,
    )
    assert row is not None
    return _sell_through({"variant_id": seller_id, "listing_id": seller_id, **dict(row)})


def _sell_through(row: dict[str, object]) -> SellThrough:
    counts = {name: int(str(value)) for name, value in row.items() if not name.endswith("_id")}
    there = counts["opening"] + counts["received"]
    sold = max(0, counts["sold"] - counts["returned"])
    rate = sold * 10_000 // there if there else None
    return msgspec.convert(
        {
            **counts,
            "variant_id": row["variant_id"],
            "listing_id": row["listing_id"],
            "rate_bp": rate,
        },
        SellThrough,
    )


class Holding(msgspec.Struct, frozen=True):
    """What lies of one variant."""

    variant_id: UUID
    listing_id: UUID
    on_hand: int
    reserved: int


async def holdings(conn: ReadConn, seller_id: UUID) -> list[Holding]:
    """Everything that is counted and on hand, in the order in which the variants were made."""
    rows = await conn.fetch(
        "SELECT variant_id, listing_id, on_hand, reserved FROM inventory.stock"
        " WHERE seller_id = $1 AND tracked AND on_hand > 0 ORDER BY variant_id",
        seller_id,
    )
    return [Holding(*row.values()) for row in rows]


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    (number,) = decode_cursor(cursor, size=1)
    if not isinstance(number, int) or not 0 <= number < 10**9:
        raise BadCursor
    return number


class MovementRow(msgspec.Struct, frozen=True):
    """A movement in the list of all of a seller's."""

    id: int
    variant_id: UUID
    delta: int
    balance: int
    reason: str
    reference: str
    actor: str
    at: datetime


async def all_movements(
    conn: ReadConn,
    seller_id: UUID,
    *,
    reason: str = "",
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[MovementRow]:
    """Every change of a seller's stock, newest first. Raises BadCursor."""
    before: int | None = _offset(cursor) if cursor is not None else None
    rows = await conn.fetch(
        "SELECT m.id, m.variant_id, m.delta, m.balance, m.reason, m.reference, m.actor, m.at"
        " FROM inventory.stock s CROSS JOIN LATERAL ("
        "  SELECT * FROM inventory.movement q WHERE q.variant_id = s.variant_id"
        "  AND ($2::bigint IS NULL OR q.id < $2) AND ($3 = '' OR q.reason = $3)"
        "  ORDER BY q.id DESC LIMIT $4) m"
        " WHERE s.seller_id = $1 ORDER BY m.id DESC LIMIT $4",
        seller_id,
        before,
        reason,
        limit + 1,
    )
    return page_of(
        [MovementRow(*row.values()) for row in rows],
        limit=limit,
        cursor_of=lambda row: encode_cursor(row.id),
    )
