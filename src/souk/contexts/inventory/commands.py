"""What changes stock. Each runs inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from souk.contexts.inventory import domain, store
from souk.contexts.inventory.domain import MAX_ON_HAND, Reason, StockLevel
from souk.contexts.inventory.errors import ReservationGone
from souk.kernel.actor import Actor, system
from souk.kernel.errors import FieldProblem, InvalidInput, NotFound
from souk.platform import outbox
from souk.platform.database import WriteTx
from souk.published.inventory import LowStock, StockChanged

_SYSTEM = system("inventory")
DEFAULT_LOW_STOCK_AT = 3


@dataclass(frozen=True, slots=True)
class StockSetUp:
    """A new variant's first stock. `on_hand` means nothing when it is not `tracked`."""

    variant_id: UUID
    listing_id: UUID
    seller_id: UUID
    on_hand: int = 0
    tracked: bool = True


async def set_up(tx: WriteTx, actor: Actor, *, items: Sequence[StockSetUp]) -> None:
    """Begin to count new variants. Those that are known already stay as they are.

    Raises InvalidInput for a number on hand below zero or beyond reason.
    """
    if not items:
        return
    for index, item in enumerate(items):
        if not 0 <= item.on_hand <= MAX_ON_HAND:
            problem = FieldProblem(
                f"items[{index}].on_hand", "out_of_range", f"Give 0 to {MAX_ON_HAND}."
            )
            raise InvalidInput("The stock on hand is wrong.", problems=[problem])
    new = [
        StockLevel(
            item.variant_id,
            item.listing_id,
            item.seller_id,
            item.on_hand if item.tracked else 0,
            0,
            item.tracked,
            DEFAULT_LOW_STOCK_AT,
        )
        for item in sorted(items, key=lambda item: item.variant_id)
    ]
    before = await store.lock_listings(tx, sorted({item.listing_id for item in items}))
    made = await store.insert(tx, new, actor=actor.label())
    after = before + [level for level in new if level.variant_id in made]
    _publish(tx, actor, before, after)


async def adjust(
    tx: WriteTx,
    actor: Actor,
    *,
    seller_id: UUID,
    variant_id: UUID,
    delta: int | None = None,
    absolute: int | None = None,
    reason: Reason,
    reference: str = "",
) -> int:
    """Change a seller's stock by `delta` or to `absolute`; returns the number on hand.

    Raises NotFound for a variant that is not the seller's, StockTooLow, StockNotCounted,
    InvalidInput.
    """
    domain.check_seller_reason(reason)
    before, own = await _own(tx, seller_id=seller_id, variant_id=variant_id)
    changed = domain.adjust(own, delta=delta, absolute=absolute)
    if changed.on_hand == own.on_hand:
        return own.on_hand
    await store.save_on_hand(
        tx, [(own, changed)], reason=reason, reference=reference, actor=actor.label()
    )
    _publish(tx, actor, before, _with(before, changed))
    return changed.on_hand


async def set_low_stock_at(
    tx: WriteTx, actor: Actor, *, seller_id: UUID, variant_id: UUID, low_stock_at: int
) -> None:
    """Set from which number on hand downwards the seller is warned. Raises NotFound."""
    before, own = await _own(tx, seller_id=seller_id, variant_id=variant_id)
    await store.save_low_stock_at(tx, variant_id, low_stock_at)
    _publish(tx, actor, before, _with(before, replace(own, low_stock_at=low_stock_at)))


async def _own(
    tx: WriteTx, *, seller_id: UUID, variant_id: UUID
) -> tuple[list[StockLevel], StockLevel]:
    levels = await store.lock_own(tx, seller_id=seller_id, variant_id=variant_id)
    for level in levels:
        if level.variant_id == variant_id:
            return levels, level
    raise NotFound("There is no such item in your stock. Check the link or reload the list.")


def _with(levels: Sequence[StockLevel], changed: StockLevel) -> list[StockLevel]:
    return [changed if level.variant_id == changed.variant_id else level for level in levels]


async def reserve(
    tx: WriteTx,
    *,
    checkout_id: UUID,
    lines: Sequence[tuple[UUID, int]],
    expires_at: datetime,
) -> None:
    """Hold (variant, quantity) lines for a checkout, in place of what it held before.

    All or nothing: raises SoldOut, naming each variant with how many are left, and changes nothing.
    """
    wanted = domain.combine(lines)
    before = await store.lock(tx, variant_ids=list(wanted), checkout_ids=[checkout_id])
    held = await store.held(tx, checkout_id)
    if not held.keys() <= {level.variant_id for level in before}:
        # Another call reserved for this checkout while this one waited for the lock.
        before = await store.lock(tx, variant_ids=[*wanted, *held])
    after = domain.reserve(before, held=held, wanted=wanted)
    await store.save_reservation(
        tx, checkout_id=checkout_id, wanted=wanted, expires_at=expires_at, levels=after
    )
    _publish(tx, _SYSTEM, before, after)


async def extend(tx: WriteTx, checkout_id: UUID, expires_at: datetime) -> None:
    """Hold a checkout's items until `expires_at`, while a payment is under way.

    Never shortens. What was not released is still held, even past its time. Raises
    ReservationGone if nothing is held.
    """
    if not await store.extend(tx, checkout_id, expires_at):
        raise ReservationGone(checkout_id)


async def consume(tx: WriteTx, actor: Actor, *, checkout_id: UUID, reference: str) -> None:
    """Turn what a checkout holds into sales. Raises ReservationGone if it holds nothing now.

    `reference` names the order on the movements.
    """
    before = await store.lock_reserved(tx, checkout_id)
    sold = await store.consume(tx, checkout_id, reference=reference, actor=actor.label())
    if not sold:
        raise ReservationGone(checkout_id)
    # What is available stays the same, so only the warning to the seller can be due.
    _warn(tx, actor, before, domain.sell(before, held=sold))


async def release(tx: WriteTx, checkout_id: UUID) -> None:
    """Put what a checkout holds back on sale; nothing happens if it holds nothing."""
    await release_all(tx, [checkout_id])


async def release_all(tx: WriteTx, checkout_ids: Sequence[UUID]) -> None:
    """Put what several checkouts hold back on sale, with the locks taken in one order."""
    if not checkout_ids:
        return
    before = await store.lock(tx, checkout_ids=checkout_ids)
    freed = domain.combine(await store.release(tx, checkout_ids))
    _publish(tx, _SYSTEM, before, domain.release(before, held=freed))


async def put_back(
    tx: WriteTx,
    actor: Actor,
    *,
    lines: Sequence[tuple[UUID, int]],
    reference: str,
    reason: Reason = Reason.RETURN,
) -> None:
    """Goods of a cancelled or returned sale come back to the shelf; unknown variants are left out.

    Call it once, in the transaction that records the cancellation: every call counts.
    """
    returned = domain.combine(lines)
    before = await store.lock(tx, variant_ids=list(returned))
    after = domain.add(before, returned=returned)
    changes = [
        (old, new) for old, new in zip(before, after, strict=True) if new.on_hand != old.on_hand
    ]
    if not changes:
        return
    await store.save_on_hand(tx, changes, reason=reason, reference=reference, actor=actor.label())
    _publish(tx, actor, before, after)


def _publish(
    tx: WriteTx, actor: Actor, before: Sequence[StockLevel], after: Sequence[StockLevel]
) -> None:
    for change in domain.listing_changes(before, after):
        event = StockChanged(
            listing_id=change.listing_id,
            seller_id=change.seller_id,
            available=change.available,
            unlimited=change.unlimited,
            in_stock=change.in_stock,
            low=change.low,
        )
        outbox.add(tx, event, actor=actor)
    _warn(tx, actor, before, after)


def _warn(
    tx: WriteTx, actor: Actor, before: Sequence[StockLevel], after: Sequence[StockLevel]
) -> None:
    for level in domain.ran_low(before, after):
        event = LowStock(
            listing_id=level.listing_id,
            variant_id=level.variant_id,
            seller_id=level.seller_id,
            on_hand=level.on_hand,
            low_stock_at=level.low_stock_at,
        )
        outbox.add(tx, event, actor=actor)
