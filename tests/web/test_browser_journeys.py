"""What buyers do, in a real browser: at two widths, with scripts and without.

One market and one browser serve the whole module; every test is a visitor of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Locator, Page, Response, expect, sync_playwright

from tests.web.live import CHROMIUM, Market, require_browser, running
from tests.web.test_browser_shop import fill_address

pytestmark = pytest.mark.browser
MOST_CLICKS = 6
FIRST_VISIT_BYTES = 100_000
OWN_SCRIPT_BYTES = 20_000
MOST_SHIFT = 0.02
_SHIFTS = """
window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


@pytest.fixture(scope="module")
def market(db_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    require_browser()
    with running(tmp_path_factory.mktemp("journeys"), db_url) as made:
        yield made


@pytest.fixture(scope="module")
def browser(market: Market) -> Iterator[Browser]:
    assert market.url
    with sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield made
        made.close()


Visit = Callable[..., Page]
WAYS = [
    pytest.param(width, scripts, id=f"{width}-{'scripts' if scripts else 'plain'}")
    for width in (1280, 390)
    for scripts in (True, False)
]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """`visit(width=390, scripts=False)`: a new visitor's page."""
    opened = []

    def make(*, width: int = 1280, scripts: bool = True) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
            locale="en-GB",
            reduced_motion="reduce",
        )
        context.set_default_timeout(15_000)
        opened.append(context)
        return context.new_page()

    yield make
    for context in opened:
        context.close()


class Clicks:
    """Counts what a person presses, fields that are filled in aside."""

    def __init__(self) -> None:
        self.made = 0

    def press(self, what: Locator) -> None:
        self.made += 1
        what.click()


def look_for(page: Page, words: str) -> None:
    page.locator("#finder").fill(words)
    page.locator("#finder + button").click()
    page.wait_for_url("**/search?**")


@contextmanager
def weighed(page: Page) -> Iterator[dict[str, int]]:
    """Bytes on the wire by address, while the block runs."""
    found: dict[str, int] = {}
    answers: list[Response] = []

    def note(answer: Response) -> None:
        answers.append(answer)

    page.on("response", note)
    yield found
    for answer in answers:
        found[answer.url] = answer.request.sizes()["responseBodySize"]


@pytest.mark.parametrize(("width", "scripts"), WAYS)
def test_first_purchase_takes_six_clicks(
    market: Market, visit: Visit, width: int, scripts: bool
) -> None:
    """Home, search, listing, cart, guest checkout, payment, order page."""
    page, clicks = visit(width=width, scripts=scripts), Clicks()
    page.goto(market.url)
    page.locator("#finder").fill("lavender")
    clicks.press(page.locator("#finder + button"))
    clicks.press(page.get_by_role("link", name="Lavender", exact=True).first)
    clicks.press(page.get_by_role("button", name="Put into the cart"))
    clicks.press(page.get_by_role("button", name="Go to checkout"))
    page.get_by_label("E-mail").fill("guest@example.com")
    fill_address(page)
    clicks.press(page.get_by_role("button", name=re.compile("Place the order and pay")))
    page.wait_for_url("**/pay/**")
    clicks.press(page.get_by_role("button", name=re.compile("^Succeeds 4242")))
    page.wait_for_url("**/account/orders/**")
    expect(page.get_by_text("Paid and confirmed").first).to_be_visible()
    assert clicks.made <= MOST_CLICKS


@pytest.mark.parametrize(("width", "scripts"), WAYS)
def test_a_heart_keeps_and_the_cart_takes(
    market: Market, visit: Visit, width: int, scripts: bool
) -> None:
    page = visit(width=width, scripts=scripts)
    page.goto(market.url)
    look_for(page, "growing guide")
    heart = page.get_by_role("button", name="On the wishlist: Olive growing guide")
    expect(heart).to_have_attribute("aria-pressed", "false")
    heart.click()
    expect(heart).to_have_attribute("aria-pressed", "true")
    assert "/search?" in page.url
    page.get_by_role("link", name="Wishlist").first.click()
    expect(page.get_by_role("heading", level=1, name="Wishlist")).to_be_visible()
    page.get_by_role("button", name="Into the cart").click()
    expect(page.get_by_text("It is in your cart now.")).to_be_visible()
    expect(page.locator("#cart-count")).to_have_text("1")


@pytest.mark.parametrize(("width", "scripts"), WAYS)
def test_filters_narrow_and_chips_widen(
    market: Market, visit: Visit, width: int, scripts: bool
) -> None:
    page = visit(width=width, scripts=scripts)
    page.goto(f"{market.url}/search?q=olive")
    if width < 800:
        page.get_by_text("Filter", exact=True).click()
    page.get_by_role("checkbox", name=re.compile("Downloads")).click()
    if not scripts:
        page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**kind=digital**")
    expect(page.get_by_role("link", name="Olive tree", exact=True)).to_have_count(0)
    page.get_by_role("link", name="As a list").click()
    page.wait_for_url("**view=list**")
    page.locator(".chip", has_text="Downloads").click()
    expect(page.get_by_role("link", name="Olive tree", exact=True).first).to_be_visible()
    assert "view=list" in page.url


@pytest.mark.parametrize(("width", "scripts"), WAYS)
def test_cart_sums_follow_the_quantity(
    market: Market, visit: Visit, width: int, scripts: bool
) -> None:
    page = visit(width=width, scripts=scripts)
    page.goto(f"{market.url}/listing/{market.olive}")
    page.get_by_role("button", name="Put into the cart").click()
    box = page.get_by_role("spinbutton", name="Quantity of Olive tree")
    expect(page.locator(".leaders")).to_contain_text("€24.90")
    if scripts:
        page.get_by_role("button", name="One more").click()
    else:
        box.fill("2")
        page.get_by_role("button", name="Change", exact=True).first.click()
    expect(page.locator(".leaders")).to_contain_text("€49.80")
    expect(page.locator("#cart-count")).to_have_text("2")
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("heading", name="Your cart is empty")).to_be_visible()


@pytest.mark.parametrize(("width", "scripts"), WAYS)
def test_an_order_is_called_off(market: Market, visit: Visit, width: int, scripts: bool) -> None:
    page = visit(width=width, scripts=scripts)
    page.goto(f"{market.url}/listing/{market.olive}")
    page.get_by_role("button", name="Put into the cart").click()
    page.get_by_role("button", name="Go to checkout").click()
    page.get_by_label("E-mail").fill("guest@example.com")
    fill_address(page)
    page.get_by_label("Postal code").fill("0")
    page.get_by_role("button", name=re.compile("Place the order and pay")).click()
    expect(page.get_by_role("alert")).to_contain_text("postal code")
    page.get_by_label("Postal code").fill("07743")
    page.get_by_role("button", name=re.compile("Place the order and pay")).click()
    page.wait_for_url("**/pay/**")
    page.get_by_role("button", name=re.compile("^Succeeds 4242")).click()
    page.wait_for_url("**/account/orders/**")
    page.get_by_role("link", name="Cancel").click()
    page.get_by_label("Why?").fill("Ordered by mistake")
    page.get_by_role("button", name="Cancel it").click()
    expect(page.get_by_text("It is cancelled.")).to_be_visible()
    expect(page.get_by_text("Cancelled").first).to_be_visible()


@pytest.mark.parametrize(("width", "scripts"), WAYS)
def test_report_and_cookie_choice(market: Market, visit: Visit, width: int, scripts: bool) -> None:
    page = visit(width=width, scripts=scripts)
    page.goto(f"{market.url}/listing/{market.olive}")
    page.get_by_role("button", name="Only the necessary").click()
    expect(page.get_by_role("heading", name="A word about cookies")).to_have_count(0)
    page.get_by_role("link", name="Report this listing").click()
    page.get_by_label("It is dangerous").check()
    page.get_by_role("button", name="Send the report").click()
    expect(page.get_by_text("A person will look at it.")).to_be_visible()
    expect(page.get_by_role("heading", level=1, name="Olive tree")).to_be_visible()


@pytest.mark.parametrize(("width", "scripts"), WAYS)
def test_what_was_looked_at_is_found_again(
    market: Market, visit: Visit, width: int, scripts: bool
) -> None:
    page = visit(width=width, scripts=scripts)
    page.goto(f"{market.url}/listing/{market.olive}")
    page.goto(market.url)
    if scripts:
        expect(page.get_by_role("heading", name="You looked at")).to_be_visible()
    page.get_by_role("contentinfo").get_by_role("link", name="Recently viewed").click()
    expect(page.get_by_role("link", name="Olive tree", exact=True)).to_be_visible()
    page.get_by_role("button", name="Forget all of it").click()
    expect(page.get_by_role("heading", name="Nothing looked at yet")).to_be_visible()


def test_suggestions_by_keyboard(market: Market, visit: Visit) -> None:
    page = visit()
    page.goto(market.url)
    box = page.get_by_role("combobox", name="Search")
    box.press_sequentially("lave", delay=20)
    expect(box).to_have_attribute("aria-expanded", "true")
    box.press("ArrowDown")
    chosen = page.locator('[role="option"][aria-selected="true"]')
    expect(chosen).to_have_count(1)
    assert box.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    box.press("Escape")
    expect(box).to_have_attribute("aria-expanded", "false")
    box.fill("lavendr")
    box.press("Enter")
    expect(page.get_by_role("link", name="Lavender", exact=True).first).to_be_visible()


def test_a_picture_opens_large(market: Market, visit: Visit) -> None:
    page = visit()
    page.goto(f"{market.url}/listing/{market.olive}")
    page.locator("[data-zoom]").first.click()
    large = page.locator("dialog[open] img")
    expect(large).to_have_attribute("alt", "Olive tree")
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    plain = visit(scripts=False)
    plain.goto(f"{market.url}/listing/{market.olive}")
    plain.locator("[data-zoom]").first.click()
    assert plain.url.endswith("full.webp")


def test_first_visits_are_light(market: Market, visit: Visit) -> None:
    """On the wire, pictures aside; of scripts, ours without htmx."""
    for path in ("/", "/search?q=olive", f"/listing/{market.olive}"):
        page = visit(width=390)
        with weighed(page) as found:
            page.goto(f"{market.url}{path}", wait_until="networkidle")
        sizes = {url: size for url, size in found.items() if "/media/" not in url}
        own = {url: n for url, n in sizes.items() if url.endswith(".js") and "htmx" not in url}
        assert any("souk.css" in url for url in sizes)
        assert own
        assert sum(sizes.values()) <= FIRST_VISIT_BYTES, sizes
        assert sum(own.values()) <= OWN_SCRIPT_BYTES, own


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_jumps(market: Market, visit: Visit, width: int) -> None:
    shifts: dict[str, float] = {}
    page = visit(width=width)
    page.add_init_script(_SHIFTS)
    for path in ("/", "/search?q=olive", f"/listing/{market.olive}", "/cart", "/wishlist"):
        page.goto(f"{market.url}{path}", wait_until="networkidle")
        page.wait_for_timeout(700)
        shifts[path] = page.evaluate("window.shift")
    assert all(shift < MOST_SHIFT for shift in shifts.values()), shifts


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_nothing_of_the_lists_hangs_over_the_edge(market: Market, visit: Visit, width: int) -> None:
    page = visit(width=width)
    over: dict[str, int] = {}
    paths = ("/wishlist", "/recently-viewed", "/cookies", "/sellers", "/help", "/search?q=zzqqx")
    for path in (*paths, f"/listing/{market.olive}/report"):
        page.goto(f"{market.url}{path}")
        over[path] = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert [path for path, pixels in over.items() if pixels > 0] == []
