"""The order desk: accept, ship, cancel, take back, print."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.orders import api as orders
from souk.contexts.sellers import api as sellers
from souk.flows.fulfil_order import steps
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError, NotFound
from souk.platform.database import Database, WriteTx
from souk.platform.http import access
from souk.web.desk import (
    Ask,
    act,
    address,
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
from souk.web.sell.frame import TO_DO, desk_counts

_LIST = "/sell/orders"
_ONE = _LIST + "/{seller_order_id:uuid}"
TABS = {
    "todo": TO_DO,
    "confirmed": ("confirmed",),
    "processing": ("processing",),
    "shipped": ("shipped",),
    "delivered": ("delivered", "completed"),
    "returns": ("return_requested", "returned"),
    "cancelled": ("cancelled",),
    "all": (),
}


@get(_LIST, access=access.SELLER, include_in_schema=False)
async def orders_page(
    request: Req,
    db: Database,
    actor: Actor,
    tab: Annotated[str, QueryParameter(max_length=20)] = "todo",
    cursor: Annotated[str | None, QueryParameter(max_length=1_024)] = None,
) -> Response[bytes]:
    """Orders by what is to be done with them."""
    seller_id = seller_of(actor)
    shown = tab if tab in TABS else "todo"
    async with db.read() as conn:
        counts = await orders.seller_order_counts(conn, seller_id=seller_id)
        found = await orders.seller_orders(
            conn, seller_id=seller_id, states=TABS[shown], cursor=cursor
        )
        frame = await desk_counts(conn, seller_id)
    return await page(
        request,
        "sell/orders.html",
        rows=found.items,
        tab=shown,
        counts={
            name: sum(counts.get(state, 0) for state in states) if states else sum(counts.values())
            for name, states in TABS.items()
        },
        next_url=address(_LIST, tab=shown, cursor=found.next_cursor) if found.next_cursor else None,
        desk_counts=frame,
    )


async def _show(
    request: Req,
    db: Database,
    actor: Actor,
    seller_order_id: UUID,
    *,
    template: str = "sell/order.html",
    form: dict[str, str] | None = None,
    error: DomainError | None = None,
) -> Response[bytes]:
    seller_id = seller_of(actor)
    async with db.read() as conn:
        part = await orders.seller_order(conn, seller_order_id, seller_id=seller_id)
        sent_to = await orders.address_of(conn, part.order_id)
        parcels = await fulfilment.of_orders(conn, [part.id])
        shop = await sellers.account(conn, seller_id=seller_id)
        frame = await desk_counts(conn, seller_id)
    physical = any(line.kind != "digital" for line in part.lines)
    return await page(
        request,
        template,
        status=status_of(error),
        part=part,
        shop=shop,
        physical=physical,
        left={line.id: line.quantity - line.fulfilled - line.cancelled for line in part.lines},
        may=_possible(part, physical=physical),
        address=fulfilment.address_lines(fulfilment.Address(**sent_to)) if sent_to else [],
        parcels=parcels.get(part.id, []),
        carriers=[(one.code, one.name) for one in fulfilment.CARRIERS.values()],
        form=form or {},
        desk_counts=frame,
        **problem_context(error),
    )


def _possible(part: orders.SellerOrderView, *, physical: bool) -> set[str]:
    """What the seller can do with the order now."""
    may: set[str] = set()
    if part.state == "confirmed" and physical:
        may.add("accept")
    if part.state in {"confirmed", "processing"}:
        if physical:
            may.add("ship")
        if not any(line.fulfilled for line in part.lines):
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


@get(_ONE + "/slip", access=access.SELLER, include_in_schema=False)
async def packing_slip(
    request: Req, db: Database, actor: Actor, seller_order_id: FromPath[UUID]
) -> Response[bytes]:
    """A page of paper that goes into the parcel."""
    return await _show(request, db, actor, seller_order_id, template="sell/slip.html")


@post(_ONE + "/accept", access=access.SELLER, rate="write", include_in_schema=False)
async def accept(
    request: Req, db: Database, actor: Actor, seller_order_id: FromPath[UUID]
) -> Response[bytes]:
    """Take the order on."""
    return await act(
        request,
        db,
        lambda tx: orders.accept(
            tx, actor, seller_order_id=seller_order_id, seller_id=seller_of(actor)
        ),
        to=f"{_LIST}/{seller_order_id}",
        done="Accepted. Pack it, then enter the tracking number.",
    )


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
    orders_page, order_page, packing_slip, accept, ship, question_page, decide,
]  # fmt: skip
