"""What identity publishes. No event carries an address, a password or a token's secret."""

from __future__ import annotations

from typing import ClassVar, Literal
from uuid import UUID

from souk.platform.events import Event

MailPurpose = Literal["verify", "reset", "change_email_old", "change_email_new"]


class UserRegistered(Event, frozen=True, kw_only=True):
    """A new account exists; its address is not verified yet."""

    name: ClassVar[str] = "identity.user_registered.v1"
    key: ClassVar[str] = "user_id"
    user_id: UUID
    locale: str


class RegistrationRepeated(Event, frozen=True, kw_only=True):
    """Somebody tried to register the address of this account; its owner is told by mail."""

    name: ClassVar[str] = "identity.registration_repeated.v1"
    key: ClassVar[str] = "user_id"
    user_id: UUID


class EmailTokenIssued(Event, frozen=True, kw_only=True):
    """A mail with a link is due; the link is derived from `token_id` when the mail is composed."""

    name: ClassVar[str] = "identity.email_token_issued.v1"
    key: ClassVar[str] = "user_id"
    user_id: UUID
    token_id: UUID
    purpose: MailPurpose


class EmailVerified(Event, frozen=True, kw_only=True):
    """The person proved that the account's address is theirs."""

    name: ClassVar[str] = "identity.email_verified.v1"
    key: ClassVar[str] = "user_id"
    user_id: UUID


class EmailChanged(Event, frozen=True, kw_only=True):
    """The account has another address, confirmed at the old and the new one."""

    name: ClassVar[str] = "identity.email_changed.v1"
    key: ClassVar[str] = "user_id"
    user_id: UUID


class PasswordChanged(Event, frozen=True, kw_only=True):
    """`how` is `changed` (signed in, with the old one) or `reset` (by a mailed link)."""

    name: ClassVar[str] = "identity.password_changed.v1"
    key: ClassVar[str] = "user_id"
    user_id: UUID
    how: Literal["changed", "reset"]


class SignedIn(Event, frozen=True, kw_only=True):
    """A log-in from a device that this account had not used before (never its first device)."""

    name: ClassVar[str] = "identity.signed_in.v1"
    key: ClassVar[str] = "user_id"
    user_id: UUID
    session_id: UUID


class RefreshReuseDetected(Event, frozen=True, kw_only=True):
    """A refresh token came a second time: somebody has a copy. The session was revoked."""

    name: ClassVar[str] = "identity.refresh_reuse_detected.v1"
    key: ClassVar[str] = "user_id"
    user_id: UUID
    session_id: UUID


class RoleGranted(Event, frozen=True, kw_only=True):
    """A person joined the operator's staff in this role."""

    name: ClassVar[str] = "identity.role_granted.v1"
    key: ClassVar[str] = "user_id"
    user_id: UUID
    role: str


class RoleRevoked(Event, frozen=True, kw_only=True):
    """A person lost this staff role."""

    name: ClassVar[str] = "identity.role_revoked.v1"
    key: ClassVar[str] = "user_id"
    user_id: UUID
    role: str


class MembershipAdded(Event, frozen=True, kw_only=True):
    """A person owns (`owner`) or works for (`staff`) a seller account."""

    name: ClassVar[str] = "identity.membership_added.v1"
    key: ClassVar[str] = "user_id"
    user_id: UUID
    seller_id: UUID
    role: str


class UserSuspended(Event, frozen=True, kw_only=True):
    """The account cannot log in any more; `reason` is the operator's sentence to the person."""

    name: ClassVar[str] = "identity.user_suspended.v1"
    key: ClassVar[str] = "user_id"
    user_id: UUID
    reason: str


class UserReinstated(Event, frozen=True, kw_only=True):
    """A suspended account works again."""

    name: ClassVar[str] = "identity.user_reinstated.v1"
    key: ClassVar[str] = "user_id"
    user_id: UUID
