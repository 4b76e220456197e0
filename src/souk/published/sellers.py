"""Events of `sellers`."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from souk.platform.events import Event


class _SellerEvent(Event, frozen=True, kw_only=True):
    key: ClassVar[str] = "seller_id"

    seller_id: UUID
    user_id: UUID


class SellerApplied(_SellerEvent, frozen=True, kw_only=True):
    """Somebody wants to sell; an operator has to decide."""

    name: ClassVar[str] = "sellers.seller_applied.v1"


class SellerApproved(_SellerEvent, frozen=True, kw_only=True):
    """The shop is open, for the first time or again."""

    name: ClassVar[str] = "sellers.seller_approved.v1"

    shop_name: str
    slug: str


class SellerRejected(_SellerEvent, frozen=True, kw_only=True):
    """The application was turned down; `reason` is what the applicant reads."""

    name: ClassVar[str] = "sellers.seller_rejected.v1"

    reason: str


class SellerInfoRequested(_SellerEvent, frozen=True, kw_only=True):
    """The operator needs to know more; `question` is what the applicant reads."""

    name: ClassVar[str] = "sellers.info_requested.v1"

    question: str


class SellerSuspended(_SellerEvent, frozen=True, kw_only=True):
    """The shop was closed by an operator."""

    name: ClassVar[str] = "sellers.seller_suspended.v1"

    reason: str


class StorefrontChanged(_SellerEvent, frozen=True, kw_only=True):
    """What visitors see of the shop changed: name, texts, pictures or holiday."""

    name: ClassVar[str] = "sellers.storefront_changed.v1"

    shop_name: str
    slug: str
    holiday_from: datetime | None
    holiday_until: datetime | None
