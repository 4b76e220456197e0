"""The benchmark runs from end to end on a tiny marketplace and reports every row."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from bench.__main__ import run_size, size_of
from bench.report import missed, write
from bench.rows import Row

from bench import history, rows


@pytest.mark.parametrize(
    ("text", "size"), [("10k", 10_000), ("1m", 1_000_000), (" 500 ", 500), ("2K", 2_000)]
)
def test_sizes(text: str, size: int) -> None:
    assert size_of(text) == size


def test_a_missed_bar_is_told_with_its_distance() -> None:
    row = Row(
        name="add to cart", rate=100, of_hello=0.12, cpu=1, p50=1, p95=2, client_cpu=0.1,
        statements=7,
    )  # fmt: skip
    assert missed(row) == ["12% of 15% of hello", "7 of 6 statements"]


def test_the_whole_benchmark_on_a_tiny_marketplace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "ORIGINALS", 20)
    monkeypatch.setattr(rows, "ROUNDS", 1)
    monkeypatch.setattr(rows, "WARM_UP", 0.1)
    monkeypatch.setattr(rows, "WORKED", 0.5)
    monkeypatch.setattr(rows, "PURCHASES", 10)
    # Not below pytest's folder, which the account that PostgreSQL runs as may not enter.
    folder = Path(tempfile.mkdtemp(prefix="souk-bench-"))
    result = run_size(folder, 2_000, seconds=0.2, keep=False)
    named = {row.name: row for row in result.rows}
    assert named["hello"].of_hello == 1
    assert named["list of 20, not cached"].statements == 1
    assert named["add to cart"].statements == 6
    assert all(row.rate > 0 and row.cpu > 0 for row in result.rows)
    purchase = named["whole purchase, session to order"]
    assert purchase.statements is not None
    assert purchase.statements <= 45
    assert result.import_rate > 0
    assert result.past_orders >= 1_900
    assert all(0 < one.p50 <= one.p95 for one in result.alone)
    assert all(page.html and page.rest for page in result.pages)
    page = tmp_path / "benchmarks.md"
    write(
        page,
        [result],
        machine=["a machine"],
        installed=300_000_000,
        set_up=61.0,
        notes="## Notes\n",
    )
    text = page.read_text()
    assert "| add to cart |" in text
    assert "## Beside others" in text
    assert not (folder / "2000").exists()
