"""`make audit-pages`: Lighthouse, axe (WCAG 2.2 AA) and HTML validation of every kind of page.

Prints each finding and writes the table to `docs/page-audit.md`; a run of some pages renews their
rows. Answers 1 when a bar is missed.

    tools/audit_pages.py [--base http://127.0.0.1:8000] [--only part-of-a-name …]
                         [--lighthouse all|visitors|none]
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from tools.pages.survey import CHROMIUM, FLAGS, Kind, Stage, stage
from tools.setup import TOOLS, node, npm

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "tools" / "pages"
DOCUMENT = ROOT / "docs" / "page-audit.md"
SCORE, LCP_MS, CLS = 95, 1_200, 0.02
NOT_FOR_PEOPLE = ("absent", "/design")
"""The page of an address without one answers 404; /design exists in development only."""
TRIES = 2
"""Lighthouse measures time on a machine that may be busy: a missed score is measured again."""

HEAD = """\
# Page audit

Written by `make audit-pages`; do not edit. Every kind of page of the demo marketplace, found by
following its links: Lighthouse in its mobile profile, axe with the rules of WCAG 2.2 AA at 1280
pixels light and 390 pixels dark, and html-validate. Weight is what a first visit loads without
pictures.

- {system}, Chromium, one run; a page that misses a bar by its speed is measured again, at most
  {tries} times, and the best counts
- bars: four scores of {score}, no violation, no error; for visitors LCP {lcp:,} ms, CLS {cls}

| page | seen by | speed | access | practices | SEO | LCP ms | CLS | weight KB | axe | HTML |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""
MISSED, UNSEEN, NONE = "## Bars missed", "## Not examined", "None."
NOT = "Pages that no link leads to: they answer forms, mails or another page's script."


@dataclass(slots=True)
class Row:
    """What was found of one kind of page."""

    kind: Kind
    html: list[str]
    axe: list[str]
    lighthouse: dict[str, Any] = field(default_factory=dict[str, Any])

    def missed(self) -> list[str]:
        """The bars that this page misses, in words."""
        found = [f"HTML: {each}" for each in self.html] + [f"axe: {each}" for each in self.axe]
        found += [
            f"{name} {self.lighthouse[name]}: {self.lighthouse['faults']}"
            for name in ("performance", "accessibility", "practices", "seo")
            if self.lighthouse and self.lighthouse[name] < SCORE
        ]
        if self.lighthouse and self.kind.person == "visitor":
            if self.lighthouse["lcp"] > LCP_MS:
                found.append(f"LCP {self.lighthouse['lcp']} ms")
            if self.lighthouse["cls"] > CLS:
                found.append(f"CLS {self.lighthouse['cls']}")
        return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", help="a running demo marketplace instead of a new one")
    parser.add_argument("--only", nargs="*", default=[], help="parts of the names of pages")
    parser.add_argument(
        "--lighthouse", choices=("all", "visitors", "none"), default="all",
        help="whose pages Lighthouse measures too; it takes ten seconds for each",
    )  # fmt: skip
    chosen = parser.parse_args()
    install()
    started = time.monotonic()
    with stage(chosen.base) as made:
        survey = made.survey()
        kinds = [
            kind
            for kind in survey.kinds
            if kind.template not in NOT_FOR_PEOPLE
            and (not chosen.only or any(part in kind.name for part in chosen.only))
        ]
        lit = [
            kind
            for kind in kinds
            if chosen.lighthouse == "all"
            or (chosen.lighthouse == "visitors" and kind.person == "visitor")
        ]
        dark = [kind for kind in kinds if kind not in lit]
        rows = [*examine(made, lit, with_lighthouse=True)] if lit else []
        rows += run(made, dark, with_lighthouse=False) if dark else []
    missed = [(row, bar) for row in rows for bar in row.missed()]
    for row, bar in missed:
        print(f"{row.kind.name} ({row.kind.path}): {bar}")
    if chosen.lighthouse == "all":
        text = renewed(rows) if chosen.only else document(rows, survey.unseen)
        DOCUMENT.write_text(text, encoding="utf-8")
    print(f"{len(rows)} kinds of page, {len(missed)} findings, {time.monotonic() - started:.0f} s.")
    return 1 if missed else 0


def install() -> None:
    """The auditors, as locked, in a folder beside the other tools."""
    lock = HERE / "package-lock.json"
    mark = TOOLS / "pages.lock"
    if mark.exists() and mark.read_bytes() == lock.read_bytes():
        return
    npm(
        "ci", "--legacy-peer-deps", "--ignore-scripts", "--no-audit", "--no-fund",
        "--loglevel=error", folder=HERE,
    )  # fmt: skip
    mark.write_bytes(lock.read_bytes())


def examine(made: Stage, kinds: list[Kind], *, with_lighthouse: bool) -> list[Row]:
    """Every page once, and again those whose Lighthouse scores missed a bar; the best counts."""
    best: dict[str, Row] = {}
    waiting = kinds
    for _ in range(TRIES if with_lighthouse else 1):
        for row in run(made, waiting, with_lighthouse=with_lighthouse):
            before = best.get(row.kind.name)
            if before is None or _rank(row) > _rank(before):
                best[row.kind.name] = row
        waiting = [row.kind for row in best.values() if row.lighthouse and row.missed()]
        waiting = [kind for kind in waiting if _only_speed(best[kind.name])]
        if not waiting:
            break
    return [best[kind.name] for kind in kinds]


def _rank(row: Row) -> tuple[int, int]:
    return (row.lighthouse.get("performance", 0), -int(row.lighthouse.get("lcp", 0)))


def _only_speed(row: Row) -> bool:
    """Whether measuring again can change anything."""
    return row.lighthouse["performance"] < SCORE or row.lighthouse["lcp"] > LCP_MS


def run(made: Stage, kinds: list[Kind], *, with_lighthouse: bool) -> list[Row]:
    by_name = {kind.name: kind for kind in kinds}
    pages: list[dict[str, Any]] = []
    for kind in kinds:
        cookies = made.cookies(kind.person)
        body = httpx.get(made.base + kind.path, cookies=cookies, follow_redirects=True).text
        private = kind.person != "visitor" or 'content="noindex"' in body
        pages.append(
            {"name": kind.name, "url": made.base + kind.path, "cookies": cookies,
             "private": private}
        )  # fmt: skip
    task = {"pages": pages, "chromium": CHROMIUM, "flags": FLAGS, "lighthouse": with_lighthouse}
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "task.json", Path(folder) / "found.json"
        asked.write_text(json.dumps(task), encoding="utf-8")
        subprocess.run([node(), HERE / "audit.mjs", asked, answered], check=True, cwd=HERE)
        found = json.loads(answered.read_text(encoding="utf-8"))
    return [
        Row(by_name[each["name"]], each["html"], each["axe"], each.get("lighthouse", {}))
        for each in found
    ]


def _scores(one: dict[str, Any]) -> str:
    if not one:
        return "not measured | – | – | – | – | – | –"
    return (
        f"{one['performance']} | {one['accessibility']} | {one['practices']} | {one['seo']} | "
        f"{one['lcp']:,} | {one['cls']} | {one['bytes'] / 1000:.0f}"
    )


def document(rows: list[Row], unseen: list[str]) -> str:
    """The table for docs/."""
    head = HEAD.format(
        system=platform.system(), tries=TRIES, score=SCORE, lcp=LCP_MS, cls=CLS
    ).splitlines()
    head += [_line(row) for row in rows]
    missed = _missed(rows)
    absent = [f"- `{route}`" for route in unseen]
    head += ["", MISSED, "", *(missed or [NONE])]
    return "\n".join([*head, "", UNSEEN, "", NOT, "", *absent, ""])


def renewed(rows: list[Row]) -> str:
    """The table as it is, with what was found now of these pages; new ones come last."""
    table, rest = DOCUMENT.read_text(encoding="utf-8").split(f"\n{MISSED}\n")
    missed, unseen = rest.split(f"\n{UNSEEN}\n")
    now = {f"| {row.kind.template} |": _line(row) for row in rows}
    known = table.rstrip("\n").splitlines()
    lines = [
        next((line for start, line in now.items() if old.startswith(start)), old) for old in known
    ]
    lines += [
        line for start, line in now.items() if not any(old.startswith(start) for old in known)
    ]
    mended = tuple(f"- {row.kind.template}: " for row in rows)
    kept = [
        old for old in missed.split("\n") if old not in {"", NONE} and not old.startswith(mended)
    ]
    still = [*kept, *_missed(rows)] or [NONE]
    return "\n".join([*lines, "", MISSED, "", *still, "", UNSEEN, unseen])


def _line(row: Row) -> str:
    return (
        f"| {row.kind.template} | {row.kind.person} | {_scores(row.lighthouse)} | "
        f"{len(row.axe)} | {len(row.html)} |"
    )


def _missed(rows: list[Row]) -> list[str]:
    return [f"- {row.kind.template}: {bar}" for row in rows for bar in row.missed()]


if __name__ == "__main__":
    sys.exit(main())
