"""People: accounts, suspension and staff roles."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from souk.contexts.identity import api as identity
from souk.contexts.orders import api as orders
from souk.kernel.actor import Actor, Permission, Role
from souk.kernel.errors import NotFound
from souk.platform import audit
from souk.platform.database import Database, WriteTx
from souk.platform.http import access
from souk.platform.http.wire import clean_text
from souk.web.admin.frame import queues
from souk.web.desk import Ask, act, address, answer, ask
from souk.web.page import Req, form_of, page

_VIEW = access.operator(Permission.USERS_VIEW)
_MANAGE = access.operator(Permission.USERS_MANAGE)
_LIST = "/admin/users"
_ONE = _LIST + "/{user_id:uuid}"
STAFF = (Role.MODERATOR, Role.SUPPORT, Role.FINANCE, Role.ADMIN)


@get(_LIST, access=_VIEW, include_in_schema=False)
async def users_page(
    request: Req,
    db: Database,
    actor: Actor,
    q: Annotated[str, QueryParameter(max_length=254)] = "",
    cursor: Annotated[str | None, QueryParameter(max_length=1_024)] = None,
) -> Response[bytes]:
    """Accounts, newest first, by the start of the address or the name."""
    async with db.read() as conn:
        found = await identity.users(conn, search=clean_text(q, path="q"), cursor=cursor)
        waiting = await queues(conn, actor)
    return await page(
        request,
        "admin/users.html",
        rows=found.items,
        q=q,
        next_url=address(_LIST, q=q, cursor=found.next_cursor) if found.next_cursor else None,
        desk_counts=waiting,
    )


@get(_ONE, access=_VIEW, include_in_schema=False)
async def user_page(
    request: Req, db: Database, actor: Actor, user_id: FromPath[UUID]
) -> Response[bytes]:
    """One account with its orders and what was done to it."""
    async with db.read() as conn:
        user = await identity.user(conn, user_id=user_id)
        bought = None
        if actor.may(Permission.ORDERS_VIEW):
            bought = await orders.orders_of(conn, user_id=user_id, limit=10)
        log = []
        if actor.may(Permission.AUDIT_VIEW):
            log = await audit.recent(conn, subject=f"user:{user_id}", limit=20)
        waiting = await queues(conn, actor)
    return await page(
        request,
        "admin/user.html",
        user=user,
        orders=bought.items if bought else [],
        log=log,
        staff=STAFF,
        may_manage=actor.may(Permission.USERS_MANAGE) and user.id != actor.user_id,
        desk_counts=waiting,
    )


def _suspending(user_id: UUID) -> Ask:
    return Ask(
        title="Shut this account out?",
        text="The person is logged out everywhere and cannot log in until you let them in again.",
        consequences=["Their orders go on as they are.", "They are told why by e-mail."],
        confirm="Suspend the account",
        action=f"{_LIST}/{user_id}/suspend",
        back=f"{_LIST}/{user_id}",
        reason="Why, in a sentence to the person",
        done="The account is suspended.",
    )


@get(_ONE + "/suspend", access=_MANAGE, include_in_schema=False)
async def suspend_page(request: Req, db: Database, user_id: FromPath[UUID]) -> Response[bytes]:
    """Ask first."""
    async with db.read() as conn:
        await identity.user(conn, user_id=user_id)
    return await ask(request, _suspending(user_id))


@post(_ONE + "/suspend", access=_MANAGE, rate="write", include_in_schema=False)
async def suspend(
    request: Req, db: Database, actor: Actor, user_id: FromPath[UUID]
) -> Response[bytes]:
    """Shut it out, with the reason."""
    return await answer(
        request,
        db,
        _suspending(user_id),
        lambda tx, reason: identity.suspend_user(tx, actor, user_id=user_id, reason=reason),
    )


@post(_ONE + "/reinstate", access=_MANAGE, rate="write", include_in_schema=False)
async def reinstate(
    request: Req, db: Database, actor: Actor, user_id: FromPath[UUID]
) -> Response[bytes]:
    """Let it in again."""
    return await act(
        request,
        db,
        lambda tx: identity.reinstate_user(tx, actor, user_id=user_id),
        to=f"{_LIST}/{user_id}",
        done="The person can log in again.",
    )


@post(_ONE + "/roles", access=_MANAGE, rate="write", include_in_schema=False)
async def change_role(
    request: Req, db: Database, actor: Actor, user_id: FromPath[UUID]
) -> Response[bytes]:
    """Give or take one staff role."""
    form = await form_of(request)
    wanted = form.get("role", "")

    async def work(tx: WriteTx) -> None:
        if wanted not in set(STAFF):
            raise NotFound("There is no such role. Reload the page.")
        change = identity.revoke_role if form.get("act") == "revoke" else identity.grant_role
        await change(tx, actor, user_id=user_id, role=Role(wanted))

    to = f"{_LIST}/{user_id}"
    return await act(request, db, work, to=to, done="The roles are changed.")


routes: list[Any] = [
    users_page, user_page, suspend_page, suspend, reinstate, change_role,
]  # fmt: skip
