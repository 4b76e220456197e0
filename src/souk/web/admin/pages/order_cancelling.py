"""Cancelling for a seller what was not sent: what would go back to whom, then the act."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from souk.contexts.inventory import api as inventory
from souk.contexts.orders import api as orders
from souk.contexts.sellers import api as sellers
from souk.flows.fulfil_order import operate
from souk.kernel.actor import Actor, Permission
from souk.kernel.errors import DomainError
from souk.platform.amounts import money
from souk.platform.database import Database
from souk.platform.http import access
from souk.web.desk import back_to, problem_context, sentence_of, status_of
from souk.web.page import Req, form_of, language_of, page, translate
from souk.web.sell import cancelling

_MAY = access.operator(Permission.ORDERS_MANAGE)
_ONE = "/admin/orders/{order_id:uuid}/parts/{seller_order_id:uuid}/cancel"
_WHY = "Write a sentence that the buyer and the seller will read."
REASONS = [
    "The buyer asked us to cancel it.",
    "The seller does not answer.",
    "The goods cannot be had any more.",
    "The payment looks as if somebody else had made it.",
]


def possible(part: orders.SellerOrderView) -> bool:
    """Is there anything of the part that an operator can still cancel?"""
    try:
        return bool(operate.whole_of(part))
    except DomainError:
        return bool(cancelling.pieces_left(part))


def _pieces(
    form: Mapping[str, str], part: orders.SellerOrderView
) -> tuple[dict[UUID, int], orders.GivenUp]:
    """What the form cancels and what that gives back; `what` says whether it is all of the part.

    Raises InvalidInput, NotFound, AlreadySent, AlreadyCancelled, NothingToCancel.
    """
    if form.get("what") == "all":
        pieces = operate.whole_of(part)
        given = orders.quote(
            part.lines, pieces, delivery=part.delivery, delivery_tax=part.delivery_tax
        )
        return pieces, given
    pieces = cancelling.read_pieces(form)
    return pieces, cancelling.quote(part, pieces)


def _reason(form: Mapping[str, str]) -> str:
    return cancelling.read_reason({"reason": sentence_of(form, REASONS)}, _WHY)


async def _choose(
    request: Req,
    db: Database,
    part: orders.SellerOrderView,
    *,
    form: Mapping[str, str],
    error: DomainError | None = None,
) -> Response[bytes]:
    back = f"/admin/orders/{part.order_id}"
    if not possible(part):
        try:
            operate.whole_of(part)
        except DomainError as refused:
            return back_to(request, back, refused.message, tone="warn")
    async with db.read() as conn:
        shops = await sellers.cards(conn, [part.seller_id])
    left = cancelling.pieces_left(part)
    return await page(
        request,
        "admin/cancel.html",
        status=status_of(error),
        part=part,
        shop=shops.get(part.seller_id),
        left=left,
        worth=cancelling.worth(part, left),
        whole=not any(line.fulfilled for line in part.lines),
        rest=part.total - part.refunded,
        seen=cancelling.seen_of(part),
        reasons=REASONS,
        form=form,
        **problem_context(error),
    )


@get(_ONE, access=_MAY, include_in_schema=False)
async def choose(
    request: Req,
    db: Database,
    order_id: FromPath[UUID],
    seller_order_id: FromPath[UUID],
    line: Annotated[str, QueryParameter(max_length=36)] = "",
) -> Response[bytes]:
    """Which pieces, and why; `line` is chosen whole beforehand."""
    async with db.read() as conn:
        part = await operate.part_of(conn, order_id=order_id, seller_order_id=seller_order_id)
    return await _choose(request, db, part, form={"line": line})


async def _sure(
    request: Req,
    db: Database,
    part: orders.SellerOrderView,
    form: Mapping[str, str],
) -> Response[bytes]:
    """Everything that would happen, to be confirmed. Raises what `_pieces` raises."""
    pieces, given = _pieces(form, part)
    reason, seen = _reason(form), cancelling.read_seen(form)
    async with db.read() as conn:
        stock = await inventory.availability(conn, [line.variant_id for line in part.lines])
        shops = await sellers.cards(conn, [part.seller_id])
    counted = {
        line.id for line in part.lines if (level := stock.get(line.variant_id)) and level.tracked
    }
    return await page(
        request,
        "admin/cancel_sure.html",
        part=part,
        shop=shops.get(part.seller_id),
        pieces=pieces,
        given=given,
        counted=counted,
        reason=reason,
        whole=form.get("what") == "all",
        seen=cancelling.seen_of(part) if seen is None else seen,
    )


@post(_ONE, access=_MAY, rate="write", include_in_schema=False)
async def cancel(
    request: Req,
    db: Database,
    actor: Actor,
    order_id: FromPath[UUID],
    seller_order_id: FromPath[UUID],
) -> Response[bytes]:
    """Say what goes back to whom; with `sure`, do it."""
    form = await form_of(request)
    back = f"/admin/orders/{order_id}"
    async with db.read() as conn:
        part = await operate.part_of(conn, order_id=order_id, seller_order_id=seller_order_id)
    try:
        if form.get("sure") != "1":
            return await _sure(request, db, part, form)
        pieces = None if form.get("what") == "all" else cancelling.read_pieces(form)
        reason, seen = _reason(form), cancelling.read_seen(form)
        refund = await db.transact(
            lambda tx: operate.cancel(
                tx,
                actor,
                order_id=order_id,
                seller_order_id=seller_order_id,
                pieces=pieces,
                reason=reason,
                seen=seen,
            )
        )
    except (operate.AlreadySent, operate.AlreadyCancelled, orders.OrderChanged) as error:
        return back_to(request, back, error.message, tone="warn")
    except DomainError as error:
        return await _choose(request, db, part, form=form, error=error)
    text = translate(request, "Cancelled. %(amount)s is on its way back to the buyer.")
    amount = money(refund.amount, refund.currency, language_of(request))
    return back_to(request, back, text % {"amount": amount})


routes: list[Any] = [choose, cancel]
