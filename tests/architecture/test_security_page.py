"""docs/security.md names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[\w/.]+?)(?:::(\w+))?`")
FILES = re.compile(r"`(?:souk|src/souk)/([\w/]+\.py)`")


def test_every_test_and_file_that_it_names_is_there() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = NAMED.findall(text)
    assert len(named) > 80
    absent = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).exists()
        or (name and f"def {name}(" not in (ROOT / path).read_text(encoding="utf-8"))
    ]
    absent += [path for path in FILES.findall(text) if not (ROOT / "src/souk" / path).exists()]
    assert absent == []


def test_every_row_says_where_or_that_it_is_not_yet() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if re.match(r"\| \d+\.\d+", line)]
    assert len(rows) > 90
    assert [row for row in rows if row.count("|") != 4 or not row.split("|")[2].strip()] == []
