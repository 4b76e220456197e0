"""A product file from its first byte to a stream of records.

    file = open_products(stream, currency="EUR")
    for record in file.records(): ...

Nothing that a file contains raises: what cannot be read is a problem with a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from souk.contexts.listings.importing.building import FileState
from souk.contexts.listings.importing.columns import Cells, Columns, normalised
from souk.contexts.listings.importing.drafts import Problems, ProductRecord, RowProblem
from souk.contexts.listings.importing.formats import Format
from souk.contexts.listings.importing.grouping import MAX_PRODUCT_ROWS, RowGroups
from souk.contexts.listings.importing.jsonl import read_jsonl
from souk.contexts.listings.importing.own import Own
from souk.contexts.listings.importing.shopify import Shopify
from souk.contexts.listings.importing.source import (
    SAMPLE,
    Encoding,
    detect_encoding,
    not_text,
    read_lines,
    read_text,
)
from souk.contexts.listings.importing.table import DELIMITERS, Row, read_rows
from souk.contexts.listings.importing.woocommerce import WooCommerce

FORMATS: tuple[Format, ...] = (Shopify(), WooCommerce(), Own())
JSONL = "souk_jsonl"


class ProductFile:
    """A file whose format is known, or `format` is None and `problems` say why.

    `source` names the origin of external ids: a product that comes by CSV once and by JSONL the
    next time is the same product.
    """

    def __init__(
        self,
        stream: BinaryIO,
        encoding: Encoding,
        *,
        currency: str,
        layout: Format | None,
        delimiter: str,
        jsonl: bool,
        problems: Problems,
    ) -> None:
        self._stream = stream
        self._layout = layout
        self._currency = currency
        self._jsonl = jsonl
        self.encoding = encoding.name
        self._encoding = encoding
        self.delimiter = delimiter
        self.format = JSONL if jsonl else layout.name if layout else None
        self.source = "souk" if jsonl else layout.name if layout else ""
        self._problems = problems

    @property
    def problems(self) -> list[RowProblem]:
        """What is to be said about the file as a whole, complete once records() has begun."""
        return self._problems.found

    def records(self) -> Iterator[ProductRecord]:
        """Every product in the order of its first row. May be called again from the start."""
        state = FileState(currency=self._currency)
        if self._jsonl:
            yield from read_jsonl(self._stream, self._encoding, state)
        elif self._layout is not None:
            yield from self._table(self._layout, state)

    def _table(self, layout: Format, state: FileState) -> Iterator[ProductRecord]:
        rows = read_rows(self._stream, self._encoding, delimiter=self.delimiter)
        header = next(rows)
        columns = Columns(
            header,
            aliases=layout.aliases,
            dynamic=layout.dynamic,
            ignored=layout.ignored,
            problems=Problems(),
        )
        with RowGroups() as groups:
            previous: list[str] = []
            for row in rows:
                keys = [] if row.refusal else layout.keys(Cells(row, columns), previous=previous)
                previous = keys or previous
                groups.add(keys or [f"\0row {row.number}"], row)
            for gathered, left_out in groups:
                yield _record(layout, gathered, left_out, columns, state)


def open_products(
    stream: BinaryIO,
    *,
    currency: str,
    encoding: str = "",
    delimiter: str = "",
    formats: Sequence[Format] | None = None,
) -> ProductFile:
    """Find out what a seekable stream of bytes is. Never raises for its content.

    `encoding` and `delimiter` override what would be detected; an unknown encoding is ignored.
    `formats` are the tables that it may be, in the order of preference.
    """
    problems = Problems()
    stream.seek(0)
    head = stream.read(SAMPLE)
    reason = not_text(head)
    if not head.strip(b"\0\t\r\n \xef\xbb\xbf\xff\xfe"):
        reason = "The file is empty. Export the products again and upload the new file."
    if reason:
        problems.error(0, "", "file_unreadable", reason)
        return ProductFile(
            stream, Encoding("utf-8"), currency=currency, layout=None, delimiter="", jsonl=False,
            problems=problems,
        )  # fmt: skip
    found = _encoding(stream, encoding, problems)
    first = next(_first_texts(stream, found), "")
    jsonl = first.startswith("{")
    layout, mark = (
        (None, "")
        if jsonl
        else _layout(
            stream, found, delimiter, problems, first, FORMATS if formats is None else formats
        )
    )
    return ProductFile(
        stream, found, currency=currency, layout=layout, delimiter=mark, jsonl=jsonl,
        problems=problems,
    )  # fmt: skip


def _encoding(stream: BinaryIO, wanted: str, problems: Problems) -> Encoding:
    found = detect_encoding(stream)
    if wanted in ENCODINGS and not found.skip:
        return Encoding(wanted)
    if found.damaged:
        problems.warn(
            0, "", "encoding_damaged",
            "Some characters in this UTF-8 file are damaged and appear as “\ufffd”. Export the "
            "file again, or correct the texts after the import.",
        )  # fmt: skip
    elif found.guessed:
        problems.warn(
            0, "", "encoding_guessed",
            f"The file is not UTF-8; it was read as {found.name}. Check accents in the preview, "
            "and save the file as UTF-8 if they are wrong.",
        )  # fmt: skip
    return found


def _first_texts(stream: BinaryIO, encoding: Encoding) -> Iterator[str]:
    for line, _ in read_lines(read_text(stream, encoding)):
        text = line.lstrip("\ufeff \t").rstrip()
        if text:
            yield text


def _layout(
    stream: BinaryIO,
    encoding: Encoding,
    delimiter: str,
    problems: Problems,
    first: str,
    formats: Sequence[Format],
) -> tuple[Format | None, str]:
    """The format and delimiter under which the header has the most known columns."""
    best: tuple[int, int, Format, str, Row] | None = None
    marks = (delimiter,) if delimiter in DELIMITERS else DELIMITERS
    for mark in marks:
        header = next(read_rows(stream, encoding, delimiter=mark), None)
        if header is None or header.refusal:
            continue
        names = {normalised(cell) for cell in header.cells}
        for rank, layout in enumerate(formats):
            if layout.recognises(names):
                score = sum(1 for name in names if name in layout.aliases)
                if best is None or (score, -rank) > best[:2]:
                    best = (score, -rank, layout, mark, header)
    if best is None:
        shown = first[:120]
        problems.error(
            1, "", "format_unknown",
            "The first row does not name the columns of a Shopify, WooCommerce or Souk product "
            f"file. It begins with “{shown}”. Keep the header row of the export as it was.",
        )  # fmt: skip
        return None, ""
    _, _, layout, mark, header = best
    Columns(
        header, aliases=layout.aliases, dynamic=layout.dynamic, ignored=layout.ignored,
        problems=problems,
    )  # fmt: skip
    rows = read_rows(stream, encoding, delimiter=mark)
    next(rows)
    if next(rows, None) is None:
        problems.error(
            0, "", "no_rows",
            "The file has a header and no products. Export the products again.",
        )  # fmt: skip
    return layout, mark


def _record(
    layout: Format, rows: list[Row], left_out: int, columns: Columns, state: FileState
) -> ProductRecord:
    problems = Problems()
    numbers = [row.number for row in rows]
    usable: list[Cells] = []
    for row in rows:
        cells = Cells(row, columns)
        if row.refusal:
            problems.error(row.number, "", "row_unreadable", row.refusal)
        elif cells.surplus():
            problems.error(
                row.number, "", "row_ragged",
                f"This row has {len(row.cells)} cells, the header has {columns.width}. Put texts "
                "that contain the separator into quotation marks.",
            )  # fmt: skip
        else:
            usable.append(cells)
    if left_out:
        problems.error(
            numbers[0], "", "product_too_long",
            f"This product has more than {MAX_PRODUCT_ROWS} rows or 32 MB of text; "
            f"{left_out} rows were left out. Split it into several products.",
        )  # fmt: skip
    draft = None
    title = ""
    if usable:
        keys = layout.keys(usable[0], previous=[])
        if keys:
            draft = layout.product(usable, state, problems)
        else:
            problems.error(
                numbers[0], "", "key_missing",
                "This row says neither which product it belongs to nor a title. "
                "Fill in the handle, SKU or title.",
            )  # fmt: skip
        title = next((text for cells in usable if (text := cells.get("title"))), "")[:200]
    return ProductRecord(
        external_id=draft.external_id if draft else "",
        title=draft.title if draft else title,
        rows=numbers,
        draft=draft,
        problems=problems.found,
    )


ENCODINGS = frozenset(
    {"utf-8", "utf-16-le", "utf-16-be", "cp1252", "latin_1", "cp1250", "cp1251", "mac_roman"}
)
