"""What people do with their own account."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from souk.contexts.identity import store
from souk.contexts.identity.commands import links
from souk.contexts.identity.domain import (
    LinkPurpose,
    Proof,
    User,
    UserState,
    address_key,
    clean_locale,
    clean_name,
    normal_email,
    repeat_key,
)
from souk.contexts.identity.passwords import PasswordHash
from souk.kernel.actor import Actor
from souk.kernel.errors import NotSignedIn
from souk.kernel.ids import uuid7
from souk.platform import audit, outbox
from souk.platform.database import WriteTx
from souk.published import identity as events

_CHANGES = {LinkPurpose.CHANGE_EMAIL_OLD, LinkPurpose.CHANGE_EMAIL_NEW}


@dataclass(frozen=True, slots=True)
class Registration:
    """`created` is False when the address had an account. Never tell the visitor which it was."""

    user_id: UUID
    created: bool


def subject(user_id: UUID) -> str:
    """How the audit log names an account."""
    return f"user:{user_id}"


def own_id(actor: Actor) -> UUID:
    """The caller's account. Raises NotSignedIn."""
    if actor.user_id is None:
        raise NotSignedIn("Log in to go on.")
    return actor.user_id


async def register(
    tx: WriteTx,
    actor: Actor,
    *,
    email: str,
    password_hash: PasswordHash,
    display_name: str,
    locale: str = "en",
) -> Registration:
    """Make an account and have its verification mail sent.

    For an address that has one, its owner is told by mail instead, and the answer to the visitor is
    the same. Raises BadEmail and InvalidInput.
    """
    user = _new_user(tx, email=email, display_name=display_name, locale=locale)
    if not await store.add_user(tx, user, password_hash=password_hash):
        return await _register_again(tx, actor, email=user.email)
    outbox.add(tx, events.UserRegistered(user_id=user.id, locale=user.locale), actor=actor)
    await links.issue(tx, actor, user=user, purpose=LinkPurpose.VERIFY)
    await audit.record(tx, actor, "identity.registered", subject(user.id))
    return Registration(user.id, created=True)


def _new_user(tx: WriteTx, *, email: str, display_name: str, locale: str) -> User:
    return User(
        id=uuid7(),
        email=normal_email(email),
        display_name=clean_name(display_name),
        locale=clean_locale(locale),
        state=UserState.ACTIVE,
        staff_roles=frozenset(),
        email_verified_at=None,
        created_at=tx.clock.now(),
    )


async def _register_again(tx: WriteTx, actor: Actor, *, email: str) -> Registration:
    key = repeat_key(email)
    count = await store.lock_lockout(tx, key)
    owner = await store.lock_user_by_email(tx, email)
    assert owner is not None, "accounts are never deleted"
    await audit.record(tx, actor, "identity.registration_repeated", subject(owner.id))
    now = tx.clock.now()
    if not count.wait(now):
        await store.save_lockout(tx, key, count.count(now))
        # The password stays: whoever typed the new one has not shown that the mailbox is theirs.
        if owner.email_verified:
            outbox.add(tx, events.RegistrationRepeated(user_id=owner.id), actor=actor)
        else:
            await links.issue(tx, actor, user=owner, purpose=LinkPurpose.VERIFY)
    return Registration(owner.id, created=False)


async def verify_email(tx: WriteTx, actor: Actor, *, token: str, secret_key: str) -> UUID:
    """Follow the link of the verification mail; whose account it was. Raises LinkInvalid."""
    _, user = await links.follow(
        tx, token=token, secret_key=secret_key, purposes={LinkPurpose.VERIFY}
    )
    await _verified(tx, actor, user)
    return user.id


async def _verified(tx: WriteTx, actor: Actor, user: User) -> None:
    if user.email_verified:
        return
    await store.save_user(tx, replace(user, email_verified_at=tx.clock.now()))
    outbox.add(tx, events.EmailVerified(user_id=user.id), actor=actor)
    await audit.record(tx, actor, "identity.email_verified", subject(user.id))


async def resend_verification(tx: WriteTx, actor: Actor, *, email: str) -> None:
    """Send the verification mail again, if there is such an account and it needs one."""
    user = await store.lock_user_by_email(tx, normal_email(email))
    if user is not None and not user.email_verified and user.state is UserState.ACTIVE:
        await links.issue(tx, actor, user=user, purpose=LinkPurpose.VERIFY)


async def request_password_reset(tx: WriteTx, actor: Actor, *, email: str) -> None:
    """Send a reset link, if there is such an account; the caller is not told."""
    normal = normal_email(email)
    user = await store.lock_user_by_email(tx, normal)
    about = subject(user.id) if user else f"address:{address_key(normal).hex()[:16]}"
    await audit.record(tx, actor, "identity.password_reset_requested", about)
    if user is not None and user.state is UserState.ACTIVE:
        await links.issue(tx, actor, user=user, purpose=LinkPurpose.RESET)


async def reset_password(
    tx: WriteTx, actor: Actor, *, token: str, password_hash: PasswordHash, secret_key: str
) -> UUID:
    """Set a password by the mailed link; whose account it was. Raises LinkInvalid.

    Every session ends and every other link too: whoever else had got in is out. The link also shows
    that the address is theirs, and lifts a lockout.
    """
    _, user = await links.follow(
        tx, token=token, secret_key=secret_key, purposes={LinkPurpose.RESET}
    )
    await store.save_password(tx, user.id, password_hash=password_hash)
    await store.revoke_sessions(tx, user_id=user.id, because="password_reset")
    await store.expire_links(tx, user_id=user.id, purposes=list(LinkPurpose))
    await store.forget_lockout(tx, address_key(user.email))
    await _verified(tx, actor, user)
    outbox.add(tx, events.PasswordChanged(user_id=user.id, how="reset"), actor=actor)
    await audit.record(tx, actor, "identity.password_reset", subject(user.id))
    return user.id


async def change_password(
    tx: WriteTx, actor: Actor, *, proof: Proof, password_hash: PasswordHash
) -> None:
    """Set another password; every session but this one ends, and every link."""
    user_id = proof.user.id
    await store.forget_lockout(tx, proof.counted_under)
    await store.lock_user(tx, user_id)
    await store.save_password(tx, user_id, password_hash=password_hash)
    await store.revoke_sessions(
        tx, user_id=user_id, because="password_changed", keep=actor.session_id
    )
    await store.expire_links(tx, user_id=user_id, purposes=list({LinkPurpose.RESET} | _CHANGES))
    outbox.add(tx, events.PasswordChanged(user_id=user_id, how="changed"), actor=actor)
    await audit.record(tx, actor, "identity.password_changed", subject(user_id))


async def request_email_change(tx: WriteTx, actor: Actor, *, proof: Proof, new_email: str) -> None:
    """Send a link to the present and to the new address; both must be followed.

    Whether another account has the new address is not told here. Raises BadEmail.
    """
    await store.forget_lockout(tx, proof.counted_under)
    user = await store.lock_user(tx, proof.user.id)
    normal = normal_email(new_email)
    change_id = uuid7()
    for purpose in (LinkPurpose.CHANGE_EMAIL_OLD, LinkPurpose.CHANGE_EMAIL_NEW):
        await links.issue(
            tx, actor, user=user, purpose=purpose, new_email=normal, change_id=change_id
        )
    await audit.record(tx, actor, "identity.email_change_requested", subject(user.id))


async def confirm_email_change(tx: WriteTx, actor: Actor, *, token: str, secret_key: str) -> bool:
    """Follow one of the two links; True when the address is changed, False while one is missing.

    Raises LinkInvalid, and EmailUnavailable when another account has taken the address.
    """
    link, user = await links.follow(tx, token=token, secret_key=secret_key, purposes=_CHANGES)
    assert link.new_email is not None, "the table requires it for these purposes"
    assert link.change_id is not None, "the table requires it for these purposes"
    await audit.record(
        tx, actor, "identity.email_change_confirmed", subject(user.id), link=link.purpose.value
    )
    if not await store.change_is_confirmed(tx, link.change_id):
        return False
    await store.save_user(tx, replace(user, email=link.new_email, email_verified_at=tx.clock.now()))
    await store.expire_links(tx, user_id=user.id, purposes=list(LinkPurpose))
    outbox.add(tx, events.EmailChanged(user_id=user.id), actor=actor)
    await audit.record(tx, actor, "identity.email_changed", subject(user.id))
    return True


async def update_profile(
    tx: WriteTx, actor: Actor, *, display_name: str | None = None, locale: str | None = None
) -> User:
    """Change what the person says about themselves; None leaves a field as it is."""
    user = await store.lock_user(tx, own_id(actor))
    changed = replace(
        user,
        display_name=user.display_name if display_name is None else clean_name(display_name),
        locale=user.locale if locale is None else clean_locale(locale),
    )
    await store.save_user(tx, changed)
    return changed
