"""The style sheet keeps its promises: contrast in both themes, size, no physical directions."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "src" / "souk" / "web" / "static"
CSS = (STATIC / "souk.css").read_text(encoding="utf-8")
SHEETS = sorted(STATIC.glob("*.css"))
PAIRS = {
    name: (light, dark)
    for name, light, dark in re.findall(
        r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", CSS
    )
}
GROUNDS = ("paper", "surface", "sunk")
TEXT = [
    *((ink, ground) for ink in ("ink", "ink-2", "accent", "madder") for ground in GROUNDS),
    *((tone, f"{tone}-soft") for tone in ("accent", "madder", "ochre", "indigo")),
    ("ink", "accent-soft"),
    ("ink", "ochre-soft"),
    ("ink-2", "accent-soft"),
    ("accent-ink", "accent"),
    ("accent-ink", "accent-strong"),
    ("accent-strong", "accent-soft"),
]
EDGES = [("rule-strong", "paper"), ("rule-strong", "surface"), ("star", "paper")]


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2.2, 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_meets_aa(ink: str, ground: str, theme: int) -> None:
    assert contrast(PAIRS[ink][theme], PAIRS[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("line", "ground"), EDGES)
def test_edges_of_controls_are_seen(line: str, ground: str, theme: int) -> None:
    assert contrast(PAIRS[line][theme], PAIRS[ground][theme]) >= 3


def test_files_stay_small() -> None:
    for sheet in SHEETS:
        assert len(gzip.compress(sheet.read_bytes(), 5)) <= 14_000, sheet.name
    loaded_by_the_shop = [STATIC / "souk.js", *STATIC.glob("shop-*.js")]
    assert sum(script.stat().st_size for script in loaded_by_the_shop) <= 20_000


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_layout_is_logical(sheet: Path) -> None:
    physical = r"(?:margin|padding|border)-(?:left|right|top|bottom)\b|[;{ ](?:left|right)\s*:"
    assert not re.findall(physical, sheet.read_text(encoding="utf-8"))
