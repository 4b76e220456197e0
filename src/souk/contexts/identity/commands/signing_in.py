"""Tries of a password, browser sessions, and API sessions with rotating refresh tokens."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from souk.contexts.identity import store
from souk.contexts.identity.commands.accounts import own_id, subject
from souk.contexts.identity.domain import (
    Proof,
    User,
    UserState,
    address_key,
    device_fingerprint,
    session_life,
    user_key,
)
from souk.contexts.identity.errors import AccountSuspended, SessionNotFound
from souk.contexts.identity.queries import TOUCH_EVERY
from souk.kernel.actor import Actor
from souk.kernel.ids import fingerprint, token, uuid7
from souk.platform import audit, outbox
from souk.platform.database import WriteTx
from souk.published import identity as events

_LONGEST_USER_AGENT = 300


@dataclass(frozen=True, slots=True)
class Attempt:
    """A counted try. With `wait` seconds left, the password is not to be looked at."""

    counted_under: bytes
    about: str
    wait: int
    user: User | None = None
    stored_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session and its secret, which is shown this once: for a browser the cookie's value,
    for the API the refresh token."""

    session_id: UUID
    secret: str
    user: User


async def begin_log_in(tx: WriteTx, actor: Actor, *, email: str) -> Attempt:
    """Count a try before the password is looked at. `email` is in its normal form."""
    key = address_key(email)
    wait = await _count(tx, key)
    found = await store.credential(tx, email)
    about = subject(found[0].id) if found else f"address:{key.hex()[:16]}"
    if wait:
        await audit.record(tx, actor, "identity.log_in_locked", about)
        return Attempt(key, about, wait)
    return Attempt(key, about, 0, *(found or (None, None)))


async def begin_confirmation(tx: WriteTx, actor: Actor) -> Attempt:
    """Count a try to repeat the password while signed in."""
    user = await store.load_user(tx, own_id(actor))
    key = user_key(user.id)
    wait = await _count(tx, key)
    if wait:
        await audit.record(tx, actor, "identity.confirmation_locked", subject(user.id))
        return Attempt(key, subject(user.id), wait)
    stored = await store.password_hash_of(tx, user.id)
    return Attempt(key, subject(user.id), 0, user, stored)


async def _count(tx: WriteTx, key: bytes) -> int:
    now = tx.clock.now()
    lockout = await store.lock_lockout(tx, key)
    wait = lockout.wait(now)
    if not wait:
        await store.save_lockout(tx, key, lockout.count(now))
    return wait


async def note_failure(tx: WriteTx, actor: Actor, *, attempt: Attempt, action: str) -> None:
    """The password was wrong; the try stays counted."""
    await audit.record(tx, actor, action, attempt.about)


async def open_session(tx: WriteTx, actor: Actor, *, proof: Proof, user_agent: str = "") -> Opened:
    """Begin a browser session. Raises AccountSuspended."""
    secret = token()
    return await _open(tx, actor, proof=proof, user_agent=user_agent, secret=secret, browser=True)


async def open_api_session(
    tx: WriteTx, actor: Actor, *, proof: Proof, user_agent: str = ""
) -> Opened:
    """Begin a family of refresh tokens; the secret is the first. Raises AccountSuspended."""
    opened = await _open(
        tx, actor, proof=proof, user_agent=user_agent, secret=token(), browser=False
    )
    await store.add_refresh_token(
        tx, token_hash=fingerprint(opened.secret), session_id=opened.session_id
    )
    return opened


async def _open(
    tx: WriteTx, actor: Actor, *, proof: Proof, user_agent: str, secret: str, browser: bool
) -> Opened:
    user = await store.load_user(tx, proof.user.id)
    if user.state is not UserState.ACTIVE:
        raise AccountSuspended
    await store.forget_lockout(tx, proof.counted_under)
    if proof.upgrade is not None:
        old, new = proof.upgrade
        await store.save_password(tx, user.id, password_hash=new, replaces=old)
    session_id = uuid7()
    agent = user_agent.replace("\x00", "")[:_LONGEST_USER_AGENT]
    await store.add_session(
        tx,
        session_id=session_id,
        user_id=user.id,
        secret_hash=fingerprint(secret) if browser else None,
        ip=actor.ip,
        user_agent=agent,
    )
    device = device_fingerprint(user_agent=agent, ip=actor.ip)
    if await store.note_device(tx, user_id=user.id, fingerprint=device):
        outbox.add(tx, events.SignedIn(user_id=user.id, session_id=session_id), actor=actor)
    await audit.record(tx, actor, "identity.logged_in", subject(user.id), session=str(session_id))
    return Opened(session_id, secret, user)


async def refresh(tx: WriteTx, actor: Actor, *, secret: str) -> Opened | None:
    """Exchange a refresh token for the next of its family; None when it is not good.

    A token that comes a second time is in two hands: the whole family is revoked (RFC 9700, 4.14).
    This answers None instead of raising, so that the revocation is committed.
    """
    token_hash = fingerprint(secret)
    found = await store.lock_session_of_refresh_token(tx, token_hash)
    if found is None:
        await audit.record(tx, actor, "identity.refresh_refused", "token:unknown")
        return None
    session, used = found
    user = await store.load_user(tx, session.user_id)
    if used and session.revoked_at is None:
        await _reuse_detected(tx, actor, session=session)
        return None
    over = session_life(user.roles).is_over(
        created_at=session.created_at, last_seen_at=session.last_seen_at, now=tx.clock.now()
    )
    if session.revoked_at is not None or over or user.state is not UserState.ACTIVE:
        await audit.record(tx, actor, "identity.refresh_refused", subject(user.id))
        return None
    successor = token()
    await store.use_refresh_token(tx, token_hash=token_hash, session_id=session.id)
    await store.add_refresh_token(tx, token_hash=fingerprint(successor), session_id=session.id)
    await audit.record(tx, actor, "identity.refreshed", subject(user.id), session=str(session.id))
    return Opened(session.id, successor, user)


async def _reuse_detected(tx: WriteTx, actor: Actor, *, session: store.Session) -> None:
    await store.revoke_session(
        tx, user_id=session.user_id, session_id=session.id, because="refresh_token_reused"
    )
    event = events.RefreshReuseDetected(user_id=session.user_id, session_id=session.id)
    outbox.add(tx, event, actor=actor)
    await audit.record(
        tx,
        actor,
        "identity.refresh_reuse_detected",
        subject(session.user_id),
        session=str(session.id),
    )


async def close_session(tx: WriteTx, actor: Actor) -> None:
    """Log out: the caller's own session ends; one that has ended already is fine."""
    user_id = own_id(actor)
    if actor.session_id is not None and await store.revoke_session(
        tx, user_id=user_id, session_id=actor.session_id, because="logged_out"
    ):
        await audit.record(tx, actor, "identity.logged_out", subject(user_id))


async def revoke_session(tx: WriteTx, actor: Actor, *, session_id: UUID) -> None:
    """End one of the caller's sessions. Raises SessionNotFound."""
    user_id = own_id(actor)
    if not await store.revoke_session(
        tx, user_id=user_id, session_id=session_id, because="revoked"
    ):
        raise SessionNotFound
    await audit.record(
        tx, actor, "identity.session_revoked", subject(user_id), session=str(session_id)
    )


async def revoke_others(tx: WriteTx, actor: Actor) -> int:
    """End every session of the caller but this one; returns how many."""
    user_id = own_id(actor)
    ended = await store.revoke_sessions(
        tx, user_id=user_id, because="revoked", keep=actor.session_id
    )
    await audit.record(tx, actor, "identity.sessions_revoked", subject(user_id), ended=ended)
    return ended


async def renew_session(tx: WriteTx, actor: Actor) -> str | None:
    """Give the caller's browser session a new secret: whoever knew the old one is out. None when it
    is not a browser's, or over."""
    if actor.session_id is None:
        return None
    secret = token()
    renewed = await store.replace_secret(tx, actor.session_id, secret_hash=fingerprint(secret))
    return secret if renewed else None


async def touch_session(tx: WriteTx, session_id: UUID) -> None:
    """Note that a browser session is in use; at most one write a minute has an effect."""
    await store.touch_session(tx, session_id, every=TOUCH_EVERY)
