"""The result of an import as CSV: one line per product, and one more for each further remark."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from souk.contexts.listings.importing.queries import ResultView
from souk.contexts.listings.importing.text import neutralise_formula

_HEAD = (
    "outcome", "rows", "product", "title", "listing", "row", "column", "severity", "remark", "undo",
)  # fmt: skip


def report_head() -> bytes:
    """The line of column names, with a byte-order mark for spreadsheets."""
    return ("\ufeff" + _csv([_HEAD])).encode()


def report_lines(results: Sequence[ResultView], *, base_url: str) -> bytes:
    """Lines of these products; no cell is one that a spreadsheet runs."""
    lines: list[tuple[str, ...]] = []
    for result in results:
        listing = f"{base_url}/sell/listings/{result.listing_id}" if result.listing_id else ""
        product = (
            result.outcome.value, " ".join(map(str, result.rows)), result.external_id,
            result.title, listing,
        )  # fmt: skip
        undo = " ".join(part for part in (result.undo or "", result.undo_note) if part)
        remarks = [
            (str(p.row or ""), p.column, p.severity.value, p.message) for p in result.problems
        ]
        lines += [(*product, *remark, undo) for remark in remarks or [("", "", "", "")]]
    return _csv(lines).encode()


def _csv(lines: Sequence[Sequence[str]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([neutralise_formula(cell) for cell in line] for line in lines)
    return out.getvalue()
