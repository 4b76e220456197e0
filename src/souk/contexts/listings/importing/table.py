"""Delimited text to rows, tolerant of what real exports contain and strict about size."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from souk.contexts.listings.importing.source import Encoding, read_lines, read_text

MAX_FIELD = 1_000_000
"""Characters in one cell."""
MAX_COLUMNS = 2_000
MAX_ROWS = 2_000_000
DELIMITERS = (",", ";", "\t", "|")
_GIVE_UP = 3
_LOOK_AHEAD = 16_000_000


class Row(msgspec.Struct, frozen=True):
    """`number` is the spreadsheet's row; `refusal` is the reason why `cells` could not be read."""

    number: int
    cells: list[str]
    refusal: str = ""


class _Lines:
    """An iterator of lines for csv.reader that remembers the current record, to read it again."""

    def __init__(self, lines: Iterator[tuple[str, bool]]) -> None:
        self._lines = lines
        self._waiting: deque[tuple[str, bool]] = deque()
        self.record: list[tuple[str, bool]] = []
        self._ended = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        try:
            line = self._waiting.popleft() if self._waiting else next(self._lines)
        except StopIteration:
            self._ended = True
            raise
        self.record.append(line)
        return line[0]

    def begin(self) -> None:
        self.record = []

    @property
    def was_cut(self) -> bool:
        return any(cut for _, cut in self.record)

    def put_back_unclosed(self) -> bool:
        """True when the file ended inside a quoted cell: its lines after the first are put back."""
        if not self._ended or len(self.record) < 2:
            return False
        if sum(line.count('"') for line, _ in self.record) % 2 == 0:
            return False
        self._waiting.extendleft(reversed(self.record[1:]))
        self._ended = False
        return True

    def skip_to_end_of_quote(self) -> bool:
        """Pass the rest of an oversized quoted cell; False when it does not end soon enough.

        In that case everything after the first line is put back, since a quotation mark that is
        never closed should cost its own row and not the rest of the file.
        """
        open_quotes = sum(line.count('"') for line, _ in self.record) % 2 == 1
        size = sum(len(line) for line, _ in self.record)
        while open_quotes and size < _LOOK_AHEAD:
            try:
                line = next(self)
            except StopIteration:
                break
            size += len(line)
            open_quotes ^= line.count('"') % 2 == 1
        if open_quotes:
            self._waiting.extendleft(reversed(self.record[1:]))
        return not open_quotes


def read_rows(stream: BinaryIO, encoding: Encoding, *, delimiter: str) -> Iterator[Row]:
    """Every row that has a cell, in order. Never raises for the content of the file."""
    lines = _Lines(read_lines(read_text(stream, encoding)))
    if csv.field_size_limit() != MAX_FIELD:
        csv.field_size_limit(MAX_FIELD)
    reader = csv.reader(lines, delimiter=delimiter)
    number = unclosed = 0
    while True:
        lines.begin()
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            if lines.skip_to_end_of_quote():
                yield Row(number, [], _TOO_LARGE)
                continue
            cells = None
        if cells is None or lines.put_back_unclosed():
            unclosed += 1
            yield Row(number, [], _UNCLOSED if unclosed < _GIVE_UP else _GAVE_UP)
            if unclosed >= _GIVE_UP:
                return
            continue
        if number > MAX_ROWS:
            yield Row(number, [], _TOO_MANY)
            return
        if number == 1 and len(cells) <= 2 and cells and cells[0].strip().startswith("sep="):
            number = 0
        elif refusal := _oversize(cells, cut=lines.was_cut):
            yield Row(number, [], refusal)
        elif any(cells):
            yield Row(number, cells)


def _oversize(cells: list[str], *, cut: bool) -> str:
    if cut:
        return _TOO_LONG
    return _TOO_WIDE if len(cells) > MAX_COLUMNS else ""


_TOO_LARGE = (
    "A cell in this row is larger than 1 MB. Shorten it, or put the text into the listing later."
)
_UNCLOSED = (
    'A quotation mark that opens in this row is never closed. Close it, or write it twice ("") '
    "where it belongs to the text."
)
_GAVE_UP = _UNCLOSED + " Too many rows have this problem: the rest of the file was not read."
_TOO_LONG = "This row is longer than 8 MB. Shorten its texts."
_TOO_WIDE = f"This row has more than {MAX_COLUMNS} columns. Remove the columns that are not used."
_TOO_MANY = f"The file has more than {MAX_ROWS} rows; the rest was not read. Split the file."
