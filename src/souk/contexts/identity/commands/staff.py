"""What operators do with accounts, and memberships that flows add."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from souk.contexts.identity import passwords, store
from souk.contexts.identity.commands.accounts import subject
from souk.contexts.identity.domain import (
    LinkPurpose,
    MemberRole,
    User,
    UserState,
    clean_name,
    may_hand_out,
    normal_email,
)
from souk.contexts.identity.errors import (
    AlreadyMember,
    EmailUnavailable,
    NotGrantable,
    OwnAccount,
)
from souk.kernel.actor import Actor, Permission, Role, system
from souk.kernel.errors import FieldProblem, Forbidden, InvalidInput
from souk.kernel.ids import uuid7
from souk.platform import audit, outbox
from souk.platform.database import WriteTx
from souk.published import identity as events


def _require(actor: Actor, permission: Permission) -> None:
    if not actor.may(permission):
        raise Forbidden("Your account may not do this. Ask an administrator for the right.")


async def suspend_user(tx: WriteTx, actor: Actor, *, user_id: UUID, reason: str) -> User:
    """Shut an account out and end its sessions; access tokens end within a second.

    Raises Forbidden, UserNotFound, OwnAccount, NotGrantable for staff with more rights,
    IllegalTransition when it is suspended already.
    """
    _require(actor, Permission.USERS_MANAGE)
    sentence = reason.strip()
    if not sentence:
        problem = FieldProblem("reason", "missing", "Write one sentence.")
        raise InvalidInput("Say why: the person will read it.", problems=[problem])
    user = await store.lock_user(tx, user_id)
    _check_target(actor, user)
    changed = user.suspend()
    await store.save_user(tx, changed)
    await store.revoke_sessions(tx, user_id=user_id, because="suspended")
    await store.expire_links(tx, user_id=user_id, purposes=list(LinkPurpose))
    outbox.add(tx, events.UserSuspended(user_id=user_id, reason=sentence), actor=actor)
    await audit.record(tx, actor, "identity.user_suspended", subject(user_id), reason=sentence)
    return changed


def _check_target(actor: Actor, user: User) -> None:
    if user.id == actor.user_id:
        raise OwnAccount
    for role in user.staff_roles:
        if not may_hand_out(actor, role):
            raise NotGrantable(role=role)


async def reinstate_user(tx: WriteTx, actor: Actor, *, user_id: UUID) -> User:
    """Let a suspended account in again. Raises Forbidden, UserNotFound, IllegalTransition."""
    _require(actor, Permission.USERS_MANAGE)
    user = await store.lock_user(tx, user_id)
    _check_target(actor, user)
    changed = user.reinstate()
    await store.save_user(tx, changed)
    outbox.add(tx, events.UserReinstated(user_id=user_id), actor=actor)
    await audit.record(tx, actor, "identity.user_reinstated", subject(user_id))
    return changed


async def grant_role(tx: WriteTx, actor: Actor, *, user_id: UUID, role: Role) -> User:
    """Give a staff role; a role that the person has already stays.

    Raises NotGrantable for roles that are not given by hand or exceed the giver's own permissions,
    and OwnAccount.
    """
    user = await _for_role(tx, actor, user_id=user_id, role=role)
    if role in user.staff_roles:
        return user
    changed = replace(user, staff_roles=user.staff_roles | {role})
    await store.save_user(tx, changed)
    outbox.add(tx, events.RoleGranted(user_id=user_id, role=role), actor=actor)
    await audit.record(tx, actor, "identity.role_granted", subject(user_id), role=role)
    return changed


async def revoke_role(tx: WriteTx, actor: Actor, *, user_id: UUID, role: Role) -> User:
    """Take a staff role and end the person's sessions, so that no token keeps it. As grant_role."""
    user = await _for_role(tx, actor, user_id=user_id, role=role)
    if role not in user.staff_roles:
        return user
    changed = replace(user, staff_roles=user.staff_roles - {role})
    await store.save_user(tx, changed)
    await store.revoke_sessions(tx, user_id=user_id, because="role_revoked")
    outbox.add(tx, events.RoleRevoked(user_id=user_id, role=role), actor=actor)
    await audit.record(tx, actor, "identity.role_revoked", subject(user_id), role=role)
    return changed


async def _for_role(tx: WriteTx, actor: Actor, *, user_id: UUID, role: Role) -> User:
    if not may_hand_out(actor, role):
        raise NotGrantable(role=role)
    user = await store.lock_user(tx, user_id)
    if user.id == actor.user_id:
        raise OwnAccount
    return user


async def add_membership(
    tx: WriteTx, actor: Actor, *, user_id: UUID, seller_id: UUID, role: MemberRole
) -> None:
    """Make a person owner or staff of a seller account; repeating it changes the role.

    Who may do so is decided by the flow that calls this. The person's access tokens learn it when
    they are refreshed. Raises UserNotFound, and AlreadyMember of another seller.
    """
    await store.lock_user(tx, user_id)
    if not await store.save_membership(tx, user_id=user_id, seller_id=seller_id, role=role):
        raise AlreadyMember
    event = events.MembershipAdded(user_id=user_id, seller_id=seller_id, role=role.value)
    outbox.add(tx, event, actor=actor)
    await audit.record(
        tx, actor, "identity.membership_added", subject(user_id), seller=str(seller_id), role=role
    )


async def create_admin(
    tx: WriteTx, *, email: str, password: str, display_name: str = "Administrator"
) -> User:
    """Make an administrator's account with a verified address, for the command line.

    Raises BadEmail, WeakPassword, and EmailUnavailable when the address has an account.
    """
    actor = system("cli")
    now = tx.clock.now()
    user = User(
        id=uuid7(),
        email=normal_email(email),
        display_name=clean_name(display_name),
        locale="en",
        state=UserState.ACTIVE,
        staff_roles=frozenset({Role.ADMIN}),
        email_verified_at=now,
        created_at=now,
    )
    password_hash = await passwords.prepare(password, inputs=[user.email, user.display_name])
    if not await store.add_user(tx, user, password_hash=password_hash):
        raise EmailUnavailable
    outbox.add(tx, events.UserRegistered(user_id=user.id, locale=user.locale), actor=actor)
    outbox.add(tx, events.EmailVerified(user_id=user.id), actor=actor)
    outbox.add(tx, events.RoleGranted(user_id=user.id, role=Role.ADMIN), actor=actor)
    await audit.record(tx, actor, "identity.role_granted", subject(user.id), role=Role.ADMIN)
    return user
