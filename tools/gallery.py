"""`make gallery`: a picture of every kind of page, wide and narrow, light and dark.

Writes `artifacts/gallery/<name>-<width>-<theme>.png` and an `index.html` beside them.

    tools/gallery.py [--base http://127.0.0.1:8000] [--only part-of-a-name …]
"""

from __future__ import annotations

import argparse
import html
import sys
import time
from pathlib import Path

from playwright.sync_api import BrowserContext, Error
from tools.pages.survey import Kind, Stage, stage

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "artifacts" / "gallery"
WIDTHS = (1280, 390)
THEMES = ("light", "dark")
TALLEST = 6_000
"""Pixels of a page that a picture shows; a longer one repeats itself."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", help="a running demo marketplace instead of a new one")
    parser.add_argument("--only", nargs="*", default=[], help="parts of the names of pages")
    parser.add_argument("--language", default="en-GB", help="what the browser asks for")
    chosen = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with stage(chosen.base) as made:
        survey = made.survey()
        kinds = [
            kind
            for kind in survey.kinds
            if not chosen.only or any(part in kind.name for part in chosen.only)
        ]
        for width in WIDTHS:
            for theme in THEMES:
                shoot(made, kinds, width=width, theme=theme, language=chosen.language)
    (FOLDER / "index.html").write_text(index(kinds), encoding="utf-8")
    print(f"{len(kinds)} kinds of page, {len(kinds) * 4} pictures in {FOLDER}, "
          f"{time.monotonic() - started:.0f} s.")  # fmt: skip
    for route in survey.unseen:
        print(f"No link led to {route}")
    return 0


def shoot(made: Stage, kinds: list[Kind], *, width: int, theme: str, language: str) -> None:
    """Take all pictures of one width and theme, each kind of person in a browser of their own."""
    contexts: dict[str, BrowserContext] = {}
    for person, context in made.people.items():
        contexts[person] = made.browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce",
            locale=language,
            storage_state=context.storage_state(),
        )
    for kind in kinds:
        page = contexts[kind.person].new_page()
        try:
            page.goto(made.base + kind.path, wait_until="load")
            tall = int(page.evaluate("document.documentElement.scrollHeight"))
            wide = int(page.evaluate("document.documentElement.scrollWidth"))
            if wide > width:
                print(f"{kind.name} ({kind.path}) is {wide - width} px too wide at {width}")
            # Pictures below the fold load when they come near.
            page.set_viewport_size({"width": width, "height": min(max(tall, 900), TALLEST)})
            page.wait_for_load_state("networkidle")
            page.screenshot(path=FOLDER / f"{kind.name}-{width}-{theme}.png")
        except Error as error:
            print(f"{kind.name} at {width}, {theme}: {error.message.splitlines()[0]}")
        finally:
            page.close()
    for context in contexts.values():
        context.close()


def index(kinds: list[Kind]) -> str:
    """A page with all pictures beside one another."""
    rows = "".join(
        f"<h2>{html.escape(kind.name)} <small>{html.escape(kind.person)}</small></h2><p>"
        + "".join(
            f'<a href="{kind.name}-{w}-{t}.png"><img loading="lazy" height="360" alt="{w} {t}" '
            f'src="{kind.name}-{w}-{t}.png"></a> '
            for w in WIDTHS
            for t in THEMES
        )
        + "</p>"
        for kind in kinds
    )
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Gallery</title>{rows}'


if __name__ == "__main__":
    sys.exit(main())
