"""Tables for people's own spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from litestar import Response

from souk.platform.http.csv import safe_cell


def csv_of(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """RFC 4180, with the mark by which spreadsheets know UTF-8."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([safe_cell(value) for value in row] for row in rows)
    return "\ufeff" + out.getvalue()


def csv_answer(
    name: str, header: Sequence[str], rows: Iterable[Sequence[object]]
) -> Response[bytes]:
    """The table as a file called `name`."""
    return Response(
        csv_of(header, rows).encode(),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "private, no-store",
        },
    )
