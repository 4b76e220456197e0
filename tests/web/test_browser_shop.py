"""A newcomer buys, in a real browser: register, confirm by mail, find, two sellers, 3-D Secure;
then what was bought is fetched, its download broken off and gone on with."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from souk.kernel.ids import uuid7
from tests.web.buying import ASKS, fill_address, mailed, pay, place, put_into_cart, until_there
from tests.web.conftest import Visits
from tests.web.live import GUIDE, Market
from tests.web.visits import PASSWORD, SHOP_WAYS, WIDE, Visit, Way
from tests.web.wire import Wire

pytestmark = pytest.mark.browser
LOST_AFTER = 400_000
"""Bytes of a download until its connection is lost."""


def register(v: Visit, email: str) -> None:
    """An account, confirmed by the link in the mail that the worker sends."""
    v.go("/register")
    v.title("Open an account")
    v.field("Your name").fill("Anna Buyer")
    v.field("E-mail").fill(email)
    v.field("Password").fill(PASSWORD)
    v.page.locator("main input[type=checkbox]").first.check()
    v.page.locator("main").get_by_role("button", name=v.say("Open an account")).click()
    expect(v.role("heading", "Look into your mailbox")).to_be_visible()
    v.fits()
    mailed(v, email, "/verify-email").click()
    v.button("Confirm my address").click()


def log_in(v: Visit, email: str) -> None:
    v.field("E-mail").fill(email)
    v.field("Password").fill(PASSWORD)
    v.page.locator("main").get_by_role("button", name=v.say("Log in")).click()
    v.sees("Welcome back, %(name)s.", name="Anna Buyer")


@pytest.mark.parametrize("way", SHOP_WAYS)
def test_newcomer_buys(market: Market, visit: Visits, way: Way) -> None:
    v = visit(way)
    email = f"anna-{uuid7().hex[-8:]}@example.com"
    register(v, email)
    log_in(v, email)
    put_into_cart(v, market.guide)
    put_into_cart(v, market.olive)
    expect(v.page.locator("#cart section")).to_have_count(2)
    v.button("Go to checkout").click()
    fill_address(v)
    place(v)
    order_id = pay(v, ASKS)
    v.sees("Paid and confirmed")
    v.fits()
    until_there(v, f"/account/orders/{order_id}", "guide.txt")
    # The list of orders and that of downloads know it.
    v.go("/account/orders")
    v.title("Your orders")
    expect(v.page.locator("#own-orders .line-item")).to_have_count(1)
    v.go("/account/downloads")
    v.title("Downloads")
    fetch(v)


def fetch(v: Visit) -> None:
    """The file comes whole. With scripts its progress is seen and a lost connection made good."""
    link = v.link("Download", exact=True)
    if not v.way.scripts:
        with v.page.expect_download() as waiting:
            link.click()
        assert waiting.value.suggested_filename == "guide.txt"
        assert waiting.value.path().read_bytes() == GUIDE
        return
    wire = Wire(v.url)
    v.page.goto(f"{wire.url}/account/downloads")
    asked: list[str] = []
    v.page.on("request", lambda request: asked.append(request.headers.get("range", "")))
    wire.stall("/api/v1/downloads/", after=LOST_AFTER)
    with v.page.expect_download() as waiting:
        link.click()
        expect(v.page.locator("main progress")).not_to_have_js_property("value", 0)
        wire.lose()
    assert waiting.value.suggested_filename == "guide.txt"
    assert waiting.value.path().read_bytes() == GUIDE
    v.sees("It is on your device.")
    # It was asked for twice: from its beginning, and from where it broke off.
    [begun] = [text for text in asked if text]
    found = re.fullmatch(r"bytes=(\d+)-", begun)
    assert found is not None and 0 < int(found[1]) <= LOST_AFTER
    wire.cut()


def test_scripts_and_styles_pass_the_policy(market: Market, visit: Visits) -> None:
    """The content security policy refuses nothing of ours; JSON-LD is data and stays."""
    page = visit(WIDE).page
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{market.url}/listing/{market.olive}")
    expect(page.locator('script[type="application/ld+json"]')).to_have_count(1)
    assert page.evaluate("document.documentElement.classList.contains('js')")
    assert [text for text in said if "Content Security Policy" in text] == []


def test_guest_buys_without_scripts(market: Market, visit: Visits) -> None:
    """On a telephone, from the home page to the order."""
    v = visit(Way("plain telephone", 390, scripts=False))
    v.go("/")
    v.page.locator("#finder").fill("lavender")
    v.page.keyboard.press("Enter")
    v.page.get_by_role("link", name="Lavender", exact=True).first.click()
    v.button("Put into the cart").click()
    v.button("Go to checkout").click()
    v.field("E-mail").fill("guest@example.com")
    fill_address(v)
    v.fits()
    place(v)
    pay(v)
    v.sees("Paid and confirmed")
    v.fits()
