"""What the operator's lists share: filters in the address, sorting, their CSV."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from litestar.params import QueryParameter

from souk.kernel.money import Money
from souk.web.desk import address

Word = Annotated[str, QueryParameter(max_length=254)]
Short = Annotated[str, QueryParameter(max_length=30)]
Day = Annotated[str, QueryParameter(max_length=10)]
Cursor = Annotated[str | None, QueryParameter(max_length=1_024)]
State = Annotated[str, QueryParameter(name="state", max_length=30)]


def frame_of(
    path: str, filters: Mapping[str, str], *, sort: str, next_cursor: str | None, csv: bool = True
) -> dict[str, Any]:
    """Addresses of a list: its next page, its other orders, its CSV, and without filters."""
    said = {name: value for name, value in filters.items() if value}
    plain = address(path, **said)
    return {
        "sort": sort,
        "sort_url": f"{plain}{'&' if said else '?'}",
        "next_url": address(path, **said, sort=sort, cursor=next_cursor) if next_cursor else None,
        "csv_url": address(f"{path}.csv", **said, sort=sort) if csv else None,
        "clear_url": path if said else None,
        "filters": dict(filters),
    }


def plain_money(amount: int, currency: str) -> Decimal:
    """An amount for a spreadsheet: `12.50`, the currency stands in a column of its own."""
    return Money(amount, currency).decimal()


def plain_time(moment: datetime | None) -> str:
    """A moment for a spreadsheet, in UTC: `2026-11-21 09:30:00`."""
    return moment.strftime("%Y-%m-%d %H:%M:%S") if moment else ""
