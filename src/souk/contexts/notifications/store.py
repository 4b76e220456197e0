"""Messages and notices in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from souk.contexts.notifications.contents import AnyContent, kind_of
from souk.contexts.notifications.domain import KEEP_DAYS, MessageState, Recipient
from souk.contexts.notifications.topics import Cadence, Choice, Topic, topic_of
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
    await tx.execute(
        "DELETE FROM notifications.signal WHERE created_at < $1",
        tx.clock.now() - timedelta(days=2),
    )


class Waiting(msgspec.Struct, frozen=True):
    """What waits to be told in a summary."""

    id: UUID
    to: Recipient
    content: AnyContent


class Signal(msgspec.Struct, frozen=True):
    """Something that happened, for open pages; `title` is empty when it is not said aloud."""

    id: UUID
    user_id: UUID
    kind: str
    subject: UUID | None
    title: str
    url: str


async def load_choices(
    conn: ReadConn, subject: str, *, topic: Topic | None = None
) -> dict[Topic, Choice]:
    """What was chosen, for all topics or one. Topics that are no more are left out."""
    rows = await conn.fetch(
        "SELECT topic, email, in_app FROM notifications.preference"
        " WHERE subject = $1 AND ($2::text IS NULL OR topic = $2)",
        subject,
        topic,
    )
    known = {str(each): each for each in Topic}
    return {
        known[row["topic"]]: Choice(known[row["topic"]], Cadence(row["email"]), row["in_app"])
        for row in rows
        if row["topic"] in known
    }


async def save_choice(tx: WriteTx, subject: str, choice: Choice) -> None:
    """Keep one choice."""
    await tx.execute(
        "INSERT INTO notifications.preference (subject, topic, email, in_app, updated_at)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (subject, topic)"
        " DO UPDATE SET email = $3, in_app = $4, updated_at = $5",
        subject,
        choice.topic,
        choice.email,
        choice.in_app,
        tx.clock.now(),
    )


async def insert_digest_item(
    tx: WriteTx, *, to: Recipient, content: AnyContent, choice: Choice, dedupe_key: str
) -> None:
    """Let a message wait for the next summary, once per key."""
    await tx.execute(
        "INSERT INTO notifications.digest_item (id, user_id, topic, cadence, address, name, locale,"
        " content, dedupe_key, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        " ON CONFLICT (dedupe_key) DO NOTHING",
        uuid7(),
        to.user_id,
        topic_of(kind_of(content)),
        choice.email,
        to.email,
        to.name,
        to.locale,
        content,
        dedupe_key,
        tx.clock.now(),
    )


async def move_digest_items(tx: WriteTx, user_id: UUID, *, topic: Topic, cadence: Cadence) -> None:
    """Follow a changed wish: into the other summary, or nowhere. What is wanted at once from now
    on still comes in the summary of the day."""
    if cadence is Cadence.NEVER:
        await tx.execute(
            "DELETE FROM notifications.digest_item WHERE user_id = $1 AND topic = $2",
            user_id,
            topic,
        )
        return
    await tx.execute(
        "UPDATE notifications.digest_item SET cadence = $3 WHERE user_id = $1 AND topic = $2",
        user_id,
        topic,
        Cadence.WEEKLY if cadence is Cadence.WEEKLY else Cadence.DAILY,
    )


async def digest_people(
    conn: ReadConn, *, cadence: Cadence, after: UUID | None, limit: int
) -> list[UUID]:
    """Who has something waiting, by id."""
    rows = await conn.fetch(
        "SELECT DISTINCT user_id FROM notifications.digest_item"
        " WHERE cadence = $1 AND ($2::uuid IS NULL OR user_id > $2) ORDER BY user_id LIMIT $3",
        cadence,
        after,
        limit,
    )
    return [row["user_id"] for row in rows]


async def take_digest_items(tx: WriteTx, user_id: UUID, *, cadence: Cadence) -> list[Waiting]:
    """What waits for a person, oldest first; it waits no longer."""
    rows = await tx.fetch(
        "DELETE FROM notifications.digest_item WHERE user_id = $1 AND cadence = $2"
        " RETURNING id, address, name, locale, content",
        user_id,
        cadence,
    )
    found = [
        Waiting(
            row["id"],
            Recipient(row["address"], row["name"], row["locale"], user_id),
            msgspec.convert(row["content"], AnyContent),
        )
        for row in rows
    ]
    return sorted(found, key=lambda item: item.id)


async def insert_signal(
    tx: WriteTx,
    *,
    user_id: UUID,
    kind: str,
    subject: UUID | None,
    title: str,
    url: str,
    dedupe_key: str,
) -> None:
    """Add a signal, once per key."""
    await tx.execute(
        "INSERT INTO notifications.signal (id, user_id, kind, subject, title, url, dedupe_key,"
        " created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (dedupe_key) DO NOTHING",
        uuid7(),
        user_id,
        kind,
        subject,
        title,
        url,
        dedupe_key,
        tx.clock.now(),
    )


async def signals(
    conn: ReadConn, user_ids: Sequence[UUID], *, since: datetime, limit: int = 1_000
) -> list[Signal]:
    """What happened to these people since then, in order."""
    rows = await conn.fetch(
        "SELECT id, user_id, kind, subject, title, url FROM notifications.signal"
        " WHERE user_id = ANY($1::uuid[]) AND created_at >= $2 ORDER BY id LIMIT $3",
        list(user_ids),
        since,
        limit,
    )
    return [Signal(*row.values()) for row in rows]


async def remember_language(tx: WriteTx, *, address: str, locale: str) -> None:
    """In which language somebody without an account is written to."""
    await tx.execute(
        "INSERT INTO notifications.address_language (address, locale, updated_at)"
        " VALUES (lower($1), $2, $3) ON CONFLICT (address) DO UPDATE SET locale = $2,"
        " updated_at = $3 WHERE address_language.locale <> $2",
        address,
        locale,
        tx.clock.now(),
    )


async def language_of(conn: ReadConn, *, address: str) -> str | None:
    """The language in which the address last bought."""
    return await conn.fetchval(
        "SELECT locale FROM notifications.address_language WHERE address = lower($1)", address
    )
