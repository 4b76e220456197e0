"""Accounts, sessions and lockouts: the rules, without I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from ipaddress import ip_address, ip_network
from uuid import UUID

from email_validator import EmailNotValidError, validate_email

from souk.contexts.identity.errors import BadEmail
from souk.kernel.actor import ROLE_PERMISSIONS, Actor, Permission, Role, permissions_of
from souk.kernel.errors import FieldProblem, IllegalTransition, InvalidInput

STAFF_ROLES = frozenset({Role.MODERATOR, Role.SUPPORT, Role.FINANCE, Role.ADMIN})
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
MAX_NAME = 80


class UserState(StrEnum):
    """`suspended` accounts cannot log in and hold no session."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class MemberRole(StrEnum):
    """What a person is to a seller account."""

    OWNER = "owner"
    STAFF = "staff"


class LinkPurpose(StrEnum):
    """What following a mailed link does."""

    VERIFY = "verify"
    RESET = "reset"
    CHANGE_EMAIL_OLD = "change_email_old"
    CHANGE_EMAIL_NEW = "change_email_new"


LINK_LIFE = {
    LinkPurpose.VERIFY: timedelta(hours=48),
    LinkPurpose.RESET: timedelta(hours=1),
    LinkPurpose.CHANGE_EMAIL_OLD: timedelta(hours=24),
    LinkPurpose.CHANGE_EMAIL_NEW: timedelta(hours=24),
}
LINKS_PER_HOUR = 4
"""How many mails of one purpose a person gets in an hour, however often somebody asks."""


def normal_email(text: str) -> str:
    """The one spelling of an address that is stored: lower case, domain as IDNA A-labels.

    Raises BadEmail. Whether the domain takes mail is not asked: the mailed link finds that out.
    """
    try:
        parsed = validate_email(
            text.strip(), check_deliverability=False, allow_smtputf8=False, test_environment=True
        )
    except EmailNotValidError as error:
        raise BadEmail from error
    assert parsed.ascii_email is not None, "without SMTPUTF8 every address has an ASCII form"
    return parsed.ascii_email.lower()


def clean_name(text: str) -> str:
    """A display name on one line. Raises InvalidInput when nothing or too much is left."""
    name = " ".join("".join(c for c in text if c.isprintable()).split())
    if not 1 <= len(name) <= MAX_NAME:
        problem = FieldProblem("display_name", "length", f"Write 1 to {MAX_NAME} characters.")
        raise InvalidInput("Write the name that others should see.", problems=[problem])
    return name


def clean_locale(text: str) -> str:
    """A BCP 47 tag such as `en` or `pt-BR`. Raises InvalidInput."""
    if len(text) > 35 or not _LOCALE.fullmatch(text):
        problem = FieldProblem("locale", "pattern", "Use a language tag such as en or pt-BR.")
        raise InvalidInput("The language is not one that we know.", problems=[problem])
    return text


@dataclass(frozen=True, slots=True)
class User:
    """An account with everything that decides what its owner may do."""

    id: UUID
    email: str
    display_name: str
    locale: str
    state: UserState
    staff_roles: frozenset[Role]
    email_verified_at: datetime | None
    created_at: datetime
    seller_id: UUID | None = None
    member_role: MemberRole | None = None

    @property
    def roles(self) -> frozenset[Role]:
        """Everyone is a customer; the seller roles come from the membership."""
        roles = self.staff_roles | {Role.CUSTOMER}
        if self.member_role is not None:
            owner = self.member_role is MemberRole.OWNER
            roles |= {Role.SELLER if owner else Role.SELLER_STAFF}
        return roles

    @property
    def email_verified(self) -> bool:
        return self.email_verified_at is not None

    def actor(self, *, session_id: UUID | None, ip: str | None = None) -> Actor:
        """Who this person is in commands."""
        return user_actor(
            user_id=self.id,
            session_id=session_id,
            roles=self.roles,
            seller_id=self.seller_id,
            email_verified=self.email_verified,
            name=self.display_name,
            ip=ip,
        )

    def suspend(self) -> User:
        return self._become(UserState.SUSPENDED)

    def reinstate(self) -> User:
        return self._become(UserState.ACTIVE)

    def _become(self, wanted: UserState) -> User:
        if self.state is wanted:
            raise IllegalTransition(subject="account", current=self.state, wanted=wanted)
        return replace(self, state=wanted)


def user_actor(
    *,
    user_id: UUID,
    session_id: UUID | None,
    roles: frozenset[Role],
    seller_id: UUID | None,
    email_verified: bool,
    name: str,
    ip: str | None = None,
) -> Actor:
    """A person as an Actor, with the permissions of the roles."""
    return Actor(
        kind="user",
        user_id=user_id,
        seller_id=seller_id,
        roles=roles,
        session_id=session_id,
        email_verified=email_verified,
        ip=ip,
        name=name,
        permissions=permissions_of(roles),
    )


def may_hand_out(actor: Actor, role: Role) -> bool:
    """Nobody gives or takes more than they hold: that would be a way up."""
    return (
        role in STAFF_ROLES
        and actor.may(Permission.USERS_MANAGE)
        and ROLE_PERMISSIONS[role] <= actor.permissions
    )


@dataclass(frozen=True, slots=True)
class SessionLife:
    """`idle` since it was last used and `absolute` since it was opened; whichever ends first."""

    idle: timedelta
    absolute: timedelta

    def is_over(self, *, created_at: datetime, last_seen_at: datetime, now: datetime) -> bool:
        return now >= created_at + self.absolute or now >= last_seen_at + self.idle


# NIST SP 800-63B-4, 2.1.3 and 2.2.3: 30 days overall at AAL1; staff as at AAL2, 12 h and 1 h.
PEOPLE = SessionLife(idle=timedelta(days=14), absolute=timedelta(days=30))
STAFF = SessionLife(idle=timedelta(hours=1), absolute=timedelta(hours=12))


def session_life(roles: frozenset[Role]) -> SessionLife:
    """Staff sessions are short: they open more doors."""
    return STAFF if roles & STAFF_ROLES else PEOPLE


ATTEMPTS = 5
WINDOW = timedelta(minutes=15)
LONGEST_LOCK = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Lockout:
    """Tries on one account: 5 in 15 minutes, then a lock of 15 minutes that doubles each time.

    A try is counted before the password is looked at and forgotten when it was right, so that a
    hundred simultaneous guesses are not a hundred guesses. Locks are forgotten after a quiet day.
    """

    window_start: datetime
    touched_at: datetime
    attempts: int = 0
    locks: int = 0
    locked_until: datetime | None = None

    def wait(self, now: datetime) -> int:
        """Seconds until the next try is taken, 0 when it is taken now."""
        if self.locked_until is None or self.locked_until <= now:
            return 0
        return max(1, int((self.locked_until - now).total_seconds()))

    def count(self, now: datetime) -> Lockout:
        """One more try. The fifth of a window closes the door behind itself."""
        quiet_since = max(self.touched_at, self.locked_until or self.touched_at)
        locks = 0 if now - quiet_since > LONGEST_LOCK else self.locks
        fresh = now - self.window_start >= WINDOW or self.locked_until is not None
        attempts = 1 if fresh else self.attempts + 1
        start = now if fresh else self.window_start
        if attempts < ATTEMPTS:
            return Lockout(start, now, attempts, locks, None)
        pause = min(WINDOW * 2**locks, LONGEST_LOCK)
        return Lockout(start, now, attempts, min(locks + 1, 16), now + pause)


@dataclass(frozen=True, slots=True)
class Proof:
    """That a password was right a moment ago: what opens sessions and allows sensitive changes.

    `counted_under` is where the try was counted, to be forgotten now. `upgrade` is the pair of the
    stored hash and a stronger one of the same password, when there is one.
    """

    user: User
    counted_under: bytes
    upgrade: tuple[str, str] | None = None


def address_key(email: str) -> bytes:
    """Under which tries for an address are counted, whether or not an account has it."""
    return sha256(b"log-in:" + email.encode()).digest()


def repeat_key(email: str) -> bytes:
    """Under which repeated registrations of an address are counted, so that nobody's mailbox is
    filled by them."""
    return sha256(b"register:" + email.encode()).digest()


def user_key(user_id: UUID) -> bytes:
    """Under which tries to repeat the password while signed in are counted: an outsider who locks
    the address out does not lock the owner's open sessions out."""
    return sha256(b"confirm:" + user_id.bytes).digest()


def device_fingerprint(*, user_agent: str, ip: str | None) -> bytes:
    """A device as far as a server can tell: the browser and the network's neighbourhood.

    The neighbourhood is a /16 (IPv4) or /32 (IPv6), which survives a new lease and a short walk.
    """
    place = ""
    if ip:
        try:
            address = ip_address(ip)
            bits = 16 if address.version == 4 else 32
            place = str(ip_network((address, bits), strict=False))
        except ValueError:
            place = "unknown"
    return sha256(f"{user_agent}\n{place}".encode()).digest()
