"""`/api/v1/notifications`: what a person should know."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post, put
from litestar.params import FromPath, QueryParameter

from souk.contexts.notifications import commands, queries, wishes
from souk.contexts.notifications.queries import Notice
from souk.contexts.notifications.topics import Choice
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


class Preferences(msgspec.Struct, frozen=True):
    """What the caller wishes, topic by topic. Account and security matters are told in any case."""

    items: list[Choice]


class ChangePreferences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The topics to change; the others stay."""

    items: Annotated[list[Choice], msgspec.Meta(min_length=1, max_length=20)]


@get("/api/v1/notifications/preferences", access=access.SIGNED_IN)
async def list_preferences(db: Database, actor: Actor) -> Preferences:
    """What the caller is told by mail and inside, and when."""
    assert actor.user_id is not None
    async with db.read() as conn:
        return Preferences(await wishes.choices(conn, actor.user_id))


@put("/api/v1/notifications/preferences", access=access.SIGNED_IN, rate="write")
async def change_preferences(data: ChangePreferences, db: Database, actor: Actor) -> Preferences:
    """Change what the caller is told. What cannot wait for a summary is mailed at once instead."""
    return Preferences(await db.transact(lambda tx: wishes.choose(tx, actor, wanted=data.items)))


routes: list[Any] = [
    list_notices,
    mark_read,
    mark_all_read,
    list_preferences,
    change_preferences,
]
