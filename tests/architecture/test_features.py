"""docs/features.md names every feature once, and only tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROWS = {
    "ID": 12, "CA": 4, "SE": 6, "LI": 7, "IN": 3, "CT": 3, "OR": 7, "PA": 8, "LE": 8, "FU": 5,
    "RE": 1, "ME": 1, "NO": 3, "SR": 7, "AI": 6, "TR": 4, "CO": 5, "AD": 4, "WE": 4, "EV": 4,
    "PL": 6, "OP": 7,
}  # fmt: skip
TEXT = (ROOT / "docs" / "features.md").read_text()


def test_every_feature_of_the_map_is_listed_once():
    listed = re.findall(r"^\| ([A-Z]{2}-\d+) \|", TEXT, re.M)
    assert sorted(listed) == sorted(
        f"{group}-{number}" for group, count in ROWS.items() for number in range(1, count + 1)
    )


def test_what_is_said_to_work_is_shown_by_a_test_that_exists():
    absent = []
    for row in re.findall(r"^\| [A-Z]{2}-\d+ \|.*$", TEXT, re.M):
        named = re.findall(r"`(tests/[\w/.]+)(?:::(\w+))?`", row)
        if "✓" in row and not named:
            absent.append(row)
        for path, test in named:
            file = ROOT / path
            if not file.exists() or (test and f"def {test}(" not in file.read_text()):
                absent.append(f"{path}::{test}")
    assert absent == []
