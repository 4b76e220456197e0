"""How an order of the demo goes on: what its seller and buyer do next, and after how long."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from souk.contexts.orders import api as orders
from souk.flows.fulfil_order import steps
from souk.kernel.actor import Actor
from souk.platform.database import WriteTx
from souk.platform.services import Services

State = orders.SellerOrderState
Act = Callable[[Services], Awaitable[bool]]
_REASONS = ("It does not fit.", "The colour is not what I expected.", "I ordered one too many.",
            "It arrived with a scratch.")  # fmt: skip
_CANCELLED = ("I found it in a shop nearby.", "Ordered by mistake.", "It would come too late.")
_CARRIERS = ("dhl", "dpd", "gls", "ups")


class Fate(StrEnum):
    """How an order goes."""

    KEPT = "kept"
    """The buyer confirms that it arrived."""
    KEPT_QUIETLY = "kept_quietly"
    """Nobody says anything; it completes when the return window is over."""
    CANCELLED = "cancelled"
    RETURNED = "returned"
    RETURNED_LATE = "returned_late"
    """The return is asked for and the parcel is still on its way back."""
    SLOWLY_TAKEN = "slowly_taken"
    SLOWLY_SENT = "slowly_sent"
    NEW = "new"


@dataclass(slots=True)
class Part:
    """A seller order on its way; `state` is how far it has come."""

    id: UUID
    seller: Actor
    seller_id: UUID
    buyer: Actor
    digital: bool
    fate: Fate
    seed: int
    state: str = State.CONFIRMED


def next_step(part: Part) -> tuple[timedelta, Act] | None:
    """After how long what happens; None when nothing more is done to it by hand. The act says
    whether the part goes on from there."""
    rng = random.Random(f"{part.seed} {part.state}")  # noqa: S311  variety, not secrets
    if part.digital or part.fate is Fate.NEW:
        return None
    match part.state:
        case State.CONFIRMED if part.fate is Fate.CANCELLED:
            return timedelta(hours=rng.uniform(1, 9)), _cancel(part, rng)
        case State.CONFIRMED:
            return timedelta(hours=rng.uniform(2, 20)), _accept(part)
        case State.PROCESSING:
            slow = 4 if part.fate is Fate.SLOWLY_TAKEN else 1
            return timedelta(hours=slow * rng.uniform(8, 24)), _ship(part, rng)
        case State.SHIPPED:
            days = rng.uniform(5, 8) if part.fate is Fate.SLOWLY_SENT else rng.uniform(1, 3)
            return timedelta(days=days), _deliver(part)
        case State.DELIVERED if part.fate in {Fate.RETURNED, Fate.RETURNED_LATE}:
            return timedelta(days=rng.uniform(0.5, 2)), _ask_to_return(part, rng)
        case State.DELIVERED if part.fate in {Fate.KEPT, Fate.SLOWLY_SENT, Fate.SLOWLY_TAKEN}:
            return timedelta(days=rng.uniform(0.3, 4)), _confirm(part)
        case State.RETURN_REQUESTED if part.fate is Fate.RETURNED_LATE:
            return timedelta(days=12), _take_back(part)
        case State.RETURN_REQUESTED:
            return timedelta(days=rng.uniform(3, 6)), _take_back(part)
        case _:
            return None


def _accept(part: Part) -> Act:
    async def act(services: Services) -> bool:
        await services.db.transact(
            lambda tx: orders.accept(
                tx, part.seller, seller_order_id=part.id, seller_id=part.seller_id
            )
        )
        part.state = State.PROCESSING
        return True

    return act


def _ship(part: Part, rng: random.Random) -> Act:
    carrier = rng.choice(_CARRIERS)
    tracking = f"{rng.randrange(10**11, 10**12)}"

    async def act(services: Services) -> bool:
        await services.db.transact(
            lambda tx: steps.ship(
                tx,
                part.seller,
                seller_order_id=part.id,
                seller_id=part.seller_id,
                quantities=None,
                carrier=carrier,
                tracking=tracking,
            )
        )
        part.state = State.SHIPPED
        return True

    return act


def _on_locked(part: Part, work: Callable[[WriteTx, orders.SellerOrder], Awaitable[None]]) -> Act:
    """Run `work` on the locked part, if it is still in the state in which it was planned."""
    planned = part.state

    async def act(services: Services) -> bool:
        async def run(tx: WriteTx) -> bool:
            locked = await orders.lock_part(tx, seller_order_id=part.id)
            if locked.state != planned:
                return False
            await work(tx, locked)
            part.state = locked.state
            return True

        return await services.db.transact(run)

    return act


def _deliver(part: Part) -> Act:
    async def work(tx: WriteTx, locked: orders.SellerOrder) -> None:
        await steps.confirm_delivery(tx, part.seller, part=locked)

    return _on_locked(part, work)


def _confirm(part: Part) -> Act:
    async def work(tx: WriteTx, locked: orders.SellerOrder) -> None:
        reason = "The buyer confirmed that everything is fine."
        await steps.complete(tx, part.buyer, part=locked, reason=reason)

    return _on_locked(part, work)


def _ask_to_return(part: Part, rng: random.Random) -> Act:
    reason = rng.choice(_REASONS)

    async def work(tx: WriteTx, locked: orders.SellerOrder) -> None:
        await steps.request_return(tx, part.buyer, part=locked, reason=reason)

    return _on_locked(part, work)


def _cancel(part: Part, rng: random.Random) -> Act:
    reason = rng.choice(_CANCELLED)

    async def act(services: Services) -> bool:
        await services.db.transact(
            lambda tx: steps.cancel(tx, part.buyer, seller_order_id=part.id, reason=reason)
        )
        part.state = State.CANCELLED
        return False

    return act


def _take_back(part: Part) -> Act:
    async def act(services: Services) -> bool:
        await services.db.transact(
            lambda tx: steps.take_back(
                tx,
                part.seller,
                seller_order_id=part.id,
                seller_id=part.seller_id,
                reason="Everything came back in good order.",
            )
        )
        part.state = State.RETURNED
        return False

    return act
