"""Text from outside brought into one form, at a cost that grows with its length alone."""

from __future__ import annotations

import unicodedata

_SHORT = 500
_MARKS = 30
"""Combining marks in a row that are kept: those of the Stream-Safe Text Format (UAX #15-D4)."""


def composed(text: str) -> str:
    """`text` in normal form C (UAX #15), with at most 30 combining marks in a row.

    Normalising sorts the marks of a letter, which takes the square of their number: 100 kB of them
    would hold a process for a minute.
    """
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", text if len(text) <= _SHORT else _without_towers(text))


def _without_towers(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for char in text:
        # By category, not by class: some marks of class 0 come apart into others.
        marks = marks + 1 if unicodedata.category(char)[0] == "M" else 0
        if marks <= _MARKS:
            kept.append(char)
    return "".join(kept)
