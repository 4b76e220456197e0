"""The operator's first page: queues, figures, health."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from litestar import Response, get
from litestar.params import QueryParameter

from souk.contexts.ledger import api as ledger
from souk.contexts.orders import api as orders
from souk.contexts.sellers import api as sellers
from souk.kernel.actor import Actor, Permission
from souk.platform import jobs, relay
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.settings import Settings
from souk.web.admin.frame import queues
from souk.web.charts import Series, line_chart
from souk.web.locale import date_text, money
from souk.web.page import Req, language_of, page, translate

_RANGES = (7, 30, 90)


@get("/admin", access=access.operator(Permission.USERS_VIEW), include_in_schema=False)
async def overview(
    request: Req,
    db: Database,
    actor: Actor,
    settings: Settings,
    days: Annotated[int, QueryParameter(ge=1, le=365)] = 30,
) -> Response[bytes]:
    """What waits, what was sold, whether all runs."""
    shown = days if days in _RANGES else 30
    now = db.clock.now()
    async with db.read() as conn:
        waiting = await queues(conn, actor)
        sales = await orders.sales_by_day(conn, since=now - timedelta(days=shown))
        shops = await sellers.counts(conn)
        lag = await relay.lag(conn)
        held = await jobs.held_jobs(conn, limit=20)
        trial = await ledger.trial_balance(conn) if actor.may(Permission.MONEY_VIEW) else []
    currency = settings.currency
    mine = {row.day: row for row in sales if row.currency == currency}
    span = [now.date() - timedelta(days=back) for back in reversed(range(shown))]
    language = language_of(request)
    debit = sum(row.debit for row in trial if row.currency == currency)
    credit = sum(row.credit for row in trial if row.currency == currency)
    return await page(
        request,
        "admin/overview.html",
        days=shown,
        ranges=_RANGES,
        currency=currency,
        sold=sum(row.total for row in mine.values()),
        commission=sum(row.commission for row in mine.values()),
        orders=sum(row.orders for row in sales),
        shops=shops,
        lag=lag,
        held=held,
        books=None if not trial else debit == credit,
        chart_of_sales=line_chart(
            translate(request, "Sales by day"),
            [
                Series(
                    translate(request, "Sales"),
                    [mine[day].total if day in mine else 0 for day in span],
                )
            ],
            labels=[date_text(day, language).split(",")[0] for day in span],
            label_name=translate(request, "Day"),
            fmt=lambda amount: money(round(amount), currency, language),
        ),
        desk_counts=waiting,
    )


routes: list[Any] = [overview]
