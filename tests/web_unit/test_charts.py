"""Charts: the drawing fits its plane, says the same as its table, and cannot be broken into."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from souk.web.charts import HEIGHT, WIDTH, Series, bar_chart, line_chart, sparkline, ticks

LABELS = ["Mon", "Tue", "Wed"]


def numbers(svg: Markup, tag: str, *names: str) -> list[float]:
    root = ET.fromstring(str(svg))
    return [float(e.attrib[n]) for e in root.iter(tag) for n in names if n in e.attrib]


@given(
    st.floats(-1e7, 1e7, allow_nan=False),
    st.floats(0, 1e7, allow_nan=False),
)
def test_ticks_cover_the_range_in_few_even_steps(low: float, span: float) -> None:
    steps = ticks(low, low + span)
    unseen = 1e-6 + span * 1e-8
    assert steps[0] <= low + unseen
    assert steps[-1] >= low + span - unseen
    assert 2 <= len(steps) <= 8


def test_ticks_are_round() -> None:
    assert ticks(0, 97) == [0, 25, 50, 75, 100]
    assert ticks(0, 0) == [0, 0.25, 0.5, 0.75, 1]


def test_bars_stay_in_the_plane_and_grow_with_the_value() -> None:
    chart = bar_chart("Sales", [Series("Goods", [10, 20, 40])], labels=LABELS, label_name="Day")
    heights = numbers(chart.svg, "rect", "height")
    assert heights[1] == pytest.approx(2 * heights[0], abs=0.2)
    assert heights[2] == pytest.approx(4 * heights[0], abs=0.2)
    for x in numbers(chart.svg, "rect", "x"):
        assert 0 <= x <= WIDTH
    for y in numbers(chart.svg, "rect", "y"):
        assert 0 <= y <= HEIGHT


def test_negative_bars_hang_below_zero() -> None:
    chart = bar_chart("Net", [Series("Net", [10, -10, 0])], labels=LABELS, label_name="Day")
    up, down = numbers(chart.svg, "rect", "y")
    assert up < down
    assert len(numbers(chart.svg, "rect", "height")) == 2


def test_table_says_what_the_drawing_shows() -> None:
    chart = line_chart(
        "Orders",
        [Series("This week", [1, None, 3]), Series("Last week", [2, 2, 2])],
        labels=LABELS,
        label_name="Day",
        fmt=lambda v: f"{v:.1f}",
    )
    assert chart.columns == ("Day", "This week", "Last week")
    assert chart.rows[1] == ("Tue", "–", "2.0")


def test_series_differ_without_colour() -> None:
    chart = line_chart(
        "Orders", [Series("A", [1, 2, 3]), Series("B", [3, 2, 1])], labels=LABELS, label_name="Day"
    )
    assert "stroke-dasharray" in chart.svg
    assert "<circle" in chart.svg
    assert "h7v7h-7z" in chart.svg


def test_a_gap_breaks_the_line() -> None:
    chart = line_chart("Gap", [Series("A", [1, None, 3])], labels=LABELS, label_name="Day")
    lines = [
        e for e in ET.fromstring(str(chart.svg)).iter("path") if e.attrib["class"] == "chart-line"
    ]
    assert len(lines) == 2


def test_text_is_escaped() -> None:
    name = '<script>"x"</script>'
    chart = bar_chart(name, [Series(name, [1]), Series("b", [2])], labels=[name], label_name="x")
    assert "<script>" not in chart.svg
    ET.fromstring(str(chart.svg))


def test_no_inline_style_for_the_strict_policy() -> None:
    chart = line_chart("A", [Series("A", [1, 2, 3])], labels=LABELS, label_name="Day")
    assert "style" not in chart.svg


@pytest.mark.parametrize(
    "series", [[], [Series("A", [1])], [Series(str(n), [1, 2, 3]) for n in range(5)]]
)
def test_misfit_series_are_refused(series: list[Series]) -> None:
    with pytest.raises(ValueError, match="series"):
        line_chart("A", series, labels=LABELS, label_name="Day")


@pytest.mark.parametrize("values", [[], [1.0], [2.0, 2.0], [1.0, 5.0, 3.0]])
def test_sparkline_draws_any_length(values: list[float]) -> None:
    svg = sparkline(values, label="Sales, rising")
    ET.fromstring(str(svg))
    assert 'aria-label="Sales, rising"' in svg
