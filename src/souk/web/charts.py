"""Charts drawn on the server as SVG, each with its figures as a table.

Series are told apart by dash, marker and hatching besides colour. Drawings hold no style
attributes, so that they pass a strict content security policy; classes of `souk.css` colour
them in both themes.
Time runs from left to right in every script, as in the printed press of right-to-left languages.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

WIDTH = 640
HEIGHT = 240
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 12, 30
LEGEND = 22
DASHES = ("", "7 5", "2 5", "12 4 2 4")
SHAPES = ("circle", "square", "diamond", "triangle")

Format = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Series:
    """One row of figures: a value for each label of the chart, None where none was measured."""

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing and the table that says the same."""

    title: str
    svg: Markup
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def plain(value: float) -> str:
    """Shortest decimal text of a number: 3.0 as 3."""
    return f"{value:g}" if abs(value) < 1e6 else f"{value:.0f}"


def ticks(low: float, high: float, *, count: int = 4) -> list[float]:
    """About `count` round steps (1, 2, 2.5, 5 times a power of ten) that cover low to high."""
    # What differs by less than any figure that is shown is one value.
    if high - low < 1e-6:
        high = low + 1
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(n * step, 10) for n in range(first, last + 1)]


def _figures(series: Sequence[Series]) -> list[float]:
    return [v for s in series for v in s.values if v is not None]


def _check(series: Sequence[Series], labels: Sequence[str]) -> None:
    if not series or len(series) > len(DASHES):
        msg = f"a chart holds 1 to {len(DASHES)} series, not {len(series)}"
        raise ValueError(msg)
    for s in series:
        if len(s.values) != len(labels):
            msg = f"series {s.name!r} has {len(s.values)} values for {len(labels)} labels"
            raise ValueError(msg)


def _table(
    series: Sequence[Series], labels: Sequence[str], fmt: Format
) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            label,
            *("–" if (value := s.values[n]) is None else fmt(value) for s in series),
        )
        for n, label in enumerate(labels)
    )


@dataclass(frozen=True, slots=True)
class _Plane:
    steps: list[float]
    slots: int
    top: float
    inset: float = 0.0

    def x(self, n: float) -> float:
        """Abscissa of point n; bars stand in the middle of their slot, points at its ends."""
        span = WIDTH - LEFT - RIGHT - 2 * self.inset
        return LEFT + self.inset + (span * n / (self.slots - 1) if self.slots > 1 else span / 2)

    def y(self, value: float) -> float:
        low, high = self.steps[0], self.steps[-1]
        return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - BOTTOM - self.top)


def _frame(plane: _Plane, labels: Sequence[str], fmt: Format) -> list[str]:
    out: list[str] = []
    for step in plane.steps:
        y = plane.y(step)
        kind = "chart-axis" if step == max(plane.steps[0], 0) else "chart-grid"
        out.append(f'<path class="{kind}" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        out.append(
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(fmt(step))}</text>'
        )
    every = max(1, math.ceil(len(labels) / 8))
    for n, label in enumerate(labels):
        if n % every:
            continue
        minor = ' class="minor"' if len(labels) > 5 and (n // every) % 2 else ""
        out.append(
            f'<text{minor} x="{plane.x(n):.1f}" y="{HEIGHT - 8}" '
            f'text-anchor="middle">{escape(label)}</text>'
        )
    return out


def _mark(shape: str, x: float, y: float) -> str:
    if shape == "circle":
        return f'<circle class="chart-mark" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'
    paths = {
        "square": f"M{x - 3.5:.1f} {y - 3.5:.1f}h7v7h-7z",
        "diamond": f"M{x:.1f} {y - 4.8:.1f}l4.8 4.8-4.8 4.8-4.8-4.8z",
        "triangle": f"M{x:.1f} {y - 4.5:.1f}l4.8 8h-9.6z",
    }
    return f'<path class="chart-mark" d="{paths[shape]}"/>'


def _legend(series: Sequence[Series], *, bars: bool) -> list[str]:
    out: list[str] = []
    x = float(LEFT)
    for n, s in enumerate(series):
        out.append(f'<g class="c{n + 1}">')
        if bars:
            out.append(f'<rect class="chart-bar" x="{x}" y="2" width="14" height="11"/>')
            out.append(_hatch(n, x, 2, 14, 11))
        else:
            out.append(f'<path class="chart-line" d="M{x} 8h24"{_dash(n)}/>')
            out.append(_mark(SHAPES[n], x + 12, 8))
        out.append(f'</g><text x="{x + 30}" y="12">{escape(s.name)}</text>')
        x += 52 + 10 * len(s.name)
    return out


def _dash(n: int) -> str:
    return f' stroke-dasharray="{DASHES[n]}"' if DASHES[n] else ""


def _hatch(n: int, x: float, y: float, width: float, height: float) -> str:
    """Horizontal cuts through the bars of every series but the first; the gap tells which it is."""
    if not n:
        return ""
    gap = 4 + 4 * n
    cuts = "".join(
        f"M{x:.1f} {y + d:.1f}h{width:.1f}" for d in range(gap // 2, math.ceil(height), gap)
    )
    return f'<path class="chart-hatch" d="{cuts}"/>' if cuts else ""


def _svg(title: str, parts: Sequence[str]) -> Markup:
    body = "".join(parts)
    # Every text within was escaped where it was written; the rest are numbers.
    return Markup(  # noqa: S704
        f'<svg class="chart-svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" direction="ltr" '
        f'aria-label="{escape(title)}">{body}</svg>'
    )


def _runs(plane: _Plane, values: Sequence[float | None]) -> list[list[tuple[float, float]]]:
    runs: list[list[tuple[float, float]]] = [[]]
    for n, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((plane.x(n), plane.y(value)))
    return [run for run in runs if run]


def line_chart(
    title: str,
    series: Sequence[Series],
    *,
    labels: Sequence[str],
    label_name: str,
    fmt: Format = plain,
) -> Chart:
    """Lines over time; gaps where a value is None.

    `fmt` writes a figure on the axis and in the table. Raises ValueError when a series does not fit
    the labels or there are more than four.
    """
    _check(series, labels)
    figures = _figures(series) or [0.0]
    many = len(series) > 1
    plane = _Plane(ticks(min(0.0, *figures), max(figures)), len(labels), TOP + LEGEND * many, 14)
    parts = _frame(plane, labels, fmt)
    for n, s in enumerate(series):
        parts.append(f'<g class="c{n + 1}">')
        for run in _runs(plane, s.values):
            path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in run)
            if not many and len(run) > 1:
                foot = plane.y(max(plane.steps[0], 0))
                parts.append(f'<path class="chart-area" d="{path}V{foot:.1f}H{run[0][0]:.1f}z"/>')
            parts.append(f'<path class="chart-line" d="{path}"{_dash(n)}/>')
            shown = run if len(labels) <= 16 else [run[-1]]
            parts.extend(_mark(SHAPES[n], x, y) for x, y in shown)
        parts.append("</g>")
    if many:
        parts.extend(_legend(series, bars=False))
    names = (label_name, *(s.name for s in series))
    return Chart(title, _svg(title, parts), names, _table(series, labels, fmt))


def bar_chart(
    title: str,
    series: Sequence[Series],
    *,
    labels: Sequence[str],
    label_name: str,
    fmt: Format = plain,
) -> Chart:
    """Bars beside each other, one group per label; errors as for `line_chart`."""
    _check(series, labels)
    figures = _figures(series) or [0.0]
    many = len(series) > 1
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(labels))
    steps = ticks(min(0.0, *figures), max(0.0, *figures))
    plane = _Plane(steps, len(labels), TOP + LEGEND * many, slot / 2)
    width = min(44.0, slot * 0.68 / len(series))
    parts = _frame(plane, labels, fmt)
    for n, s in enumerate(series):
        parts.append(f'<g class="c{n + 1}">')
        for i, value in enumerate(s.values):
            if not value:
                continue
            x = plane.x(i) + (n - len(series) / 2) * width + 1
            y, foot = sorted((plane.y(value), plane.y(0)))
            parts.append(
                f'<rect class="chart-bar" x="{x:.1f}" y="{y:.1f}" '
                f'width="{width - 2:.1f}" height="{foot - y:.1f}"/>'
            )
            parts.append(_hatch(n, x, y, width - 2, foot - y))
        parts.append("</g>")
    if many:
        parts.extend(_legend(series, bars=True))
    names = (label_name, *(s.name for s in series))
    return Chart(title, _svg(title, parts), names, _table(series, labels, fmt))


def sparkline(values: Sequence[float], *, label: str) -> Markup:
    """A small line without axes for a stat tile; `label` says in words what it shows."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    span = (high - low) or 1.0
    count = max(1, len(values) - 1)
    points = [
        (5 + 112 * n / count, 25 - 20 * (value - low) / span) for n, value in enumerate(values)
    ]
    path = "".join(f"M{a:.1f} {b:.1f}L{c:.1f} {d:.1f}" for (a, b), (c, d) in pairwise(points))
    end = _mark("circle", *points[-1]) if points else ""
    return Markup(  # noqa: S704 (numbers only, and the escaped label)
        f'<svg class="chart-svg" viewBox="0 0 124 30" role="img" direction="ltr" '
        f'aria-label="{escape(label)}"><g class="c1"><path class="chart-line" d="{path}"/>'
        f"{end}</g></svg>"
    )
