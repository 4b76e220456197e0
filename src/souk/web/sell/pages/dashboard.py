"""Today: what needs doing first, then how sales and money stand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from litestar import Response, get

from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.inventory import api as inventory
from souk.contexts.ledger import api as ledger
from souk.contexts.listings import api as listings
from souk.contexts.orders import api as orders
from souk.contexts.sellers import api as sellers
from souk.kernel.actor import Actor
from souk.kernel.money import Money
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.settings import Settings
from souk.web.charts import Chart, Series, bar_chart
from souk.web.desk import seller_of
from souk.web.locale import date_text, money
from souk.web.page import Req, language_of, page, translate
from souk.web.sell.frame import TO_DO, open_orders

_DAYS = 30


def sales_chart(
    request: Req, sales: Sequence[orders.DaySales], *, currency: str, now: datetime
) -> Chart:
    """The last thirty days in one currency."""
    language = language_of(request)
    days: list[date] = [now.date() - timedelta(days=back) for back in reversed(range(_DAYS))]
    by_day = {row.day: row.total for row in sales if row.currency == currency}
    return bar_chart(
        translate(request, "Sales of the last 30 days"),
        [Series(translate(request, "Sales"), [by_day.get(day, 0) for day in days])],
        labels=[date_text(day, language).split(",")[0] for day in days],
        label_name=translate(request, "Day"),
        fmt=lambda amount: money(round(amount), currency, language),
    )


def sum_of(sales: Sequence[orders.DaySales], *, currency: str, since: date) -> Money:
    """What was sold from a day on, in one currency."""
    rows = [row.total for row in sales if row.currency == currency and row.day >= since]
    return Money(sum(rows), currency)


@get("/sell", access=access.SELLER, include_in_schema=False)
async def dashboard(
    request: Req, db: Database, actor: Actor, settings: Settings
) -> Response[bytes]:
    """The seller's first page."""
    seller_id = seller_of(actor)
    now = db.clock.now()
    async with db.read() as conn:
        shop = await sellers.account(conn, seller_id=seller_id)
        counts = await orders.seller_order_counts(conn, seller_id=seller_id)
        todo = await orders.seller_orders(conn, seller_id=seller_id, states=TO_DO, limit=6)
        low = await inventory.stock(conn, seller_id, low_only=True, limit=6)
        named = await listings.purchasable(conn, [row.variant_id for row in low.items])
        states = await listings.state_counts(conn, seller_id)
        sales = await orders.sales_by_day(
            conn, since=now - timedelta(days=_DAYS), seller_id=seller_id
        )
        balances = await ledger.balances(conn, seller_id)
        methods = await fulfilment.methods_of(conn, seller_id)
    first = [
        (bool(shop.bio), "Say who you are on your storefront", "/sell/storefront"),
        (bool(methods), "Say how you deliver and what it costs", "/sell/shipping"),
        (sum(states.values()) > 0, "Make your first listing", "/sell/listings/new"),
    ]
    return await page(
        request,
        "sell/dashboard.html",
        shop=shop,
        counts=counts,
        open_orders=open_orders(counts),
        todo=todo.items,
        low=[(row, named.get(row.variant_id)) for row in low.items],
        states=states,
        balance=next((row for row in balances if row.currency == settings.currency), None),
        currency=settings.currency,
        week=sum_of(sales, currency=settings.currency, since=now.date() - timedelta(days=6)),
        month=sum_of(sales, currency=settings.currency, since=now.date() - timedelta(days=29)),
        sold=sum(row.orders for row in sales),
        chart_of_sales=sales_chart(request, sales, currency=settings.currency, now=now),
        first=[
            {"done": done, "text": translate(request, text), "url": url}
            for done, text, url in first
        ],
        begun=all(done for done, _, _ in first),
        desk_counts={"orders": open_orders(counts), "stock": len(low.items)},
    )


routes: list[Any] = [dashboard]
