"""Drafts that publish themselves, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from souk.platform.database import ReadConn, WriteTx


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """When a draft publishes itself; `failure` says why the last try was refused."""

    listing_id: UUID
    seller_id: UUID
    publish_at: datetime
    failure: str


_SELECT = "SELECT listing_id, seller_id, publish_at, failure FROM listings.scheduled_publication"


async def save(tx: WriteTx, listing_id: UUID, seller_id: UUID, at: datetime) -> None:
    await tx.execute(
        "INSERT INTO listings.scheduled_publication (listing_id, seller_id, publish_at, created_at)"
        " VALUES ($1, $2, $3, $4) ON CONFLICT (listing_id)"
        " DO UPDATE SET publish_at = excluded.publish_at, failure = ''",
        listing_id,
        seller_id,
        at,
        tx.clock.now(),
    )


async def remove(tx: WriteTx, listing_id: UUID) -> None:
    await tx.execute("DELETE FROM listings.scheduled_publication WHERE listing_id = $1", listing_id)


async def note_failure(tx: WriteTx, listing_id: UUID, failure: str) -> None:
    await tx.execute(
        "UPDATE listings.scheduled_publication SET failure = $2 WHERE listing_id = $1",
        listing_id,
        failure,
    )


async def lock_due(tx: WriteTx, listing_id: UUID) -> Planned | None:
    """The plan when its time has come, locked; None when it was changed or done meanwhile."""
    row = await tx.fetchrow(
        f"{_SELECT} WHERE listing_id = $1 AND publish_at <= $2 AND failure = '' FOR UPDATE",
        listing_id,
        tx.clock.now(),
    )
    return Planned(**dict(row)) if row else None


async def due(conn: ReadConn, *, limit: int) -> list[UUID]:
    """Listings whose time has come, the longest overdue first."""
    rows = await conn.fetch(
        "SELECT listing_id FROM listings.scheduled_publication"
        " WHERE failure = '' AND publish_at <= $1 ORDER BY publish_at, listing_id LIMIT $2",
        conn.clock.now(),
        limit,
    )
    return [row["listing_id"] for row in rows]


async def planned(conn: ReadConn, listing_ids: Sequence[UUID]) -> dict[UUID, Planned]:
    """The plans of these listings; those without one are absent."""
    rows = await conn.fetch(f"{_SELECT} WHERE listing_id = ANY($1::uuid[])", list(listing_ids))
    return {row["listing_id"]: Planned(**dict(row)) for row in rows}
