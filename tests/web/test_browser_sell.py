"""The seller's desk in a real browser, wide and narrow: what is listed with a file or with wear,
bulk edits, holidays, ways of delivery, the application, and the money of an order."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from souk.flows.seller_approval.flow import Decision, decide
from souk.kernel.ids import uuid7
from souk.platform.database import Database
from tests.web import desks
from tests.web.buying import order, order_by_api
from tests.web.conftest import Visits
from tests.web.live import Market
from tests.web.stalls import filled_stall, open_stall, picture
from tests.web.visits import DESK_WAYS, SHOP_WAYS, WIDE, Visit, Way, member, prepare, row_of

pytestmark = pytest.mark.browser
SLOW = 200_000
"""Bytes a second, so that an upload can be watched."""
FILES = """
SELECT f.filename, f.version, f.size, f.current FROM listings.digital_file f
JOIN listings.listing l ON l.id = f.listing_id WHERE l.title = $1 ORDER BY f.version DESC
"""


def new_listing(v: Visit, kind: str, title: str, price: str) -> None:
    v.go("/sell/listings/new")
    v.page.get_by_role("radio", name=kind).check()
    v.field("Title").fill(title)
    v.field("Category").select_option(index=1)
    v.field("Price").fill(price)
    v.button("Save and go on").click()
    expect(v.page.get_by_role("heading", level=1, name=title)).to_be_visible()


def publish(v: Visit, folder: Path) -> None:
    v.field("Add pictures").set_input_files(picture(folder))
    expect(v.page.locator("#picture-count")).to_have_text("1 / 10")
    v.field("Description", exact=True).fill("Written and kept with care, and sent at once.")
    # The checklist is drawn from what is stored.
    expect(v.page.get_by_text("A description", exact=True)).to_be_visible()
    expect(v.page.locator("#editor-state")).to_contain_text(re.compile("^Saved "))
    v.button("Publish", exact=True).click()
    expect(v.page.locator(".page-head").get_by_text("In review")).to_be_visible()


def throttle(page: Page, upload: int) -> None:
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    conditions = {"latency": 0, "downloadThroughput": -1, "offline": False}
    network.send("Network.emulateNetworkConditions", {**conditions, "uploadThroughput": upload})


@pytest.mark.parametrize("way", DESK_WAYS)
def test_a_download_is_listed_with_its_file(
    market: Market, visit: Visits, tmp_path: Path, way: Way
) -> None:
    v = visit(way, open_stall(market.db_url))
    title = f"Book of figs {uuid7().hex[-6:]}"
    new_listing(v, "Download", title, "12.00")
    # Nothing can be published before there is something to download.
    v.button("Publish", exact=True).click()
    expect(v.page.locator("#editor-side li.open").first).to_be_visible()
    path = tmp_path / "figs.txt"
    path.write_bytes(b"On figs.\n" * 50_000)
    throttle(v.page, SLOW)
    v.field("Add files").set_input_files(path)
    expect(v.page.locator("#files progress")).to_be_visible()
    expect(v.page.locator("#file-list")).to_contain_text("figs.txt")
    throttle(v.page, -1)
    path.write_bytes(b"On figs, revised.\n")
    v.field("Add files").set_input_files(path)
    expect(v.page.locator("#file-list")).to_contain_text("version 2")
    v.fits()
    publish(v, tmp_path)
    newest = row_of(market.db_url, FILES, title)
    assert (newest["version"], newest["size"], newest["current"]) == (2, 18, True)
    v.link("Remove figs.txt").click()
    v.button("Remove").last.click()
    v.sees("The file is no longer offered.")


@pytest.mark.parametrize("way", DESK_WAYS)
def test_a_second_hand_thing_is_listed_with_its_wear(
    market: Market, visit: Visits, tmp_path: Path, way: Way
) -> None:
    v = visit(way, open_stall(market.db_url))
    title = f"Copper can {uuid7().hex[-6:]}"
    new_listing(v, "Second-hand", title, "35.00")
    expect(v.page.get_by_text("It comes in several kinds")).to_have_count(0)
    v.field("Condition").select_option(label="Worn")
    v.field("Where it is").fill("Naumburg")
    v.field("Signs of wear").fill("A dent at the spout.")
    v.fits()
    publish(v, tmp_path)
    v.link("Preview as buyers will see it").click()
    v.sees("Second-hand: %(condition)s", condition="Worn")
    expect(v.page.get_by_text("A dent at the spout.")).to_be_visible()
    expect(v.page.get_by_text("Naumburg")).to_be_visible()
    stored = row_of(
        market.db_url, "SELECT kind, condition, location FROM listings.listing WHERE title = $1",
        title,
    )  # fmt: skip
    assert tuple(stored) == ("secondhand", "fair", "Naumburg")


@pytest.mark.parametrize("way", DESK_WAYS)
def test_prices_of_several_are_changed_after_a_look(
    market: Market, visit: Visits, way: Way
) -> None:
    stall = filled_stall(market.db_url)
    v = visit(way, stall.person)
    v.go("/sell/listings")
    v.page.locator("tbody input[type=checkbox]").first.check()
    v.button("Edit…").click()
    v.title("Change 1 listing")
    v.field("Prices").select_option(label="Lower by percent")
    v.field("By how much").fill("25")
    v.field("When a price falls, show the former one beside it").check()
    v.button("See what would happen").click()
    plan = v.page.locator("#plan")
    expect(plan).to_contain_text("€12.00")
    expect(plan).to_contain_text("€9.00")
    v.fits()
    price = "SELECT price, compare_at FROM listings.variant WHERE id = $1"
    assert tuple(row_of(market.db_url, price, UUID(stall.variant_id))) == (1_200, None)
    v.button("Change 1 listing").click()
    v.title("1 listing is changed")
    assert tuple(row_of(market.db_url, price, UUID(stall.variant_id))) == (900, 1_200)
    v.go("/sell/listings")
    v.page.locator("tbody input[type=checkbox]").first.check()
    v.button("Archive").click()
    v.title("Put these listings away?")
    v.button("Archive").click()
    expect(v.page.locator("tbody .badge").first).to_have_text("Archived")


@pytest.mark.parametrize("way", DESK_WAYS)
def test_a_holiday_stops_buying_and_ends(market: Market, visit: Visits, way: Way) -> None:
    stall = filled_stall(market.db_url)
    v, buyer = visit(way, stall.person), visit(way)
    v.go("/sell/storefront")
    v.field("What visitors read").fill("We are picking quinces.")
    v.button("Close the shop").click()
    v.sees("The holiday is saved.")
    v.title("Storefront")
    expect(v.page.locator("#holiday .notice")).to_contain_text("until further notice")
    v.go("/sell")
    expect(v.page.get_by_text("Your shop is closed for a holiday")).to_be_visible()
    buyer.go(f"/s/{stall.slug}")
    buyer.sees("We are picking quinces.")
    buyer.go(f"/listing/{stall.listing}")
    buyer.sees("This seller is away at the moment, so nothing can be bought here just now.")
    expect(buyer.button("Put into the cart")).to_have_count(0)
    v.go("/sell/storefront")
    v.button("Open again").click()
    v.sees("Your shop is open again.")
    expect(v.button("Close the shop")).to_be_visible()
    buyer.go(f"/s/{stall.slug}")
    expect(buyer.page.get_by_text("We are picking quinces.")).to_have_count(0)
    order_by_api(market, stall.variant_id, 1)


@pytest.mark.parametrize("way", DESK_WAYS)
def test_a_way_of_delivery_is_offered_to_buyers(market: Market, visit: Visits, way: Way) -> None:
    v = visit(way, open_stall(market.db_url))
    v.go("/sell/shipping")
    v.sees("No way of delivery of your own yet")
    v.link("New way of delivery").first.click()
    v.field("Name that buyers read").fill("Cargo bicycle")
    v.page.locator('[name="r0.countries"]').fill("DE")
    v.page.locator('[name="r0.amount"]').fill("much")
    v.button("Save").click()
    expect(v.page.get_by_role("alert")).to_be_visible()
    v.page.locator('[name="r0.amount"]').fill("3.50")
    v.button("Save").click()
    v.sees("Buyers can choose it from now on.")
    expect(v.page.locator("table").first).to_contain_text("€3.50")
    v.fits()
    v.link("Remove").click()
    v.button("Remove").click()
    v.sees("It is removed.")
    v.go("/sell/settings")
    v.field("Telephone").fill("+49 30 1234567")
    v.button("Save").click()
    v.sees("Saved. Buyers see it on your storefront.")
    expect(v.field("Telephone")).to_have_value("+49 30 1234567")


@pytest.mark.parametrize("way", DESK_WAYS)
def test_an_application_is_asked_about_and_opens_the_desk(
    market: Market, visit: Visits, way: Way
) -> None:
    person = member(market.db_url)
    name = f"Fig house {uuid7().hex[-6:]}"
    v = visit(way, person)
    v.go("/sell/apply")
    v.field("Name of the shop").fill(name)
    v.field("Country you sell from").select_option("DE")
    v.field("I have read the seller agreement and accept it.").check()
    v.button("Send the application").click()
    v.sees("Your application is on its way. We answer by e-mail.")
    v.fits()

    def answer(decision: Decision, reason: str) -> None:
        async def work(db: Database) -> None:
            async with db.read() as conn:
                seller_id = await conn.fetchval(
                    "SELECT id FROM sellers.seller WHERE name = $1", name
                )
            await db.transact(
                lambda tx: decide(
                    tx, desks.OPERATOR, seller_id=seller_id, decision=decision, reason=reason
                )
            )

        prepare(market.db_url, work)

    answer(Decision.ASK_MORE, "Which figs do you grow?")
    v.go("/sell/apply")
    v.sees("Which figs do you grow?")
    v.field("What you sell and how you make or choose it").fill("Brown ones and green ones.")
    v.field("I have read the seller agreement and accept it.").check()
    v.button("Send the application again").click()
    v.sees("Your application is with us.")
    answer(Decision.APPROVE, "Good figs.")
    v.go("/sell/apply")
    v.link("Go to the seller's desk").click()
    v.title("Today")
    # What is to be done before the first order, with a link for each.
    steps = v.page.locator(".checklist li")
    expect(steps).to_have_count(5)
    expect(v.page.get_by_text("2 of 5 done")).to_be_visible()
    v.fits()


@pytest.mark.parametrize("way", SHOP_WAYS)
def test_the_money_of_an_order_is_explained(market: Market, visit: Visits, way: Way) -> None:
    """From the parcel, which the buyer follows in every way, to the posting in the balance."""
    stall = filled_stall(market.db_url)
    desk_way = Way("seller", way.width, scripts=way.scripts)
    buyer, v = visit(way), visit(desk_way, stall.person)
    order_id = order(buyer, stall.listing, email="ada@example.com")
    v.go("/sell/balance")
    v.sees("No money has moved yet")
    v.go("/sell/orders")
    v.page.get_by_role("link", name=re.compile("[0-9A-Z]{5}-[0-9A-Z]{5}")).first.click()
    v.button("Accept").click()
    v.link("Packing slip").click()
    v.page.emulate_media(media="print")
    expect(v.page.locator(".slip")).to_contain_text("Quince tree")
    expect(v.page.locator(".slip address")).to_contain_text("Johannisplatz 3")
    expect(v.link("Back")).to_be_hidden()
    v.page.emulate_media(media="screen")
    v.link("Back").click()
    v.field("Tracking number").fill("JD014600003828")
    v.button("Ship and tell the buyer").click()
    v.sees("The parcel is on its way. The buyer knows.")
    # The buyer sees the parcel, and says that all is well.
    buyer.go(f"/account/orders/{order_id}")
    expect(buyer.page.get_by_text("JD014600003828")).to_be_visible()
    expect(buyer.page.locator(".timeline")).to_contain_text(buyer.say("On its way"))
    buyer.button("It arrived and is fine").click()
    buyer.sees("Thank you. The seller is paid now.")
    buyer.fits()
    v.go("/sell/balance")
    posting = v.page.locator("tbody tr").filter(has_text="You earned an order").first
    expect(posting).to_be_visible()
    expect(v.page.locator("h2", has_text="On hold")).to_be_visible()
    v.fits()
    earned = row_of(
        market.db_url,
        "SELECT total - tax - commission - commission_tax AS n FROM orders.seller_order"
        " WHERE order_id = $1",
        UUID(order_id),
    )["n"]
    expect(posting).to_contain_text(f"+€{earned / 100:.2f}")
    with v.page.expect_download() as got:
        v.link("Statement (CSV)").click()
    assert f"{earned / 100:.2f}" in got.value.path().read_text(encoding="utf-8-sig")


def test_slips_of_several_orders_are_printed_together(market: Market, visit: Visits) -> None:
    stall = filled_stall(market.db_url)
    for pieces in (1, 2):
        order_by_api(market, stall.variant_id, pieces)
    v = visit(WIDE, stall.person)
    v.go("/sell/orders")
    for box in v.page.locator("tbody input[type=checkbox]").all():
        box.check()
    v.button("Accept").click()
    v.sees("Accepted: 2.")
    for box in v.page.locator("tbody input[type=checkbox]").all():
        box.check()
    v.button("Packing slips").click()
    expect(v.page.locator(".slip")).to_have_count(2)
