"""The operator's first page: what waits, what was sold, whether all runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from litestar import Response, get
from litestar.params import QueryParameter

from souk.kernel.actor import Actor, Permission
from souk.kernel.errors import DomainError
from souk.platform import amounts
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.settings import Settings
from souk.web.admin import figures
from souk.web.admin.figures import Change, Market, Span
from souk.web.charts import Chart, Format, Series, bar_chart, line_chart
from souk.web.desk import problem_context, status_of
from souk.web.locale import day_text
from souk.web.page import Req, language_of, page, translate

_Day = Annotated[str, QueryParameter(max_length=10)]


@get("/admin", access=access.operator(Permission.USERS_VIEW), include_in_schema=False)
async def overview(
    request: Req,
    db: Database,
    actor: Actor,
    settings: Settings,
    days: Annotated[int, QueryParameter(ge=1, le=365)] = 30,
    since: _Day = "",
    until: _Day = "",
) -> Response[bytes]:
    """Queues, figures with the span before, plots, health; a fixed number of statements."""
    shown = days if days in figures.RANGES else 30
    today = db.clock.now().date()
    error: DomainError | None = None
    try:
        span = figures.span_of(days=shown, first=since, last=until, today=today)
    except DomainError as refused:
        error, span = refused, figures.span_of(days=shown, first="", last="", today=today)
    async with db.read() as conn:
        market = await figures.market(conn, span, currency=settings.currency)
        house = books = None
        if actor.may(Permission.EVENTS_MANAGE):
            house = await figures.house(conn, folder=settings.data_dir)
        if actor.may(Permission.MONEY_VIEW):
            books = await figures.balanced(conn)
    language = language_of(request)

    def say(text: str) -> str:
        return translate(request, text)

    signs: list[figures.Sign] = []
    if house is not None:
        signs += figures.signs(house, say, lambda size: _bytes(size, language))
    if books is not None:
        signs.append(figures.sign_of_books(books, say))
    return await page(
        request,
        "admin/overview.html",
        status=status_of(error),
        days=None if since and error is None else shown,
        ranges=figures.RANGES,
        span=span,
        since=since or span.first.isoformat(),
        until=until or span.last.isoformat(),
        currency=settings.currency,
        market=market,
        words={
            name: _words(request, getattr(market, name))
            for name in ("gmv", "commission", "refunded", "orders", "people", "listings")
        },
        signs=signs,
        charts=_charts(request, span, market, settings.currency, actor),
        **problem_context(error),
    )


def _words(request: Req, change: Change) -> str:
    if change.percent is None:
        text = "nothing in the days before" if change.now else "as in the days before"
        return translate(request, text)
    if change.percent == 0:
        return translate(request, "as in the days before")
    text = "%(n)s %% more than before" if change.percent > 0 else "%(n)s %% less than before"
    amount = amounts.number(abs(change.percent), language_of(request))
    return translate(request, text) % {"n": amount}


def _bytes(size: int, language: str) -> str:
    gigabytes = size / 1e9
    if gigabytes >= 1:
        return f"{amounts.number(round(gigabytes, 1), language)} GB"
    return f"{amounts.number(round(size / 1e6), language)} MB"


def _charts(request: Req, span: Span, market: Market, currency: str, actor: Actor) -> list[Chart]:
    language = language_of(request)
    points = figures.buckets(span)
    labels = [day_text(point.first, language) for point in points]
    weekly = len(points) < span.days

    def cash(amount: float) -> str:
        return amounts.short_money(round(amount), currency, language)

    def plain(amount: float) -> str:
        # Half a person is a tick of the axis and nothing to read.
        return amounts.number(round(amount), language) if amount == round(amount) else ""

    def plot(title: str, rows: Sequence[tuple[str, dict[date, int]]], fmt: Format) -> Chart:
        series = [
            Series(translate(request, name), figures.summed(points, values))
            for name, values in rows
        ]
        name = translate(request, "Week from" if weekly else "Day")
        draw = line_chart if len(points) > 2 else bar_chart
        return draw(translate(request, title), series, labels=labels, label_name=name, fmt=fmt)

    found: list[Chart] = []
    if actor.may(Permission.MONEY_VIEW):
        found.append(plot("Sales", [("Sales", market.sold_by_day)], cash))
        found.append(plot("Commission", [("Commission", market.commission_by_day)], cash))
    if actor.may(Permission.ORDERS_VIEW):
        found.append(plot("Seller orders", [("Seller orders", market.orders_by_day)], plain))
    found.append(plot("New people", [("New people", market.people_by_day)], plain))
    return found


routes: list[Any] = [overview]
