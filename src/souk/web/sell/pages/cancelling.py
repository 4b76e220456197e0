"""Cancelling single lines or pieces of an order: first what would go back, then the act."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from souk.contexts.orders import api as orders
from souk.flows.fulfil_order import steps
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError
from souk.kernel.money import Money
from souk.platform.database import Database
from souk.platform.http import access
from souk.web.desk import back_to, problem_context, seller_of, status_of
from souk.web.page import Req, form_of, page
from souk.web.sell.cancelling import (
    pieces_left,
    quote,
    read_pieces,
    read_reason,
    read_seen,
    seen_of,
    worth,
)

_ONE = "/sell/orders/{seller_order_id:uuid}/cancel-lines"
_WHY = "Write a sentence that the buyer will read."


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
    return await page(
        request,
        "sell/cancel_lines.html",
        status=status_of(error),
        part=part,
        left=left,
        worth=worth(part, left),
        seen=seen_of(part),
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
    async with db.read() as conn:
        part = await orders.seller_order(conn, seller_order_id, seller_id=seller_id)
    try:
        pieces = read_pieces(form)
        reason, seen = read_reason(form, _WHY), read_seen(form)
        given = quote(part, pieces)
        if form.get("sure") != "1":
            return await page(
                request,
                "sell/cancel_lines_sure.html",
                part=part,
                pieces=pieces,
                given=given,
                reason=reason,
                seen=seen_of(part) if seen is None else seen,
            )
        given = await db.transact(
            lambda tx: steps.cancel_lines(
                tx,
                actor,
                seller_order_id=seller_order_id,
                seller_id=seller_id,
                pieces=pieces,
                reason=reason,
                seen=seen,
            )
        )
    except orders.OrderChanged as error:
        return back_to(request, f"/sell/orders/{seller_order_id}", error.message, tone="warn")
    except DomainError as error:
        return await _show(request, db, actor, seller_order_id, form=form, error=error)
    return back_to(
        request,
        f"/sell/orders/{seller_order_id}",
        f"Cancelled. {Money(given.refund, part.currency)} is on its way back to the buyer.",
    )


routes: list[Any] = [choose, cancel_lines]
