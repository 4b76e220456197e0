"""Orders with everything that is known of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Stream

from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.ledger import api as ledger
from souk.contexts.orders import api as orders
from souk.contexts.payments import api as payments
from souk.contexts.sellers import api as sellers
from souk.kernel.actor import Actor, Permission
from souk.kernel.errors import DomainError
from souk.kernel.page import Page
from souk.platform import audit
from souk.platform.database import Database
from souk.platform.http import access, csv
from souk.platform.http.wire import clean_text
from souk.web.admin import books
from souk.web.admin.frame import people_of
from souk.web.admin.lists import Cursor, Day, Short, State, Word, frame_of, plain_money, plain_time
from souk.web.desk import problem_context, read_date, status_of
from souk.web.page import Req, page

_MAY = access.operator(Permission.ORDERS_VIEW)
_LIST = "/admin/orders"


def _wanted(*, q: str, chosen: str, since: str, until: str) -> orders.desk.OrderFilter:
    """What the address asks for. Raises InvalidInput."""
    return orders.desk.OrderFilter(
        search=clean_text(q, path="q"),
        state=chosen if chosen in set(orders.SellerOrderState) else "",
        since=read_date(since, path="since"),
        until=read_date(until, path="until", end=True),
    )


@get(_LIST, access=_MAY, include_in_schema=False)
async def orders_page(
    request: Req,
    db: Database,
    q: Word = "",
    chosen: State = "",
    since: Day = "",
    until: Day = "",
    sort: Short = "-placed_at",
    cursor: Cursor = None,
) -> Response[bytes]:
    """All orders, newest first, by number, e-mail address, state and days."""
    error: DomainError | None = None
    try:
        wanted = _wanted(q=q, chosen=chosen, since=since, until=until)
    except DomainError as refused:
        error, wanted = refused, orders.desk.OrderFilter()
    async with db.read() as conn:
        found = await orders.desk.listed(conn, wanted, sort=sort, cursor=cursor)
    filters = {"q": q, "state": chosen, "since": since, "until": until}
    return await page(
        request,
        "admin/orders.html",
        status=status_of(error),
        rows=found.items,
        states=[str(state) for state in orders.SellerOrderState],
        **frame_of(_LIST, filters, sort=sort, next_cursor=found.next_cursor),
        **problem_context(error),
    )


@get(f"{_LIST}.csv", access=_MAY, include_in_schema=False)
async def orders_csv(
    db: Database,
    q: Word = "",
    chosen: State = "",
    since: Day = "",
    until: Day = "",
    sort: Short = "-placed_at",
) -> Stream:
    """The same list as a table, as long as it is."""
    wanted = _wanted(q=q, chosen=chosen, since=since, until=until)

    async def load(cursor: str | None) -> Page[orders.OrderRow]:
        async with db.read() as conn:
            return await orders.desk.listed(conn, wanted, sort=sort, cursor=cursor, limit=csv.BATCH)

    columns = ["order", "number", "placed_utc", "email", "state", "sellers", "units", "total"]

    def cells(row: orders.OrderRow) -> list[object]:
        return [
            row.id,
            row.number,
            plain_time(row.placed_at),
            row.email,
            row.state,
            row.sellers,
            row.units,
            plain_money(row.total, row.currency),
            row.currency,
        ]

    return csv.table("orders", [*columns, "currency"], csv.batches(load), cells)


@get(_LIST + "/{order_id:uuid}", access=_MAY, include_in_schema=False)
async def order_page(
    request: Req, db: Database, actor: Actor, order_id: FromPath[UUID]
) -> Response[bytes]:
    """One order: parts, payments, webhooks, refunds, ledger, one timeline of it all."""
    async with db.read() as conn:
        order = await orders.order(conn, order_id, any_holder=True)
        parts = [part.id for part in order.seller_orders]
        tries = await payments.attempts(conn, order.checkout_id)
        steps = await payments.history(conn, order.payment_id)
        refunds = await payments.refunds_of(conn, order.payment_id)
        webhooks = await payments.inbox(conn, payment_id=order.payment_id)
        parcels = await fulfilment.of_orders(conn, parts)
        shops = await sellers.cards(conn, [part.seller_id for part in order.seller_orders])
        entries: list[ledger.EntryDetail] = []
        if actor.may(Permission.MONEY_VIEW):
            causes = [f"order:{order.id}", f"checkout:{order.checkout_id}"]
            causes += [f"seller_order:{part}" for part in parts]
            entries = await ledger.entries_of(conn, causes)
        names = await books.names_of(conn, [line.account for e in entries for line in e.lines])
        log: list[audit.AuditRow] = []
        if actor.may(Permission.AUDIT_VIEW):
            log = await audit.recent(conn, subject=f"order:{order.id}")
        happened = _timeline(order, steps)
        labels = [str(step["by"]) for step in happened] + [row.actor for row in log]
        people = await people_of(conn, labels)
    sent_to = order.shipping_address
    return await page(
        request,
        "admin/order.html",
        order=order,
        attempts=tries,
        refunds=refunds,
        webhooks=webhooks,
        parcels=parcels,
        shops=shops,
        entries=entries,
        names=names,
        sees_money=actor.may(Permission.MONEY_VIEW),
        address=fulfilment.address_lines(fulfilment.Address(**sent_to)) if sent_to else [],
        steps=happened,
        log=log,
        people=people,
    )


def _timeline(
    order: orders.OrderView, payment: list[payments.PaymentStep]
) -> list[dict[str, object]]:
    """What happened to the order and its payment, in the order in which it did."""
    found: list[dict[str, object]] = [
        {
            "when": step.at,
            "title": step.state,
            "by": step.actor,
            "text": step.reason,
            "what": "order",
        }
        for part in order.seller_orders
        for step in part.timeline
    ]
    found.extend(
        {
            "when": step.at,
            "title": step.state,
            "by": step.actor,
            "source": step.source,
            "text": step.detail,
            "what": "payment",
        }
        for step in payment
    )
    return sorted(found, key=lambda step: str(step["when"]))


routes: list[Any] = [orders_page, orders_csv, order_page]
