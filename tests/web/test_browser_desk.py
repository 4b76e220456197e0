"""The seller's desk in a real browser: orders by keys and by buttons, stock, storefront, money."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import httpx
import pytest
from playwright.sync_api import Page, expect

from souk import app as composition
from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.contexts.sellers import api as sellers
from souk.flows.seller_approval.flow import Decision, decide
from souk.kernel.actor import Role
from souk.kernel.ids import token, uuid7
from souk.platform.database import Database, WriteTx
from tests.factories.market import HOME
from tests.listings import factories as listing_factories
from tests.web import desks
from tests.web.conftest import PASSWORD
from tests.web.live import Market, open_page, require_browser, running

pytestmark = pytest.mark.browser
WIDTHS = (1280, 390)


@dataclass(frozen=True)
class Stall:
    """An open shop: who logs in, its slug, a variant of ten pieces at 12.00."""

    email: str
    slug: str
    variant_id: str


@pytest.fixture(scope="module")
def market(db_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    require_browser()
    with running(tmp_path_factory.mktemp("market"), db_url) as made:
        yield made


@pytest.fixture
def stall(market: Market, db_url: str) -> Stall:
    return asyncio.run(_open(db_url))


async def _open(db_url: str) -> Stall:
    db = await Database.connect(db_url, writer=composition.event_writer())
    try:
        email, person = await desks.member(db)

        async def found(tx: WriteTx) -> sellers.Seller:
            application = sellers.Application(name=f"Stall {uuid7().hex[-6:]}", country="DE")
            made = await sellers.apply(tx, person, application=application)
            return await decide(
                tx, desks.OPERATOR, seller_id=made.id, decision=Decision.APPROVE, reason="Good."
            )

        shop = await db.transact(found)
        actor = replace(person, seller_id=shop.id, roles=frozenset({Role.SELLER}))
        listing = await listing_factories.active(
            db, actor, title="Quince tree", variants=[listings.VariantInput(price=1_200)]
        )
        stock = inventory.StockSetUp(listing.variants[0].id, listing.id, shop.id, 10)
        await db.transact(lambda tx: inventory.set_up(tx, actor, items=[stock]))
        return Stall(email, shop.slug, str(listing.variants[0].id))
    finally:
        await db.close()


def buy(market: Market, stall: Stall, pieces: int) -> None:
    """A guest buys over the API and pays at the sandbox."""
    with httpx.Client(base_url=market.url, headers={"souk-guest": token()}, timeout=30) as guest:
        items = [{"variant_id": stall.variant_id, "quantity": pieces}]
        body = {"email": "ada@buyers.test", "shipping_address": HOME, "items": items}
        checkout = guest.post("/api/v1/checkouts", json=body)
        assert checkout.status_code == 201, checkout.text
        url = f"/api/v1/checkouts/{checkout.json()['id']}/payment"
        paid = guest.post(url, json={"method": "pm_card_visa"})
        assert paid.status_code == 200 and paid.json()["order_id"], paid.text


def log_in(page: Page, market: Market, stall: Stall, to: str) -> None:
    page.goto(f"{market.url}/login?next={to}")
    page.get_by_label("E-mail").fill(stall.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Log in").click()
    page.goto(f"{market.url}{to}")


def no_overflow(page: Page) -> None:
    """Nothing sticks out of the page sideways."""
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0, f"{page.url} is {wide} px too wide"


def row(page: Page) -> re.Pattern[str]:
    return re.compile(r"[0-9A-Z]{5}-[0-9A-Z]{5}")


def test_an_order_by_keyboard_alone(market: Market, stall: Stall) -> None:
    for _ in range(2):
        buy(market, stall, 1)
    with open_page(market) as page:
        log_in(page, market, stall, "/sell/orders")
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


def test_keys_can_be_switched_off(market: Market, stall: Stall) -> None:
    buy(market, stall, 1)
    with open_page(market) as page:
        log_in(page, market, stall, "/sell/orders")
        page.get_by_role("button", name="Keys").click()
        page.get_by_label("Use these keys on this device").uncheck()
        page.get_by_role("button", name="Close").click()
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{market.url}/sell/orders")


@pytest.mark.parametrize(("width", "scripts"), [(1280, True), (390, True), (1280, False)])
def test_accept_ship_a_part_and_cancel_the_rest(
    market: Market, stall: Stall, width: int, *, scripts: bool
) -> None:
    buy(market, stall, 3)
    with open_page(market, width=width, scripts=scripts) as page:
        log_in(page, market, stall, "/sell")
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
    market: Market, stall: Stall, width: int, *, scripts: bool
) -> None:
    with open_page(market, width=width, scripts=scripts) as page:
        log_in(page, market, stall, "/sell/stock")
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
    market: Market, stall: Stall, width: int, *, scripts: bool
) -> None:
    import pyvips

    content = (pyvips.Image.black(400, 400, bands=3) + 90).cast("uchar").pngsave_buffer()
    logo = {"name": "logo.png", "mimeType": "image/png", "buffer": content}
    with open_page(market, width=width, scripts=scripts) as page:
        log_in(page, market, stall, "/sell/storefront")
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
def test_every_page_fits(market: Market, stall: Stall, width: int) -> None:
    buy(market, stall, 2)
    with open_page(market, width=width) as page:
        log_in(page, market, stall, "/sell/balance")
        for url in (
            "/sell", "/sell?days=365", "/sell/orders", "/sell/orders?tab=cancelled", "/sell/stock",
            "/sell/balance", "/sell/storefront", "/sell/settings", "/sell/shipping",
            "/sell/shipping/new", "/sell/apply",
        ):  # fmt: skip
            page.goto(f"{market.url}{url}")
            expect(page.locator("h1").first).to_be_visible()
            no_overflow(page)
