"""Loads, locks and saves. Lock order: attempt, account, session, email_token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from asyncpg import UniqueViolationError

from souk.contexts.identity.domain import (
    LinkPurpose,
    Lockout,
    MemberRole,
    User,
    UserState,
)
from souk.contexts.identity.errors import EmailUnavailable, UserNotFound
from souk.kernel.actor import Role
from souk.platform.database import ReadConn, Record, WriteTx

USER_COLUMNS = (
    "a.id, a.email, a.display_name, a.locale, a.state, a.staff_roles, a.email_verified_at,"
    " a.created_at, m.seller_id, m.role AS member_role"
)
USER_FROM = "identity.account a LEFT JOIN identity.membership m ON m.user_id = a.id"


def user_of(row: Record) -> User:
    """The user in a row that has `USER_COLUMNS`."""
    return User(
        id=row["id"],
        email=row["email"],
        display_name=row["display_name"],
        locale=row["locale"],
        state=UserState(row["state"]),
        staff_roles=frozenset(Role(name) for name in row["staff_roles"]),
        email_verified_at=row["email_verified_at"],
        created_at=row["created_at"],
        seller_id=row["seller_id"],
        member_role=MemberRole(row["member_role"]) if row["member_role"] else None,
    )


async def add_user(tx: WriteTx, user: User, *, password_hash: str) -> bool:
    """Store a new account; False when the address has one already."""
    return bool(
        await tx.fetchval(
            "INSERT INTO identity.account (id, email, password_hash, display_name, locale, state,"
            " staff_roles, email_verified_at, password_changed_at, created_at, updated_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $9)"
            " ON CONFLICT (email) DO NOTHING RETURNING true",
            user.id,
            user.email,
            password_hash,
            user.display_name,
            user.locale,
            user.state,
            sorted(user.staff_roles),
            user.email_verified_at,
            user.created_at,
        )
    )


async def load_user(conn: ReadConn, user_id: UUID) -> User:
    """The account as it is. Raises UserNotFound."""
    row = await conn.fetchrow(
        f"SELECT {USER_COLUMNS} FROM {USER_FROM} WHERE a.id = $1",
        user_id,
    )
    if row is None:
        raise UserNotFound
    return user_of(row)


async def lock_user(tx: WriteTx, user_id: UUID) -> User:
    """The account, locked. Raises UserNotFound."""
    row = await tx.fetchrow(
        f"SELECT {USER_COLUMNS} FROM {USER_FROM} WHERE a.id = $1 FOR NO KEY UPDATE OF a",
        user_id,
    )
    if row is None:
        raise UserNotFound
    return user_of(row)


async def lock_user_by_email(tx: WriteTx, email: str) -> User | None:
    row = await tx.fetchrow(
        f"SELECT {USER_COLUMNS} FROM {USER_FROM} WHERE a.email = $1 FOR NO KEY UPDATE OF a",
        email,
    )
    return user_of(row) if row else None


async def save_user(tx: WriteTx, user: User) -> None:
    """Write what commands change. Raises EmailUnavailable when another account has the address."""
    try:
        await tx.execute(
            "UPDATE identity.account SET email = $2, display_name = $3, locale = $4, state = $5,"
            " staff_roles = $6, email_verified_at = $7, updated_at = $8 WHERE id = $1",
            user.id,
            user.email,
            user.display_name,
            user.locale,
            user.state,
            sorted(user.staff_roles),
            user.email_verified_at,
            tx.clock.now(),
        )
    except UniqueViolationError as error:
        raise EmailUnavailable from error


async def save_password(
    tx: WriteTx, user_id: UUID, *, password_hash: str, replaces: str | None = None
) -> None:
    """Store a hash; with `replaces`, only while that one is still stored."""
    await tx.execute(
        "UPDATE identity.account SET password_hash = $2, updated_at = $3,"
        " password_changed_at = CASE WHEN $4::text IS NULL THEN $3 ELSE password_changed_at END"
        " WHERE id = $1 AND ($4::text IS NULL OR password_hash = $4)",
        user_id,
        password_hash,
        tx.clock.now(),
        replaces,
    )


async def password_hash_of(conn: ReadConn, user_id: UUID) -> str | None:
    return await conn.fetchval("SELECT password_hash FROM identity.account WHERE id = $1", user_id)


async def credential(conn: ReadConn, email: str) -> tuple[User, str] | None:
    """The account of an address and its password hash."""
    row = await conn.fetchrow(
        f"SELECT {USER_COLUMNS}, a.password_hash FROM {USER_FROM} WHERE a.email = $1",
        email,
    )
    return (user_of(row), row["password_hash"]) if row else None


async def save_membership(tx: WriteTx, *, user_id: UUID, seller_id: UUID, role: MemberRole) -> bool:
    """Add or change a membership; False when the person belongs to another seller."""
    return bool(
        await tx.fetchval(
            "INSERT INTO identity.membership AS m (user_id, seller_id, role, created_at)"
            " VALUES ($1, $2, $3, $4) ON CONFLICT (user_id) DO UPDATE SET role = excluded.role"
            " WHERE m.seller_id = excluded.seller_id RETURNING true",
            user_id,
            seller_id,
            role,
            tx.clock.now(),
        )
    )


async def lock_lockout(tx: WriteTx, key: bytes) -> Lockout:
    """The tries counted under `key`, locked; a fresh count when there were none."""
    now = tx.clock.now()
    row = await tx.fetchrow(
        "INSERT INTO identity.attempt AS f (key, attempts, locks, window_start, touched_at)"
        " VALUES ($1, 0, 0, $2, $2) ON CONFLICT (key) DO UPDATE SET key = excluded.key"
        " RETURNING f.window_start, f.touched_at, f.attempts, f.locks, f.locked_until",
        key,
        now,
    )
    assert row is not None, "the upsert always returns its row"
    return Lockout(*row.values())


async def save_lockout(tx: WriteTx, key: bytes, lockout: Lockout) -> None:
    await tx.execute(
        "UPDATE identity.attempt SET attempts = $2, locks = $3, window_start = $4,"
        " touched_at = $5, locked_until = $6 WHERE key = $1",
        key,
        lockout.attempts,
        lockout.locks,
        lockout.window_start,
        lockout.touched_at,
        lockout.locked_until,
    )


async def forget_lockout(tx: WriteTx, key: bytes) -> None:
    await tx.execute("DELETE FROM identity.attempt WHERE key = $1", key)


@dataclass(frozen=True, slots=True)
class Session:
    """A row of `identity.session`."""

    id: UUID
    user_id: UUID
    created_at: datetime
    last_seen_at: datetime
    revoked_at: datetime | None


async def add_session(
    tx: WriteTx,
    *,
    session_id: UUID,
    user_id: UUID,
    secret_hash: bytes | None,
    ip: str | None,
    user_agent: str,
) -> None:
    """With a secret's hash a browser session, without one an API session."""
    await tx.execute(
        "INSERT INTO identity.session (id, user_id, kind, secret_hash, created_at, last_seen_at,"
        " ip, user_agent) VALUES ($1, $2, $3, $4, $5, $5, $6, $7)",
        session_id,
        user_id,
        "api" if secret_hash is None else "browser",
        secret_hash,
        tx.clock.now(),
        ip,
        user_agent,
    )


async def add_refresh_token(tx: WriteTx, *, token_hash: bytes, session_id: UUID) -> None:
    await tx.execute(
        "INSERT INTO identity.refresh_token (token_hash, session_id, created_at)"
        " VALUES ($1, $2, $3)",
        token_hash,
        session_id,
        tx.clock.now(),
    )


async def lock_session_of_refresh_token(
    tx: WriteTx, token_hash: bytes
) -> tuple[Session, bool] | None:
    """The token's session, locked, and whether the token was used before."""
    row = await tx.fetchrow(
        "SELECT s.id, s.user_id, s.created_at, s.last_seen_at, s.revoked_at"
        " FROM identity.session s WHERE s.id ="
        " (SELECT t.session_id FROM identity.refresh_token t WHERE t.token_hash = $1)"
        " FOR UPDATE",
        token_hash,
    )
    if row is None:
        return None
    # Asked after the lock came: a parallel refresh may have used the token meanwhile.
    used = await tx.fetchval(
        "SELECT used_at IS NOT NULL FROM identity.refresh_token WHERE token_hash = $1", token_hash
    )
    return Session(*row.values()), bool(used)


async def use_refresh_token(tx: WriteTx, *, token_hash: bytes, session_id: UUID) -> None:
    now = tx.clock.now()
    await tx.execute(
        "UPDATE identity.refresh_token SET used_at = $2 WHERE token_hash = $1", token_hash, now
    )
    await tx.execute("UPDATE identity.session SET last_seen_at = $2 WHERE id = $1", session_id, now)


async def replace_secret(tx: WriteTx, session_id: UUID, *, secret_hash: bytes) -> bool:
    """False when it is no open session of a browser."""
    return bool(
        await tx.fetchval(
            "UPDATE identity.session SET secret_hash = $2"
            " WHERE id = $1 AND kind = 'browser' AND revoked_at IS NULL RETURNING true",
            session_id,
            secret_hash,
        )
    )


async def revoke_session(tx: WriteTx, *, user_id: UUID, session_id: UUID, because: str) -> bool:
    """False when this person has no such open session."""
    return bool(
        await tx.fetchval(
            "UPDATE identity.session SET revoked_at = $3, revoked_because = $4"
            " WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL RETURNING true",
            session_id,
            user_id,
            tx.clock.now(),
            because,
        )
    )


async def revoke_sessions(
    tx: WriteTx, *, user_id: UUID, because: str, keep: UUID | None = None
) -> int:
    """End every open session but `keep`; returns how many."""
    tag = await tx.execute(
        "UPDATE identity.session SET revoked_at = $3, revoked_because = $4"
        " WHERE user_id = $1 AND revoked_at IS NULL AND ($2::uuid IS NULL OR id <> $2)",
        user_id,
        keep,
        tx.clock.now(),
        because,
    )
    return int(tag.rsplit(" ", 1)[1])


async def touch_session(tx: WriteTx, session_id: UUID, *, every: timedelta) -> None:
    """Note that a session is in use, at most once per `every`."""
    now = tx.clock.now()
    await tx.execute(
        "UPDATE identity.session SET last_seen_at = $2"
        " WHERE id = $1 AND last_seen_at <= $3 AND revoked_at IS NULL",
        session_id,
        now,
        now - every,
    )


async def note_device(tx: WriteTx, *, user_id: UUID, fingerprint: bytes) -> bool:
    """Remember the device; True when it is new and not the person's first."""
    return bool(
        await tx.fetchval(
            "WITH others AS (SELECT count(*) AS n FROM identity.device WHERE user_id = $1)"
            " INSERT INTO identity.device (user_id, fingerprint, first_seen_at, last_seen_at)"
            " VALUES ($1, $2, $3, $3) ON CONFLICT (user_id, fingerprint)"
            " DO UPDATE SET last_seen_at = excluded.last_seen_at"
            " RETURNING xmax = 0 AND (SELECT n FROM others) > 0",
            user_id,
            fingerprint,
            tx.clock.now(),
        )
    )


@dataclass(frozen=True, slots=True)
class Link:
    """A row of `identity.email_token`."""

    id: UUID
    user_id: UUID
    purpose: LinkPurpose
    new_email: str | None
    change_id: UUID | None
    expires_at: datetime
    used_at: datetime | None

    def is_good(self, now: datetime) -> bool:
        return self.used_at is None and now < self.expires_at


_LINK = "id, user_id, purpose, new_email, change_id, expires_at, used_at"


def link_of(row: Record) -> Link:
    """The link in a row that has the columns of `Link`."""
    return Link(
        row["id"],
        row["user_id"],
        LinkPurpose(row["purpose"]),
        row["new_email"],
        row["change_id"],
        row["expires_at"],
        row["used_at"],
    )


async def add_link(tx: WriteTx, link: Link) -> None:
    await tx.execute(
        "INSERT INTO identity.email_token (id, user_id, purpose, new_email, change_id, created_at,"
        " expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        link.id,
        link.user_id,
        link.purpose,
        link.new_email,
        link.change_id,
        tx.clock.now(),
        link.expires_at,
    )


async def load_link(conn: ReadConn, link_id: UUID) -> Link | None:
    row = await conn.fetchrow(
        f"SELECT {_LINK} FROM identity.email_token WHERE id = $1",
        link_id,
    )
    return link_of(row) if row else None


async def change_is_confirmed(conn: ReadConn, change_id: UUID) -> bool:
    """Whether both links of a change of address were followed."""
    return await conn.fetchval(
        "SELECT bool_and(used_at IS NOT NULL) FROM identity.email_token WHERE change_id = $1",
        change_id,
    )


async def links_since(
    conn: ReadConn, *, user_id: UUID, purpose: LinkPurpose, since: datetime
) -> int:
    return await conn.fetchval(
        "SELECT count(*) FROM identity.email_token"
        " WHERE user_id = $1 AND purpose = $2 AND created_at > $3",
        user_id,
        purpose,
        since,
    )


async def use_link(tx: WriteTx, link_id: UUID) -> None:
    await tx.execute(
        "UPDATE identity.email_token SET used_at = $2 WHERE id = $1", link_id, tx.clock.now()
    )


async def expire_links(tx: WriteTx, *, user_id: UUID, purposes: list[LinkPurpose]) -> None:
    """End the unused links of these purposes: a newer one or a new password replaces them."""
    await tx.execute(
        "UPDATE identity.email_token SET expires_at = least(expires_at, $3)"
        " WHERE user_id = $1 AND purpose = ANY($2) AND used_at IS NULL",
        user_id,
        purposes,
        tx.clock.now(),
    )
