"""What others may see of accounts, as plain structs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from souk.contexts.identity import store
from souk.contexts.identity.domain import User, session_life
from souk.contexts.identity.tokens import read_link
from souk.kernel.actor import Actor, Role
from souk.kernel.ids import fingerprint
from souk.kernel.page import DEFAULT_LIMIT, BadCursor, Page, decode_cursor, encode_cursor, page_of
from souk.platform.database import ReadConn

TOUCH_EVERY = timedelta(minutes=1)


class Contact(msgspec.Struct, frozen=True):
    """Where and how to write to a person."""

    email: str
    name: str
    locale: str


class UserView(msgspec.Struct, frozen=True):
    """An account as its owner and the operator's staff see it."""

    id: UUID
    email: str
    display_name: str
    locale: str
    state: str
    roles: list[Role]
    email_verified: bool
    seller_id: UUID | None
    created_at: datetime

    @classmethod
    def of(cls, user: User) -> UserView:
        return cls(
            id=user.id,
            email=user.email,
            display_name=user.display_name,
            locale=user.locale,
            state=user.state,
            roles=sorted(user.roles),
            email_verified=user.email_verified,
            seller_id=user.seller_id,
            created_at=user.created_at,
        )


class SessionView(msgspec.Struct, frozen=True):
    """An open session; `current` is the one that asks."""

    id: UUID
    kind: str
    created_at: datetime
    last_seen_at: datetime
    ip: str | None
    user_agent: str
    current: bool


class LinkMail(msgspec.Struct, frozen=True):
    """What a mail with a link needs; `email` is where it goes."""

    user_id: UUID
    email: str
    name: str
    locale: str
    purpose: str
    new_email: str | None
    expires_at: datetime


class SessionActor(msgspec.Struct, frozen=True):
    """Who a session's secret belongs to, and whether its use should be noted."""

    actor: Actor
    touch_due: bool


async def user(conn: ReadConn, *, user_id: UUID) -> UserView:
    """One account. Raises UserNotFound."""
    return UserView.of(await store.load_user(conn, user_id))


async def user_id_of(conn: ReadConn, *, email: str) -> UUID | None:
    """For the command line and the demo, never for an answer to a visitor."""
    return await conn.fetchval("SELECT id FROM identity.account WHERE email = lower($1)", email)


async def contacts(conn: ReadConn, user_ids: Iterable[UUID]) -> dict[UUID, Contact]:
    """Address, name and language of the accounts that exist among `user_ids`."""
    rows = await conn.fetch(
        "SELECT id, email, display_name, locale FROM identity.account WHERE id = ANY($1::uuid[])",
        list(user_ids),
    )
    return {row["id"]: Contact(row["email"], row["display_name"], row["locale"]) for row in rows}


async def members(conn: ReadConn, *, seller_id: UUID) -> list[UUID]:
    """The people of a seller account, owner first."""
    rows = await conn.fetch(
        "SELECT user_id FROM identity.membership WHERE seller_id = $1"
        " ORDER BY role = 'owner' DESC, user_id",
        seller_id,
    )
    return [row["user_id"] for row in rows]


async def staff(conn: ReadConn, *, role: Role) -> list[UUID]:
    """The active accounts that hold a staff role."""
    rows = await conn.fetch(
        "SELECT id FROM identity.account WHERE staff_roles @> ARRAY[$1] AND state = 'active'"
        " ORDER BY id",
        role,
    )
    return [row["id"] for row in rows]


async def users(
    conn: ReadConn, *, search: str = "", cursor: str | None = None, limit: int = DEFAULT_LIMIT
) -> Page[UserView]:
    """Accounts, newest first; `search` is the start of the address or of the name."""
    before = None
    if cursor is not None:
        [key] = decode_cursor(cursor, size=1)
        before = _uuid(key)
    prefix = search.lower().replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
    rows = await conn.fetch(
        f"SELECT {store.USER_COLUMNS} FROM {store.USER_FROM}"
        " WHERE ($1 = '%' OR a.email LIKE $1 OR lower(a.display_name) LIKE $1)"
        " AND ($2::uuid IS NULL OR a.id < $2) ORDER BY a.id DESC LIMIT $3",
        prefix,
        before,
        limit + 1,
    )
    views = [UserView.of(store.user_of(row)) for row in rows]
    return page_of(views, limit=limit, cursor_of=lambda view: encode_cursor(str(view.id)))


def _uuid(key: str | int | None) -> UUID:
    try:
        return UUID(str(key))
    except ValueError as error:
        raise BadCursor from error


async def session_actor(
    conn: ReadConn, secret: str, *, ip: str | None = None
) -> SessionActor | None:
    """Who holds this browser session's secret; None when it is over. One statement."""
    row = await conn.fetchrow(
        "SELECT s.id AS session_id, s.created_at AS opened_at, s.last_seen_at,"
        f" {store.USER_COLUMNS} FROM {store.USER_FROM}"
        " JOIN identity.session s ON s.user_id = a.id"
        " WHERE s.secret_hash = $1 AND s.revoked_at IS NULL AND a.state = 'active'",
        fingerprint(secret),
    )
    if row is None:
        return None
    person = store.user_of(row)
    now = conn.clock.now()
    if session_life(person.roles).is_over(
        created_at=row["opened_at"], last_seen_at=row["last_seen_at"], now=now
    ):
        return None
    return SessionActor(
        actor=person.actor(session_id=row["session_id"], ip=ip),
        touch_due=now - row["last_seen_at"] >= TOUCH_EVERY,
    )


async def ended_sessions(conn: ReadConn, *, within: timedelta) -> frozenset[UUID]:
    """The API sessions that were ended although they got an access token `within` this time."""
    rows = await conn.fetch(
        "SELECT id FROM identity.session"
        " WHERE last_seen_at > $1 AND kind = 'api' AND revoked_at IS NOT NULL",
        conn.clock.now() - within,
    )
    return frozenset(row["id"] for row in rows)


async def open_among(conn: ReadConn, session_ids: Iterable[UUID]) -> set[UUID]:
    """Those of the sessions that nobody ended."""
    rows = await conn.fetch(
        "SELECT id FROM identity.session WHERE id = ANY($1::uuid[]) AND revoked_at IS NULL",
        list(session_ids),
    )
    return {row["id"] for row in rows}


async def sessions(conn: ReadConn, actor: Actor) -> list[SessionView]:
    """The caller's open sessions, last used first."""
    now = conn.clock.now()
    life = session_life(actor.roles)
    rows = await conn.fetch(
        "SELECT id, kind, created_at, last_seen_at, ip, user_agent FROM identity.session"
        " WHERE user_id = $1 AND revoked_at IS NULL AND created_at > $2"
        " AND last_seen_at > $3"
        " ORDER BY last_seen_at DESC, id DESC",
        actor.user_id,
        now - life.absolute,
        now - life.idle,
    )
    return [SessionView(*row.values(), current=row["id"] == actor.session_id) for row in rows]


async def link_mail(conn: ReadConn, *, token_id: UUID) -> LinkMail | None:
    """What the mail of a link says; None when the link is no longer good and no mail is due."""
    row = await conn.fetchrow(
        "SELECT t.user_id, coalesce(CASE WHEN t.purpose = 'change_email_new' THEN t.new_email END,"
        " a.email) AS email, a.display_name, a.locale, t.purpose, t.new_email, t.expires_at"
        " FROM identity.email_token t JOIN identity.account a ON a.id = t.user_id"
        " WHERE t.id = $1 AND t.used_at IS NULL AND t.expires_at > $2",
        token_id,
        conn.clock.now(),
    )
    return LinkMail(*row.values()) if row else None


async def words_of_link(conn: ReadConn, *, token: str, secret_key: str) -> list[str]:
    """The address and name behind a link, which a new password must not repeat; [] for none."""
    token_id = read_link(token, secret_key)
    if token_id is None:
        return []
    row = await conn.fetchrow(
        "SELECT a.email, a.display_name FROM identity.email_token t"
        " JOIN identity.account a ON a.id = t.user_id WHERE t.id = $1",
        token_id,
    )
    return list(row.values()) if row else []
