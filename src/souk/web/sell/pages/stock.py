"""Stock: levels, what changed them, and counting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.contexts.orders import api as orders
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError
from souk.kernel.ids import parse_uuid
from souk.kernel.money import Money
from souk.platform.database import Database, ReadConn, WriteTx
from souk.platform.http import access
from souk.platform.http.wire import clean_text
from souk.web.csv import csv_answer
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

_LIST = "/sell/stock"
_ONE = _LIST + "/{variant_id:uuid}"
_SHOWN = ("all", "low", "out")
_ROWS = 50
_Word = Annotated[str, QueryParameter(max_length=100)]
_Cursor = Annotated[str | None, QueryParameter(max_length=1_024)]


class Asked(msgspec.Struct, frozen=True):
    """What the list was asked for."""

    show: str
    q: str
    sort: str

    def url(self, **more: object) -> str:
        """The same question, with changes."""
        asked: dict[str, object] = {"show": self.show, "q": self.q, "sort": self.sort}
        plain = {"show": "all", "sort": "made"}
        said = {name: value for name, value in (asked | more).items() if plain.get(name) != value}
        return address(_LIST, **said)


@get(_LIST, access=access.SELLER, include_in_schema=False)
async def stock_page(
    request: Req,
    db: Database,
    actor: Actor,
    *,
    show: _Word = "all",
    q: _Word = "",
    sort: _Word = "made",
    low: _Word = "",
    cursor: _Cursor = None,
) -> Response[bytes]:
    """What is on hand of everything, or of what runs low or is gone; countable in place."""
    shown = "low" if low == "1" else show if show in _SHOWN else "all"
    return await _list(
        request, db, actor, asked=Asked(shown, q.replace("\x00", "").strip(), sort), cursor=cursor
    )


async def _list(
    request: Req,
    db: Database,
    actor: Actor,
    *,
    asked: Asked,
    cursor: str | None = None,
    form: dict[str, str] | None = None,
    error: DomainError | None = None,
) -> Response[bytes]:
    seller_id = seller_of(actor)
    async with db.read() as conn:
        only = await listings.variants_like(conn, seller_id, asked.q) if asked.q else None
        found = await inventory.stock(
            conn,
            seller_id,
            show=asked.show,
            variant_ids=only,
            least_first=asked.sort == "least",
            cursor=cursor,
            limit=_ROWS,
        )
        named = await listings.variant_names(
            conn, seller_id, [row.variant_id for row in found.items]
        )
        counts = await inventory.stock_counts(conn, seller_id)
    return await page(
        request,
        "sell/stock.html",
        status=status_of(error),
        rows=[{"level": row, "what": named.get(row.variant_id)} for row in found.items],
        asked=asked,
        stock_counts=counts,
        urls={name: asked.url(show=name) for name in _SHOWN},
        here=asked.url(cursor=cursor),
        next_url=asked.url(cursor=found.next_cursor) if found.next_cursor else None,
        form=form or {},
        **problem_context(error),
    )


@post(_LIST, access=access.SELLER, rate="write", include_in_schema=False)
async def count_many(request: Req, db: Database, actor: Actor) -> Response[bytes]:
    """Save what was counted anew in the list: only what was changed, for one reason."""
    form = await form_of(request)
    asked = Asked(form.get("show", "all"), form.get("q", ""), form.get("sort", "made"))
    asked = asked if asked.show in _SHOWN else Asked("all", "", "made")
    try:
        reason = _reason(form)
        note = clean_text(form.get("note", ""), path="note")[:200]
        counted = _counted(form)
    except DomainError as error:
        return await _list(request, db, actor, asked=asked, form=form, error=error)
    done, refused = 0, ""
    for variant_id, was, number in counted:
        try:
            await db.transact(
                lambda tx, each=variant_id, was=was, number=number: _count(
                    tx, actor, each, was=was, number=number, reason=reason, note=note
                )
            )
            done += 1
        except DomainError as error:
            refused = error.message
    back = form.get("back", "")
    to = back if back.startswith(_LIST) else asked.url()
    if refused:
        return back_to(request, to, f"{done} of {len(counted)} saved. {refused}", tone="warn")
    return back_to(
        request, to, f"Saved: {done} new counts." if done != 1 else "Saved: 1 new count."
    )


def _reason(form: dict[str, str]) -> inventory.Reason:
    if form.get("reason") not in set(inventory.Reason):
        raise refusal("reason", "Choose why it changed.")
    return inventory.Reason(form["reason"])


def _counted(form: dict[str, str]) -> list[tuple[UUID, int, int]]:
    """Variants whose number was changed, with the number that was shown. Raises InvalidInput."""
    found: list[tuple[UUID, int, int]] = []
    for name, text in form.items():
        variant_id = parse_uuid(name.removeprefix("on_hand.")) if "on_hand." in name else None
        was = form.get(f"was.{variant_id}", "")
        if variant_id is not None and text != was:
            found.append((variant_id, read_int(was or "0", path=name), read_int(text, path=name)))
    if not found:
        raise refusal("on_hand", "Change the number of at least one row, then save.")
    return found


async def _count(
    tx: WriteTx,
    actor: Actor,
    variant_id: UUID,
    *,
    was: int,
    number: int,
    reason: inventory.Reason,
    note: str,
) -> None:
    """By the difference, so that what was sold since the page was drawn stays sold."""
    await inventory.adjust(
        tx, actor, seller_id=seller_of(actor), variant_id=variant_id, delta=number - was,
        reason=reason, reference=note,
    )  # fmt: skip


@get(f"{_LIST}/table.csv", access=access.SELLER, include_in_schema=False)
async def stock_csv(db: Database, actor: Actor) -> Response[bytes]:
    """All of the stock with its prices."""
    seller_id = seller_of(actor)
    levels: list[inventory.StockView] = []
    cursor: str | None = None
    async with db.read() as conn:
        while True:
            found = await inventory.stock(conn, seller_id, cursor=cursor, limit=1_000)
            levels += found.items
            cursor = found.next_cursor
            if cursor is None:
                break
        named = await listings.variant_names(conn, seller_id, [row.variant_id for row in levels])
    header = [
        "sku", "title", "variant", "state", "on_hand", "reserved", "for_sale", "warn_at", "price",
        "currency",
    ]  # fmt: skip
    rows = [
        [
            *([what.sku, what.title, what.variant_title] if what else ["", "", ""]),
            what.state if what else "removed",
            *([row.on_hand, row.reserved, row.available] if row.tracked else [None, None, None]),
            row.low_stock_at, Money(what.price, what.currency) if what else None,
            what.currency if what else "",
        ]
        for row in levels
        for what in [named.get(row.variant_id)]
    ]  # fmt: skip
    return csv_answer("stock.csv", header, rows)


@get(f"{_LIST}/movements", access=access.SELLER, include_in_schema=False)
async def movements_page(
    request: Req, db: Database, actor: Actor, reason: _Word = "", cursor: _Cursor = None
) -> Response[bytes]:
    """Every change of everything, newest first, with what caused it."""
    seller_id = seller_of(actor)
    path = f"{_LIST}/movements"
    only = reason if reason in set(inventory.Reason) else ""
    async with db.read() as conn:
        found = await inventory.all_movements(
            conn, seller_id, reason=only, cursor=cursor, limit=_ROWS
        )
        named = await listings.variant_names(
            conn, seller_id, [row.variant_id for row in found.items]
        )
        links = await _orders_named(conn, seller_id, [row.reference for row in found.items])
    return await page(
        request,
        "sell/movements.html",
        rows=found.items,
        named=named,
        links=links,
        reason=only,
        next_url=address(path, reason=only, cursor=found.next_cursor)
        if found.next_cursor
        else None,
    )


async def _orders_named(
    conn: ReadConn, seller_id: UUID, references: Sequence[str]
) -> dict[str, dict[str, str]]:
    """Number and address of the seller's own orders that movements name, by reference."""
    found = await orders.parts_by_reference(
        conn, seller_id=seller_id, references=sorted(set(references))
    )
    return {
        text: {"number": number, "url": f"/sell/orders/{part_id}"}
        for text, (number, part_id) in found.items()
    }


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
        named = await listings.variant_names(conn, seller_id, [variant_id])
        moves = await inventory.movements(conn, seller_id, variant_id, cursor=cursor)
        links = await _orders_named(conn, seller_id, [row.reference for row in moves.items])
    own = f"{_LIST}/{variant_id}"
    return await page(
        request,
        "sell/stock_item.html",
        status=status_of(error),
        level=level,
        what=named.get(variant_id),
        movements=moves.items,
        links=links,
        next_url=address(own, cursor=moves.next_cursor) if moves.next_cursor else None,
        form=form or {"on_hand": str(level.on_hand), "low_stock_at": str(level.low_stock_at)},
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
        reason = _reason(form)
        await inventory.set_low_stock_at(
            tx, actor, seller_id=seller_id, variant_id=variant_id,
            low_stock_at=read_int(form.get("low_stock_at", ""), path="low_stock_at"),
        )  # fmt: skip
        level = await inventory.stock_of(tx, seller_id, variant_id)
        if level.tracked:
            await inventory.adjust(
                tx, actor, seller_id=seller_id, variant_id=variant_id,
                absolute=read_int(form.get("on_hand", ""), path="on_hand"),
                reason=reason,
                reference=clean_text(form.get("note", ""), path="note")[:200],
            )  # fmt: skip

    try:
        await db.transact(work)
    except DomainError as error:
        return await _show(request, db, actor, variant_id, form=form, error=error)
    return back_to(request, f"{_LIST}/{variant_id}", "The stock is saved.")


routes: list[Any] = [stock_page, count_many, stock_csv, movements_page, item_page, adjust]
