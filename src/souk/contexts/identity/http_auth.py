"""The edge's half of signing in: who calls, the session cookie, and what takes several steps.

A password is looked at between two transactions: the first counts the try, so that simultaneous
guesses are all counted; hashing then holds no connection; the second opens the session or notes the
failure. Because of that these functions open transactions themselves, like a route does.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any
from uuid import UUID

from litestar import Response

from souk.contexts.identity import passwords, queries
from souk.contexts.identity.commands import accounts, signing_in
from souk.contexts.identity.domain import PEOPLE, Proof, normal_email
from souk.contexts.identity.errors import (
    BadEmail,
    LockedOut,
    LogInFailed,
    RefreshRefused,
    WrongPassword,
)
from souk.contexts.identity.tokens import ACCESS_LIFE, access_tokens
from souk.kernel.actor import GUEST, Actor
from souk.kernel.errors import NotSignedIn
from souk.platform.database import Database, WriteTx
from souk.platform.http.access import Connection, cookie_name
from souk.platform.http.limits import client_ip
from souk.platform.settings import Settings

SESSION_COOKIE = "souk_session"
_LONGEST_SECRET = 128
_ASK_EVERY = 1.0
"""Seconds until the end of an API session is known to every process."""


def session_cookie_name(settings: Settings) -> str:
    """Under which name browsers keep the session."""
    return cookie_name(SESSION_COOKIE, settings)


def set_session_cookie(response: Response[Any], *, secret: str, settings: Settings) -> None:
    """Hand a new browser session to the browser; no script can read it."""
    response.set_cookie(
        session_cookie_name(settings),
        secret,
        max_age=int(PEOPLE.absolute.total_seconds()),
        path="/",
        httponly=True,
        secure=settings.secure_cookies,
        samesite="lax",
    )


def clear_session_cookie(response: Response[Any], *, settings: Settings) -> None:
    """Have the browser forget its session."""
    response.set_cookie(
        session_cookie_name(settings),
        "",
        max_age=0,
        path="/",
        httponly=True,
        secure=settings.secure_cookies,
        samesite="lax",
    )


class IdentityAuthenticator:
    """The caller of a request: the access token's person, else the session cookie's, else a guest.

    A request with an `Authorization` header is never answered for its cookie: such requests are
    spared the CSRF check.
    """

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._tokens = access_tokens(settings)
        self._cookie = session_cookie_name(settings)
        self._ended: frozenset[UUID] = frozenset()
        self._ask_at = 0.0

    async def authenticate(self, connection: Connection) -> Actor:
        ip = client_ip(connection)
        header = connection.headers.get("authorization")
        if header is not None:
            return await self._bearer(header, ip=ip)
        secret = connection.cookies.get(self._cookie)
        if not secret or len(secret) > _LONGEST_SECRET:
            return replace(GUEST, ip=ip)
        async with self._db.read() as conn:
            found = await queries.session_actor(conn, secret, ip=ip)
        if found is None:
            return replace(GUEST, ip=ip)
        session_id = found.actor.session_id
        if found.touch_due and session_id is not None:
            await self._db.transact(lambda tx: signing_in.touch_session(tx, session_id))
        return found.actor

    async def _bearer(self, header: str, *, ip: str) -> Actor:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            return replace(GUEST, ip=ip)
        try:
            actor = self._tokens.authenticate(token.strip(), now=self._db.clock.now(), ip=ip)
        except NotSignedIn:
            return replace(GUEST, ip=ip)
        return replace(GUEST, ip=ip) if await self._has_ended(actor.session_id) else actor

    async def _has_ended(self, session_id: UUID | None) -> bool:
        """Whether the token outlived its session: it was logged out, suspended, or lost a role.

        One statement every second asks for all sessions, however many people call.
        """
        moment = time.monotonic()
        if moment >= self._ask_at:
            self._ask_at = moment + _ASK_EVERY
            async with self._db.read() as conn:
                self._ended = await queries.ended_sessions(conn, within=ACCESS_LIFE)
        return session_id in self._ended


@dataclass(frozen=True, slots=True)
class Tokens:
    """What an API client gets: a short access token and the refresh token for the next one."""

    access_token: str
    refresh_token: str
    expires_in: int
    session_id: UUID


async def log_in(db: Database, actor: Actor, *, email: str, password: str) -> Proof:
    """Check a password. Raises LogInFailed for any wrong pair, LockedOut after too many.

    The answer opens a session: `open_session` for a browser, `open_api_session` for the API.
    """
    passwords.refuse_when_full()
    try:
        normal = normal_email(email)
    except BadEmail:
        # Names no account, is counted like one, and holds no character that cannot be stored.
        normal = sha256(email.encode("utf-8", "replace")).hexdigest()
    attempt = await db.transact(lambda tx: signing_in.begin_log_in(tx, actor, email=normal))
    proof = await _prove(attempt, password=password)
    if proof is None:
        await db.transact(
            lambda tx: signing_in.note_failure(
                tx, actor, attempt=attempt, action="identity.log_in_failed"
            )
        )
        raise LogInFailed
    return proof


async def confirm_password(db: Database, actor: Actor, *, password: str) -> Proof:
    """Check the caller's own password again. Raises WrongPassword, LockedOut, NotSignedIn."""
    passwords.refuse_when_full()
    attempt = await db.transact(lambda tx: signing_in.begin_confirmation(tx, actor))
    proof = await _prove(attempt, password=password)
    if proof is None:
        await db.transact(
            lambda tx: signing_in.note_failure(
                tx, actor, attempt=attempt, action="identity.confirmation_failed"
            )
        )
        raise WrongPassword
    return proof


async def _prove(attempt: signing_in.Attempt, *, password: str) -> Proof | None:
    if attempt.wait:
        raise LockedOut(retry_after=attempt.wait)
    right = await passwords.matches(password, stored=attempt.stored_hash)
    if not right or attempt.user is None or attempt.stored_hash is None:
        return None
    stronger = await passwords.upgraded(password, stored=attempt.stored_hash)
    return Proof(
        user=attempt.user,
        counted_under=attempt.counted_under,
        upgrade=(attempt.stored_hash, stronger) if stronger else None,
    )


async def change_password(
    db: Database, settings: Settings, actor: Actor, *, current: str, new: str
) -> str | None:
    """The new secret of the caller's browser session, which has to be handed over; None for the
    API. Raises WrongPassword, LockedOut, WeakPassword."""
    proof = await confirm_password(db, actor, password=current)
    words = [proof.user.email, proof.user.display_name, settings.marketplace_name]
    password_hash = await passwords.prepare(new, inputs=words)

    async def change(tx: WriteTx) -> str | None:
        await accounts.change_password(tx, actor, proof=proof, password_hash=password_hash)
        return await signing_in.renew_session(tx, actor)

    return await db.transact(change)


async def reset_password(
    db: Database, settings: Settings, actor: Actor, *, token: str, new: str
) -> UUID:
    """Raises WeakPassword (the link stays good) and LinkInvalid. Returns whose password it was."""
    async with db.read() as conn:
        words = await queries.words_of_link(conn, token=token, secret_key=settings.secret_key)
    password_hash = await passwords.prepare(new, inputs=[*words, settings.marketplace_name])
    return await db.transact(
        lambda tx: accounts.reset_password(
            tx,
            actor,
            token=token,
            password_hash=password_hash,
            secret_key=settings.secret_key,
        )
    )


async def change_email(db: Database, actor: Actor, *, password: str, new_email: str) -> None:
    """Raises BadEmail, WrongPassword, LockedOut."""
    normal = normal_email(new_email)
    proof = await confirm_password(db, actor, password=password)
    await db.transact(
        lambda tx: accounts.request_email_change(tx, actor, proof=proof, new_email=normal)
    )


async def issue_tokens(
    db: Database, settings: Settings, actor: Actor, *, proof: Proof, user_agent: str = ""
) -> tuple[Tokens, queries.UserView]:
    """Open an API session. Raises AccountSuspended."""
    opened = await db.transact(
        lambda tx: signing_in.open_api_session(tx, actor, proof=proof, user_agent=user_agent)
    )
    return _tokens(db, settings, opened), queries.UserView.of(opened.user)


async def refresh(db: Database, settings: Settings, actor: Actor, *, refresh_token: str) -> Tokens:
    """The next pair of tokens; raises RefreshRefused. A used token ends the whole session."""
    opened = await db.transact(lambda tx: signing_in.refresh(tx, actor, secret=refresh_token))
    if opened is None:
        raise RefreshRefused
    return _tokens(db, settings, opened)


def _tokens(db: Database, settings: Settings, opened: signing_in.Opened) -> Tokens:
    made = access_tokens(settings).issue(
        opened.user, session_id=opened.session_id, now=db.clock.now()
    )
    return Tokens(made, opened.secret, int(ACCESS_LIFE.total_seconds()), opened.session_id)
