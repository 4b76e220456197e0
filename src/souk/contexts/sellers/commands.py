"""What changes a seller account."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from souk.contexts.sellers import domain, store
from souk.contexts.sellers.domain import Seller, SellerKind, SellerState, Tier
from souk.contexts.sellers.errors import (
    AlreadyApplied,
    ApplicationsClosed,
    EmailNotVerified,
    SellerNotFound,
)
from souk.contexts.sellers.options import NEW_SELLERS
from souk.kernel.actor import Actor
from souk.kernel.errors import FieldProblem, InvalidInput, NotSignedIn
from souk.kernel.ids import uuid7
from souk.platform import audit, outbox
from souk.platform.database import WriteTx
from souk.platform.options import Subject, is_on
from souk.published.sellers import (
    SellerApplied,
    SellerApproved,
    SellerInfoRequested,
    SellerRejected,
    SellerSuspended,
    StorefrontChanged,
)

State = SellerState
_PICTURES = {"banner_key", "logo_key"}


class Application(msgspec.Struct, frozen=True):
    """What somebody tells who wants to sell. An empty `slug` is made from the name."""

    name: str
    country: str
    kind: SellerKind = SellerKind.BUSINESS
    slug: str = ""
    bio: str = ""


class Storefront(msgspec.Struct, frozen=True):
    """What visitors read; None leaves a part as it is, an empty picture takes it away."""

    name: str | None = None
    bio: str | None = None
    shipping_policy: str | None = None
    returns_policy: str | None = None
    banner_key: str | None = None
    logo_key: str | None = None
    announcement: str | None = None
    links: list[str] | None = None
    contact_email: str | None = None
    contact_phone: str | None = None


async def apply(tx: WriteTx, actor: Actor, *, application: Application) -> Seller:
    """Apply, or apply again after a question or a rejection.

    Raises EmailNotVerified, ApplicationsClosed, AlreadyApplied, ShopNameTaken, InvalidInput.
    """
    if actor.user_id is None:
        raise NotSignedIn("Log in to apply.")
    if not actor.email_verified:
        raise EmailNotVerified
    seller = await store.lock_of_user(tx, actor.user_id)
    if seller is None and not await is_on(tx, NEW_SELLERS, Subject.of(actor)):
        raise ApplicationsClosed
    slug = application.slug or domain.slug_of(application.name)
    domain.check_application(
        name=application.name, slug=slug, country=application.country, bio=application.bio
    )
    now = tx.clock.now()
    if seller is None:
        seller = Seller(
            id=uuid7(),
            user_id=actor.user_id,
            slug=slug,
            name=application.name.strip(),
            kind=application.kind,
            country=application.country,
            state=State.APPLIED,
            applied_at=now,
            bio=application.bio.strip(),
        )
        await store.insert(tx, seller)
    elif seller.state in {State.NEEDS_INFO, State.REJECTED}:
        seller.move(State.APPLIED, now=now)
        seller.name, seller.slug, seller.bio = application.name.strip(), slug, application.bio
        seller.kind, seller.country = application.kind, application.country
        seller.applied_at = now
        await store.save(tx, seller)
    else:
        raise AlreadyApplied(state=seller.state)
    await store.add_step(tx, seller, actor=actor.label(), reason="The application was sent.")
    event = SellerApplied(seller_id=seller.id, user_id=seller.user_id)
    outbox.add(tx, event, actor=actor)
    return seller


async def approve(tx: WriteTx, actor: Actor, *, seller_id: UUID, reason: str = "") -> Seller:
    """Open the shop. Raises SellerNotFound, IllegalTransition."""
    seller = await _decide(tx, actor, seller_id, to=State.APPROVED, reason=reason)
    event = SellerApproved(
        seller_id=seller.id, user_id=seller.user_id, shop_name=seller.name, slug=seller.slug
    )
    outbox.add(tx, event, actor=actor)
    return seller


async def reject(tx: WriteTx, actor: Actor, *, seller_id: UUID, reason: str) -> Seller:
    """Turn an application down. Raises SellerNotFound, IllegalTransition, InvalidInput."""
    _require(reason)
    seller = await _decide(tx, actor, seller_id, to=State.REJECTED, reason=reason)
    event = SellerRejected(seller_id=seller.id, user_id=seller.user_id, reason=reason)
    outbox.add(tx, event, actor=actor)
    return seller


async def ask_more(tx: WriteTx, actor: Actor, *, seller_id: UUID, question: str) -> Seller:
    """Ask the applicant. Raises SellerNotFound, IllegalTransition, InvalidInput."""
    _require(question)
    seller = await _decide(tx, actor, seller_id, to=State.NEEDS_INFO, reason=question)
    event = SellerInfoRequested(seller_id=seller.id, user_id=seller.user_id, question=question)
    outbox.add(tx, event, actor=actor)
    return seller


async def suspend(tx: WriteTx, actor: Actor, *, seller_id: UUID, reason: str) -> Seller:
    """Close an open shop. Raises SellerNotFound, IllegalTransition, InvalidInput."""
    _require(reason)
    seller = await _decide(tx, actor, seller_id, to=State.SUSPENDED, reason=reason)
    event = SellerSuspended(seller_id=seller.id, user_id=seller.user_id, reason=reason)
    outbox.add(tx, event, actor=actor)
    return seller


def _require(reason: str) -> None:
    if len(reason.strip()) < 10:
        problem = FieldProblem("reason", "length", "Write at least 10 characters.")
        raise InvalidInput("Say why, in a sentence that the seller will read.", problems=[problem])


async def _decide(
    tx: WriteTx, actor: Actor, seller_id: UUID, *, to: SellerState, reason: str
) -> Seller:
    seller = await _locked(tx, seller_id)
    seller.move(to, now=tx.clock.now())
    await store.save(tx, seller)
    await store.add_step(tx, seller, actor=actor.label(), reason=reason.strip())
    await audit.record(tx, actor, f"sellers.{to}", f"seller:{seller.id}", reason=reason.strip())
    return seller


async def set_tier(tx: WriteTx, actor: Actor, *, seller_id: UUID, tier: Tier) -> None:
    """Raises SellerNotFound."""
    seller = await _locked(tx, seller_id)
    seller.tier = tier
    await store.save(tx, seller)
    await audit.record(tx, actor, "sellers.tier", f"seller:{seller.id}", tier=tier)


async def update_storefront(
    tx: WriteTx, actor: Actor, *, seller_id: UUID, changes: Storefront
) -> Seller:
    """Change what visitors read. Raises SellerNotFound, InvalidInput."""
    seller = await _locked(tx, seller_id)
    for field in changes.__struct_fields__:
        value = getattr(changes, field)
        if isinstance(value, list):
            seller.links = [link.strip() for link in changes.links or [] if link.strip()]
        elif value is not None:
            setattr(seller, field, value.strip() or (None if field in _PICTURES else ""))
    domain.check_storefront(
        name=seller.name,
        bio=seller.bio,
        shipping_policy=seller.shipping_policy,
        returns_policy=seller.returns_policy,
    )
    domain.check_reach(
        announcement=seller.announcement,
        links=seller.links,
        contact_email=seller.contact_email,
        contact_phone=seller.contact_phone,
    )
    await _save_front(tx, actor, seller)
    return seller


async def set_holiday(
    tx: WriteTx,
    actor: Actor,
    *,
    seller_id: UUID,
    start: datetime | None,
    end: datetime | None,
    message: str = "",
) -> Seller:
    """Close the shop from `start` until `end` (None: until further notice); no `start` opens it.

    Raises SellerNotFound, InvalidInput.
    """
    domain.check_holiday(start=start, end=end)
    seller = await _locked(tx, seller_id)
    seller.holiday_from, seller.holiday_until = start, end
    seller.holiday_message = message.strip()[:300] if start else ""
    await _save_front(tx, actor, seller)
    return seller


async def keep_rating(tx: WriteTx, *, seller_id: UUID, stars: int, reviews: int) -> None:
    """The shop's reviews come to this sum and number of stars; its standing follows."""
    known = await store.lock_figures(tx, seller_id)
    if known is not None:
        await store.save_figures(tx, seller_id, stars=stars, reviews=reviews, record=known[2])


async def keep_record(tx: WriteTx, *, seller_id: UUID, record: domain.Record) -> None:
    """The shop carried its orders out like this lately; its standing follows."""
    known = await store.lock_figures(tx, seller_id)
    if known is not None and known[2] != record:
        stars, reviews, _ = known
        await store.save_figures(tx, seller_id, stars=stars, reviews=reviews, record=record)


async def _save_front(tx: WriteTx, actor: Actor, seller: Seller) -> None:
    await store.save(tx, seller)
    event = StorefrontChanged(
        seller_id=seller.id,
        user_id=seller.user_id,
        shop_name=seller.name,
        slug=seller.slug,
        holiday_from=seller.holiday_from,
        holiday_until=seller.holiday_until,
    )
    outbox.add(tx, event, actor=actor)


async def _locked(tx: WriteTx, seller_id: UUID) -> Seller:
    seller = await store.lock(tx, seller_id)
    if seller is None:
        raise SellerNotFound
    return seller
