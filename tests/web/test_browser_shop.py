"""A newcomer buys, in a real browser: register, confirm by mail, find, two sellers, 3-D Secure."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.web.live import Market, open_page, require_browser, running

pytestmark = pytest.mark.browser
PASSWORD = "a quiet market at seven in the morning"


@pytest.fixture(scope="module")
def market(db_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    require_browser()
    with running(tmp_path_factory.mktemp("market"), db_url) as made:
        yield made


def register(page: Page, market: Market, *, email: str) -> None:
    """An account, confirmed by the link in the mail that the worker sends."""
    page.goto(f"{market.url}/register")
    page.get_by_label("Your name").fill("Anna Buyer")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("I accept the").check()
    page.get_by_role("button", name="Open an account").click()
    expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
    for _ in range(60):
        page.goto(f"{market.url}/dev/mail")
        row = page.get_by_role("row").filter(has_text=email)
        if row.count():
            row.get_by_role("link").first.click()
            break
        page.wait_for_timeout(250)
    page.locator('a[href*="/verify-email"]').first.click()
    page.get_by_role("button", name="Confirm my address").click()


def log_in(page: Page, *, email: str) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Welcome back, Anna Buyer.")).to_be_visible()


def put_into_cart(page: Page, title: str) -> None:
    page.get_by_role("link", name=title, exact=True).first.click()
    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
    page.get_by_role("button", name="Put into the cart").click()
    expect(page.get_by_role("heading", level=1, name="Cart")).to_be_visible()


def search(page: Page, words: str) -> None:
    page.get_by_role("combobox", name="Search").or_(
        page.get_by_role("searchbox", name="Search")
    ).first.fill(words)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?**")


def fill_address(page: Page) -> None:
    for label, value in {
        "Full name": "Anna Buyer",
        "Street and number": "Johannisplatz 3",
        "Postal code": "07743",
        "Town or city": "Jena",
    }.items():
        page.get_by_label(label).fill(value)


def pay_with_3d_secure(page: Page) -> None:
    page.wait_for_url("**/pay/**")
    page.get_by_role("button", name="Asks for 3-D Secure, then succeeds").click()
    page.get_by_role("button", name="Yes, it is mine").click()
    page.wait_for_url("**/account/orders/**")


@pytest.mark.parametrize("width", [1280, 390])
def test_newcomer_buys(market: Market, width: int) -> None:
    with open_page(market, width=width) as page:
        email = f"anna-{width}@example.com"
        register(page, market, email=email)
        log_in(page, email=email)
        search(page, "olive")
        if width < 800:
            page.get_by_text("Filter", exact=True).click()
        page.get_by_role("checkbox", name=re.compile("Downloads")).click()
        page.wait_for_url("**kind=digital**")
        expect(page.get_by_role("link", name="Olive tree", exact=True)).to_have_count(0)
        put_into_cart(page, "Olive growing guide")
        search(page, "olive tree")
        put_into_cart(page, "Olive tree")
        expect(page.locator("#cart section")).to_have_count(2)
        page.get_by_role("button", name="Go to checkout").click()
        fill_address(page)
        page.get_by_role("button", name=re.compile("Place the order and pay")).click()
        pay_with_3d_secure(page)
        expect(page.get_by_text("Paid and confirmed").first).to_be_visible()
        expect(page.get_by_text("Thank you. Your order is placed.")).to_be_visible()
        for _ in range(40):
            if page.get_by_role("link", name="Download", exact=True).count():
                break
            page.wait_for_timeout(250)
            page.reload()
        with page.expect_download() as waiting:
            page.get_by_role("link", name="Download", exact=True).click()
        assert waiting.value.suggested_filename == "guide.txt"


def test_guest_buys_without_scripts(market: Market) -> None:
    """From the home page to the order in six presses besides filling in fields."""
    with open_page(market, scripts=False) as page:
        page.goto(market.url)
        page.locator("#finder").fill("lavender")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Lavender", exact=True).first.click()
        page.get_by_role("button", name="Put into the cart").click()
        page.get_by_role("button", name="Go to checkout").click()
        page.get_by_label("E-mail").fill("guest@example.com")
        fill_address(page)
        page.get_by_role("button", name=re.compile("Place the order and pay")).click()
        page.wait_for_url("**/pay/**")
        page.get_by_role("button", name=re.compile("^Succeeds 4242")).click()
        page.wait_for_url("**/account/orders/**")
        expect(page.get_by_text("Paid and confirmed").first).to_be_visible()


def test_scripts_and_styles_pass_the_policy(market: Market) -> None:
    """The content security policy refuses nothing of ours; JSON-LD is data and stays."""
    with open_page(market) as page:
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(f"{market.url}/listing/{market.olive}")
        expect(page.locator('script[type="application/ld+json"]')).to_have_count(1)
        assert page.evaluate("document.documentElement.classList.contains('js')")
        assert [text for text in said if "Content Security Policy" in text] == []


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_nothing_hangs_over_the_edge(market: Market, width: int) -> None:
    over: dict[str, int] = {}
    with open_page(market, width=width) as page:
        for path in ("/", "/search?q=olive", f"/listing/{market.olive}", "/cart", "/login"):
            page.goto(f"{market.url}{path}")
            over[path] = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert [path for path, pixels in over.items() if pixels > 0] == []
