"""Tables as CSV, sent while they are read: however long a list is, a page of it is in memory."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from litestar.response import Stream

from souk.kernel.money import Money
from souk.kernel.page import Page

T = TypeVar("T")
BATCH = 500
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: object) -> str:
    """A cell that no spreadsheet runs as a formula: such a text gets an apostrophe (OWASP,
    "CSV injection"). Numbers keep their hyphen; amounts are plain decimals, moments ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, Money):
        return str(value.decimal())
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    text = str(value)
    number = isinstance(value, int | float | Decimal)
    return f"'{text}" if text.startswith(_FORMULA) and not number else text


def _line(cells: Sequence[object]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerow([safe_cell(cell) for cell in cells])
    return out.getvalue().encode()


async def batches(load: Callable[[str | None], Awaitable[Page[T]]]) -> AsyncGenerator[T]:
    """Every row of a paged list: `load` reads the page after a cursor."""
    cursor: str | None = None
    while True:
        page = await load(cursor)
        for row in page.items:
            yield row
        cursor = page.next_cursor
        if cursor is None:
            return


def table(
    name: str,
    columns: Sequence[str],
    rows: AsyncGenerator[T],
    cells: Callable[[T], Sequence[object]],
) -> Stream:
    """The answer: UTF-8 with the mark that spreadsheets look for, and CRLF (RFC 4180)."""

    async def lines() -> AsyncGenerator[bytes]:
        yield b"\xef\xbb\xbf" + _line(columns)
        gathered: list[bytes] = []
        async for row in rows:
            gathered.append(_line(cells(row)))
            if len(gathered) >= BATCH:
                yield b"".join(gathered)
                gathered.clear()
        yield b"".join(gathered)

    return Stream(
        lines(),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}.csv"',
            "Cache-Control": "private, no-store",
        },
    )
