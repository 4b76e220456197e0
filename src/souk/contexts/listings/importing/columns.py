"""The header row: which column holds what, under any of the names that shops give it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from souk.contexts.listings.importing.drafts import Problems
from souk.contexts.listings.importing.table import Row
from souk.contexts.listings.importing.text import clean_text, read_formula

_SPACES = re.compile(r"[\s_]+")
_SHOWN = 12


def normalised(header: str) -> str:
    """Column names compare without case, underscores, surrounding quotes and double spaces."""
    return _SPACES.sub(" ", header.strip().strip("\"'\ufeff").strip()).casefold()


class Columns:
    """Finds cells by field name.

    `aliases` maps normalised headers to fields. `dynamic` names the field of a header that is part
    of a family (`attribute 3 name`), or returns None. `ignored` says which headers are known and
    of no use here, so that they cause no warning.
    """

    def __init__(
        self,
        header: Row,
        *,
        aliases: Mapping[str, str],
        dynamic: Callable[[str, str], str | None],
        ignored: Callable[[str], bool],
        problems: Problems,
    ) -> None:
        self.index: dict[str, int] = {}
        self.names: dict[str, str] = {}
        self.width = len(header.cells)
        unknown: list[str] = []
        for position, cell in enumerate(header.cells):
            written = clean_text(cell)
            key = normalised(cell)
            field = aliases.get(key) or dynamic(key, written)
            if field is None:
                if key and not ignored(key):
                    unknown.append(written[:60])
            elif field in self.index:
                problems.warn(
                    header.number, written[:60], "column_duplicate",
                    f"The column “{written[:60]}” says the same as “{self.names[field]}”; "
                    "only the first of them is read.",
                )  # fmt: skip
            else:
                self.index[field] = position
                self.names[field] = written[:60]
        if unknown:
            more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
            listed = ", ".join(f"“{name}”" for name in unknown[:_SHOWN])
            problems.warn(
                header.number, "", "column_unknown",
                f"These columns are not known and are left out: {listed}{more}.",
            )  # fmt: skip

    def name(self, field: str) -> str:
        """The header as the file writes it; empty when the file has no such column."""
        return self.names.get(field, "")

    def fields(self, prefix: str) -> list[str]:
        """The fields of a family, in the file's order."""
        return [field for field in self.index if field.startswith(prefix)]


class Cells:
    """One row seen through its columns."""

    __slots__ = ("_columns", "row")

    def __init__(self, row: Row, columns: Columns) -> None:
        self.row = row
        self._columns = columns

    @property
    def number(self) -> int:
        return self.row.number

    def get(self, field: str) -> str:
        """The cell, stripped, as text; empty for a missing column or a short row."""
        position = self._columns.index.get(field)
        if position is None or position >= len(self.row.cells):
            return ""
        return read_formula(self.row.cells[position].strip())

    def column(self, field: str) -> str:
        return self._columns.name(field)

    def surplus(self) -> bool:
        """True when there is text beyond the last column: a separator inside an unquoted text."""
        return any(cell.strip() for cell in self.row.cells[self._columns.width :])

    def fields(self, prefix: str) -> list[str]:
        """The fields of a family, in the file's order."""
        return self._columns.fields(prefix)
