"""Shops as visitors, their owners and operators see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from souk.contexts.sellers import store
from souk.contexts.sellers.errors import SellerNotFound
from souk.kernel.page import DEFAULT_LIMIT, Page, decode_cursor, encode_cursor, page_of
from souk.platform.database import ReadConn, Record


class SellerCard(msgspec.Struct, frozen=True, kw_only=True):
    """A shop beside its goods. `rating` from 1 to 5, null without reviews."""

    id: UUID
    slug: str
    name: str
    country: str
    kind: str
    tier: str
    logo_key: str | None
    rating: float | None
    rating_count: int
    on_holiday: bool


class SellerView(SellerCard, frozen=True, kw_only=True):
    """A storefront. `standing`, 1 to 5, comes from reviews and from how orders are carried out;
    the `orders_` figures are of the last half year. Null while too little is known."""

    standing: float | None
    orders_due: int
    orders_on_time: int
    orders_cancelled: int
    bio: str
    shipping_policy: str
    returns_policy: str
    banner_key: str | None
    holiday_message: str
    holiday_until: datetime | None
    since: datetime | None
    announcement: str
    links: list[str]
    contact_email: str
    contact_phone: str


class StepView(msgspec.Struct, frozen=True):
    """One step of an application."""

    at: datetime
    actor: str
    state: str
    reason: str


class SellerAccount(SellerView, frozen=True, kw_only=True):
    """A shop as its owner and operators see it."""

    user_id: UUID
    state: str
    applied_at: datetime
    holiday_from: datetime | None
    steps: list[StepView]


_SELECT = (
    f"SELECT {store.COLUMNS}, rating_sum, rating_count, orders_due, orders_on_time,"
    " orders_cancelled, standing FROM sellers.seller"
)


def _card_fields(row: Record, now: datetime) -> dict[str, object]:
    count = row["rating_count"]
    return {
        "id": row["id"],
        "slug": row["slug"],
        "name": row["name"],
        "country": row["country"],
        "kind": row["kind"],
        "tier": row["tier"],
        "logo_key": row["logo_key"],
        "rating": round(row["rating_sum"] / count, 2) if count else None,
        "rating_count": count,
        "on_holiday": store.seller_of(row).on_holiday(now),
    }


def _view_fields(row: Record, now: datetime) -> dict[str, object]:
    names = (
        "bio", "shipping_policy", "returns_policy", "banner_key", "holiday_message",
        "holiday_until", "orders_due", "orders_on_time", "orders_cancelled",
        "announcement", "links", "contact_email", "contact_phone",
    )  # fmt: skip
    more = {name: row[name] for name in names}
    more |= {"since": row["approved_at"], "standing": None}
    if row["standing"] is not None:
        more["standing"] = row["standing"] / 100
    return _card_fields(row, now) | more


async def ids(conn: ReadConn) -> list[UUID]:
    """Every shop that was ever open, for schedules."""
    rows = await conn.fetch("SELECT id FROM sellers.seller WHERE approved_at IS NOT NULL")
    return [row["id"] for row in rows]


async def by_slug(conn: ReadConn, slug: str) -> SellerView:
    """An open shop. Raises SellerNotFound."""
    row = await conn.fetchrow(f"{_SELECT} WHERE slug = $1 AND state = 'approved'", slug)
    if row is None:
        raise SellerNotFound
    return msgspec.convert(_view_fields(row, conn.clock.now()), SellerView)


async def cards(conn: ReadConn, ids: Sequence[UUID]) -> dict[UUID, SellerCard]:
    """Shops by id, whatever their state, in one statement."""
    rows = await conn.fetch(f"{_SELECT} WHERE id = ANY($1)", list(ids))
    now = conn.clock.now()
    return {row["id"]: msgspec.convert(_card_fields(row, now), SellerCard) for row in rows}


async def account(
    conn: ReadConn, *, seller_id: UUID | None = None, user_id: UUID | None = None
) -> SellerAccount:
    """A shop with its history, by its id, else by its owner. Raises SellerNotFound."""
    row = await conn.fetchrow(
        f"{_SELECT} WHERE CASE WHEN $1::uuid IS NULL THEN user_id = $2 ELSE id = $1 END",
        seller_id,
        user_id,
    )
    if row is None:
        raise SellerNotFound
    steps = await conn.fetch(
        "SELECT at, actor, state, reason FROM sellers.step WHERE seller_id = $1 ORDER BY id",
        row["id"],
    )
    fields = _view_fields(row, conn.clock.now()) | {
        "user_id": row["user_id"],
        "state": row["state"],
        "applied_at": row["applied_at"],
        "holiday_from": row["holiday_from"],
        "steps": [StepView(*step.values()) for step in steps],
    }
    return msgspec.convert(fields, SellerAccount)


async def open_shops(
    conn: ReadConn, *, cursor: str | None = None, limit: int = DEFAULT_LIMIT
) -> Page[SellerCard]:
    """Open shops, newest first."""
    after = _after(cursor)
    rows = await conn.fetch(
        f"{_SELECT} WHERE state = 'approved' AND ($1::timestamptz IS NULL"
        " OR (approved_at, id) < ($1, $2)) ORDER BY approved_at DESC, id DESC LIMIT $3",
        *after,
        limit + 1,
    )
    now = conn.clock.now()
    page = page_of(
        rows,
        limit=limit,
        cursor_of=lambda row: encode_cursor(row["approved_at"].isoformat(), str(row["id"])),
    )
    items = [msgspec.convert(_card_fields(row, now), SellerCard) for row in page.items]
    return Page(items, page.next_cursor)


class SellerRow(msgspec.Struct, frozen=True):
    """A shop in the operator's list."""

    id: UUID
    user_id: UUID
    slug: str
    name: str
    kind: str
    country: str
    state: str
    tier: str
    applied_at: datetime


async def listed(
    conn: ReadConn,
    *,
    states: Sequence[str] = (),
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[SellerRow]:
    """Shops in any of `states` (empty means all), the oldest application first."""
    after = _after(cursor)
    rows = await conn.fetch(
        "SELECT id, user_id, slug, name, kind, country, state, tier, applied_at"
        " FROM sellers.seller WHERE (cardinality($1::text[]) = 0 OR state = ANY($1))"
        " AND ($2::timestamptz IS NULL OR (applied_at, id) > ($2, $3))"
        " ORDER BY applied_at, id LIMIT $4",
        list(states),
        *after,
        limit + 1,
    )
    items = [SellerRow(*row.values()) for row in rows]
    return page_of(
        items,
        limit=limit,
        cursor_of=lambda row: encode_cursor(row.applied_at.isoformat(), str(row.id)),
    )


def _after(cursor: str | None) -> tuple[datetime | None, UUID | None]:
    if cursor is None:
        return None, None
    at, key = decode_cursor(cursor, size=2)
    try:
        return datetime.fromisoformat(str(at)), UUID(str(key))
    except ValueError:
        return None, None


async def counts(conn: ReadConn) -> dict[str, int]:
    """How many shops are in each state."""
    rows = await conn.fetch("SELECT state, count(*) AS n FROM sellers.seller GROUP BY state")
    return {row["state"]: row["n"] for row in rows}
