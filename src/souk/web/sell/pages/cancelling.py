"""Cancelling single lines or pieces of an order: first what would go back, then the act."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from souk.contexts.orders import api as orders
from souk.flows.fulfil_order import steps
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError, NotFound
from souk.kernel.ids import parse_uuid
from souk.kernel.money import Money
from souk.platform.database import Database
from souk.platform.http import access
from souk.web.desk import back_to, problem_context, read_int, refusal, seller_of, status_of
from souk.web.page import Req, form_of, page
from souk.web.sell.pages.order import pieces_left

_ONE = "/sell/orders/{seller_order_id:uuid}/cancel-lines"
_SHORTEST = 3


def _pieces(form: dict[str, str]) -> dict[UUID, int]:
    """Pieces to cancel by line. Raises InvalidInput, NotFound."""
    found: dict[UUID, int] = {}
    for name, text in form.items():
        if not name.startswith("units."):
            continue
        line_id = parse_uuid(name.removeprefix("units."))
        if line_id is None:
            raise NotFound("There is no such line. Reload the page.")
        units = read_int(text or "0", path=name, most=1_000_000)
        if units:
            found[line_id] = units
    if not found:
        raise refusal("units", "Choose at least one piece to cancel.")
    return found


def _quote(part: orders.SellerOrderView, pieces: dict[UUID, int]) -> orders.GivenUp:
    """What cancelling these pieces gives back. Raises NothingToCancel past what is left."""
    left = pieces_left(part)
    if any(units > left.get(line_id, 0) for line_id, units in pieces.items()):
        raise orders.NothingToCancel
    return orders.quote(part.lines, pieces, delivery=part.delivery, delivery_tax=part.delivery_tax)


async def _show(
    request: Req,
    db: Database,
    actor: Actor,
    seller_order_id: UUID,
    *,
    form: dict[str, str],
    error: DomainError | None = None,
) -> Response[bytes]:
    seller_id = seller_of(actor)
    async with db.read() as conn:
        part = await orders.seller_order(conn, seller_order_id, seller_id=seller_id)
    left = pieces_left(part)
    if not left:
        text = "Nothing of this order is left to cancel."
        return back_to(request, f"/sell/orders/{part.id}", text, tone="warn")
    worth = {
        line.id: [
            Money(
                orders.of_pieces(line.total, pieces=line.cancelled + units, quantity=line.quantity)
                - orders.of_pieces(line.total, pieces=line.cancelled, quantity=line.quantity),
                part.currency,
            )
            for units in range(min(left[line.id], 50) + 1)
        ]
        for line in part.lines
        if line.id in left
    }
    return await page(
        request,
        "sell/cancel_lines.html",
        status=status_of(error),
        part=part,
        left=left,
        worth=worth,
        form=form,
        **problem_context(error),
    )


@get(_ONE, access=access.SELLER, include_in_schema=False)
async def choose(
    request: Req,
    db: Database,
    actor: Actor,
    seller_order_id: FromPath[UUID],
    line: Annotated[str, QueryParameter(max_length=36)] = "",
) -> Response[bytes]:
    """Which pieces, and why; `line` is chosen whole beforehand."""
    return await _show(request, db, actor, seller_order_id, form={"line": line})


@post(_ONE, access=access.SELLER, rate="write", include_in_schema=False)
async def cancel_lines(
    request: Req, db: Database, actor: Actor, seller_order_id: FromPath[UUID]
) -> Response[bytes]:
    """Say what goes back to the buyer; with `sure`, do it."""
    form = await form_of(request)
    seller_id = seller_of(actor)
    reason = form.get("reason", "")
    async with db.read() as conn:
        part = await orders.seller_order(conn, seller_order_id, seller_id=seller_id)
    try:
        pieces = _pieces(form)
        if not _SHORTEST <= len(reason) <= 500 or "\x00" in reason:
            raise refusal("reason", "Write a sentence that the buyer will read.")
        given = _quote(part, pieces)
        if form.get("sure") != "1":
            return await page(
                request,
                "sell/cancel_lines_sure.html",
                part=part,
                pieces=pieces,
                given=given,
                reason=reason,
            )
        given = await db.transact(
            lambda tx: steps.cancel_lines(
                tx,
                actor,
                seller_order_id=seller_order_id,
                seller_id=seller_id,
                pieces=pieces,
                reason=reason,
            )
        )
    except DomainError as error:
        return await _show(request, db, actor, seller_order_id, form=form, error=error)
    return back_to(
        request,
        f"/sell/orders/{seller_order_id}",
        f"Cancelled. {Money(given.refund, part.currency)} is on its way back to the buyer.",
    )


routes: list[Any] = [choose, cancel_lines]
