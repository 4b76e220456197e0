"""`/api/v1/notifications`: what a person should know."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath, QueryParameter

from souk.contexts.notifications import commands, queries
from souk.contexts.notifications.queries import Notice
from souk.kernel.actor import Actor
from souk.platform.database import Database
from souk.platform.http import access


class Notices(msgspec.Struct, frozen=True):
    """One page of notices, and how many are unread in all."""

    items: list[Notice]
    unread: int
    next_cursor: str | None = None


@get("/api/v1/notifications", access=access.SIGNED_IN)
async def list_notices(
    db: Database,
    actor: Actor,
    *,
    unread_only: Annotated[bool, QueryParameter()] = False,
    cursor: Annotated[str | None, QueryParameter(max_length=1024)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=100)] = 20,
) -> Notices:
    """The caller's notices, newest first."""
    assert actor.user_id is not None
    async with db.read() as conn:
        page = await queries.notices(
            conn, actor.user_id, unread_only=unread_only, cursor=cursor, limit=limit
        )
        unread = await queries.unread_count(conn, actor.user_id)
    return Notices(page.items, unread, page.next_cursor)


@post(
    "/api/v1/notifications/{notice_id:uuid}/read",
    access=access.SIGNED_IN,
    rate="write",
    status_code=204,
)
async def mark_read(notice_id: FromPath[UUID], db: Database, actor: Actor) -> None:
    """Note that the caller saw a notice."""
    await db.transact(lambda tx: commands.mark_read(tx, actor, notice_id=notice_id))


@post("/api/v1/notifications/read", access=access.SIGNED_IN, rate="write", status_code=204)
async def mark_all_read(db: Database, actor: Actor) -> None:
    """Note that the caller saw all of them."""
    await db.transact(lambda tx: commands.mark_all_read(tx, actor))


routes: list[Any] = [list_notices, mark_read, mark_all_read]
