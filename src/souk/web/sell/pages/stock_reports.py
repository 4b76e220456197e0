"""Reports of stock: what it is worth, what moved, what lies, what sells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from litestar import Response, get
from litestar.params import FromPath, QueryParameter

from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.flows.stock_reports.flow import StockValue, stock_value
from souk.kernel.actor import Actor
from souk.kernel.errors import NotFound
from souk.kernel.money import Money
from souk.platform import amounts
from souk.platform.database import Database, ReadConn
from souk.platform.http import access
from souk.web.charts import Chart, Series, bar_chart
from souk.web.csv import csv_answer
from souk.web.desk import address, seller_of
from souk.web.locale import date_text
from souk.web.page import Req, language_of, page, translate
from souk.web.sell.periods import Period

PATH = "/sell/stock/reports"
REPORTS = ("value", "movements", "ageing", "sell-through")
_ROWS = 50
_EXPORT = 5_000
_Days = Annotated[int, QueryParameter(ge=1, le=730)]
_Cursor = Annotated[str | None, QueryParameter(max_length=1_024)]


def movements_chart(request: Req, sums: Sequence[inventory.MovementSum], period: Period) -> Chart:
    """Pieces that came and went, bar by bar."""
    language = language_of(request)
    starts = period.starts()
    came = dict.fromkeys(starts, 0)
    went = dict.fromkeys(starts, 0)
    for row in sums:
        came[row.start] = came.get(row.start, 0) + row.pieces_in
        went[row.start] = went.get(row.start, 0) + row.pieces_out
    return bar_chart(
        translate(request, "Pieces in and out"),
        [
            Series(translate(request, "In"), [came[start] for start in starts]),
            Series(translate(request, "Out"), [went[start] for start in starts]),
        ],
        labels=[date_text(start, language).split(",")[0] for start in starts],
        label_name=translate(request, period.step.capitalize()),
        fmt=lambda pieces: amounts.number(round(pieces), language),
    )


async def _gather(
    conn: ReadConn, report: str, actor: Actor, period: Period, *, cursor: str | None, limit: int
) -> dict[str, Any]:
    """What a report shows, asked for once for all its rows."""
    seller_id = seller_of(actor)
    since, until = period.since, period.until
    if report == "value":
        return {"value": await stock_value(conn, seller_id)}
    if report == "movements":
        return {
            "sums": await inventory.movement_sums(
                conn, seller_id, since=since, until=until, step=period.step
            )
        }
    if report == "ageing":
        found = await inventory.ageing(conn, seller_id, cursor=cursor, limit=limit)
        extra = {"groups": await inventory.age_groups(conn, seller_id)}
    else:
        found = await inventory.sell_through(
            conn, seller_id, since=since, until=until, cursor=cursor, limit=limit
        )
        total = await inventory.sell_through_total(conn, seller_id, since=since, until=until)
        extra = {"total": total}
    names = await listings.variant_names(conn, seller_id, [row.variant_id for row in found.items])
    return {**extra, "rows": found.items, "named": names, "next_cursor": found.next_cursor}


def _report(name: str) -> str:
    if name not in REPORTS:
        raise NotFound("There is no such report. Choose one from the list of reports.")
    return name


@get(PATH, access=access.SELLER, include_in_schema=False)
async def first_report(request: Req, db: Database, actor: Actor) -> Response[bytes]:
    """The reports, the value first."""
    return await _page(request, db, actor, report="value", days=30)


@get(PATH + "/{report:str}", access=access.SELLER, include_in_schema=False)
async def report_page(
    request: Req,
    db: Database,
    actor: Actor,
    report: FromPath[str],
    days: _Days = 30,
    cursor: _Cursor = None,
) -> Response[bytes]:
    """One report over the last `days` days."""
    if report.endswith(".csv"):
        return await _csv(db, actor, report=_report(report.removesuffix(".csv")), days=days)
    return await _page(request, db, actor, report=_report(report), days=days, cursor=cursor)


async def _page(
    request: Req, db: Database, actor: Actor, *, report: str, days: int, cursor: str | None = None
) -> Response[bytes]:
    period = Period.of(db.clock.now(), days)
    async with db.read() as conn:
        found = await _gather(conn, report, actor, period, cursor=cursor, limit=_ROWS)
    own = f"{PATH}/{report}"
    following = found.get("next_cursor")
    chart = movements_chart(request, found["sums"], period) if report == "movements" else None
    return await page(
        request,
        "sell/stock_reports.html",
        report=report,
        days=days,
        own=own,
        csv_url=address(f"{own}.csv", days=days),
        chart_of_movements=chart,
        by_reason=_by_reason(found.get("sums", [])),
        shown_rows=_ROWS,
        next_url=address(own, days=days, cursor=following) if following else None,
        value=found.get("value"),
        rows=found.get("rows"),
        named=found.get("named"),
        groups=found.get("groups"),
        total=found.get("total"),
    )


def _by_reason(sums: Sequence[inventory.MovementSum]) -> list[dict[str, Any]]:
    found: dict[str, list[int]] = {}
    for row in sums:
        pair = found.setdefault(row.reason, [0, 0])
        pair[0] += row.pieces_in
        pair[1] += row.pieces_out
    return [
        {"reason": reason, "pieces_in": pair[0], "pieces_out": pair[1]}
        for reason, pair in sorted(found.items(), key=lambda item: -sum(item[1]))
    ]


async def _csv(db: Database, actor: Actor, *, report: str, days: int) -> Response[bytes]:
    period = Period.of(db.clock.now(), days)
    async with db.read() as conn:
        found = await _gather(conn, report, actor, period, cursor=None, limit=_EXPORT)
    header, rows = _table(report, found)
    return csv_answer(f"stock-{report}.csv", header, rows)


def _table(report: str, found: dict[str, Any]) -> tuple[list[str], list[list[object]]]:
    if report == "value":
        value: StockValue = found["value"]
        return (
            ["sku", "title", "variant", "on_hand", "reserved", "price", "value", "currency"],
            [
                [
                    row.sku, row.title, row.variant_title, row.on_hand, row.reserved,
                    Money(row.price, row.currency), Money(row.value, row.currency), row.currency,
                ]
                for row in value.items
            ],
        )  # fmt: skip
    if report == "movements":
        sums: list[inventory.MovementSum] = found["sums"]
        rows: list[list[object]] = [
            [row.start.isoformat(), row.reason, row.pieces_in, row.pieces_out] for row in sums
        ]
        return ["from", "reason", "in", "out"], rows
    fields = {
        "ageing": ("on_hand", "last_sale", "last_receipt", "days_since_sale", "days_since_receipt"),
        "sell-through": ("opening", "received", "sold", "returned", "lost", "closing", "rate_bp"),
    }[report]
    named: dict[Any, listings.VariantName] = found["named"]
    lines: list[list[object]] = []
    for row in found["rows"]:
        what = named.get(row.variant_id)
        names = [what.sku, what.title, what.variant_title] if what else ["", "", ""]
        lines.append([*names, *(getattr(row, name) for name in fields)])
    return ["sku", "title", "variant", *fields], lines


routes: list[Any] = [first_report, report_page]
