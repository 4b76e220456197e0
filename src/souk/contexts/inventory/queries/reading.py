"""Reading stock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from souk.contexts.inventory import store
from souk.contexts.inventory.domain import UNLIMITED
from souk.kernel.errors import NotFound
from souk.kernel.ids import parse_uuid
from souk.kernel.page import DEFAULT_LIMIT, BadCursor, Page, decode_cursor, encode_cursor, page_of
from souk.platform.database import ReadConn


class Availability(msgspec.Struct, frozen=True):
    """How many of a variant can be bought now. `available` is UNLIMITED when not `tracked`."""

    on_hand: int
    reserved: int
    available: int
    tracked: bool

    @property
    def left(self) -> int | None:
        """How many can be bought now; None when the number is not limited."""
        return max(self.available, 0) if self.tracked else None


class StockView(msgspec.Struct, frozen=True):
    """A seller's own stock of one variant."""

    variant_id: UUID
    listing_id: UUID
    on_hand: int
    reserved: int
    available: int
    tracked: bool
    low_stock_at: int


class MovementView(msgspec.Struct, frozen=True):
    """One change of stock on hand: by how much, why, who, and the number after it."""

    id: int
    delta: int
    balance: int
    reason: str
    reference: str
    actor: str
    at: datetime


async def availability(conn: ReadConn, variant_ids: Sequence[UUID]) -> dict[UUID, Availability]:
    """Each known variant's availability; unknown ones are absent."""
    rows = await conn.fetch(
        "SELECT variant_id, on_hand, reserved, tracked FROM inventory.stock"
        " WHERE variant_id = ANY($1::uuid[])",
        list(variant_ids),
    )
    return {
        row["variant_id"]: Availability(
            on_hand=row["on_hand"],
            reserved=row["reserved"],
            available=row["on_hand"] - row["reserved"] if row["tracked"] else UNLIMITED,
            tracked=row["tracked"],
        )
        for row in rows
    }


async def checkouts_past_hold(conn: ReadConn, *, limit: int) -> list[UUID]:
    """Checkouts that hold stock past their time, longest ago first.

    Nothing is released by time alone: the owner of the checkout decides whether a payment is
    under way, and extends or releases.
    """
    return await store.due(conn, conn.clock.now(), limit)


_STOCK = (
    "SELECT variant_id, listing_id, on_hand, reserved,"
    f" CASE WHEN tracked THEN on_hand - reserved ELSE {UNLIMITED} END AS available,"
    " tracked, low_stock_at FROM inventory.stock"
)


_SHOWN = {
    "all": "",
    "low": " AND tracked AND on_hand <= low_stock_at",
    "out": " AND tracked AND on_hand - reserved <= 0",
}


async def stock(
    conn: ReadConn,
    seller_id: UUID,
    *,
    low_only: bool = False,
    show: str = "all",
    variant_ids: Sequence[UUID] | None = None,
    least_first: bool = False,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[StockView]:
    """A seller's stock in the order in which the variants were made, or the least first.

    `show` is `all`, `low` (at the threshold or below, as with `low_only`) or `out`; `variant_ids`
    keeps those. Raises BadCursor.
    """
    number, after = _stock_cursor(cursor)
    # What is not counted never runs out, so it comes last.
    left = f"CASE WHEN tracked THEN on_hand - reserved ELSE {UNLIMITED} END"
    key = f"({left}, variant_id) > ($4, $2)" if least_first else "variant_id > $2"
    order = f"{left}, variant_id" if least_first else "variant_id"
    rows = await conn.fetch(
        f"{_STOCK} WHERE seller_id = $1 AND ($2::uuid IS NULL OR {key})"
        f" AND ($3::uuid[] IS NULL OR variant_id = ANY($3)) AND $4::bigint IS NOT NULL"
        f"{_SHOWN['low' if low_only else show]} ORDER BY {order} LIMIT $5",
        seller_id,
        after,
        None if variant_ids is None else list(variant_ids),
        number,
        limit + 1,
    )
    return page_of(
        [StockView(*row.values()) for row in rows],
        limit=limit,
        cursor_of=lambda view: encode_cursor(view.available, str(view.variant_id)),
    )


def _stock_cursor(cursor: str | None) -> tuple[int, UUID | None]:
    if cursor is None:
        return 0, None
    number, key = decode_cursor(cursor, size=2)
    after = parse_uuid(str(key))
    if after is None or not isinstance(number, int) or abs(number) > UNLIMITED:
        raise BadCursor
    return number, after


class StockCounts(msgspec.Struct, frozen=True):
    """How many of a seller's variants there are, run low (the sold out included), are sold out."""

    all: int
    low: int
    out: int


async def stock_counts(conn: ReadConn, seller_id: UUID) -> StockCounts:
    """Counts of a seller's whole stock."""
    row = await conn.fetchrow(
        "SELECT count(*) AS n,"
        " count(*) FILTER (WHERE tracked AND on_hand <= low_stock_at) AS low,"
        " count(*) FILTER (WHERE tracked AND on_hand - reserved <= 0) AS out"
        " FROM inventory.stock WHERE seller_id = $1",
        seller_id,
    )
    assert row is not None
    return StockCounts(*row.values())


async def stock_of(conn: ReadConn, seller_id: UUID, variant_id: UUID) -> StockView:
    """One variant of a seller. Raises NotFound for anybody else's."""
    row = await conn.fetchrow(
        f"{_STOCK} WHERE seller_id = $1 AND variant_id = $2", seller_id, variant_id
    )
    if row is None:
        raise NotFound("There is no such item in your stock. Check the link or reload the list.")
    return StockView(*row.values())


async def movements(
    conn: ReadConn,
    seller_id: UUID,
    variant_id: UUID,
    *,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[MovementView]:
    """Every change of a seller's variant, newest first. Raises NotFound, BadCursor."""
    before: int | None = None
    if cursor is not None:
        (key,) = decode_cursor(cursor, size=1)
        if not isinstance(key, int) or not 0 < key < 2**63:
            raise BadCursor
        before = key
    await stock_of(conn, seller_id, variant_id)
    rows = await conn.fetch(
        "SELECT id, delta, balance, reason, reference, actor, at FROM inventory.movement"
        " WHERE variant_id = $1 AND ($2::bigint IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
        variant_id,
        before,
        limit + 1,
    )
    return page_of(
        [MovementView(*row.values()) for row in rows],
        limit=limit,
        cursor_of=lambda view: encode_cursor(view.id),
    )
