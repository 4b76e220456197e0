"""What is forgotten after a while."""

from __future__ import annotations

from datetime import datetime, timedelta

from souk.platform.database import WriteTx


async def forget_addresses(tx: WriteTx, before: datetime, limit: int) -> int:
    """Forget from where sessions from before were begun; returns how many.

    What the browser said stays as long as the session is used: by that its owner knows it.
    """
    tag = await tx.execute(
        "UPDATE identity.session SET ip = NULL,"
        " user_agent = CASE WHEN last_seen_at < $1 THEN '' ELSE user_agent END"
        " WHERE id IN (SELECT id FROM identity.session WHERE created_at < $1"
        " AND (ip IS NOT NULL OR user_agent <> '')"
        " AND (ip IS NOT NULL OR last_seen_at < $1) ORDER BY created_at LIMIT $2)",
        before,
        limit,
    )
    return int(tag.rsplit(" ", 1)[1])


async def forget_old(tx: WriteTx, *, idle: timedelta, absolute: timedelta) -> None:
    """Drop what ended a month ago (sessions, links, devices unused for a year, old counts)."""
    now = tx.clock.now()
    month = timedelta(days=30)
    await tx.execute(
        "DELETE FROM identity.session WHERE last_seen_at < $1 OR created_at < $2"
        " OR revoked_at < $3",
        now - idle - month,
        now - absolute - month,
        now - month,
    )
    await tx.execute("DELETE FROM identity.email_token WHERE created_at < $1", now - month)
    await tx.execute(
        "DELETE FROM identity.device WHERE last_seen_at < $1", now - timedelta(days=365)
    )
    await tx.execute(
        "DELETE FROM identity.attempt"
        " WHERE touched_at < $1 AND (locked_until IS NULL OR locked_until < $1)",
        now - timedelta(days=2),
    )
