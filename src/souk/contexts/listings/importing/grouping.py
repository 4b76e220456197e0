"""Rows gathered into products on disk, so that neither the size nor the order of a file matters."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import msgspec

from souk.contexts.listings.importing.table import Row

MAX_PRODUCT_ROWS = 2_500
MAX_PRODUCT_BYTES = 32_000_000
_NONE = -1


class RowGroups:
    """A temporary file of rows with one linked list per product.

    Memory is 24 bytes a row and about 100 bytes a key. WooCommerce names a parent by id or by
    SKU, before or after its variations, so a row may carry several keys and join two groups.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  __exit__ closes it
        self._group_of: dict[int, int] = {}
        self._joined: dict[int, int] = {}
        self._first = array("q")
        self._last = array("q")
        self._offset = array("q")
        self._size = array("q")
        self._next = array("q")
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        """Number of products."""
        return len(self._first) - len(self._joined)

    def add(self, keys: list[str], row: Row) -> None:
        """Append `row` to the product that any of `keys` names."""
        found: list[int] = []
        for key in keys:
            group = self._group_of.get(hash(key))
            if group is not None:
                group = self._root(group)
                if group not in found:
                    found.append(group)
        if found:
            target = min(found)
            for other in found:
                if other != target:
                    self._join(target, other)
        else:
            target = len(self._first)
            self._first.append(_NONE)
            self._last.append(_NONE)
        for key in keys:
            self._group_of[hash(key)] = target
        self._append(target, row)

    def _append(self, group: int, row: Row) -> None:
        data = msgspec.msgpack.encode(row)
        index = len(self._offset)
        self._file.seek(self._end)
        self._file.write(data)
        self._offset.append(self._end)
        self._size.append(len(data))
        self._next.append(_NONE)
        self._end += len(data)
        if self._first[group] == _NONE:
            self._first[group] = index
        else:
            self._next[self._last[group]] = index
        self._last[group] = index

    def _root(self, group: int) -> int:
        while group in self._joined:
            group = self._joined[group]
        return group

    def _join(self, target: int, other: int) -> None:
        self._next[self._last[target]] = self._first[other]
        self._last[target] = self._last[other]
        self._joined[other] = target

    def __iter__(self) -> Iterator[tuple[list[Row], int]]:
        """Products in the order of their first row: their rows, and how many were left out."""
        decode = msgspec.msgpack.Decoder(Row).decode
        for group in range(len(self._first)):
            if group in self._joined:
                continue
            rows: list[Row] = []
            size = left_out = 0
            index = self._first[group]
            while index != _NONE:
                size += self._size[index]
                if len(rows) < MAX_PRODUCT_ROWS and (size <= MAX_PRODUCT_BYTES or not rows):
                    self._file.seek(self._offset[index])
                    rows.append(decode(self._file.read(self._size[index])))
                else:
                    left_out += 1
                index = self._next[index]
            rows.sort(key=lambda row: row.number)
            yield rows, left_out
