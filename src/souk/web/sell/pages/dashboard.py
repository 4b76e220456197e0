"""Today: what needs doing first, then how sales, stock and money stand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.params import QueryParameter

from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.inventory import api as inventory
from souk.contexts.ledger import api as ledger
from souk.contexts.listings import api as listings
from souk.contexts.orders import api as orders
from souk.contexts.reviews import api as reviews
from souk.contexts.sellers import api as sellers
from souk.kernel.actor import Actor
from souk.kernel.money import Money
from souk.platform.amounts import short_money
from souk.platform.database import Database, ReadConn
from souk.platform.http import access
from souk.platform.settings import Settings
from souk.web.charts import Chart, Series, line_chart, sparkline
from souk.web.desk import seller_of
from souk.web.locale import date_text
from souk.web.page import Req, language_of, page, translate
from souk.web.sell.frame import TO_DO, open_orders
from souk.web.sell.pages.stock_reports import movements_chart
from souk.web.sell.periods import CHOICES, Period

_SHOWN = 6
_WHOLE = 100


class Compared(msgspec.Struct, frozen=True):
    """A figure of a period beside that of the period before."""

    now: int
    before: int

    @property
    def percent(self) -> int | None:
        """The change in percent; None where there was nothing before."""
        return round((self.now - self.before) * _WHOLE / self.before) if self.before else None


class Facts(msgspec.Struct, frozen=True):
    """Everything the page shows, asked for once each."""

    shop: sellers.SellerAccount
    counts: orders.DeskCounts
    todo: list[orders.DeskRow]
    stock: inventory.StockCounts
    low: list[inventory.StockView]
    names: dict[UUID, listings.VariantName]
    states: dict[str, int]
    sent_back: list[listings.SentBack]
    sales: list[orders.DeskDay]
    best: list[orders.SoldListing]
    earned: list[ledger.DayEarned]
    moved: list[inventory.MovementSum]
    balances: list[ledger.SellerBalance]
    waiting: list[ledger.Waiting]
    methods: int
    unanswered: int


async def _gather(conn: ReadConn, seller_id: UUID, period: Period) -> Facts:
    earlier = period.before().since
    low = await inventory.stock(conn, seller_id, show="low", least_first=True, limit=_SHOWN)
    return Facts(
        shop=await sellers.account(conn, seller_id=seller_id),
        counts=await orders.desk_order_counts(conn, seller_id=seller_id),
        todo=(
            await orders.desk_orders(
                conn,
                seller_id=seller_id,
                only=orders.DeskFilter(states=TO_DO, oldest_first=True),
                limit=_SHOWN,
            )
        ).items,
        stock=await inventory.stock_counts(conn, seller_id),
        low=low.items,
        names=await listings.variant_names(conn, seller_id, [row.variant_id for row in low.items]),
        states=await listings.state_counts(conn, seller_id),
        sent_back=await listings.sent_back(conn, seller_id, limit=_SHOWN),
        sales=await orders.desk_sales(conn, seller_id=seller_id, since=earlier),
        best=await orders.top_sellers(conn, seller_id=seller_id, since=period.since),
        earned=await ledger.earned_by_day(conn, seller_id, since=earlier),
        moved=await inventory.movement_sums(
            conn, seller_id, since=period.since, until=period.until, step=period.step
        ),
        balances=await ledger.balances(conn, seller_id),
        waiting=await ledger.waiting(conn, seller_id, limit=1),
        methods=len(await fulfilment.methods_of(conn, seller_id)),
        unanswered=await reviews.unanswered(conn, seller_id),
    )


def compared(amounts: Sequence[tuple[date, int]], period: Period) -> Compared:
    """The sum of a period and of the one before."""
    return Compared(
        sum(period.blocks(amounts)),
        sum(period.before().blocks(amounts)),
    )


def two_periods(
    request: Req, title: str, amounts: Sequence[tuple[date, int]], period: Period, currency: str
) -> Chart:
    """This period drawn over the one before, in one currency."""
    language = language_of(request)
    return line_chart(
        translate(request, title),
        [
            Series(translate(request, "This period"), list(period.blocks(amounts))),
            Series(translate(request, "The period before"), list(period.before().blocks(amounts))),
        ],
        labels=[date_text(day, language).split(",")[0] for day in period.block_starts()],
        label_name=translate(request, "From"),
        fmt=lambda amount: short_money(round(amount), currency, language),
    )


def checklist(facts: Facts) -> list[dict[str, Any]]:
    """The way of a new shop to its first order; each step with its state and where it is done."""
    shop, listed = facts.shop, sum(facts.states.values())
    steps = [
        ("Your application is accepted", "/sell/apply", True),
        ("Say who you are: a text and a logo", "/sell/storefront", bool(shop.bio)),
        ("Say how you deliver and what it costs", "/sell/shipping", facts.methods > 0),
        (
            "Put your first listing on sale",
            "/sell/listings" if listed else "/sell/listings/new",
            bool(facts.states.get("active")) or bool(facts.counts.states),
        ),
        ("Get your first order", f"/s/{shop.slug}", bool(facts.counts.states)),
    ]
    return [{"text": text, "url": url, "done": done} for text, url, done in steps]


@get("/sell", access=access.SELLER, include_in_schema=False)
async def dashboard(
    request: Req,
    db: Database,
    actor: Actor,
    settings: Settings,
    days: Annotated[int, QueryParameter(ge=1, le=730)] = 30,
) -> Response[bytes]:
    """The seller's first page."""
    period = Period.of(db.clock.now(), days if days in CHOICES else 30)
    async with db.read() as conn:
        facts = await _gather(conn, seller_of(actor), period)
    currency = settings.currency
    sold = [(row.day, row.total) for row in facts.sales if row.currency == currency]
    placed = [(row.day, row.orders) for row in facts.sales if row.currency == currency]
    earned = [(row.day, row.amount) for row in facts.earned if row.currency == currency]
    steps = checklist(facts)
    balance = next((row for row in facts.balances if row.currency == currency), None)
    sales = compared(sold, period)
    title = translate(request, "Sales, day by day")
    return await page(
        request,
        "sell/dashboard.html",
        facts=facts,
        now=db.clock.now(),
        days=period.days,
        currency=currency,
        sales=sales,
        orders_placed=compared(placed, period),
        earnings=compared(earned, period),
        average=Money(sales.now // (compared(placed, period).now or 1), currency),
        spark=sparkline(list(period.blocks(sold)), label=title),
        balance=balance or ledger.SellerBalance(currency),
        next_free=facts.waiting[0] if facts.waiting else None,
        chart_of_sales=two_periods(request, "Sales", sold, period, currency),
        chart_of_earnings=two_periods(
            request, "Earned, after commission", earned, period, currency
        ),
        chart_of_stock=movements_chart(request, facts.moved, period),
        steps=[{**step, "text": translate(request, step["text"])} for step in steps],
        begun=all(step["done"] for step in steps),
        low_left=facts.stock.low - len(facts.low),
        desk_counts={
            "orders": open_orders(dict(facts.counts.states)),
            "stock": facts.stock.low,
            "reviews": facts.unanswered,
        },
    )


routes: list[Any] = [dashboard]
