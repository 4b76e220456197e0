"""The first sale, through the pages, in a real Chromium, on the demo marketplace.

A newcomer registers, confirms by the mailed link, finds by search and facet, buys from two sellers
with a 3-D Secure card; the seller accepts and ships; the buyer downloads and confirms; the escrow
is released, the balance is right, and `souk verify` finds nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.scenarios.marketplace import Marketplace
from tests.web.live import launched, require_browser

pytestmark = [pytest.mark.browser, pytest.mark.reliability]
DEMO_PASSWORD = "olive-lantern-harbour"
PASSWORD = "a quiet market at seven in the morning"
BUYER = "nora@example.com"
NURSERY, PRESS = "Alpenglow Outfitters", "Leaf & Letter"
NURSERY_LOG_IN = "theresa@alpenglow.example.com"


@pytest.fixture(scope="module")
def market() -> Iterator[Marketplace]:
    require_browser()
    made = Marketplace()
    made.cli("demo", "--orders", "8", seconds=600)
    with made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    require_browser()
    with sync_playwright() as driver:
        made = launched(driver)
        yield made
        made.close()


def visitor(browser: Browser) -> Page:
    """Somebody with a browser of their own."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    context.set_default_timeout(20_000)
    return context.new_page()


def listings_of(market: Marketplace, seller: str, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        asked = {"kind": kind, "limit": "100"} | ({"cursor": cursor} if cursor else {})
        page = httpx.get(f"{market.base}/api/v1/listings", params=asked).json()
        found += [one for one in page["items"] if one["seller"]["name"] == seller]
        cursor = page["next_cursor"]
        if cursor is None:
            return [one for one in found if one["state"] == "active"]


def log_in(page: Page, market: Marketplace, email: str, password: str) -> None:
    page.goto(f"{market.base}/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda url: "/login" not in url)


def register(page: Page, market: Marketplace) -> None:
    page.goto(f"{market.base}/register")
    page.get_by_label("Your name").fill("Nora Lindt")
    page.get_by_label("E-mail").fill(BUYER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("I accept the").check()
    page.get_by_role("button", name="Open an account").click()
    expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
    for _ in range(80):
        page.goto(f"{market.base}/dev/mail")
        row = page.get_by_role("row").filter(has_text=BUYER)
        if row.count():
            row.get_by_role("link").first.click()
            break
        page.wait_for_timeout(250)
    page.locator('a[href*="/verify-email"]').first.click()
    page.get_by_role("button", name="Confirm my address").click()


def put_into_cart(
    page: Page, market: Marketplace, listing: dict[str, Any], *, words: str, facet: str
) -> None:
    """Find it by words and a facet, as people do."""
    page.goto(market.base)
    page.locator("#finder").fill(words)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?**")
    found = page.url
    page.get_by_role("checkbox", name=re.compile(facet)).first.click()
    page.wait_for_url(lambda url: url != found)
    page.get_by_role("link", name=listing["title"], exact=True).first.click()
    page.get_by_role("button", name="Put into the cart").click()
    expect(page.get_by_role("heading", level=1, name="Cart")).to_be_visible()


def check_out(page: Page) -> str:
    """Address, payment with 3-D Secure; the address of the order's page."""
    page.get_by_role("button", name="Go to checkout").click()
    for label, value in {
        "Full name": "Nora Lindt",
        "Street and number": "Johannisplatz 3",
        "Postal code": "07743",
        "Town or city": "Jena",
    }.items():
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name=re.compile("Place the order and pay")).click()
    page.wait_for_url("**/pay/**")
    page.get_by_role("button", name="Asks for 3-D Secure, then succeeds").click()
    page.get_by_role("button", name="Yes, it is mine").click()
    page.wait_for_url("**/account/orders/**")
    expect(page.get_by_text("Thank you. Your order is placed.")).to_be_visible()
    return page.url


def accept_and_ship(page: Page, market: Marketplace, title: str) -> None:
    page.goto(f"{market.base}/sell/orders?state=confirmed")
    page.get_by_role("row").filter(has_text=title).get_by_role("link").first.click()
    page.get_by_role("button", name="Accept").click()
    page.get_by_label("Tracking number").fill("00340434161094042557")
    page.get_by_role("button", name="Ship and tell the buyer").click()
    expect(page.get_by_text("Parcel 1")).to_be_visible()


def pending_balance(page: Page, market: Marketplace) -> int:
    """Minor units on hold, as the seller's balance page shows them."""
    page.goto(f"{market.base}/sell/balance")
    figure = page.locator(".stat", has=page.locator("dt", has_text="On hold")).locator("dd").first
    figures = re.findall(r"€([\d,]+\.\d\d)", figure.inner_text())
    return int(figures[0].replace(",", "").replace(".", "")) if figures else 0


def test_the_first_sale_from_registration_to_balance(market: Marketplace, browser: Browser) -> None:
    goods = next(one for one in listings_of(market, NURSERY, "goods") if "Jacket" in one["title"])
    file = next(one for one in listings_of(market, PRESS, "digital") if "Leaf" in one["title"])
    buyer, seller = visitor(browser), visitor(browser)
    register(buyer, market)
    log_in(buyer, market, BUYER, PASSWORD)
    # The last word of the name finds others' goods as well, so that there is something to narrow.
    put_into_cart(buyer, market, goods, words=goods["title"].split()[-1], facet=NURSERY)
    put_into_cart(buyer, market, file, words="leaf", facet="Downloads")
    order_url = check_out(buyer)

    log_in(seller, market, NURSERY_LOG_IN, DEMO_PASSWORD)
    before = pending_balance(seller, market)
    accept_and_ship(seller, market, goods["title"])

    for _ in range(60):
        buyer.goto(order_url)
        if buyer.get_by_role("link", name="Download", exact=True).count():
            break
        buyer.wait_for_timeout(250)
    with buyer.expect_download() as waiting:
        buyer.get_by_role("link", name="Download", exact=True).first.click()
    assert waiting.value.path().stat().st_size > 0

    buyer.goto(order_url)
    part = buyer.locator("section", has_text=NURSERY).last
    part.get_by_role("button", name="It arrived and is fine").click()
    expect(buyer.get_by_text(re.compile("confirmed that everything is fine"))).to_be_visible()

    order_id = order_url.split("/orders/")[1].split("?")[0]
    admin = httpx.Client(base_url=market.base)
    log = admin.post(
        "/api/v1/auth/login", json={"email": "admin@example.com", "password": DEMO_PASSWORD}
    ).json()
    order = admin.get(
        f"/api/v1/admin/orders/{order_id}",
        headers={"authorization": f"Bearer {log['tokens']['access_token']}"},
    ).json()
    mine = next(p for p in order["seller_orders"] if p["lines"][0]["title"] == goods["title"])
    assert mine["state"] == "completed"
    earned = mine["total"] - mine["tax"] - mine["commission"] - mine["commission_tax"]
    assert mine["commission"] == round(mine["items"] * 0.1)
    assert pending_balance(seller, market) == before + earned
    assert "Every invariant holds" in market.cli("verify")
