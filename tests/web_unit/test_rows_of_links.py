"""Rows of links on a narrow screen, drawn by a real browser without any script."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright
from tests.web.live import SOURCE, launched, require_browser

pytestmark = pytest.mark.browser
STYLES = (SOURCE / "souk/web/static/souk.css").read_text()
WIDTH = 390
WORDS = ["New", "To pack", "On the way", "Delivered", "Returns", "Cancelled", "Refunded", "All"]


@pytest.fixture(scope="module")
def browser_page() -> Iterator[Page]:
    require_browser()
    with sync_playwright() as playwright:
        browser = launched(playwright)
        size = {"width": WIDTH, "height": 700}
        yield browser.new_page(java_script_enabled=False, viewport=size)  # type: ignore[arg-type]
        browser.close()


def shown(page: Page, styles: str, row: str) -> tuple[float, float]:
    """The left and the right edge of the chosen link."""
    page.set_content(
        f'<!doctype html><meta name="viewport" content="width=device-width">'
        f"<style>{styles}</style><body>{row}<p style='block-size:3000px'>"
        '<nav class="desk-nav"><ul><li><a aria-current="page" href="#">Far below</a></ul></nav>'
    )
    box = page.locator("[aria-current]").first.bounding_box()
    assert box is not None
    return box["x"], box["x"] + box["width"]


def links(chosen: int) -> list[str]:
    return [
        f'<a href="#"{" aria-current=page" if n == chosen else ""}>{word}</a>'
        for n, word in enumerate(WORDS)
    ]


@pytest.mark.parametrize("chosen", [0, 4, len(WORDS) - 1])
@pytest.mark.parametrize("new", [True, False], ids=["begins-there", "wraps"])
def test_the_chosen_tab_is_in_sight(browser_page: Page, chosen: int, *, new: bool) -> None:
    """Also in a browser that cannot say where a row begins."""
    styles = STYLES if new else re.sub(r"scroll-initial-target: ?nearest", "no-such: thing", STYLES)
    row = f'<nav class="tabs">{"".join(links(chosen))}</nav>'
    left, right = shown(browser_page, styles, row)
    assert left >= 0
    assert right <= WIDTH


@pytest.mark.parametrize("row", ["site-nav", "desk-nav"])
def test_the_chosen_link_of_a_navigation_is_in_sight(browser_page: Page, row: str) -> None:
    items = "".join(f"<li>{link}</li>" for link in links(len(WORDS) - 1))
    around = '<div class="{}">' + f'<nav class="{row}"><ul>{items}</ul></nav></div>'
    left, right = shown(browser_page, STYLES, around.format("sidebar-layout"))
    assert left >= 0
    assert right <= WIDTH


def test_no_chosen_link_moves_the_page(browser_page: Page) -> None:
    shown(browser_page, STYLES, f'<nav class="tabs" id="top">{"".join(links(7))}</nav>')
    box = browser_page.locator("#top").bounding_box()
    assert box is not None
    assert box["y"] >= 0
