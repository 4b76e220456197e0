"""People: accounts, suspension and staff roles."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Stream

from souk.contexts.identity import api as identity
from souk.contexts.orders import api as orders
from souk.kernel.actor import Actor, Permission, Role
from souk.kernel.errors import NotFound
from souk.kernel.page import Page
from souk.platform import audit
from souk.platform.database import Database, WriteTx
from souk.platform.http import access, csv
from souk.platform.http.wire import clean_text
from souk.web.admin.frame import people_of
from souk.web.admin.lists import Cursor, Short, State, Word, frame_of, plain_time
from souk.web.desk import Ask, act, answer, ask
from souk.web.page import Req, form_of, page

_VIEW = access.operator(Permission.USERS_VIEW)
_MANAGE = access.operator(Permission.USERS_MANAGE)
_LIST = "/admin/users"
_ONE = _LIST + "/{user_id:uuid}"
STAFF = (Role.MODERATOR, Role.SUPPORT, Role.FINANCE, Role.ADMIN)


_ROLES = {"customer", "seller", *STAFF}


def _wanted(q: str, role: str, chosen: str) -> identity.desk.UserFilter:
    return identity.desk.UserFilter(
        search=clean_text(q, path="q"),
        role=role if role in _ROLES else "",
        state=chosen if chosen in set(identity.UserState) else "",
    )


@get(_LIST, access=_VIEW, include_in_schema=False)
async def users_page(
    request: Req,
    db: Database,
    actor: Actor,
    q: Word = "",
    role: Short = "",
    chosen: State = "",
    sort: Short = "-created_at",
    cursor: Cursor = None,
) -> Response[bytes]:
    """Accounts, newest first, by the start of the address or the name, role and state."""
    async with db.read() as conn:
        found = await identity.desk.listed(conn, _wanted(q, role, chosen), sort=sort, cursor=cursor)
    filters = {"q": q, "role": role, "state": chosen}
    return await page(
        request,
        "admin/users.html",
        rows=found.items,
        **frame_of(
            _LIST,
            filters,
            sort=sort,
            next_cursor=found.next_cursor,
            csv=actor.may(Permission.USERS_MANAGE),
        ),
    )


@get(f"{_LIST}.csv", access=_MANAGE, include_in_schema=False)
async def users_csv(
    db: Database,
    actor: Actor,
    q: Word = "",
    role: Short = "",
    chosen: State = "",
    sort: Short = "-created_at",
) -> Stream:
    """The same list as a table. Who takes everybody's addresses with them stands in the log."""
    wanted = _wanted(q, role, chosen)
    await db.transact(
        lambda tx: audit.record(
            tx, actor, "identity.exported", "users", q=wanted.search, role=role, state=chosen
        )
    )

    async def load(cursor: str | None) -> Page[identity.UserView]:
        async with db.read() as conn:
            return await identity.desk.listed(
                conn, wanted, sort=sort, cursor=cursor, limit=csv.BATCH
            )

    columns = ["account", "name", "email", "verified", "roles", "state", "language", "since_utc"]

    def cells(row: identity.UserView) -> list[object]:
        return [
            row.id,
            row.display_name,
            row.email,
            "yes" if row.email_verified else "no",
            " ".join(row.roles),
            row.state,
            row.locale,
            plain_time(row.created_at),
        ]

    return csv.table("people", columns, csv.batches(load), cells)


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
            log = await audit.recent(conn, subject=f"user:{user_id}", limit=30)
        people = await people_of(conn, [row.actor for row in log])
    return await page(
        request,
        "admin/user.html",
        user=user,
        orders=bought.items if bought else [],
        log=log,
        people=people,
        staff=STAFF,
        may_manage=actor.may(Permission.USERS_MANAGE) and user.id != actor.user_id,
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
        reasons=[
            "Somebody else seems to use this account.",
            "Payments of this account were disputed.",
            "The terms were broken again after a warning.",
        ],
        template="admin/ask.html",
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
    users_page, users_csv, user_page, suspend_page, suspend, reinstate, change_role,
]  # fmt: skip
