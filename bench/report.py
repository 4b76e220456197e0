"""Writes docs/benchmarks.md from what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.alone import Alone
from bench.rows import Result, Row

_HEAD = """# Benchmarks

Written by `make bench`; do not edit. Figures of one run on one machine: the database, the load
generator (one process, 8 connections) and one web worker share its cores. Medians of three rounds;
each round begins with hello, so that the share of hello compares figures of the same minutes.
*Statements alone* is the rate at which a bare client sends just the statements of the answer over 8
connections, with asyncpg, since pgbench cannot send what each purchase writes anew.
"""
_BARS: dict[str, tuple[float | None, float | None, int | None]] = {
    # share of hello at least, milliseconds of CPU at most, statements at most
    "list of 20, not cached": (0.25, 0.4, None),
    "list of 20 in a category, not cached": (0.25, 0.4, None),
    "list of 20, from cache": (0.70, None, None),
    "list of 20, from cache, not changed (304)": (0.70, None, None),
    "detail, not cached": (0.25, None, None),
    "HTML listing page, signed out": (0.12, None, None),
    "add to cart": (0.15, None, 6),
    "whole purchase, session to order": (None, 15, 45),
}
_SEARCH_P95 = 15.0
_PEERS = """| | Vendure 3.7 | Medusa 2.21 | Oscar 4.2 | Saleor 3.23 | Souk here |
|---|---|---|---|---|---|
| list of 20 | 339 | 75 | 475 (ids and titles only) | 24 | {list} |
| detail | 143 | 57 | 213 | 35 | {detail} |
| search | 23 | 30 | 24 | 24 | {search}; {again} asked again |
| add to cart | 62 | 12 | 91 | 17 | {add} |
| whole orders/s | 13.2 | 1.7 | 27 (no payment step) | 3.0 | {buy} |
| memory after load, MB | 660 | 880 | 430 | 820 | {memory} |
| install, MB | 833 | 732 | 278 | 568 | {install} |
"""


def _table(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [headings, ["---"] * len(headings), *lines]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def missed(row: Row) -> list[str]:
    """Which bars a row misses, and by how much."""
    share, cpu, count = _BARS.get(row.name, (None, None, None))
    found: list[str] = []
    if share is not None and row.of_hello < share:
        found.append(f"{row.of_hello:.0%} of {share:.0%} of hello")
    if cpu is not None and row.cpu > cpu:
        found.append(f"{row.cpu:.2f} of {cpu:g} ms CPU")
    if count is not None and (row.statements or 0) > count:
        found.append(f"{row.statements} of {count} statements")
    if row.name == "whole purchase, session to order" and row.yardstick:
        share = row.rate / row.yardstick
        if share < 0.5:
            found.append(f"{share:.0%} of 50% of its statements alone")
    return found


def _line(row: Row) -> list[str]:
    bars = missed(row)
    has_bar = row.name in _BARS
    return [
        row.name,
        f"{row.rate:,.0f}",
        f"{row.of_hello:.0%}",
        f"{row.cpu:.2f}",
        f"{row.client_cpu:.2f}",
        f"{row.p50:.1f}",
        f"{row.p95:.1f}",
        "" if row.statements is None else str(row.statements),
        "" if row.yardstick is None else f"{row.yardstick:,.0f}",
        "missed: " + "; ".join(bars) if bars else ("met" if has_bar else ""),
    ]


def _section(result: Result) -> str:
    table = _table(
        ["what", "requests/s", "of hello", "ms CPU web", "ms CPU client", "p50 ms", "p95 ms",
         "statements", "statements alone /s", "bar"],
        [_line(row) for row in result.rows],
    )  # fmt: skip
    return (
        f"\n## {result.listings:,} listings, {result.past_orders:,} past orders\n\n{table}"
        f"\n{_alone(result)}\n{_sizes(result)}"
    )


def _alone(result: Result) -> str:
    bar = f"p95 {_SEARCH_P95:g} ms"
    lines = [
        [one.name, f"{one.p50:.2f}", f"{one.p95:.2f}", f"{one.cpu:.2f}", _verdict(one, bar)]
        for one in result.alone
    ]
    return _table(["server side, one at a time", "p50 ms", "p95 ms", "ms CPU", "bar"], lines)


def _verdict(one: Alone, bar: str) -> str:
    if not one.name.startswith("search"):
        return ""
    return f"{bar}, {'met' if one.p95 <= _SEARCH_P95 else 'missed'}"


def _sizes(result: Result) -> str:
    sizes = result.sizes
    lines = [
        ["web worker idle", _mb(sizes.web_idle), "150 MB"],
        ["worker process idle", _mb(sizes.worker_idle), "150 MB"],
        ["sandbox gateway idle", _mb(sizes.sandbox_idle), ""],
        ["web worker after load", _mb(sizes.web_loaded), ""],
        ["worker process after load", _mb(sizes.worker_loaded), ""],
        ["sandbox gateway after load", _mb(sizes.sandbox_loaded), ""],
        ["all three after load", _mb(sizes.loaded), "300 MB"],
        ["`souk serve` ready", f"{sizes.start:.1f} s", "2 s"],
        ["importer, products/s", f"{result.import_rate:,.0f}", "1,000"],
        ["migrations of an empty database", f"{result.migrate_seconds:.1f} s", ""],
        ["filling the database and index", f"{result.fill_seconds:,.0f} s", ""],
    ]
    for page in result.pages:
        whole = (page.html + page.rest) / 1e3
        text = f"{whole:.0f} kB, of it HTML {page.html / 1e3:.0f} kB"
        lines.append([f"first visit, {page.name}, compressed, without pictures", text, "100 kB"])
    return _table(["what", "measured", "bar"], lines)


def _mb(size: float) -> str:
    return f"{size / 1e6:.0f} MB"


def _growth(results: Sequence[Result]) -> str:
    if len(results) < 2:
        return ""
    first, last = results[0], results[-1]
    before, after = _p95(first), _p95(last)
    lines = [
        [name, f"{before[name]:.2f}", f"{p95:.2f}", f"{p95 / before[name]:.2f}"]
        for name, p95 in after.items()
        if name in before
    ]
    headings = ["p95 ms", f"{first.listings:,}", f"{last.listings:,}", "factor (bar 1.5)"]
    text = "Listings and past orders grow alike."
    return f"\n## Growth\n\n{text}\n\n{_table(headings, lines)}"


def _p95(result: Result) -> dict[str, float]:
    found = {row.name: row.p95 for row in result.rows}
    return found | {f"{one.name}, one at a time": one.p95 for one in result.alone}


def _installed(installed: int, set_up: float | None) -> str:
    lines = [["packages that running needs, the database inside", _mb(installed), "350 MB"]]
    if set_up is not None:
        took = f"{set_up:.0f} s"
        lines.append(["`make run` in a clean clone, until the shop answers", took, "180 s"])
    return f"\n## Installing\n\n{_table(['what', 'measured', 'bar'], lines)}"


def _peers(result: Result, installed: int) -> str:
    rates = {row.name: f"{row.rate:,.0f}" for row in result.rows}
    table = _PEERS.format(
        list=rates["list of 20, not cached"],
        detail=rates["detail, not cached"],
        search=rates.get("search page of 20 with facets", "–"),
        again=rates.get("search page of 20 with facets, asked again", "–"),
        add=rates["add to cart"],
        buy=rates["whole purchase, filling the cart included"],
        memory=f"{result.sizes.loaded / 1e6:.0f} (web, worker and sandbox gateway)",
        install=f"{installed / 1e6:.0f} (the database inside)",
    )
    text = (
        f"Requests/s with 8 clients. The peers' figures are quoted: measured elsewhere, on a"
        f" machine of the same kind, with 1,000 products; ours are of this run with"
        f" {result.listings:,} listings."
    )
    return f"\n## Beside others\n\n{text}\n\n{table}"


def write(
    file: Path,
    results: Sequence[Result],
    *,
    machine: Sequence[str],
    installed: int,
    set_up: float | None,
    notes: str,
) -> None:
    """The whole page. `installed` in bytes, `set_up` in seconds; `notes` says what costs what."""
    parts = [_HEAD, "\n", *(f"- {line}\n" for line in machine)]
    parts += [_section(result) for result in results]
    parts += [_growth(results), _installed(installed, set_up)]
    parts += [_peers(results[-1], installed), "\n", notes]
    file.write_text("".join(parts), encoding="utf-8")
