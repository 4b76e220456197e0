"""Stock: levels, what changed them, and counting."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError
from souk.platform.database import Database, WriteTx
from souk.platform.http import access
from souk.platform.http.wire import clean_text
from souk.web.desk import (
    address,
    back_to,
    problem_context,
    read_int,
    refusal,
    seller_of,
    status_of,
)
from souk.web.page import Req, form_of, page
from souk.web.sell.frame import desk_counts

_LIST = "/sell/stock"
_ONE = _LIST + "/{variant_id:uuid}"
_Cursor = Annotated[str | None, QueryParameter(max_length=1_024)]


@get(_LIST, access=access.SELLER, include_in_schema=False)
async def stock_page(
    request: Req,
    db: Database,
    actor: Actor,
    low: Annotated[str, QueryParameter(max_length=1)] = "",
    cursor: _Cursor = None,
) -> Response[bytes]:
    """What is on hand of everything, or of what runs low."""
    seller_id = seller_of(actor)
    async with db.read() as conn:
        found = await inventory.stock(conn, seller_id, low_only=low == "1", cursor=cursor, limit=50)
        named = await listings.purchasable(conn, [row.variant_id for row in found.items])
        frame = await desk_counts(conn, seller_id)
    return await page(
        request,
        "sell/stock.html",
        rows=[{"level": row, "what": named.get(row.variant_id)} for row in found.items],
        low=low == "1",
        next_url=address(_LIST, low=low, cursor=found.next_cursor) if found.next_cursor else None,
        desk_counts=frame,
    )


async def _show(
    request: Req,
    db: Database,
    actor: Actor,
    variant_id: UUID,
    *,
    cursor: str | None = None,
    form: dict[str, str] | None = None,
    error: DomainError | None = None,
) -> Response[bytes]:
    seller_id = seller_of(actor)
    async with db.read() as conn:
        level = await inventory.stock_of(conn, seller_id, variant_id)
        named = await listings.purchasable(conn, [variant_id])
        moves = await inventory.movements(conn, seller_id, variant_id, cursor=cursor)
        frame = await desk_counts(conn, seller_id)
    own = f"{_LIST}/{variant_id}"
    return await page(
        request,
        "sell/stock_item.html",
        status=status_of(error),
        level=level,
        what=named.get(variant_id),
        movements=moves.items,
        next_url=address(own, cursor=moves.next_cursor) if moves.next_cursor else None,
        form=form or {"on_hand": str(level.on_hand), "low_stock_at": str(level.low_stock_at)},
        desk_counts=frame,
        **problem_context(error),
    )


@get(_ONE, access=access.SELLER, include_in_schema=False)
async def item_page(
    request: Req, db: Database, actor: Actor, variant_id: FromPath[UUID], cursor: _Cursor = None
) -> Response[bytes]:
    """One variant: its level and every change of it."""
    return await _show(request, db, actor, variant_id, cursor=cursor)


@post(_ONE, access=access.SELLER, rate="write", include_in_schema=False)
async def adjust(
    request: Req, db: Database, actor: Actor, variant_id: FromPath[UUID]
) -> Response[bytes]:
    """Set what is on hand, with the reason, and when to be warned."""
    form = await form_of(request)

    async def work(tx: WriteTx) -> None:
        seller_id = seller_of(actor)
        if form.get("reason") not in set(inventory.Reason):
            raise refusal("reason", "Choose why it changed.")
        await inventory.set_low_stock_at(
            tx, actor, seller_id=seller_id, variant_id=variant_id,
            low_stock_at=read_int(form.get("low_stock_at", ""), path="low_stock_at"),
        )  # fmt: skip
        level = await inventory.stock_of(tx, seller_id, variant_id)
        if level.tracked:
            await inventory.adjust(
                tx, actor, seller_id=seller_id, variant_id=variant_id,
                absolute=read_int(form.get("on_hand", ""), path="on_hand"),
                reason=inventory.Reason(form["reason"]),
                reference=clean_text(form.get("note", ""), path="note")[:200],
            )  # fmt: skip

    try:
        await db.transact(work)
    except DomainError as error:
        return await _show(request, db, actor, variant_id, form=form, error=error)
    return back_to(request, f"{_LIST}/{variant_id}", "The stock is saved.")


routes: list[Any] = [stock_page, item_page, adjust]
