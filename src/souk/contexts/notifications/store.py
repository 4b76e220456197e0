"""Messages and notices in PostgreSQL."""

from __future__ import annotations

from uuid import UUID

import msgspec

from souk.contexts.notifications.contents import AnyContent, kind_of
from souk.contexts.notifications.domain import KEEP_DAYS, MessageState, Recipient
from souk.kernel.ids import uuid7
from souk.platform.database import ReadConn, WriteTx


class Message(msgspec.Struct, frozen=True):
    """A mail that was asked for."""

    id: UUID
    to: Recipient
    content: AnyContent
    state: MessageState
    attempts: int


async def insert_message(
    tx: WriteTx, *, to: Recipient, content: AnyContent, dedupe_key: str
) -> UUID | None:
    """Queue a message; None when one with this key was queued before."""
    return await tx.fetchval(
        "INSERT INTO notifications.message (id, user_id, address, name, locale, kind, content,"
        " state, dedupe_key, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 'queued', $8, $9)"
        " ON CONFLICT (dedupe_key) DO NOTHING RETURNING id",
        uuid7(),
        to.user_id,
        to.email,
        to.name,
        to.locale,
        kind_of(content),
        content,
        dedupe_key,
        tx.clock.now(),
    )


async def load_message(conn: ReadConn, message_id: UUID) -> Message | None:
    """A message by id."""
    row = await conn.fetchrow(
        "SELECT id, address, name, locale, user_id, content, state, attempts"
        " FROM notifications.message WHERE id = $1",
        message_id,
    )
    if row is None:
        return None
    return Message(
        row["id"],
        Recipient(row["address"], row["name"], row["locale"], row["user_id"]),
        msgspec.convert(row["content"], AnyContent),
        MessageState(row["state"]),
        row["attempts"],
    )


async def note_attempt(
    tx: WriteTx, message_id: UUID, *, state: MessageState, error: str = ""
) -> None:
    """Write down how an attempt to send ended; a message that was sent stays sent."""
    await tx.execute(
        "UPDATE notifications.message SET state = $2, error = $3, attempts = attempts + 1,"
        " sent_at = CASE WHEN $2 = 'sent' THEN $4 ELSE sent_at END"
        " WHERE id = $1 AND state <> 'sent'",
        message_id,
        state,
        error[:500],
        tx.clock.now(),
    )


async def insert_notice(
    tx: WriteTx, *, user_id: UUID, kind: str, title: str, text: str, url: str, dedupe_key: str
) -> None:
    """Add a notice, once per key."""
    await tx.execute(
        "INSERT INTO notifications.notice (id, user_id, kind, title, text, url, dedupe_key,"
        " created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (dedupe_key) DO NOTHING",
        uuid7(),
        user_id,
        kind,
        title,
        text,
        url,
        dedupe_key,
        tx.clock.now(),
    )


async def mark_read(tx: WriteTx, *, user_id: UUID, notice_id: UUID) -> bool:
    """Note that the person saw it; False when they have no such notice."""
    tag = await tx.execute(
        "UPDATE notifications.notice SET read_at = coalesce(read_at, $3)"
        " WHERE id = $1 AND user_id = $2",
        notice_id,
        user_id,
        tx.clock.now(),
    )
    return tag == "UPDATE 1"


async def mark_all_read(tx: WriteTx, *, user_id: UUID) -> None:
    """Note that the person saw everything."""
    await tx.execute(
        "UPDATE notifications.notice SET read_at = $2 WHERE user_id = $1 AND read_at IS NULL",
        user_id,
        tx.clock.now(),
    )


async def forget_old(tx: WriteTx) -> None:
    """Mail records and notices are kept for a year."""
    for table in ("notifications.message", "notifications.notice"):
        await tx.execute(
            f"DELETE FROM {table} WHERE created_at < $1::timestamptz - make_interval(days => $2)",
            tx.clock.now(),
            KEEP_DAYS,
        )
