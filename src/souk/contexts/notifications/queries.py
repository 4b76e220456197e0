"""Reads of notices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from souk.kernel.ids import parse_uuid
from souk.kernel.page import BadCursor, Page, decode_cursor, encode_cursor, page_of
from souk.platform.database import ReadConn


class Notice(msgspec.Struct, frozen=True):
    """Something that a person should know; `url` is a path of this site."""

    id: UUID
    kind: str
    title: str
    text: str
    url: str
    created_at: datetime
    read_at: datetime | None


async def unread_count(conn: ReadConn, user_id: UUID) -> int:
    """How many notices the person has not seen."""
    return await conn.fetchval(
        "SELECT count(*) FROM notifications.notice WHERE user_id = $1 AND read_at IS NULL", user_id
    )


async def unread_counts(conn: ReadConn, user_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many notices each of these people has not seen."""
    rows = await conn.fetch(
        "SELECT user_id, count(*) AS n FROM notifications.notice"
        " WHERE user_id = ANY($1::uuid[]) AND read_at IS NULL GROUP BY user_id",
        list(user_ids),
    )
    found = {row["user_id"]: row["n"] for row in rows}
    return {user_id: found.get(user_id, 0) for user_id in user_ids}


async def notice(conn: ReadConn, user_id: UUID, notice_id: UUID) -> Notice | None:
    """One of a person's notices."""
    row = await conn.fetchrow(
        "SELECT id, kind, title, text, url, created_at, read_at FROM notifications.notice"
        " WHERE user_id = $1 AND id = $2",
        user_id,
        notice_id,
    )
    return Notice(*row.values()) if row else None


async def notices(
    conn: ReadConn,
    user_id: UUID,
    *,
    unread_only: bool = False,
    cursor: str | None = None,
    limit: int = 20,
) -> Page[Notice]:
    """A person's notices, newest first."""
    before = None
    if cursor is not None:
        before = parse_uuid(str(decode_cursor(cursor, size=1)[0]))
        if before is None:
            raise BadCursor
    rows = await conn.fetch(
        "SELECT id, kind, title, text, url, created_at, read_at FROM notifications.notice"
        " WHERE user_id = $1 AND ($2::uuid IS NULL OR id < $2) AND (NOT $3 OR read_at IS NULL)"
        " ORDER BY id DESC LIMIT $4",
        user_id,
        before,
        unread_only,
        limit + 1,
    )
    found = [Notice(*row.values()) for row in rows]
    return page_of(found, limit=limit, cursor_of=lambda notice: encode_cursor(str(notice.id)))
