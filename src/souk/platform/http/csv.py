"""Tables as CSV, for every list of the program. Lists are sent while they are read: however long
one is, a page of it is in memory; `MOST` rows are the end of any file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from litestar import Response
from litestar.response import Stream

from souk.kernel.money import Money
from souk.kernel.page import Page

T = TypeVar("T")
BATCH = 500
MOST = 200_000
"""Rows of a file: about what people's spreadsheets open without trouble."""

# With their full-width forms, which some spreadsheets take for the same.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Where a comma is the decimal mark, a spreadsheet begins a new cell at each semicolon, and does not
# see the quotes in the middle of one: then every line is a row.
_NEXT_CELL = re.compile(r"([;\t\r\n])(?=[=+\-@\t\r\uff1d\uff0b\uff0d\uff20])")
_MARK = b"\xef\xbb\xbf"
_TYPE = "text/csv; charset=utf-8"


class Ready(str):
    """A cell that was made safe already, in a notation that is read back."""

    __slots__ = ()


def safe_cell(value: object) -> str:
    """A cell that no spreadsheet runs as a formula: such a text gets an apostrophe (OWASP,
    "CSV injection"). Numbers keep their hyphen; amounts are plain decimals, moments ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, Ready):
        return value
    if isinstance(value, Money):
        return str(value.decimal())
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    text = str(value)
    if isinstance(value, int | float | Decimal):
        return text
    text = _NEXT_CELL.sub(r"\1'", text)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _line(cells: Sequence[object]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerow([safe_cell(cell) for cell in cells])
    return out.getvalue().encode()


def _headers(name: str) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{name}.csv"',
        "Cache-Control": "private, no-store",
    }


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
    *,
    most: int = MOST,
) -> Stream:
    """The answer: UTF-8 with the mark that spreadsheets look for, and CRLF (RFC 4180).

    A list that is longer than `most` rows ends with a row that says so.
    """

    async def lines() -> AsyncGenerator[bytes]:
        yield _MARK + _line(columns)
        gathered: list[bytes] = []
        count = 0
        async for row in rows:
            if count == most:
                said = f"only the first {most} rows: narrow the filter for the others"
                gathered.append(_line([said]))
                break
            count += 1
            gathered.append(_line(cells(row)))
            if len(gathered) >= BATCH:
                yield b"".join(gathered)
                gathered.clear()
        yield b"".join(gathered)

    return Stream(lines(), media_type=_TYPE, headers=_headers(name))


def whole(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Response[bytes]:
    """A table that is in memory already, in the same notation."""
    content = _MARK + b"".join(_line(cells) for cells in [columns, *rows])
    return Response(content, status_code=200, media_type=_TYPE, headers=_headers(name))
