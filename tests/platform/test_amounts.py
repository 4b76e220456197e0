"""Amounts and numbers as people read them: one minus sign, in every language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import souk.web
from souk.contexts.notifications.domain import Say
from souk.platform import amounts

LANGUAGES = ("en", "de", "fr", "es", "ar")


@pytest.mark.parametrize(
    ("count", "language", "text"),
    [
        (0, "en", "0 byte"), (999, "en", "999 byte"), (1_000, "en", "1 kB"),
        (2_340, "de", "2,3 kB"),
        (14_499, "en", "14 kB"), (1_250_000, "fr", "1,2 Mo"), (5_100_000_000, "es", "5,1 GB"),
    ],
)  # fmt: skip
def test_sizes_of_files(count: int, language: str, text: str) -> None:
    assert amounts.size(count, language).replace("\xa0", " ").replace("\u202f", " ") == text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("currency", ["EUR", "USD", "JPY", "KWD"])
def test_what_is_below_zero_bears_the_minus_sign_and_no_hyphen(
    language: str, currency: str
) -> None:
    texts = [
        amounts.money(-500, currency, language),
        amounts.money_change(-500, currency, language),
        amounts.short_money(-500_000, currency, language),
        amounts.number(-1234.5, language),
        amounts.number_change(-3, language),
    ]
    for text in texts:
        assert text.count(amounts.MINUS) == 1, text
        assert "-" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_gain_bears_a_plus_where_the_language_puts_the_minus(language: str) -> None:
    less = amounts.money_change(-500, "EUR", language)
    more = amounts.money_change(500, "EUR", language)
    assert more == less.replace(amounts.MINUS, "+") != less
    assert amounts.money_change(0, "EUR", language) == amounts.money(0, "EUR", language)
    assert amounts.number_change(3, language) == "+3"


def test_amounts_in_words_of_each_language() -> None:
    assert amounts.money(-500, "EUR", "en") == "−€5.00"
    assert amounts.money(-123_450, "EUR", "de") == "−1.234,50\xa0€"
    assert amounts.money(-500, "JPY", "en") == "−¥500"
    assert amounts.money_change(500, "EUR", "en") == "+€5.00"
    assert amounts.short_money(300_000, "EUR", "de") == "3.000\xa0€"
    assert amounts.short_money(300_050, "EUR", "de") == "3.000,50\xa0€"


def test_letters_write_amounts_like_pages() -> None:
    for language in LANGUAGES:
        assert Say(language).money(-500, "EUR") == amounts.money(-500, "EUR", language)


def test_no_template_sets_a_sign_before_a_figure_itself() -> None:
    templates = Path(souk.web.__file__).parent / "templates"
    sign = re.compile(r"[-−+](\{% endif %\})?\{\{[^}]*\|(money|number)\b|'[−+]' (if|~)")
    found = [
        f"{path.relative_to(templates)}: {match[0]}"
        for path in sorted(templates.rglob("*.html"))
        for match in sign.finditer(path.read_text())
    ]
    assert found == []
