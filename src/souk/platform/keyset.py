"""Lists that can be sorted in several ways and paged without counting rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar
from uuid import UUID

from souk.kernel.ids import parse_uuid
from souk.kernel.page import BadCursor, Page, decode_cursor, encode_cursor, page_of

T = TypeVar("T")
Value = str | int | datetime
_CASTS = {"time": "timestamptz", "number": "bigint", "text": "text"}


@dataclass(frozen=True, slots=True)
class Sort:
    """Rows by `column`, then by `id`, both in one direction. The column is never null.

    `column` and `id` are SQL of ours, never of a visitor.
    """

    column: str
    kind: Literal["time", "number", "text"]
    down: bool = False
    id: str = "id"

    def after(self, value: int, key: int) -> str:
        """The condition that leaves out what came before: parameter numbers of `place`."""
        sign = "<" if self.down else ">"
        cast = _CASTS[self.kind]
        return (
            f"(${value}::{cast} IS NULL OR ({self.column}, {self.id}) {sign}"
            f" (${value}::{cast}, ${key}::uuid))"
        )

    @property
    def order(self) -> str:
        """What follows ORDER BY."""
        way = "DESC" if self.down else "ASC"
        return f"{self.column} {way}, {self.id} {way}"

    def place(self, cursor: str | None) -> tuple[Value | None, UUID | None]:
        """Where the last page ended. Raises BadCursor."""
        if cursor is None:
            return None, None
        value, key = decode_cursor(cursor, size=2)
        found = parse_uuid(str(key))
        if found is None or isinstance(value, int) is not (self.kind == "number"):
            raise BadCursor
        if self.kind == "time":
            try:
                moment = datetime.fromisoformat(str(value))
            except ValueError as error:
                raise BadCursor from error
            if moment.tzinfo is None:
                raise BadCursor
            return moment, found
        assert value is not None
        return value, found

    def page(
        self, rows: Sequence[T], *, limit: int, at: Callable[[T], tuple[Value, UUID]]
    ) -> Page[T]:
        """A page from `limit + 1` rows; `at` answers a row's sorted value and id."""

        def cursor_of(row: T) -> str:
            value, key = at(row)
            kept = value.isoformat() if isinstance(value, datetime) else value
            return encode_cursor(kept, str(key))

        return page_of(rows, limit=limit, cursor_of=cursor_of)
