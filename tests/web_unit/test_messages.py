"""Every language says all that the shop says: complete, same values, in its plural forms."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from souk.platform.catalogue import Words, load
from souk.web import locale as languages

ROOT = Path(__file__).resolve().parents[2]
OTHERS = ["de", "fr", "es", "ar"]
FOLDERS = {
    "souk": ROOT / "src/souk/web/locales",
    "notifications": ROOT / "src/souk/contexts/notifications/locales",
}
PLURALS = {"de": 2, "fr": 2, "es": 2, "ar": 6}
# What people see who buy: these have no message without a translation. The desks may lag behind.
SHOP = re.compile(
    r"^src/souk/(web/templates/(storefront|auth|account|errors|components|sell/apply|base\.html"
    r"|layouts/(shop|bare|checkout|account))|kernel/|platform/(http/|database|storage)"
    r"|contexts/(carts|orders|identity|notifications|reviews)/|contexts/payments/domain"
    r"|contexts/(compliance|inventory|sellers|fulfilment|payments)/errors"
    r"|contexts/fulfilment/domain/(address|email)|contexts/notifications/"
    r"|flows/(cart|checkout|sign_up|deliver_digital|browse|review|lists)|web/(storefront|account|[a-z]+\.py))"
)
HOLE = re.compile(r"%\(\w+\)s|\{\w+\}")
TAG = re.compile(r"</?\w+")


def catalogue(domain: str, language: str):
    path = FOLDERS[domain] / language / "LC_MESSAGES" / f"{domain}.po"
    with path.open("rb") as file:
        return read_po(file, locale=language)


def forms(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


@pytest.mark.parametrize("domain", FOLDERS)
@pytest.mark.parametrize("language", OTHERS)
def test_the_shop_speaks_every_language_completely(domain: str, language: str) -> None:
    missing = [
        message.id
        for message in catalogue(domain, language)
        if message.id
        and any(SHOP.match(place) for place, _ in message.locations)
        and not all(forms(message.string))
    ]
    assert missing == []


@pytest.mark.parametrize("domain", FOLDERS)
@pytest.mark.parametrize("language", OTHERS)
def test_translations_hold_the_same_values_and_tags(domain: str, language: str) -> None:
    wrong = []
    for message in catalogue(domain, language):
        if not message.id or not any(forms(message.string)):
            continue
        source = forms(message.id)[-1]
        said = forms(message.string)
        # The forms for none, one and two may say the number in words.
        for text in said[-1:] if len(said) > 1 else said:
            same = set(HOLE.findall(text)) == set(HOLE.findall(source))
            if not same or sorted(TAG.findall(text)) != sorted(TAG.findall(source)):
                wrong.append((source, text))
        for text in said:
            if not set(HOLE.findall(text)) <= set(HOLE.findall(source)):
                wrong.append((source, text))
    assert wrong == []


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_fuzzy_and_plurals_have_every_form(language: str) -> None:
    for domain in FOLDERS:
        found = catalogue(domain, language)
        assert found.num_plurals == PLURALS[language]
        assert [message.id for message in found if message.id and message.fuzzy] == []
        for message in found:
            if isinstance(message.id, tuple) and any(forms(message.string)):
                assert len(message.string) == PLURALS[language], message.id


def test_the_catalogues_are_up_to_date_with_the_source() -> None:
    done = subprocess.run(
        [sys.executable, "tools/messages.py", "--check"],
        cwd=ROOT,
        env={"PYTHONPATH": "src"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_no_component_translates_when_it_is_loaded() -> None:
    """A template that is imported is kept for all languages: only its macros may translate."""
    found = []
    for path in (ROOT / "src/souk/web/templates/components").rglob("*.html"):
        text = re.sub(r"{#.*?#}", "", path.read_text(), flags=re.DOTALL)
        outside = re.sub(r"{%-? macro .*?{%-? endmacro -?%}", "", text, flags=re.DOTALL)
        found += [path.name for _ in re.finditer(r"(?<![\w])(_|ngettext)\(", outside)]
    assert found == []


def test_refusals_are_recognised_with_their_values() -> None:
    text = "Only 3 of “Fern (30 % off)” are left; the quantity was reduced."
    assert languages.said(text, "de") == (
        "Von „Fern (30 % off)“ sind nur noch 3 übrig; die Menge wurde verringert."
    )
    state = (
        "This order is shipped and cannot become cancelled. Reload it to see what can be done now."
    )
    assert "Bestellung, jetzt „versandt“" in languages.said(state, "de")
    assert languages.said("Words of a person.", "de") == "Words of a person."
    assert languages.said(text, "en") == text


def test_values_in_arabic_sentences_keep_their_own_direction() -> None:
    said = languages.said("The price of “Fern-24” has changed. Look at the new total.", "ar")
    assert "\u2068Fern-24\u2069" in said


@pytest.mark.parametrize(
    ("n", "said"),
    [(0, "لا قطع (0)"), (1, "قطعة واحدة (1)"), (2, "قطعتان (2)"), (3, "3 قطع"), (11, "11 قطعة")],
)
def test_arabic_counts_in_six_forms(n: int, said: str) -> None:
    words = languages.translations("ar").ngettext("%(num)s piece", "%(num)s pieces", n)
    assert words % {"num": n} == said


def test_a_language_without_a_catalogue_keeps_the_english() -> None:
    assert load(FOLDERS["souk"], "souk", "pt").said("Cart") == "Cart"
    assert isinstance(languages.words("de"), Words)


def test_reading_a_catalogue_is_quick_enough_for_a_first_request() -> None:
    import time

    started = time.perf_counter()
    load(FOLDERS["souk"], "souk", "ar")
    assert time.perf_counter() - started < 2
