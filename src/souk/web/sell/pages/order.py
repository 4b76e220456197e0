"""One order: accept, pack, ship, cancel, take back, print."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.orders import api as orders
from souk.flows.fulfil_order import steps
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError, NotFound
from souk.platform.database import Database, WriteTx
from souk.platform.http import access
from souk.web.desk import (
    Ask,
    act,
    answer,
    ask,
    back_to,
    problem_context,
    read_int,
    refusal,
    seller_of,
    status_of,
)
from souk.web.page import Req, form_of, page
from souk.web.sell.frame import TO_DO

_LIST = "/sell/orders"
_ONE = _LIST + "/{seller_order_id:uuid}"


async def _show(
    request: Req,
    db: Database,
    actor: Actor,
    seller_order_id: UUID,
    *,
    form: dict[str, str] | None = None,
    error: DomainError | None = None,
) -> Response[bytes]:
    seller_id = seller_of(actor)
    async with db.read() as conn:
        part = await orders.seller_order(conn, seller_order_id, seller_id=seller_id)
        sent_to = await orders.address_of(conn, part.order_id)
        parcels = await fulfilment.of_orders(conn, [part.id])
        beside = await orders.neighbours(
            conn, seller_id=seller_id, seller_order_id=part.id, states=TO_DO
        )
    left = pieces_left(part)
    titles = {line.id: line.title for line in part.lines}
    return await page(
        request,
        "sell/order.html",
        status=status_of(error),
        part=part,
        earning=earning(part),
        left=left,
        may=_possible(part, left),
        address=fulfilment.address_lines(fulfilment.Address(**sent_to)) if sent_to else [],
        parcels=parcels.get(part.id, []),
        titles=titles,
        carriers=[(one.code, one.name) for one in fulfilment.CARRIERS.values()],
        beside=beside,
        accept_by=orders.accept_by(part.placed_at),
        ship_by=orders.ship_by(part.placed_at),
        now=db.clock.now(),
        form=form or {},
        **problem_context(error),
    )


def pieces_left(part: orders.SellerOrderView) -> dict[UUID, int]:
    """How many pieces of each line are still to be sent."""
    if part.state not in {"confirmed", "processing"}:
        return {}
    return {
        line.id: line.quantity - line.fulfilled - line.cancelled
        for line in part.lines
        if line.kind != "digital" and line.quantity > line.fulfilled + line.cancelled
    }


class Earning(msgspec.Struct, frozen=True):
    """What an order comes to for its seller, in minor units without the buyer's tax."""

    goods: int
    discount: int
    delivery: int
    commission: int
    cancelled: int
    net: int


def earning(part: orders.SellerOrderView) -> Earning:
    """The sum and how it is made up; nothing of a cancelled or returned order is earned."""
    gone = orders.given_up(part.lines, delivery=part.delivery, delivery_tax=part.delivery_tax)
    commission = part.commission + part.commission_tax - gone.commission - gone.commission_tax
    given_back = gone.refund - gone.tax
    if part.state in {"cancelled", "returned"}:
        commission, given_back = 0, part.total - part.tax
    return Earning(
        goods=part.items,
        discount=part.discount,
        delivery=part.delivery,
        commission=commission,
        cancelled=given_back,
        net=part.total - part.tax - given_back - commission,
    )


def _possible(part: orders.SellerOrderView, left: dict[UUID, int]) -> set[str]:
    """What the seller can do with the order now."""
    may: set[str] = set()
    if part.state == "confirmed" and left:
        may.add("accept")
    if left:
        may |= {"ship", "cancel-lines"}
        if part.packed_at is None:
            may.add("pack")
    if part.state in {"confirmed", "processing"} and not any(line.fulfilled for line in part.lines):
        may.add("cancel")
    if part.state == "return_requested":
        may.add("return")
    return may


@get(_ONE, access=access.SELLER, include_in_schema=False)
async def order_page(
    request: Req, db: Database, actor: Actor, seller_order_id: FromPath[UUID]
) -> Response[bytes]:
    """One order with everything that can be done with it."""
    return await _show(request, db, actor, seller_order_id)


async def _step(
    request: Req,
    db: Database,
    actor: Actor,
    seller_order_id: UUID,
    step: Callable[..., Awaitable[object]],
    done: str,
) -> Response[bytes]:
    """One step that needs nothing but the order; then its page."""
    return await act(
        request,
        db,
        lambda tx: step(tx, actor, seller_order_id=seller_order_id, seller_id=seller_of(actor)),
        to=f"{_LIST}/{seller_order_id}",
        done=done,
    )


@post(_ONE + "/pack", access=access.SELLER, rate="write", include_in_schema=False)
async def pack(
    request: Req, db: Database, actor: Actor, seller_order_id: FromPath[UUID]
) -> Response[bytes]:
    """The parcel is packed; taken on as well, if it was not."""
    done = "Packed. Enter the tracking number when the carrier has it."
    return await _step(request, db, actor, seller_order_id, orders.pack, done)


@post(_ONE + "/accept", access=access.SELLER, rate="write", include_in_schema=False)
async def accept(
    request: Req, db: Database, actor: Actor, seller_order_id: FromPath[UUID]
) -> Response[bytes]:
    """Take the order on."""
    done = "Accepted. Pack it, then enter the tracking number."
    return await _step(request, db, actor, seller_order_id, orders.accept, done)


@post(_ONE + "/ship", access=access.SELLER, rate="write", include_in_schema=False)
async def ship(
    request: Req, db: Database, actor: Actor, seller_order_id: FromPath[UUID]
) -> Response[bytes]:
    """Hand a parcel over: all that is left, or the units that were entered."""
    form = await form_of(request)
    try:
        if form.get("carrier") not in fulfilment.CARRIERS:
            raise refusal("carrier", "Choose who carries it.")
        tracking = form.get("tracking", "")
        if len(tracking) > 100 or "\x00" in tracking:
            raise refusal("tracking", "Shorten this to 100 characters.")
        quantities = _quantities(form)
        await db.transact(
            lambda tx: steps.ship(
                tx,
                actor,
                seller_order_id=seller_order_id,
                seller_id=seller_of(actor),
                quantities=quantities,
                carrier=form["carrier"],
                tracking=tracking,
            )
        )
    except DomainError as error:
        return await _show(request, db, actor, seller_order_id, form=form, error=error)
    return back_to(
        request, f"{_LIST}/{seller_order_id}", "The parcel is on its way. The buyer knows."
    )


def _quantities(form: dict[str, str]) -> dict[UUID, int] | None:
    """Units by line, None for all that is left. Raises InvalidInput."""
    given = {
        name.removeprefix("units."): text
        for name, text in form.items()
        if name.startswith("units.")
    }
    if not given:
        return None
    found: dict[UUID, int] = {}
    for line, text in given.items():
        try:
            line_id = UUID(line)
        except ValueError as error:
            raise NotFound("There is no such line. Reload the page.") from error
        units = read_int(text or "0", path=f"units.{line}", most=10_000)
        if units:
            found[line_id] = units
    if not found:
        raise refusal("units", "Put at least one piece into the parcel.")
    return found


_QUESTIONS: dict[str, dict[str, Any]] = {
    "cancel": {
        "title": "Cancel this order?",
        "text": "The buyer is told why and gets the whole amount back.",
        "consequences": ["The goods go back to your stock.", "This cannot be taken back."],
        "reason": "Why, in a sentence to the buyer",
        "confirm": "Cancel the order",
        "done": "The order is cancelled and the money is on its way back to the buyer.",
    },
    "returned": {
        "title": "Are the goods back?",
        "text": "The buyer gets the whole amount back.",
        "consequences": ["The goods go back to your stock.", "Your earnings of it are taken back."],
        "reason": "In what state they came back, to the buyer",
        "confirm": "They are back: refund",
        "done": "The return is complete and the money is on its way back to the buyer.",
    },
    "refuse": {
        "title": "Refuse the return?",
        "text": "The buyer is told why. The order counts as delivered again.",
        "consequences": ["The buyer can ask us to decide."],
        "reason": "Why, in a sentence to the buyer",
        "confirm": "Refuse the return",
        "done": "The return is refused and the buyer was told why.",
    },
}  # fmt: skip


def _question(seller_order_id: UUID, what: str) -> Ask:
    if what not in _QUESTIONS:
        raise NotFound("There is nothing at this address. Look at your list of orders.")
    own = f"{_LIST}/{seller_order_id}"
    return Ask(**_QUESTIONS[what], action=f"{own}/{what}", back=own)


@get(_ONE + "/{what:str}", access=access.SELLER, include_in_schema=False)
async def question_page(
    request: Req, db: Database, actor: Actor, seller_order_id: FromPath[UUID], what: FromPath[str]
) -> Response[bytes]:
    """Ask before an order is cancelled or a return decided."""
    question = _question(seller_order_id, what)
    async with db.read() as conn:
        await orders.seller_order(conn, seller_order_id, seller_id=seller_of(actor))
    return await ask(request, question)


@post(_ONE + "/{what:str}", access=access.SELLER, rate="write", include_in_schema=False)
async def decide(
    request: Req, db: Database, actor: Actor, seller_order_id: FromPath[UUID], what: FromPath[str]
) -> Response[bytes]:
    """Cancel, take back or refuse, with the reason."""
    seller_id = seller_of(actor)

    async def work(tx: WriteTx, reason: str) -> None:
        if len(reason) < 3:
            raise refusal("reason", "Write a sentence that the buyer will read.")
        if what == "cancel":
            await steps.cancel(
                tx, actor, seller_order_id=seller_order_id, seller_id=seller_id, reason=reason
            )
        elif what == "returned":
            await steps.take_back(
                tx, actor, seller_order_id=seller_order_id, seller_id=seller_id, reason=reason
            )
        else:
            part = await orders.lock_part(tx, seller_order_id=seller_order_id, seller_id=seller_id)
            await steps.refuse_return(tx, actor, part=part, reason=reason)

    return await answer(request, db, _question(seller_order_id, what), work)


routes: list[Any] = [
    order_page, pack, accept, ship, question_page, decide,
]  # fmt: skip
