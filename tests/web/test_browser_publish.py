"""Somebody who never saw the desk publishes a listing: every step is counted and weighed.

A step costs what the keystroke-level model says (Card, Moran and Newell): a look and a thought
before each, pointing and pressing, and the time of typing at 40 words a minute.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.web.conftest import Visits
from tests.web.live import Market
from tests.web.stalls import open_stall, picture
from tests.web.visits import Way

pytestmark = pytest.mark.browser
THINK = 1.35
POINT_AND_PRESS = 1.3
KEY = 0.28
CHOOSE_A_FILE = 8.0
READ_A_PAGE = 4.0
TITLE = "Fig tree, two years old, in a 20 cm pot"
DESCRIPTION = "A brown fig that bears twice a year. It stands in the sun and likes water."


class Hand:
    """Does what a person does, and counts it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.steps: list[str] = []
        self.seconds = READ_A_PAGE

    def _step(self, what: str, seconds: float) -> None:
        self.steps.append(what)
        self.seconds += THINK + seconds

    def press(self, control: Locator, *, leads_on: bool = False) -> None:
        self._step(f"press {control}", POINT_AND_PRESS + leads_on * READ_A_PAGE)
        control.click()

    def write(self, control: Locator, text: str) -> None:
        self._step(f"write {text}", POINT_AND_PRESS + KEY * len(text))
        control.fill(text)

    def choose(self, control: Locator, choice: str) -> None:
        self._step(f"choose {choice}", 2 * POINT_AND_PRESS + THINK)
        control.select_option(label=choice)

    def send(self, control: Locator, file: Path) -> None:
        self._step(f"send {file.name}", CHOOSE_A_FILE)
        control.set_input_files(file)


@pytest.mark.parametrize(
    ("width", "scripts", "steps"), [(1280, True, 9), (390, True, 10), (1280, False, 10)]
)
def test_a_newcomer_publishes_in_under_two_minutes(
    market: Market, visit: Visits, tmp_path: Path, width: int, scripts: bool, steps: int
) -> None:
    seller = open_stall(market.db_url)
    page = visit(Way("desk", width, scripts=scripts), seller).page
    page.goto(f"{market.url}/sell")
    hand = Hand(page)
    if width < 800:
        hand.press(page.locator(".desk-side summary"))
    hand.press(page.get_by_role("link", name="Listings", exact=True), leads_on=True)
    hand.press(page.get_by_role("link", name="New listing").first, leads_on=True)
    hand.write(page.get_by_label("Title"), TITLE)
    category = page.get_by_label("Category").locator("option").nth(1).inner_text()
    hand.choose(page.get_by_label("Category"), category)
    hand.write(page.get_by_label("Price"), "24.90")
    hand.press(page.get_by_role("button", name="Save and go on"), leads_on=True)
    hand.send(page.get_by_label("Add pictures"), picture(tmp_path))
    if scripts:
        expect(page.locator("#picture-count")).to_have_text("1 / 10")
    else:
        hand.press(page.get_by_role("button", name="Upload"))
    hand.write(page.get_by_label("Description", exact=True), DESCRIPTION)
    hand.press(page.get_by_role("button", name="Publish"))
    expect(page.locator(".page-head").get_by_text("In review")).to_be_visible()
    assert len(hand.steps) <= steps, hand.steps
    assert hand.seconds < 120, f"{hand.seconds:.0f} s: {hand.steps}"
    print(f"{len(hand.steps)} steps, {hand.seconds:.0f} s")
