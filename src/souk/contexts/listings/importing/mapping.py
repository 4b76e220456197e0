"""A seller's own table: what its columns seem to hold, and reading it as the seller says.

A column is known by its normalised header; `field` is one of Souk's own columns, `attr:<name>`, or
empty for one that is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import islice
from typing import BinaryIO

import msgspec

from souk.contexts.listings.importing.columns import normalised
from souk.contexts.listings.importing.drafts import RowProblem
from souk.contexts.listings.importing.own import COLUMNS, Own
from souk.contexts.listings.importing.prices import PriceError, parse_price
from souk.contexts.listings.importing.reader import ProductFile, open_products
from souk.contexts.listings.importing.source import Encoding, detect_encoding
from souk.contexts.listings.importing.table import DELIMITERS, Row, read_rows
from souk.contexts.listings.importing.text import clean_text
from souk.kernel.errors import FieldProblem, InvalidInput

SAMPLE_BYTES = 1_000_000
"""How much of a file is looked at to suggest what its columns hold."""
NEEDED = ("title", "price")
MAX_COLUMNS_SHOWN = 200
_ROWS = 60
_SAMPLES = 3
_ATTRIBUTE = "attr:"
_URL = re.compile(r"^https?://\S+$", re.IGNORECASE)
_PICTURE = re.compile(r"\.(?:jpe?g|png|webp|gif|avif)(?:\?\S*)?$", re.IGNORECASE)
_WHOLE = re.compile(r"^[+-]?\d{1,12}$")
_DATE = re.compile(r"^\d{4}-\d\d-\d\d|^\d{1,2}[./]\d{1,2}[./]\d{2,4}$")
_FLAGS = {"yes", "no", "true", "false", "ja", "nein", "oui", "non", "si", "sí", "y", "n"}
_LONG = 80
_WORDS: dict[str, tuple[str, ...]] = {
    "external_id": ("article number", "item number", "item id", "product id", "artikelnummer",
                    "artikel nr", "référence", "reference", "referencia", "code"),
    "title": ("product", "product name", "product title", "item", "item name", "listing title",
              "bezeichnung", "artikel", "artikelname", "titel", "produkt", "produktname", "nom",
              "titre", "produit", "désignation", "nombre", "título", "titulo", "producto"),
    "description": ("text", "details", "long description", "body", "beschreibung", "descripción",
                    "descripcion", "produktbeschreibung"),
    "category": ("categories", "product category", "kategorie", "warengruppe", "catégorie",
                 "categorie", "categoría", "categoria", "product type"),
    "brand": ("vendor", "manufacturer", "marke", "hersteller", "marque", "marca"),
    "tags": ("keywords", "schlagworte", "stichworte", "mots clés", "etiquetas"),
    "condition": ("zustand", "état", "etat", "estado"),
    "sku": ("variant sku", "stock keeping unit", "art nr"),
    "price": ("unit price", "sale price", "selling price", "retail price", "preis", "vk preis",
              "verkaufspreis", "bruttopreis", "prix", "prix ttc", "precio", "price (eur)"),
    "compare_at_price": ("old price", "rrp", "msrp", "uvp", "alter preis", "list price",
                         "prix barré", "precio anterior"),
    "currency": ("währung", "devise", "moneda"),
    "stock": ("in stock", "inventory", "on hand", "available", "amount", "bestand", "menge",
              "lagerbestand", "anzahl", "quantité", "cantidad", "existencias"),
    "weight": ("weight (g)", "weight (kg)", "gewicht", "poids", "peso"),
    "images": ("image url", "image urls", "picture", "pictures", "photo", "photos", "bild",
               "bilder", "bild url", "foto", "imagen", "imágenes", "fotos", "image link"),
    "seo_title": ("meta title",),
    "seo_description": ("meta description",),
    "publish": ("published", "active", "online", "visible", "aktiv"),
    "option1_value": ("size", "größe", "taille", "talla", "variant", "variante"),
    "option2_value": ("color", "colour", "farbe", "couleur"),
}  # fmt: skip


class ValueKind(StrEnum):
    """What the cells of a column look like."""

    EMPTY = "empty"
    PICTURE = "picture"
    ADDRESS = "address"
    AMOUNT = "amount"
    NUMBER = "number"
    DATE = "date"
    YES_NO = "yes_no"
    LONG_TEXT = "long_text"
    WORDS = "words"


_GUESSES = {normalised(word): field for field, words in _WORDS.items() for word in words}
_BY_VALUES = {ValueKind.PICTURE: "images", ValueKind.AMOUNT: "price"}


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column of the file. `field` is the suggestion, `reason` where it comes from.

    `reason` is `yours` (you mapped this header before), `name`, `values`, or empty. `usable` is
    false for a column without a name and for the second one of a name.
    """

    position: int
    header: str
    key: str
    kind: ValueKind
    samples: list[str]
    field: str
    reason: str
    usable: bool


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """What a file seems to be. `format` is empty when it is nobody's export.

    `needs_mapping` says that it cannot be read before its columns are mapped. `columns` is empty
    for JSON lines, which name their fields themselves.
    """

    format: str
    encoding: str
    columns: list[Column]
    problems: list[RowProblem]
    needs_mapping: bool


class Mapped(Own):
    """Souk's own format under the headers that the seller chose."""

    def __init__(self, mapping: Mapping[str, str]) -> None:
        self.aliases: Mapping[str, str] = {key: field for key, field in mapping.items() if field}
        self._needed = {key for key, field in self.aliases.items() if field in NEEDED}

    def recognises(self, headers: set[str]) -> bool:
        return self._needed <= headers

    def dynamic(self, key: str, written: str) -> str | None:
        return None

    def ignored(self, key: str) -> bool:
        return key not in self.aliases


def open_mapped(
    stream: BinaryIO, *, currency: str, mapping: Mapping[str, str] | None
) -> ProductFile:
    """As `open_products`; with a mapping, the table is read as the seller says."""
    formats = None if mapping is None else (Mapped(mapping),)
    return open_products(stream, currency=currency, formats=formats)


def known_field(field: str) -> bool:
    """Whether a column can be mapped to `field`."""
    name = field.removeprefix(_ATTRIBUTE)
    return field in COLUMNS or (field != name and 1 <= len(clean_text(name)) <= 60)


def check_mapping(columns: Mapping[str, str]) -> dict[str, str]:
    """The mapping by normalised header. Raises InvalidInput that names every header at fault."""
    found: list[FieldProblem] = []
    mapping: dict[str, str] = {}
    taken: dict[str, str] = {}
    for header, field in columns.items():
        key = normalised(header)
        if not key or len(header) > 300:
            message = "A column without a name cannot be mapped. Give it a name in the file."
            found.append(FieldProblem(f"columns.{header[:60]}", "no_name", message))
        elif field and not known_field(field):
            message = f"There is no field “{field[:60]}”. Choose one from the list."
            found.append(FieldProblem(f"columns.{header[:60]}", "unknown", message))
        elif field and field in taken:
            message = f"“{taken[field]}” is mapped to the same field. Leave one of the two out."
            found.append(FieldProblem(f"columns.{header[:60]}", "twice", message))
        else:
            mapping[key] = field
            taken[field] = header[:60]
    for field in NEEDED:
        if field not in mapping.values():
            message = f"Say which column holds the {field}."
            found.append(FieldProblem(f"field.{field}", "missing", message))
    if found:
        raise InvalidInput("The columns could not be mapped.", problems=found)
    return mapping


def inspect(stream: BinaryIO, *, currency: str, remembered: Mapping[str, str]) -> Inspection:
    """Look at the beginning of a file. `remembered` are the seller's own fields by header."""
    file = open_products(stream, currency=currency)
    unknown = any(problem.code == "format_unknown" for problem in file.problems)
    # JSON lines name their fields; what is no table at all has no columns either.
    if not unknown and not file.delimiter:
        return Inspection(
            format=file.format or "", encoding=file.encoding, columns=[], problems=file.problems,
            needs_mapping=False,
        )  # fmt: skip
    rows = _sample(stream, detect_encoding(stream), file.delimiter)
    columns = _columns(rows, currency=currency, remembered=remembered)
    return Inspection(
        format=file.format or "",
        encoding=file.encoding,
        columns=columns,
        problems=[p for p in file.problems if p.code != "format_unknown" or not columns],
        needs_mapping=unknown and bool(columns),
    )


def _sample(stream: BinaryIO, encoding: Encoding, delimiter: str) -> list[Row]:
    """Header and first rows under the delimiter that makes the most columns of both."""
    best: list[Row] = []
    width = 1
    for mark in (delimiter,) if delimiter else DELIMITERS:
        rows = list(islice(read_rows(stream, encoding, delimiter=mark), _ROWS))
        usable = [row for row in rows if not row.refusal]
        if len(usable) < 2 or rows[0].refusal:
            continue
        columns = min(len(usable[0].cells), len(usable[1].cells))
        if columns > width:
            best, width = usable, columns
    return best


def _columns(rows: Sequence[Row], *, currency: str, remembered: Mapping[str, str]) -> list[Column]:
    if not rows:
        return []
    header, *body = rows
    found: list[Column] = []
    seen: set[str] = set()
    for position, cell in enumerate(header.cells[:MAX_COLUMNS_SHOWN]):
        key = normalised(cell)
        texts = [row.cells[position].strip() for row in body if position < len(row.cells)]
        values = [text for text in texts if text]
        found.append(
            Column(
                position=position,
                header=clean_text(cell)[:300],
                key=key,
                kind=kind_of(values, currency=currency),
                samples=[clean_text(text)[:120] for text in dict.fromkeys(values)][:_SAMPLES],
                field="",
                reason="",
                usable=bool(key) and key not in seen,
            )
        )
        seen.add(key)
    return _suggested(found, remembered)


def _suggested(columns: Sequence[Column], remembered: Mapping[str, str]) -> list[Column]:
    """The columns with a field each at most once: the seller's own word first, values last."""
    chosen: dict[int, tuple[str, str]] = {}
    taken: set[str] = set()

    def suggest(column: Column, field: str, reason: str) -> None:
        if column.usable and column.position not in chosen and field not in taken:
            chosen[column.position] = (field, reason)
            taken.update({field} if field else ())

    for column in columns:
        if column.key in remembered:
            suggest(column, remembered[column.key], "yours")
    for column in columns:
        named = Own.aliases_of(column.key) or _GUESSES.get(column.key.replace("-", " "), "")
        if named:
            suggest(column, named, "name")
    for column in columns:
        if column.kind in _BY_VALUES:
            suggest(column, _BY_VALUES[column.kind], "values")
    return [
        msgspec.structs.replace(column, field=field, reason=reason)
        for column in columns
        for field, reason in [chosen.get(column.position, ("", ""))]
    ]


def kind_of(values: Sequence[str], *, currency: str) -> ValueKind:
    """What all of the values look like."""
    if not values:
        return ValueKind.EMPTY
    first = [re.split(r"[|\s,]", value, maxsplit=1)[0] for value in values]
    if all(_URL.match(text) for text in first):
        pictures = all(_PICTURE.search(text) for text in first)
        return ValueKind.PICTURE if pictures else ValueKind.ADDRESS
    if all(value.casefold() in _FLAGS for value in values):
        return ValueKind.YES_NO
    if all(_WHOLE.match(value) for value in values):
        return ValueKind.NUMBER
    if all(_DATE.match(value) for value in values):
        return ValueKind.DATE
    if all(_is_amount(value, currency) for value in values):
        return ValueKind.AMOUNT
    long = sum(len(value) for value in values) > _LONG * len(values)
    return ValueKind.LONG_TEXT if long else ValueKind.WORDS


def _is_amount(value: str, currency: str) -> bool:
    try:
        parse_price(value, currency=currency)
    except PriceError:
        return False
    return True
