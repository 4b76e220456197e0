"""Columns of a seller's own table: what they seem to hold, and reading them as mapped."""

from __future__ import annotations

import io

import pytest

from souk.contexts.listings.importing.mapping import (
    ValueKind,
    check_mapping,
    inspect,
    kind_of,
    open_mapped,
)
from souk.kernel.errors import InvalidInput

FILE = (
    "Artikelnummer;Bezeichnung;VK-Preis;Größe;Bestand;Foto;Farbe;;Bezeichnung\n"
    "F-1;Farn;12,50;klein;3;https://example.com/a.jpg;grün;x;y\n"
    "F-1;;14,50;groß;5;;grün;;\n"
    "T-1;Topf;4,00;;9;https://example.com/b.png;rot;;\n"
).encode()
MAPPING = {
    "Artikelnummer": "external_id", "Bezeichnung": "title", "VK-Preis": "price",
    "Größe": "option1_value", "Bestand": "stock", "Foto": "images", "Farbe": "attr:Colour",
}  # fmt: skip


def seen(content: bytes, remembered: dict[str, str] | None = None):
    return inspect(io.BytesIO(content), currency="EUR", remembered=remembered or {})


def read(content: bytes, mapping: dict[str, str]):
    file = open_mapped(io.BytesIO(content), currency="EUR", mapping=check_mapping(mapping))
    return file, list(file.records())


def test_a_table_of_nobodys_export_is_looked_at_and_its_columns_guessed() -> None:
    found = seen(FILE)
    assert found.needs_mapping and found.format == "" and found.problems == []
    by_name = {column.header: column for column in found.columns[:7]}
    assert by_name["Bezeichnung"].field == "title" and by_name["Bezeichnung"].reason == "name"
    assert by_name["VK-Preis"].kind is ValueKind.AMOUNT
    assert by_name["Bestand"].field == "stock" and by_name["Bestand"].kind is ValueKind.NUMBER
    assert by_name["Foto"].field == "images"
    assert by_name["VK-Preis"].samples == ["12,50", "14,50", "4,00"]
    assert by_name["Größe"].samples == ["klein", "groß"]
    assert [column.usable for column in found.columns[7:]] == [False, False]


def test_what_was_mapped_before_is_suggested_again_and_wins_over_guesses() -> None:
    found = seen(FILE, {"vk-preis": "price", "farbe": "attr:Colour", "bestand": ""})
    by_name = {column.header: column for column in found.columns[:7]}
    assert (by_name["VK-Preis"].field, by_name["VK-Preis"].reason) == ("price", "yours")
    assert by_name["Farbe"].field == "attr:Colour"
    assert (by_name["Bestand"].field, by_name["Bestand"].reason) == ("", "yours")


def test_known_exports_and_json_lines_need_no_mapping() -> None:
    own = seen(b"title,price\nFern,12.50\n")
    assert own.format == "souk" and not own.needs_mapping
    assert [column.field for column in own.columns] == ["title", "price"]
    lines = seen(b'{"title": "Fern", "price": "12.50"}\n')
    assert lines.format == "souk_jsonl" and lines.columns == [] and not lines.needs_mapping


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7 ...", b"only one column\nand a row\n"])
def test_what_is_no_table_says_why(content: bytes) -> None:
    found = seen(content)
    assert not found.needs_mapping and found.columns == []
    assert [problem.severity for problem in found.problems] == ["error"]


def test_a_mapped_table_is_read_with_variants_under_the_header_s_name() -> None:
    file, [fern, pot] = read(FILE, MAPPING)
    assert file.source == "souk", "the same product as from Souk's own file"
    assert fern.draft is not None and pot.draft is not None
    assert [v.options for v in fern.draft.variants] == [{"Größe": "klein"}, {"Größe": "groß"}]
    assert [v.price.amount for v in fern.draft.variants if v.price] == [1_250, 1_450]
    assert fern.draft.attributes == {"Colour": "grün"}
    assert [image.source for image in pot.draft.images] == ["https://example.com/b.png"]
    assert [p.code for p in file.problems] == ["column_duplicate"], "left out columns are silent"


def test_ragged_rows_refuse_their_product_and_short_ones_are_read() -> None:
    content = b"what,how much,left\nFern,12.50\nPot,4.00,3,surplus\nMug,5.00,1\n"
    _, records = read(content, {"what": "title", "how much": "price", "left": "stock"})
    fern, pot, mug = records
    assert fern.draft is not None and fern.draft.variants[0].stock is None
    assert pot.refused and [p.code for p in pot.problems] == ["row_ragged"]
    assert mug.draft is not None and mug.draft.variants[0].stock == 1


def test_a_file_without_the_mapped_columns_is_refused() -> None:
    file, records = read(b"name,cost\nFern,1.00\n", {"what": "title", "how much": "price"})
    assert records == [] and [p.code for p in file.problems] == ["format_unknown"]


@pytest.mark.parametrize(
    ("columns", "path"),
    [
        ({"a": "title"}, "field.price"),
        ({"a": "title", "b": "price", "c": "price"}, "columns.c"),
        ({"a": "title", "b": "price", "c": "colour"}, "columns.c"),
        ({"a": "title", "b": "price", " ": "stock"}, "columns. "),
        ({"a": "title", "b": "price", "c": "attr: "}, "columns.c"),
    ],
)
def test_mappings_that_are_refused_name_the_column(columns: dict[str, str], path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_mapping(columns)
    assert [problem.path for problem in refused.value.problems] == [path]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([], "empty"),
        (["https://x.example/a.jpg|https://x.example/b.png"], "picture"),
        (["https://x.example/a"], "address"),
        (["12,50", "€ 3.00"], "amount"),
        (["12", "-3"], "number"),
        (["2026-01-31", "1.2.2026"], "date"),
        (["yes", "No"], "yes_no"),
        (["word " * 40], "long_text"),
        (["red", "green"], "words"),
        (["12", "a dozen"], "words"),
    ],
)
def test_kinds_of_values(values: list[str], kind: str) -> None:
    assert kind_of(values, currency="EUR") == kind
