"""Files as people really send them: encodings, newlines, separators, broken rows, sizes."""

from __future__ import annotations

import csv
import io
import resource

import pytest
from hypothesis import given
from hypothesis import strategies as st

from souk.contexts.listings.importing import table
from souk.contexts.listings.importing.drafts import Severity
from souk.contexts.listings.importing.reader import open_products
from tests.listings.importing.reading import codes, drafts, opened, records

HEADER = "external_id,title,description,price,stock"
PLAIN = f"{HEADER}\nfern,Boston fern,Green,12.50,3\ncafe,Café crème,Brown,4.20,9\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-32"]
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_encodings_and_newlines(encoding: str, newline: str) -> None:
    found = drafts(PLAIN.replace("\n", newline).encode(encoding))
    assert [draft.title for draft in found] == ["Boston fern", "Café crème"]
    assert [draft.rows for draft in found] == [[2], [3]]


def test_a_guessed_encoding_is_told() -> None:
    file = opened(PLAIN.encode("cp1252"))
    assert [problem.code for problem in file.problems] == ["encoding_guessed"]
    assert "cp1252" in file.problems[0].message


@pytest.mark.parametrize(
    ("encoding", "title"),
    [("cp1251", "Фикус каучуконосный"), ("cp1250", "Żółty kwiat łąkowy"),
     ("shift_jis", "観葉植物の鉢植え"), ("mac_roman", "Fern")],
)  # fmt: skip
def test_other_encodings_are_recognised_by_their_text(encoding: str, title: str) -> None:
    body = "".join(f"p{n},{title} {n},{title},1.00,1\n" for n in range(40))
    found = drafts((HEADER + "\n" + body).encode(encoding))
    assert found[0].title == f"{title} 0"


def test_one_bad_byte_late_in_a_long_utf8_file_damages_one_character_only() -> None:
    body = "".join(f"p{n},Pflänzchen {n} für drinnen,x,1.00,1\n" for n in range(20_000))
    data = (HEADER + "\n" + body).encode() + b"last,Bl\xfcte,x,1.00,1\n"
    file = opened(data)
    titles = [record.title for record in file.records()]
    assert [problem.code for problem in file.problems] == ["encoding_damaged"]
    assert titles[0] == "Pflänzchen 0 für drinnen"
    assert titles[-1] == "Bl\ufffdte"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(delimiter: str) -> None:
    text = PLAIN.replace(",", delimiter).replace("12.50", "12,50" if delimiter != "," else "12.50")
    assert next(draft.variants[0].price for draft in drafts(text)).amount == 1250


def test_excels_separator_line_is_not_a_row() -> None:
    assert [draft.rows for draft in drafts("sep=;\n" + PLAIN.replace(",", ";"))] == [[2], [3]]


def test_quoted_newlines_and_separators_stay_in_their_cell_and_rows_count_as_in_a_spreadsheet() -> (
    None
):
    found = drafts(f'{HEADER}\na,"Pot, red","one\n\ntwo ""x""",1,1\n\nb,Pot,,2,1\n')
    assert found[0].title == "Pot, red"
    assert found[0].description_html == '<p>one</p><p>two "x"</p>'
    assert [draft.rows for draft in found] == [[2], [4]]


def test_nul_bytes_are_dropped() -> None:
    assert drafts(PLAIN.replace("Boston", "Bos\0ton"))[0].title == "Boston fern"


def test_short_rows_are_filled_and_rows_with_surplus_text_are_refused() -> None:
    found = records(f"{HEADER}\na,Pot,x,1\nb,Big, red pot,x,1,1\nc,Pot,x,1,1,,\n")
    assert [record.draft is not None for record in found] == [True, False, True]
    assert codes(found[1]) == [(3, "row_ragged")]
    assert "quotation marks" in found[1].problems[0].message


def test_unknown_and_repeated_columns_are_told_once() -> None:
    file = opened("title,price,Shelf,PRICE,Price \nPot,1,A,2,3\nPan,1,B,2,3\n")
    assert [record.draft.variants[0].price.amount for record in file.records()] == [100, 100]
    assert sorted(problem.code for problem in file.problems) == [
        "column_duplicate", "column_duplicate", "column_unknown",
    ]  # fmt: skip
    assert "Shelf" in next(p.message for p in file.problems if p.code == "column_unknown")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\0\0"])
def test_an_empty_file_is_refused_with_a_sentence(content: bytes) -> None:
    file = opened(content)
    assert list(file.records()) == []
    assert file.format is None
    assert file.problems[0].severity is Severity.ERROR
    assert "empty" in file.problems[0].message


def test_a_header_without_rows_says_so() -> None:
    file = opened(HEADER + "\n")
    assert [problem.code for problem in file.problems] == ["no_rows"]
    assert list(file.records()) == []


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"PK\x03\x04rest", "Excel"), (b"%PDF-1.7", "PDF"), (b"\x1f\x8b\x08", "gzip"),
     (b"first,second\n1,2\n", "does not name"), (b"<html><body>", "does not name"),
     (b'[{"title": "x"}]', "does not name")],
)  # fmt: skip
def test_what_is_no_product_table_is_refused_with_advice(content: bytes, word: str) -> None:
    file = opened(content)
    assert file.format is None
    assert word in file.problems[0].message
    assert list(file.records()) == []


def test_long_descriptions_are_fine_and_gigantic_cells_cost_their_row_only() -> None:
    long = "word " * 2_000
    giant = "x\n" * 600_000
    found = records(f'{HEADER}\na,Pot,{long},1,1\nb,Pan,"{giant}",1,1\nc,Can,x,1,1\n')
    assert [(record.rows, record.refused) for record in found] == [
        ([2], False), ([3], True), ([4], False),
    ]  # fmt: skip
    assert len(found[0].draft.description_html) > 9_000
    assert "1 MB" in found[1].problems[0].message


def test_an_endless_line_is_refused_without_being_kept() -> None:
    found = records(f"{HEADER}\na,Pot,{'y' * 9_000_000},1,1\nb,Pan,x,1,1\n")
    assert [record.refused for record in found] == [True, False]


def test_a_quotation_mark_that_is_never_closed_costs_its_row_and_not_the_rest() -> None:
    rest = "".join(f"p{n},Pot {n},x,1,1\n" for n in range(50))
    found = records(f'{HEADER}\na,Pan,"never closed,1,1\n{rest}')
    assert codes(found[0]) == [(2, "row_unreadable")]
    assert "never closed" in found[0].problems[0].message
    assert len([record for record in found if record.draft]) == 50


def test_rows_of_one_product_may_lie_apart() -> None:
    found = drafts(
        "external_id,title,option1_name,option1_value,price\na,Tee,Size,S,10\nb,Mug,,,5\na,,,M,11\n"
    )
    assert [[variant.options for variant in draft.variants] for draft in found] == [
        [{"Size": "S"}, {"Size": "M"}], [{}],
    ]  # fmt: skip
    assert found[0].rows == [2, 4]


def test_formulas_are_kept_as_text() -> None:
    draft = drafts(f'{HEADER}\na,"=HYPERLINK(""http://evil"")",\'+x,1,1\n')[0]
    assert draft.title == '=HYPERLINK("http://evil")'
    assert draft.description_html == "<p>+x</p>"


def test_reading_twice_gives_the_same() -> None:
    file = opened(PLAIN)
    assert list(file.records()) == list(file.records())


def test_a_large_file_is_read_in_bounded_memory(tmp_path) -> None:
    path = tmp_path / "large.csv"
    filler = "A sentence about a plant. " * 40
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(HEADER.split(","))
        for number in range(30_000):
            writer.writerow([f"p{number}", f"Plant {number}", filler, "9.99", "4"])
    size = path.stat().st_size
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with path.open("rb") as stream:
        count = sum(1 for record in open_products(stream, currency="EUR").records() if record.draft)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert count == 30_000
    assert grown < size, (grown, size)


HEADERS = [
    b"Handle,Title,Body (HTML),Option1 Name,Option1 Value,Variant SKU,Variant Price,Image Src\n",
    b"ID,Type,SKU,Name,Regular price,Stock,Parent,Attribute 1 name,Attribute 1 value(s)\n",
    b"external_id,title,price,stock,weight,images\n",
    b'{"title": "x", "variants": [',
    b"",
]


@given(st.sampled_from(HEADERS), st.binary(max_size=600))
def test_no_bytes_crash_the_reader(header: bytes, body: bytes) -> None:
    for record in opened(header + body).records():
        assert record.draft is not None or any(
            problem.message and problem.severity is Severity.ERROR for problem in record.problems
        )


CELL = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["", "a", "variable", "variation", "id:1", "1", "12,50", "-1", "=x", '"', "S"]),
)


@given(
    st.sampled_from(HEADERS[:3]), st.lists(st.lists(CELL, max_size=9), max_size=8),
    st.sampled_from(["utf-8", "utf-16", "cp1252"]),
)  # fmt: skip
def test_every_row_lands_or_is_refused_with_a_sentence(
    header: bytes, rows: list[list[str]], encoding: str
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    data = (header.decode() + text.getvalue()).encode(encoding, errors="replace")
    seen: list[int] = []
    for record in opened(data).records():
        seen += record.rows
        if record.draft is None:
            assert any(problem.severity is Severity.ERROR for problem in record.problems)
        else:
            assert record.draft.title
            assert record.draft.variants
            assert record.draft.external_id
    assert len(seen) == len(set(seen))


def test_reading_gives_up_when_too_many_marks_are_never_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(table, "_GIVE_UP", 1)
    found = records(f'{HEADER}\na,"Pot,x,1,1\nb,Pan,x,1,1\n')
    assert [codes(record) for record in found] == [[(2, "row_unreadable")]]
    assert "the rest of the file was not read" in found[0].problems[0].message


def test_an_endless_cell_without_a_closing_mark_costs_its_row_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(table, "_LOOK_AHEAD", 1_500_000)
    filler = ("x" * 1_000 + "\n") * 2_500
    found = records(f'{HEADER}\na,"Pot,x,1,1\nb,Pan,x,1,1\n{filler}')
    assert codes(found[0]) == [(2, "row_unreadable")]
    assert found[1].draft.title == "Pan"


def test_too_many_columns_and_too_many_rows_of_one_product_are_refused() -> None:
    wide = records(f"{HEADER}\na,Pot,x,1,1{',' * 2_100}\nb,Pan,x,1,1\n")
    assert [record.refused for record in wide] == [True, False]
    assert "2000 columns" in wide[0].problems[0].message
    (tall,) = records(f"{HEADER}\n" + "a,Pot,x,1,1\n" * 2_600)
    assert "product_too_long" in [code for _, code in codes(tall)]


def test_a_person_may_name_the_encoding_and_the_delimiter() -> None:
    file = open_products(
        io.BytesIO(PLAIN.replace(",", ";").encode("cp1251", errors="replace")),
        currency="EUR", encoding="cp1251", delimiter=";",
    )  # fmt: skip
    assert (file.encoding, file.delimiter, file.format) == ("cp1251", ";", "souk")
    assert len(list(file.records())) == 2
