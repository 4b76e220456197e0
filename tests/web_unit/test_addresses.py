"""The choice of a country reads like a dictionary in every language."""

from __future__ import annotations

import pytest

from souk.web.addresses import country_choices


@pytest.mark.parametrize(
    ("language", "name", "before", "after"),
    [
        ("de", "Österreich", "Oman", "Pakistan"),
        ("de", "Ägypten", "Afghanistan", "Albanien"),
        ("fr", "Égypte", "Dominique", "Émirats arabes unis"),
        ("en", "Åland Islands", "Afghanistan", "Albania"),
    ],
)
def test_accents_do_not_send_a_country_to_the_end(
    language: str, name: str, before: str, after: str
) -> None:
    names = [each for _, each in country_choices(language)]
    assert names.index(before) < names.index(name) < names.index(after)
