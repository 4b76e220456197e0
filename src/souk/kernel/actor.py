"""Who is asking: carried from the edge to every command, and written beside every change."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What a person is to the marketplace. One person may have several."""

    CUSTOMER = "customer"
    SELLER = "seller"
    SELLER_STAFF = "seller_staff"
    MODERATOR = "moderator"
    SUPPORT = "support"
    FINANCE = "finance"
    ADMIN = "admin"


class Permission(StrEnum):
    """What an operator's staff may do; sellers' rights come from owning the seller account."""

    USERS_VIEW = "users.view"
    USERS_MANAGE = "users.manage"
    CATALOG_MANAGE = "catalog.manage"
    SELLERS_REVIEW = "sellers.review"
    LISTINGS_REVIEW = "listings.review"
    REVIEWS_MODERATE = "reviews.moderate"
    ORDERS_VIEW = "orders.view"
    ORDERS_MANAGE = "orders.manage"
    MONEY_VIEW = "money.view"
    MONEY_MANAGE = "money.manage"
    LEGAL_MANAGE = "legal.manage"
    EVENTS_MANAGE = "events.manage"
    AUDIT_VIEW = "audit.view"
    SETTINGS_MANAGE = "settings.manage"


_VIEW = {Permission.USERS_VIEW, Permission.ORDERS_VIEW}
ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.CUSTOMER: frozenset(),
    Role.SELLER: frozenset(),
    Role.SELLER_STAFF: frozenset(),
    Role.MODERATOR: frozenset(
        {
            Permission.USERS_VIEW,
            Permission.SELLERS_REVIEW,
            Permission.LISTINGS_REVIEW,
            Permission.REVIEWS_MODERATE,
        }
    ),
    Role.SUPPORT: frozenset(_VIEW | {Permission.ORDERS_MANAGE}),
    Role.FINANCE: frozenset(_VIEW | {Permission.MONEY_VIEW, Permission.MONEY_MANAGE}),
    Role.ADMIN: frozenset(Permission),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """An authenticated caller, a guest, or the system itself.

    `user_id` is None for guests and the system. `seller_id` is the seller account that the person
    owns or works for. `ip` is kept for the audit log only.
    """

    kind: str
    user_id: UUID | None = None
    seller_id: UUID | None = None
    roles: frozenset[Role] = frozenset()
    session_id: UUID | None = None
    email_verified: bool = False
    ip: str | None = None
    name: str = ""
    permissions: frozenset[Permission] = field(default=frozenset())

    @property
    def is_operator(self) -> bool:
        """True for anyone with at least one operator permission."""
        return bool(self.permissions)

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def label(self) -> str:
        """How the actor is written in logs and timelines: `user:<id>`, `guest`, `system:<name>`."""
        if self.user_id is not None:
            return f"user:{self.user_id}"
        return f"system:{self.name}" if self.kind == "system" else self.kind


GUEST = Actor(kind="guest")


def system(name: str) -> Actor:
    """The program acting by itself, named by the job or flow that acts."""
    return Actor(kind="system", name=name, permissions=frozenset(Permission))


def permissions_of(roles: frozenset[Role]) -> frozenset[Permission]:
    """Every permission that a set of roles grants."""
    return frozenset().union(*(ROLE_PERMISSIONS[role] for role in roles))
