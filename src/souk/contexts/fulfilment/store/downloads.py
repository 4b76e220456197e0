"""Download grants, counted downloads and licence keys."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from souk.contexts.fulfilment.domain.downloads import (
    GRANT_LIFE,
    MAX_DOWNLOADS,
    PER_HOUR,
    DigitalLine,
    Grant,
    Session,
)
from souk.kernel.ids import uuid7
from souk.platform.database import Record, WriteTx

COLUMNS = (
    "id, order_line_id, seller_order_id, buyer_id, buyer_email, file_id, storage_key, filename,"
    " content_type, size, expires_at, max_downloads, downloads, revoked_at, revoked_for"
)

_REVOCABLE = ("fulfilment.download_grant", "fulfilment.licence_claim")


def grant_of(row: Record) -> Grant:
    """A row with COLUMNS as a Grant."""
    return Grant(**{name: row[name] for name in Grant.__struct_fields__})


async def insert_grants(
    tx: WriteTx, lines: list[DigitalLine], *, buyer_id: UUID | None, buyer_email: str
) -> list[UUID]:
    """Grant every file of every line, once; answers the order lines with a new grant."""
    now = tx.clock.now()
    pairs = [(line, file) for line in lines for file in line.files]
    rows = await tx.fetch(
        "INSERT INTO fulfilment.download_grant (id, order_line_id, seller_order_id, seller_id,"
        " buyer_id, buyer_email, file_id, storage_key, filename, content_type, size, granted_at,"
        " expires_at, max_downloads)"
        " SELECT g.id, g.line, g.seller_order, g.seller, $1, $2, g.file, g.key, g.name, g.type,"
        " g.size, $3, $4, $5 FROM unnest($6::uuid[], $7::uuid[], $8::uuid[], $9::uuid[],"
        " $10::uuid[], $11::text[], $12::text[], $13::text[], $14::bigint[])"
        " AS g (id, line, seller_order, seller, file, key, name, type, size)"
        " ON CONFLICT (order_line_id, file_id) DO NOTHING RETURNING order_line_id",
        buyer_id,
        buyer_email,
        now,
        now + GRANT_LIFE,
        MAX_DOWNLOADS,
        sorted(uuid7() for _ in pairs),
        [line.order_line_id for line, _ in pairs],
        [line.seller_order_id for line, _ in pairs],
        [line.seller_id for line, _ in pairs],
        [file.file_id for _, file in pairs],
        [file.storage_key for _, file in pairs],
        [file.filename for _, file in pairs],
        [file.content_type for _, file in pairs],
        [file.size for _, file in pairs],
    )
    return [row["order_line_id"] for row in rows]


async def load_for_update(tx: WriteTx, grant_id: UUID) -> Grant | None:
    """The grant, locked: downloads of one file are counted one after the other."""
    row = await tx.fetchrow(
        f"SELECT {COLUMNS} FROM fulfilment.download_grant WHERE id = $1 FOR UPDATE", grant_id
    )
    return grant_of(row) if row else None


async def last_session(tx: WriteTx, grant_id: UUID, *, link: bytes) -> Session | None:
    """The newest download through this link."""
    row = await tx.fetchrow(
        "SELECT id, started_at, resumed_bytes FROM fulfilment.download_session"
        " WHERE grant_id = $1 AND link = $2 ORDER BY id DESC LIMIT 1",
        grant_id,
        link,
    )
    return Session(*row.values()) if row else None


async def recent_starts(tx: WriteTx, buyer: str) -> list[datetime]:
    """When the buyer's latest downloads of any file began, as many as the hourly limit."""
    rows = await tx.fetch(
        "SELECT started_at FROM fulfilment.download_session WHERE buyer = $1"
        " ORDER BY started_at DESC LIMIT $2",
        buyer,
        PER_HOUR,
    )
    return [row["started_at"] for row in rows]


async def start_session(tx: WriteTx, grant: Grant, *, link: bytes, ip: str | None) -> None:
    """Count a download of a locked grant."""
    await tx.execute(
        "WITH counted AS (UPDATE fulfilment.download_grant SET downloads = downloads + 1"
        " WHERE id = $2 RETURNING id)"
        " INSERT INTO fulfilment.download_session (id, grant_id, link, buyer, started_at, ip)"
        " SELECT $1, counted.id, $3, $4, $5, $6 FROM counted",
        uuid7(),
        grant.id,
        link,
        grant.buyer(),
        tx.clock.now(),
        ip,
    )


async def resume_session(tx: WriteTx, session_id: UUID, *, length: int) -> None:
    """Note that more of a counted download was asked for."""
    await tx.execute(
        "UPDATE fulfilment.download_session SET resumed_bytes = resumed_bytes + $2 WHERE id = $1",
        session_id,
        length,
    )


async def forget_addresses(tx: WriteTx, before: datetime, limit: int) -> int:
    """Forget from where downloads were begun before; that they were stays. Returns how many."""
    tag = await tx.execute(
        "UPDATE fulfilment.download_session SET ip = NULL WHERE id IN (SELECT id"
        " FROM fulfilment.download_session WHERE ip IS NOT NULL AND started_at < $1"
        " ORDER BY started_at LIMIT $2)",
        before,
        limit,
    )
    return int(tag.rsplit(" ", 1)[1])


async def revoke(tx: WriteTx, order_line_ids: list[UUID], *, reason: str) -> None:
    """Close the grants and claims of these lines. A refund is final: nothing replaces it."""
    # The time is taken under the lock, so that a download which began before it is dated before it.
    await tx.fetch(
        "SELECT id FROM fulfilment.download_grant WHERE order_line_id = ANY($1)"
        " ORDER BY id FOR UPDATE",
        order_line_ids,
    )
    for table in _REVOCABLE:
        await tx.execute(
            f"UPDATE {table} SET revoked_at = coalesce(revoked_at, $2), revoked_for = $3"
            " WHERE order_line_id = ANY($1) AND revoked_for <> 'refund'",
            order_line_ids,
            tx.clock.now(),
            reason,
        )


async def lock_buyer(tx: WriteTx, buyer: str) -> None:
    """One download of a buyer starts at a time, so that the hourly limit is exact."""
    await tx.fetchval("SELECT pg_advisory_xact_lock(hashtextextended($1, 14))", buyer)
