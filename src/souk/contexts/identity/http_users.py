"""`/api/v1/users`: what the operator's staff see and do."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath, QueryParameter

from souk.contexts.identity import queries
from souk.contexts.identity.commands import staff
from souk.contexts.identity.queries import UserView
from souk.kernel.actor import Actor, Permission, Role
from souk.kernel.page import DEFAULT_LIMIT, MAX_LIMIT
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.wire import Listed, clean_text

Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Suspend(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`reason` is told to the person."""

    reason: Reason


@get("/api/v1/users", access=access.operator(Permission.USERS_VIEW))
async def list_users(
    db: Database,
    search: Annotated[str, QueryParameter(max_length=254)] = "",
    cursor: Annotated[str | None, QueryParameter(max_length=1024)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
) -> Listed[UserView]:
    """Accounts, newest first; `search` is the start of the address or the name."""
    async with db.read() as conn:
        page = await queries.users(
            conn, search=clean_text(search, path="search"), cursor=cursor, limit=limit
        )
    return Listed(page.items, page.next_cursor)


@get("/api/v1/users/{user_id:uuid}", access=access.operator(Permission.USERS_VIEW))
async def read_user(user_id: FromPath[UUID], db: Database) -> UserView:
    """One account."""
    async with db.read() as conn:
        return await queries.user(conn, user_id=user_id)


@post(
    "/api/v1/users/{user_id:uuid}/suspend",
    access=access.operator(Permission.USERS_MANAGE),
    status_code=200,
)
async def suspend_user(
    user_id: FromPath[UUID], data: Suspend, db: Database, actor: Actor
) -> UserView:
    """Shut an account out and end its sessions."""
    reason = clean_text(data.reason, path="reason")
    user = await db.transact(
        lambda tx: staff.suspend_user(tx, actor, user_id=user_id, reason=reason)
    )
    return UserView.of(user)


@post(
    "/api/v1/users/{user_id:uuid}/reinstate",
    access=access.operator(Permission.USERS_MANAGE),
    status_code=200,
)
async def reinstate_user(user_id: FromPath[UUID], db: Database, actor: Actor) -> UserView:
    """Let a suspended account in again."""
    user = await db.transact(lambda tx: staff.reinstate_user(tx, actor, user_id=user_id))
    return UserView.of(user)


@put(
    "/api/v1/users/{user_id:uuid}/roles/{role:str}",
    access=access.operator(Permission.USERS_MANAGE),
)
async def grant_role(
    user_id: FromPath[UUID], role: FromPath[Role], db: Database, actor: Actor
) -> UserView:
    """Give a staff role that holds no more than the caller's own permissions."""
    user = await db.transact(lambda tx: staff.grant_role(tx, actor, user_id=user_id, role=role))
    return UserView.of(user)


@delete(
    "/api/v1/users/{user_id:uuid}/roles/{role:str}",
    access=access.operator(Permission.USERS_MANAGE),
    status_code=200,
)
async def revoke_role(
    user_id: FromPath[UUID], role: FromPath[Role], db: Database, actor: Actor
) -> UserView:
    """Take a staff role and end the person's sessions."""
    user = await db.transact(lambda tx: staff.revoke_role(tx, actor, user_id=user_id, role=role))
    return UserView.of(user)


routes: list[Any] = [list_users, read_user, suspend_user, reinstate_user, grant_role, revoke_role]
