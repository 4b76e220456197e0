"""What operators decide, in a real browser: reported listings, and orders that are called off."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from souk.contexts.identity import api as identity
from souk.contexts.listings import api as listings
from souk.kernel.actor import GUEST
from souk.kernel.ids import token, uuid7
from souk.platform.database import Database, WriteTx
from tests.web.conftest import Visits
from tests.web.live import Market, require_browser, running
from tests.web.visits import PASSWORD, Person, Way, logged_in, prepare

pytestmark = pytest.mark.browser
ADMIN = "acts@souk.example"
HOME = {
    "name": "Ada Lovelace",
    "line1": "Lindenweg 7",
    "postal_code": "10115",
    "city": "Berlin",
    "country": "DE",
}


@pytest.fixture(scope="module")
def market(db_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    require_browser()
    with running(tmp_path_factory.mktemp("market"), db_url) as made:
        yield made


@pytest.fixture(scope="module")
def admin(market: Market) -> Person:
    async def work(db: Database) -> Person:
        await db.transact(lambda tx: identity.create_admin(tx, email=ADMIN, password=PASSWORD))
        return await logged_in(db, ADMIN)

    return prepare(market.db_url, work)


def report(db_url: str, title: str, note: str) -> None:
    """A visitor reports a listing, which is on sale again if it was taken down before."""

    async def work(tx: WriteTx) -> None:
        listing_id = await tx.fetchval(
            "UPDATE listings.listing SET state = 'active' WHERE title = $1 RETURNING id", title
        )
        await listings.report(
            tx,
            GUEST,
            listing_id=listing_id,
            reporter=f"guest:{uuid7().hex}",
            reason=listings.ReportReason.MISLEADING,
            note=note,
            email="witness@example.com",
        )

    prepare(db_url, lambda db: db.transact(work))


def buy(market: Market) -> str:
    """Three olive trees are bought and paid for; the id of the order."""

    async def variant(db: Database) -> str:
        async with db.read() as conn:
            document = await listings.detail(conn, market.olive)
        return str(document.variants[0].id)

    variant_id = prepare(market.db_url, variant)
    headers = {"souk-guest": token()}
    with httpx.Client(base_url=market.url, headers=headers, timeout=30) as buyer:
        body = {
            "email": "ada@buyers.test",
            "shipping_address": HOME,
            "items": [{"variant_id": variant_id, "quantity": 3}],
        }
        checkout = buyer.post("/api/v1/checkouts", json=body)
        assert checkout.status_code == 201, checkout.text
        url = f"/api/v1/checkouts/{checkout.json()['id']}/payment"
        paid = buyer.post(url, json={"method": "pm_card_visa"})
        assert paid.status_code == 200, paid.text
        return paid.json()["order_id"]


def fits(page: Page) -> None:
    """Nothing makes the page wider than the window."""
    extra = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert extra <= 0, f"{page.url} is {extra} px too wide"


@pytest.mark.parametrize(("width", "scripts"), [(1280, True), (390, True), (390, False)])
def test_reports_are_looked_into(
    visit: Visits, market: Market, admin: Person, width: int, scripts: bool
) -> None:
    page, mark = visit(Way("desk", width, scripts=scripts), admin).page, uuid7().hex[-6:]
    for title in ("Lavender", "Olive tree", "Reading lamp"):
        report(market.db_url, title, f"Not what it says, {mark}.")
    page.goto(f"{market.url}/admin")
    page.get_by_role("link", name="listings were reported by visitors").click()
    expect(page.get_by_role("heading", level=1, name="Reported listings")).to_be_visible()
    fits(page)
    lavender = page.get_by_role("row").filter(has_text="Lavender")
    expect(lavender.get_by_text(f"Not what it says, {mark}.")).to_be_visible()
    expect(lavender.get_by_text("witness@example.com")).to_be_visible()
    lavender.get_by_role("link", name="Take down").click()
    fits(page)
    page.get_by_label("A ready sentence").select_option("The description is not true.")
    page.get_by_role("button", name="Take out of sight").click()
    expect(page.get_by_text("It is out of sight and its seller was told.")).to_be_visible()
    for title in ("Olive tree", "Reading lamp"):
        page.get_by_label(f"Select {title}").check()
    page.get_by_role("button", name="Dismiss").first.click()
    expect(page.get_by_role("heading", level=1, name="Dismiss these reports?")).to_be_visible()
    page.get_by_label("What came of it, for the record").fill(f"They are fine, {mark}.")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_text("The reports are dismissed.")).to_be_visible()
    expect(page.get_by_role("heading", name="Nothing waits")).to_be_visible()
    page.get_by_role("link", name="Looked into").click()
    expect(page.get_by_text(f"They are fine, {mark}.").first).to_be_visible()
    expect(page.get_by_text("The description is not true.").first).to_be_visible()
    fits(page)


def ask_for_one(page: Page, market: Market, order_id: str) -> None:
    """From the order to the question whether one tree shall be cancelled."""
    page.goto(f"{market.url}/admin/orders/{order_id}")
    expect(page.get_by_text("Visa •••• 4242")).to_be_visible()
    page.get_by_role("link", name="Cancel…").click()
    page.get_by_label(re.compile("^Olive tree")).select_option("1")
    page.get_by_label("In a sentence to the buyer").fill("One tree has lost its leaves.")
    page.get_by_role("button", name="Show what goes back").click()
    expect(page.get_by_role("button", name=re.compile("Cancel and refund"))).to_be_visible()
    expect(page.get_by_text("goes back to the stock")).to_be_visible()
    expect(page.get_by_text("One tree has lost its leaves.")).to_be_visible()


@pytest.mark.parametrize(("width", "scripts"), [(1280, True), (390, True), (390, False)])
def test_an_order_is_cancelled_piece_by_piece(
    visit: Visits, market: Market, admin: Person, width: int, scripts: bool
) -> None:
    page, order_id = visit(Way("desk", width, scripts=scripts), admin).page, buy(market)
    ask_for_one(page, market, order_id)
    fits(page)
    twice = page.context.new_page()
    ask_for_one(twice, market, order_id)
    page.get_by_role("button", name=re.compile("Cancel and refund")).click()
    expect(page.get_by_text("is on its way back to the buyer")).to_be_visible()
    expect(page.get_by_text("1 cancelled").first).to_be_visible()
    # The same question stood open in another tab: confirming it changes nothing more.
    twice.get_by_role("button", name=re.compile("Cancel and refund")).click()
    expect(twice.get_by_text("The order has changed in the meantime.")).to_be_visible()
    expect(twice.get_by_text("1 cancelled").first).to_be_visible()
    page.get_by_role("link", name="Cancel…").click()
    page.get_by_label("A ready sentence").select_option("The seller does not answer.")
    page.get_by_role("button", name=re.compile("All of it")).click()
    expect(page.get_by_role("heading", level=1, name="Cancel the whole part")).to_be_visible()
    fits(page)
    page.get_by_role("button", name=re.compile("Cancel and refund")).click()
    expect(page.get_by_text("3 cancelled")).to_be_visible()
    expect(page.get_by_role("link", name="Cancel…")).to_have_count(0)
    expect(page.get_by_text("The seller does not answer.").first).to_be_visible()
    fits(page)
