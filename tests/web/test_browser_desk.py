"""The seller's desk in a real browser: orders by keys and by buttons, stock, storefront, money."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.web.buying import order_by_api
from tests.web.conftest import Visits
from tests.web.live import Market
from tests.web.stalls import Stall, filled_stall
from tests.web.visits import WIDE, Way

pytestmark = pytest.mark.browser
WIDTHS = (1280, 390)


@pytest.fixture
def stall(market: Market) -> Stall:
    return filled_stall(market.db_url)


def buy(market: Market, stall: Stall, pieces: int) -> None:
    order_by_api(market, stall.variant_id, pieces)


def no_overflow(page: Page) -> None:
    """Nothing sticks out of the page sideways."""
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0, f"{page.url} is {wide} px too wide"


def row(page: Page) -> re.Pattern[str]:
    return re.compile(r"[0-9A-Z]{5}-[0-9A-Z]{5}")


def test_an_order_by_keyboard_alone(market: Market, visit: Visits, stall: Stall) -> None:
    for _ in range(2):
        buy(market, stall, 1)
    page = visit(WIDE, stall.person).page
    page.goto(f"{market.url}/sell/orders")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.get_by_text("Accepted: 1.")).to_be_visible()
    page.goto(f"{market.url}/sell/orders")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Order")).to_be_visible()
    page.keyboard.press("p")
    expect(page.get_by_text("Packed. Enter the tracking number")).to_be_visible()
    page.keyboard.press("s")
    expect(page.get_by_label("Carrier")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("jasp")
    expect(page.get_by_label("Tracking number")).to_have_value("jasp")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The parcel is on its way. The buyer knows.")).to_be_visible()
    page.keyboard.press("j")
    expect(page.get_by_role("button", name="Accept")).to_be_visible()


def test_keys_can_be_switched_off(market: Market, visit: Visits, stall: Stall) -> None:
    buy(market, stall, 1)
    page = visit(WIDE, stall.person).page
    page.goto(f"{market.url}/sell/orders")
    page.get_by_role("button", name="Keys").click()
    page.get_by_label("Use these keys on this device").uncheck()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{market.url}/sell/orders")


@pytest.mark.parametrize(("width", "scripts"), [(1280, True), (390, True), (1280, False)])
def test_accept_ship_a_part_and_cancel_the_rest(
    market: Market, visit: Visits, stall: Stall, width: int, *, scripts: bool
) -> None:
    buy(market, stall, 3)
    page = visit(Way("desk", width, scripts=scripts), stall.person).page
    page.goto(f"{market.url}/sell")
    expect(page.get_by_text("accept by")).to_be_visible()
    no_overflow(page)
    page.get_by_role("link", name=row(page)).first.click()
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("Accepted. Pack it")).to_be_visible()
    page.get_by_text("Only a part of it goes into this parcel").click()
    page.get_by_label("Quince tree").fill("1")
    page.get_by_label("Tracking number").fill("JD01")
    page.get_by_role("button", name="Ship and tell the buyer").click()
    expect(page.get_by_text("1 of 3 sent")).to_be_visible()
    no_overflow(page)
    page.get_by_role("link", name="I cannot send it").click()
    page.get_by_label("Quince tree").select_option("2")
    page.get_by_label("Why").fill("Two froze last night.")
    page.get_by_role("button", name="Show what goes back").click()
    no_overflow(page)
    page.get_by_role("button", name="Cancel and refund €24.00").click()
    expect(page.get_by_text("Cancelled. 24.00 EUR is on its way back")).to_be_visible()
    expect(page.get_by_text("2 cancelled · €24.00 refunded")).to_be_visible()
    expect(page.locator(".page-head .badge", has_text="Shipped")).to_be_visible()
    page.get_by_role("link", name="Packing slip").click()
    expect(page.get_by_role("cell", name="1", exact=True)).to_be_visible()


@pytest.mark.parametrize(("width", "scripts"), [(1280, True), (390, True), (1280, False)])
def test_stock_is_counted_and_reported(
    market: Market, visit: Visits, stall: Stall, width: int, *, scripts: bool
) -> None:
    page = visit(Way("desk", width, scripts=scripts), stall.person).page
    page.goto(f"{market.url}/sell/stock")
    page.get_by_label("On hand of Quince tree").fill("2")
    page.get_by_label("Why they changed").select_option("loss")
    page.get_by_label("Note").fill("frost")
    page.get_by_role("button", name="Save the counts").click()
    expect(page.get_by_text("Saved: 1 new count.")).to_be_visible()
    page.get_by_role("link", name="Runs low 1").click()
    expect(page.get_by_role("link", name="Quince tree")).to_be_visible()
    no_overflow(page)
    page.get_by_role("link", name="Movements").click()
    expect(page.get_by_text("frost")).to_be_visible()
    no_overflow(page)
    page.goto(f"{market.url}/sell/stock/reports")
    for name in ("Value", "Movement", "Age", "Sell-through"):
        page.get_by_label("Reports").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", level=1, name="Stock reports")).to_be_visible()
        no_overflow(page)


@pytest.mark.parametrize(("width", "scripts"), [(1280, True), (390, True), (1280, False)])
def test_the_storefront_is_dressed(
    market: Market, visit: Visits, stall: Stall, width: int, *, scripts: bool
) -> None:
    import pyvips

    content = (pyvips.Image.black(400, 400, bands=3) + 90).cast("uchar").pngsave_buffer()
    logo = {"name": "logo.png", "mimeType": "image/png", "buffer": content}
    page = visit(Way("desk", width, scripts=scripts), stall.person).page
    page.goto(f"{market.url}/sell/storefront")
    page.get_by_label("Logo").set_input_files(logo)  # type: ignore[arg-type]
    if not scripts:
        page.get_by_role("button", name="Upload").first.click()
    expect(page.get_by_role("link", name="Take it away")).to_be_visible()
    page.get_by_label("Announcement").fill("Quinces on Friday")
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Preview").click()
    expect(opened.value.get_by_text("This is a preview.")).to_be_visible()
    expect(opened.value.get_by_text("Quinces on Friday")).to_be_visible()
    opened.value.close()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your storefront is saved.")).to_be_visible()
    no_overflow(page)
    page.get_by_role("button", name="Close the shop").click()
    expect(page.get_by_text("The holiday is saved.")).to_be_visible()
    page.goto(f"{market.url}/s/{stall.slug}")
    expect(page.get_by_text("Quinces on Friday")).to_be_visible()
    expect(page.get_by_text("On holiday at the moment.")).to_be_visible()


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits(market: Market, visit: Visits, stall: Stall, width: int) -> None:
    buy(market, stall, 2)
    page = visit(Way("desk", width), stall.person).page
    page.goto(f"{market.url}/sell/balance")
    for url in (
        "/sell", "/sell?days=365", "/sell/orders", "/sell/orders?tab=cancelled", "/sell/stock",
        "/sell/balance", "/sell/storefront", "/sell/settings", "/sell/shipping",
        "/sell/shipping/new", "/sell/apply",
    ):  # fmt: skip
        page.goto(f"{market.url}{url}")
        expect(page.locator("h1").first).to_be_visible()
        no_overflow(page)
