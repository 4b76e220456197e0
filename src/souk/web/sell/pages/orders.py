"""The list of orders: tabs, filters, several at once, a table for spreadsheets, slips to print."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.orders import api as orders
from souk.contexts.sellers import api as sellers
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError
from souk.kernel.ids import parse_uuid
from souk.kernel.money import Money
from souk.platform.database import Database
from souk.platform.http import access
from souk.web.csv import csv_answer
from souk.web.desk import address, back_to, read_date, seller_of
from souk.web.page import Req, page
from souk.web.sell.frame import TO_DO

LIST = "/sell/orders"
_AT_ONCE = 100
_EXPORT = 1_000

Tab = tuple[tuple[str, ...], bool | None]
TABS: Mapping[str, Tab] = {
    "todo": (TO_DO, None),
    "confirmed": (("confirmed",), None),
    "processing": (("processing",), False),
    "packed": (("processing",), True),
    "shipped": (("shipped",), None),
    "delivered": (("delivered", "completed"), None),
    "returns": (("return_requested", "returned"), None),
    "cancelled": (("cancelled",), None),
    "all": ((), None),
}
_Word = Annotated[str, QueryParameter(max_length=100)]
_Cursor = Annotated[str | None, QueryParameter(max_length=1_024)]


class Asked(msgspec.Struct, frozen=True):
    """What the list was asked for."""

    tab: str
    q: str
    start: str
    end: str
    sort: str

    @property
    def filter(self) -> orders.DeskFilter:
        """Raises InvalidInput for a date that is none."""
        states, packed = TABS[self.tab]
        return orders.DeskFilter(
            states=states,
            packed=packed,
            search=self.q,
            placed_from=read_date(self.start, path="start"),
            placed_until=read_date(self.end, path="end", end=True),
            oldest_first=self.sort == "oldest",
        )

    def url(self, path: str = LIST, **more: object) -> str:
        """The same question at `path`, with changes."""
        asked: dict[str, object] = {
            "tab": self.tab, "q": self.q, "start": self.start, "end": self.end, "sort": self.sort,
        }  # fmt: skip
        return address(path, **(asked | more))


def _asked(tab: str, q: str, start: str, end: str, sort: str) -> Asked:
    plain = q.strip().replace("\x00", "")
    shown = tab if tab in TABS else "todo"
    # What waits longest comes first where something waits.
    usual = "oldest" if shown in {"todo", "confirmed", "processing", "packed"} else "newest"
    return Asked(shown, plain, start, end, sort if sort in {"oldest", "newest"} else usual)


def _counts(counts: orders.DeskCounts) -> dict[str, int]:
    """Orders by tab."""
    found: dict[str, int] = {}
    for name, (states, packed) in TABS.items():
        total = sum(
            number for state, number in counts.states.items() if not states or state in states
        )
        packed_ones = {True: counts.packed, False: total - counts.packed}
        found[name] = total if packed is None else packed_ones[packed]
    return found


@get(LIST, access=access.SELLER, include_in_schema=False)
async def orders_page(
    request: Req,
    db: Database,
    actor: Actor,
    *,
    tab: _Word = "todo",
    q: _Word = "",
    start: _Word = "",
    end: _Word = "",
    sort: _Word = "",
    cursor: _Cursor = None,
) -> Response[bytes]:
    """Orders by what is to be done with them."""
    seller_id = seller_of(actor)
    asked = _asked(tab, q, start, end, sort)
    try:
        only = asked.filter
    except DomainError as error:
        return back_to(request, asked.url(start=None, end=None), error.message, tone="warn")
    async with db.read() as conn:
        counts = await orders.desk_order_counts(conn, seller_id=seller_id)
        found = await orders.desk_orders(conn, seller_id=seller_id, only=only, cursor=cursor)
    by_tab = _counts(counts)
    return await page(
        request,
        "sell/orders.html",
        rows=found.items,
        asked=asked,
        filtered=bool(asked.q or asked.start or asked.end),
        by_tab=by_tab,
        tab_urls={name: asked.url(tab=name, sort=None) for name in TABS},
        csv_url=asked.url(f"{LIST}/table.csv"),
        now=db.clock.now(),
        next_url=asked.url(cursor=found.next_cursor) if found.next_cursor else None,
    )


@get(f"{LIST}/table.csv", access=access.SELLER, include_in_schema=False)
async def orders_csv(
    db: Database,
    actor: Actor,
    *,
    tab: _Word = "all",
    q: _Word = "",
    start: _Word = "",
    end: _Word = "",
    sort: _Word = "",
) -> Response[bytes]:
    """The lines of the listed orders, at most a thousand orders, one row per line."""
    seller_id = seller_of(actor)
    only = _asked(tab, q, start, end, sort).filter
    async with db.read() as conn:
        found = await orders.desk_orders(conn, seller_id=seller_id, only=only, limit=_EXPORT)
        lines = await orders.export_lines(
            conn, seller_id=seller_id, ids=[row.id for row in found.items]
        )
    where = ("name", "line1", "line2", "postal_code", "city", "state", "country")
    header = [
        "order", "placed_at", "state", "sku", "title", "variant", "quantity", "shipped",
        "cancelled", "unit_price", "total", "currency", "delivery", *where,
    ]  # fmt: skip
    rows = [
        [
            line.number, line.placed_at, line.state, line.sku, line.title, line.variant_title,
            line.quantity, line.fulfilled, line.cancelled,
            Money(line.unit_price, line.currency), Money(line.total, line.currency),
            line.currency, line.delivery_label,
            *((line.address or {}).get(name, "") for name in where),
        ]
        for line in lines
    ]  # fmt: skip
    return csv_answer("orders.csv", header, rows)


@post(f"{LIST}/bulk", access=access.SELLER, rate="write", include_in_schema=False)
async def bulk(request: Req, db: Database, actor: Actor) -> Response[bytes]:
    """Accept or pack the ticked orders, or print their slips; each that refuses is named."""
    form = await request.form()
    wanted = str(form.get("act", ""))
    ids = [parse_uuid(str(value)) for value in form.getall("id", [])][:_AT_ONCE]
    chosen = [each for each in ids if each is not None]
    back = str(form.get("back", "")) if str(form.get("back", "")).startswith(LIST) else LIST
    if not chosen or wanted not in {"accept", "pack", "slips"}:
        return back_to(request, back, "Tick the orders first, then choose.", tone="warn")
    if wanted == "slips":
        return await _slips(request, db, actor, chosen)
    work = orders.accept if wanted == "accept" else orders.pack
    done, refused = 0, ""
    for order_id in chosen:
        try:
            await db.transact(
                lambda tx, each=order_id: work(
                    tx, actor, seller_order_id=each, seller_id=seller_of(actor)
                )
            )
            done += 1
        except DomainError as error:
            refused = error.message
    if refused:
        return back_to(request, back, f"{done} of {len(chosen)} done. {refused}", tone="warn")
    said = {"accept": f"Accepted: {done}.", "pack": f"Packed: {done}."}
    return back_to(request, back, said[wanted])


@get(f"{LIST}/slips", access=access.SELLER, include_in_schema=False)
async def slips_page(
    request: Req,
    db: Database,
    actor: Actor,
    ids: Annotated[str, QueryParameter(name="id", max_length=4_000)] = "",
) -> Response[bytes]:
    """Packing slips of several orders, one page of paper each; ids separated by commas."""
    found = [parse_uuid(part) for part in ids.split(",")[:_AT_ONCE]]
    return await _slips(request, db, actor, [each for each in found if each is not None])


@get(LIST + "/{seller_order_id:uuid}/slip", access=access.SELLER, include_in_schema=False)
async def slip_page(
    request: Req, db: Database, actor: Actor, seller_order_id: FromPath[UUID]
) -> Response[bytes]:
    """The packing slip of one order."""
    async with db.read() as conn:
        part = await orders.seller_order(conn, seller_order_id, seller_id=seller_of(actor))
    return await _slips(request, db, actor, [part.id], back=f"{LIST}/{part.id}")


async def _slips(
    request: Req, db: Database, actor: Actor, ids: list[UUID], *, back: str = LIST
) -> Response[bytes]:
    seller_id = seller_of(actor)
    async with db.read() as conn:
        shop = await sellers.account(conn, seller_id=seller_id)
        parts = await orders.seller_parts(conn, ids, seller_id=seller_id)
        sent_to = await orders.slips(conn, seller_id=seller_id, ids=[part.id for part in parts])
    if not parts:
        return back_to(request, back, "There is nothing to print. Tick the orders first.")
    slips = [
        {
            "part": part,
            "address": fulfilment.address_lines(fulfilment.Address(**where)) if where else [],
            "lines": [
                line
                for line in part.lines
                if line.kind != "digital" and line.quantity > line.cancelled
            ],
        }
        for part in parts
        for where in [sent_to.get(part.id)]
    ]
    return await page(request, "sell/slips.html", slips=slips, shop=shop, back=back)


routes: list[Any] = [orders_page, orders_csv, bulk, slips_page, slip_page]
