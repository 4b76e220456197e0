"""Payments: every attempt, what the gateway said of it, what came back, where it is booked."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Stream

from souk.contexts.ledger import api as ledger
from souk.contexts.orders import api as orders
from souk.contexts.payments import api as payments
from souk.flows.checkout import refunds
from souk.kernel.actor import Actor, Permission
from souk.kernel.errors import DomainError
from souk.kernel.page import Page
from souk.platform import audit
from souk.platform.database import Database, ReadConn
from souk.platform.http import access, csv
from souk.platform.http.wire import clean_text
from souk.web.admin import books
from souk.web.admin.frame import people_of
from souk.web.admin.lists import Cursor, Day, Short, Word, frame_of, plain_money, plain_time
from souk.web.desk import act, problem_context, read_date, status_of
from souk.web.page import Req, page

_MAY = access.operator(Permission.ORDERS_VIEW)
_LIST = "/admin/payments"
STATUSES = (*payments.PaymentState, "refunded")


async def _wanted(
    conn: ReadConn, *, q: str, status: str, since: str, until: str
) -> payments.desk.PaymentFilter:
    """What the address asks for; an order's number stands for its payment. Raises InvalidInput."""
    words = clean_text(q, path="q").strip()
    keys = await orders.desk.find_number(conn, words) if words else None
    return payments.desk.PaymentFilter(
        search=words,
        status=status if status in STATUSES else "",
        since=read_date(since, path="since"),
        until=read_date(until, path="until", end=True),
        ids=[keys.payment_id] if keys else [],
    )


@get(_LIST, access=_MAY, include_in_schema=False)
async def payments_page(
    request: Req,
    db: Database,
    q: Word = "",
    status: Short = "",
    since: Day = "",
    until: Day = "",
    sort: Short = "-created_at",
    cursor: Cursor = None,
) -> Response[bytes]:
    """All payments, by order number, id or the gateway's name for them."""
    error: DomainError | None = None
    async with db.read() as conn:
        try:
            wanted = await _wanted(conn, q=q, status=status, since=since, until=until)
        except DomainError as refused:
            error, wanted = refused, payments.desk.PaymentFilter()
        found = await payments.desk.listed(conn, wanted, sort=sort, cursor=cursor)
        behind = await orders.desk.for_payments(conn, [row.id for row in found.items])
    filters = {"q": q, "status": status, "since": since, "until": until}
    return await page(
        request,
        "admin/payments.html",
        status=status_of(error),
        rows=found.items,
        orders=behind,
        statuses=[str(each) for each in STATUSES],
        **frame_of(_LIST, filters, sort=sort, next_cursor=found.next_cursor),
        **problem_context(error),
    )


class _Line(msgspec.Struct, frozen=True):
    payment: payments.PaymentView
    number: str


@get(f"{_LIST}.csv", access=_MAY, include_in_schema=False)
async def payments_csv(
    db: Database,
    q: Word = "",
    status: Short = "",
    since: Day = "",
    until: Day = "",
    sort: Short = "-created_at",
) -> Stream:
    """The same list as a table, as long as it is."""
    async with db.read() as conn:
        wanted = await _wanted(conn, q=q, status=status, since=since, until=until)

    async def load(cursor: str | None) -> Page[_Line]:
        async with db.read() as conn:
            found = await payments.desk.listed(
                conn, wanted, sort=sort, cursor=cursor, limit=csv.BATCH
            )
            behind = await orders.desk.for_payments(conn, [row.id for row in found.items])
        lines = [
            _Line(row, behind[row.id].number if row.id in behind else "") for row in found.items
        ]
        return Page(lines, found.next_cursor)

    columns = [
        "payment", "order", "created_utc", "status", "amount", "captured", "refunded", "currency",
        "gateway", "gateway_reference", "method", "decline_code",
    ]  # fmt: skip

    def cells(line: _Line) -> list[object]:
        one = line.payment
        return [
            one.id,
            line.number,
            plain_time(one.created_at),
            one.status,
            plain_money(one.amount, one.currency),
            plain_money(one.captured, one.currency),
            plain_money(one.refunded, one.currency),
            one.currency,
            one.gateway,
            one.gateway_ref,
            one.method_label,
            one.decline_code,
        ]

    return csv.table("payments", columns, csv.batches(load), cells)


@get(_LIST + "/{payment_id:uuid}", access=_MAY, include_in_schema=False)
async def payment_page(
    request: Req, db: Database, actor: Actor, payment_id: FromPath[UUID]
) -> Response[bytes]:
    """One payment: its attempts, timeline, webhooks with what they said, refunds, entries."""
    async with db.read() as conn:
        payment = await payments.find(conn, payment_id)
        if payment is None:
            raise payments.PaymentNotFound
        tries = await payments.attempts(conn, payment.checkout_id)
        steps = await payments.history(conn, payment_id)
        asked = await payments.refunds_of(conn, payment_id)
        webhooks = await payments.inbox(conn, payment_id=payment_id)
        behind = await orders.desk.for_payments(conn, [each.id for each in tries])
        entries: list[ledger.EntryDetail] = []
        log: list[audit.AuditRow] = []
        bodies: dict[UUID, str] = {}
        if actor.may(Permission.MONEY_VIEW):
            bodies = await payments.desk.webhook_bodies(conn, payment_id)
            causes = [f"checkout:{payment.checkout_id}", f"payment:{payment_id}"]
            causes += [f"order:{order.id}" for order in behind.values()]
            entries = await ledger.entries_of(conn, causes)
        names = await books.names_of(conn, [line.account for e in entries for line in e.lines])
        if actor.may(Permission.AUDIT_VIEW):
            log = await audit.recent(conn, subject=f"payment:{payment_id}")
        people = await people_of(conn, [step.actor for step in steps] + [row.actor for row in log])
    return await page(
        request,
        "admin/payment.html",
        payment=payment,
        attempts=tries,
        steps=steps,
        refunds=asked,
        webhooks=webhooks,
        bodies=bodies,
        order=behind.get(payment_id),
        entries=entries,
        names=names,
        sees_money=actor.may(Permission.MONEY_VIEW),
        may_act=actor.may(Permission.MONEY_MANAGE),
        stuck=payments.stuck(asked),
        log=log,
        people=people,
    )


@post(
    _LIST + "/{payment_id:uuid}/webhooks/replay",
    access=access.operator(Permission.MONEY_MANAGE),
    rate="write",
    include_in_schema=False,
)
async def replay_webhooks(
    request: Req, db: Database, actor: Actor, payment_id: FromPath[UUID]
) -> Response[bytes]:
    """Act anew on what the gateway sent, once the fault that kept it from counting is mended."""
    return await act(
        request,
        db,
        lambda tx: payments.replay_webhooks(tx, actor, payment_id=payment_id),
        to=f"{_LIST}/{payment_id}",
        done="What the gateway sent is read again.",
    )


@post(
    _LIST + "/{payment_id:uuid}/refunds/{refund_id:uuid}/again",
    access=access.operator(Permission.MONEY_MANAGE),
    rate="write",
    include_in_schema=False,
)
async def send_refund_again(
    request: Req, db: Database, actor: Actor, payment_id: FromPath[UUID], refund_id: FromPath[UUID]
) -> Response[bytes]:
    """Ask the gateway once more for a refund that failed for good."""
    return await act(
        request,
        db,
        lambda tx: refunds.send_again(tx, actor, refund_id=refund_id),
        to=f"{_LIST}/{payment_id}",
        done="The refund is sent once more.",
    )


routes: list[Any] = [
    payments_page,
    payments_csv,
    payment_page,
    replay_webhooks,
    send_refund_again,
]
