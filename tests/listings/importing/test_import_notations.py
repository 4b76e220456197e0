"""Prices, stock, weights and HTML as shops write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from souk.contexts.listings.importing.prices import PriceError, parse_price
from souk.contexts.listings.importing.quantities import (
    QuantityError,
    parse_flag,
    parse_stock,
    parse_weight,
)
from souk.contexts.listings.importing.text import (
    clean_text,
    description_html,
    neutralise_formula,
    plain_text,
    read_formula,
    sanitise_html,
)
from souk.kernel.money import Money


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("12.50", 1250), ("1.234,56", 123456), ("1,234.56", 123456), ("1 234,56", 123456),
        ("1\u202f234,56", 123456), ("€12", 1200), ("12,99 €", 1299), ("12,-", 1200),
        ("12.–", 1200), ("1'234.50", 123450), ("1’234.50", 123450), ("free", 0), ("GRATIS", 0),
        ("EUR 7.5", 750), ("7,5 eur", 750), (".99", 99), ("1.234.567", 123456700),
        ("12,34,567.89", 123456789), ("19.9900", 1999), ("0", 0), ("+5", 500), ("12.", 1200),
        ("12345.678", 1234568),
    ],
)  # fmt: skip
def test_a_price_is_read_in_the_notation_of_its_country(text: str, minor: int) -> None:
    assert parse_price(text, currency="EUR").money == Money(minor, "EUR")


@pytest.mark.parametrize("text", ["1.234", "1,234", "12.500"])
def test_three_digits_after_one_separator_are_thousands_with_a_warning(text: str) -> None:
    parsed = parse_price(text, currency="EUR")
    assert parsed.money.amount == int("".join(filter(str.isdigit, text))) * 100
    assert "two ways" in parsed.warning


def test_three_decimals_are_no_thousands_where_the_currency_has_them() -> None:
    parsed = parse_price("1.234", currency="KWD")
    assert parsed.money == Money(1234, "KWD")
    assert parsed.warning == ""


def test_a_currency_without_decimals_rounds_and_says_so() -> None:
    parsed = parse_price("1250.40", currency="JPY")
    assert parsed.money == Money(1250, "JPY")
    assert "more decimals" in parsed.warning


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "price_unreadable"), ("on request", "price_unreadable"), ("1e9", "price_unreadable"),
        ("12.05.2024", "price_unreadable"), ("12 50", "price_unreadable"),
        ("1,2.3,4", "price_unreadable"), ("٣", "price_unreadable"), ("=1+1", "price_unreadable"),
        ("nan", "price_unreadable"), ("9" * 200, "price_unreadable"),
        ("-5", "price_negative"), ("(5.00)", "price_negative"), ("€ -5", "price_negative"),
        ("1000000000", "price_absurd"), ("$5", "price_currency"), ("10 USD", "price_currency"),
        ("£3", "price_currency"),
    ],
)  # fmt: skip
def test_a_price_that_cannot_be_used_is_refused_with_a_sentence(text: str, code: str) -> None:
    with pytest.raises(PriceError) as refusal:
        parse_price(text, currency="EUR")
    assert refusal.value.code == code
    assert refusal.value.message.endswith((".", "?"))


@given(st.integers(0, 10**9), st.sampled_from(["EUR", "USD", "JPY", "KWD"]))
def test_every_amount_survives_being_written_plainly(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert parse_price(str(money), currency=currency).money == money


@given(st.text(max_size=60))
def test_no_text_crashes_the_price_reader(text: str) -> None:
    try:
        parsed = parse_price(text, currency="EUR")
    except PriceError:
        return
    assert 0 <= parsed.money.amount <= 100_000_000_00


@pytest.mark.parametrize(
    ("text", "count"),
    [("5", 5), ("5.0", 5), ("5 pcs", 5), ("1,000", 1000), ("-3", 0), ("out of stock", 0),
     ("", None), ("in stock", None), ("unlimited", None), ("007", 7)],
)  # fmt: skip
def test_stock_notations(text: str, count: int | None) -> None:
    assert parse_stock(text) == count


@pytest.mark.parametrize("text", ["a few", "1.5", "99999999", "1e3"])
def test_stock_that_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(QuantityError):
        parse_stock(text)


@pytest.mark.parametrize(
    ("text", "unit", "grams"),
    [("1.5 kg", "g", 1500), ("1,5kg", "g", 1500), ("200", "g", 200), ("2", "lb", 907),
     ("8 oz", "g", 227), ("0.5", "kg", 500), ("", "g", None), ("3 lbs.", "g", 1361)],
)  # fmt: skip
def test_weights_become_grams(text: str, unit: str, grams: int | None) -> None:
    assert parse_weight(text, unit=unit) == grams


@pytest.mark.parametrize("text", ["heavy", "5 stone", "40000 kg", "-1"])
def test_weights_that_cannot_be_used_are_refused(text: str) -> None:
    with pytest.raises(QuantityError):
        parse_weight(text)


@given(st.text(max_size=40))
def test_no_text_crashes_the_quantity_readers(text: str) -> None:
    parse_flag(text)
    for read in (parse_stock, parse_weight):
        try:
            value = read(text)
        except QuantityError:
            continue
        assert value is None or value >= 0


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>",
        '<a href="javascript:alert(1)">x</a>', "<iframe src=//evil></iframe>",
        "<p onclick=alert(1) style='position:fixed'>x</p>", "<form action=//evil><input></form>",
        "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>", "<<script>script>alert(1)",
        "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
        "<style>*{display:none}</style>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    ],
)  # fmt: skip
def test_nothing_that_runs_survives_clean_up(hostile: str) -> None:
    clean = sanitise_html(hostile).casefold()
    assert not any(
        word in clean
        for word in ("<script", "onerror", "onload", "onclick", "javascript:", "<iframe", "<svg",
                     "<style", "style=", "data:text", "<form", "<img", "<math")
    )  # fmt: skip


def test_useful_markup_survives_and_links_are_marked() -> None:
    clean = sanitise_html(
        '<h1>Care</h1><p>Water <strong>weekly</strong>, see <a href="https://x.test/">this</a></p>'
    )
    assert clean == (
        "<h2>Care</h2><p>Water <strong>weekly</strong>, see "
        '<a href="https://x.test/" rel="noopener nofollow ugc">this</a></p>'
    )


def test_plain_text_becomes_paragraphs() -> None:
    assert description_html("5 < 6 & so\n\nnext\nline") == (
        "<p>5 &lt; 6 &amp; so</p><p>next<br>line</p>"
    )


def test_titles_lose_markup_and_control_characters() -> None:
    assert plain_text("<b>Big</b>\u200b fern &amp; pot\x07 ") == "Big\u200b fern & pot"
    assert clean_text("e\u0301\ud800") == "é"


@given(st.text(max_size=200))
def test_clean_up_is_stable(text: str) -> None:
    once = sanitise_html(clean_text(text, keep_lines=True))
    assert sanitise_html(once) == once


@pytest.mark.parametrize("cell", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\tx", "=HYPERLINK(1)"])
def test_formulas_are_neutralised_on_export_and_come_back(cell: str) -> None:
    assert neutralise_formula(cell).startswith("'")
    assert read_formula(neutralise_formula(cell)) == cell


@pytest.mark.parametrize("cell", ["-5", "+3.50", "plain", "'quoted", ""])
def test_harmless_cells_stay_as_they_are(cell: str) -> None:
    assert neutralise_formula(cell) == cell
    assert read_formula(cell) == cell
