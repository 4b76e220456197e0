"""What buyers do, in a real browser: at two widths, without scripts, and in Arabic.

Every test is a visitor of its own; all look at one market with one browser.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Locator, Page, Response, expect

from tests.web.buying import fill_address, pay, place, put_into_cart, to_checkout
from tests.web.conftest import Visits
from tests.web.live import Market
from tests.web.visits import NARROW, SHOP_WAYS, WIDE, Visit, Way

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


class Clicks:
    """Counts what a person presses, fields that are filled in aside."""

    def __init__(self) -> None:
        self.made = 0

    def press(self, what: Locator) -> None:
        self.made += 1
        what.click()


def look_for(visit: Visit, words: str) -> None:
    visit.page.locator("#finder").fill(words)
    visit.page.locator("#finder + button").click()
    visit.page.wait_for_url("**/search?**")


@contextmanager
def weighed(page: Page) -> Generator[dict[str, int]]:
    """Bytes on the wire by address, while the block runs."""
    found: dict[str, int] = {}
    answers: list[Response] = []

    def note(answer: Response) -> None:
        answers.append(answer)

    page.on("response", note)
    yield found
    for answer in answers:
        found[answer.url] = answer.request.sizes()["responseBodySize"]


@pytest.mark.parametrize("way", SHOP_WAYS)
def test_first_purchase_takes_six_clicks(visit: Visits, way: Way) -> None:
    """Home, search, listing, cart, guest checkout, payment, order page."""
    v, clicks = visit(way), Clicks()
    v.go("/")
    v.page.locator("#finder").fill("lavender")
    clicks.press(v.page.locator("#finder + button"))
    clicks.press(v.page.get_by_role("link", name="Lavender", exact=True).first)
    clicks.press(v.button("Put into the cart"))
    clicks.press(v.button("Go to checkout"))
    v.field("E-mail").fill("guest@example.com")
    fill_address(v)
    v.fits()
    clicks.press(v.starting("button", "Place the order and pay %(total)s"))
    v.page.wait_for_url("**/pay/**")
    clicks.press(v.page.get_by_role("button", name=re.compile("^Succeeds 4242")))
    v.page.wait_for_url("**/account/orders/**")
    v.sees("Paid and confirmed")
    v.fits()
    assert clicks.made <= MOST_CLICKS


@pytest.mark.parametrize("way", SHOP_WAYS)
def test_a_heart_keeps_and_the_cart_takes(visit: Visits, way: Way) -> None:
    v = visit(way)
    v.go("/")
    look_for(v, "growing guide")
    heart = v.button("On the wishlist: %(what)s", what="Olive growing guide")
    expect(heart).to_have_attribute("aria-pressed", "false")
    heart.click()
    expect(heart).to_have_attribute("aria-pressed", "true")
    assert "/search?" in v.page.url
    v.link("Wishlist").first.click()
    v.title("Wishlist")
    v.button("Into the cart").click()
    v.sees("It is in your cart now.")
    expect(v.page.locator("#cart-count")).to_have_text("1")
    # What was taken into the cart has left the list.
    v.sees("Nothing on your wishlist yet")


@pytest.mark.parametrize("way", SHOP_WAYS)
def test_filters_narrow_and_chips_widen(visit: Visits, way: Way) -> None:
    v = visit(way)
    v.go("/search?q=olive")
    if way.width < 800:
        v.page.get_by_text(v.say("Filter"), exact=True).click()
    v.role("checkbox", "Downloads").click()
    if not way.scripts:
        v.button("Apply").click()
    v.page.wait_for_url("**kind=digital**")
    tree = v.page.get_by_role("link", name="Olive tree", exact=True)
    expect(tree).to_have_count(0)
    v.link("As a list", exact=True).click()
    v.page.wait_for_url("**view=list**")
    v.fits()
    v.page.locator(".chip", has_text=v.say("Downloads")).click()
    expect(tree.first).to_be_visible()
    assert "view=list" in v.page.url


@pytest.mark.parametrize("way", SHOP_WAYS)
def test_cart_sums_follow_the_quantity(market: Market, visit: Visits, way: Way) -> None:
    v = visit(way)
    put_into_cart(v, market.olive)
    put_into_cart(v, market.lamp)
    # One part for each seller, each with its parcel.
    expect(v.page.locator("#cart section")).to_have_count(2)
    expect(v.page.locator("#cart .parcel-line")).to_have_count(2)
    box = v.role("spinbutton", "Quantity of %(what)s", what="Olive tree")
    sums = v.page.locator(".leaders")
    expect(sums).to_contain_text("69.90")
    if way.scripts:
        v.button("One more").press("Enter")
    else:
        box.fill("2")
        v.button("Change", exact=True).first.click()
    expect(sums).to_contain_text("94.80")
    expect(v.page.locator("#cart-count")).to_have_text("3")
    if way.scripts:
        expect(v.button("One more")).to_be_focused()
    for left in (1, 0):
        v.button("Remove").first.click()
        expect(v.button("Remove")).to_have_count(left)
    v.sees("Your cart is empty")
    v.fits()


@pytest.mark.parametrize("way", SHOP_WAYS)
def test_an_order_is_called_off(market: Market, visit: Visits, way: Way) -> None:
    v = visit(way)
    to_checkout(v, market.olive, email="guest@example.com")
    fill_address(v)
    v.field("Postal code").fill("0")
    v.starting("button", "Place the order and pay %(total)s").click()
    expect(v.page.get_by_role("alert").get_by_role("link").first).to_have_attribute(
        "href", "#f-postal_code"
    )
    v.fits()
    v.field("Postal code").fill("07743")
    place(v)
    order_id = pay(v)
    v.link("Cancel").click()
    v.title("Cancel this part of the order?")
    v.field("Why?").fill("Ordered by mistake")
    v.button("Cancel it").click()
    v.sees("It is cancelled. Your money is on its way back.")
    expect(v.link("Cancel")).to_have_count(0)
    answer = v.page.request.get(f"{market.url}/api/v1/orders/{order_id}").json()
    assert [part["state"] for part in answer["seller_orders"]] == ["cancelled"]


@pytest.mark.parametrize("way", SHOP_WAYS)
def test_report_and_cookie_choice(market: Market, visit: Visits, way: Way) -> None:
    v = visit(way)
    v.go(f"/listing/{market.olive}")
    v.button("Only the necessary").click()
    expect(v.role("heading", "A word about cookies")).to_have_count(0)
    v.link("Report this listing").click()
    v.title("Report this listing")
    v.field("It is dangerous").check()
    v.button("Send the report").click()
    v.sees("Thank you. A person will look at it.")
    expect(v.page.get_by_role("heading", level=1, name="Olive tree")).to_be_visible()
    # The choice is changed where it is explained.
    v.page.get_by_role("contentinfo").get_by_role("link", name=v.say("Cookies")).click()
    v.title("Cookies")
    expect(v.field("Count my visits")).not_to_be_checked()
    v.field("Count my visits").check()
    v.button("Keep my choice").click()
    v.sees("Your choice is kept. You can change it here at any time.")
    expect(v.field("Count my visits")).to_be_checked()
    expect(v.field("Show me what fits me")).not_to_be_checked()


@pytest.mark.parametrize("way", SHOP_WAYS)
def test_what_was_looked_at_is_found_again(market: Market, visit: Visits, way: Way) -> None:
    v = visit(way)
    v.go(f"/listing/{market.olive}")
    v.go("/")
    if way.scripts:
        expect(v.role("heading", "You looked at")).to_be_visible()
    v.page.get_by_role("contentinfo").get_by_role("link", name=v.say("Recently viewed")).click()
    v.title("Recently viewed")
    expect(v.page.get_by_role("link", name="Olive tree", exact=True)).to_be_visible()
    v.button("Forget all of it").click()
    v.sees("Nothing looked at yet")


@pytest.mark.parametrize("way", [way for way in SHOP_WAYS if way.id != "plain"])
def test_suggestions_by_keyboard(visit: Visits, way: Way) -> None:
    v = visit(way)
    v.go("/")
    box = v.role("combobox", "Search")
    box.press_sequentially("lave", delay=20)
    expect(box).to_have_attribute("aria-expanded", "true")
    box.press("ArrowDown")
    chosen = v.page.locator('[role="option"][aria-selected="true"]')
    expect(chosen).to_have_count(1)
    assert box.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    v.fits()
    box.press("Escape")
    expect(box).to_have_attribute("aria-expanded", "false")
    box.fill("lavendr")
    box.press("Enter")
    expect(v.page.get_by_role("link", name="Lavender", exact=True).first).to_be_visible()


@pytest.mark.parametrize("way", SHOP_WAYS)
def test_a_picture_opens_large(market: Market, visit: Visits, way: Way) -> None:
    v = visit(way)
    v.go(f"/listing/{market.olive}")
    expect(v.page.locator("[data-zoom] img").first).to_have_attribute("alt", "Olive tree")
    v.page.locator("[data-zoom]").first.click()
    if way.scripts:
        expect(v.page.locator("dialog[open] img")).to_have_attribute("alt", "Olive tree")
        v.page.keyboard.press("Escape")
        expect(v.page.locator("dialog[open]")).to_have_count(0)
    else:
        assert v.page.url.endswith("full.webp")


def test_first_visits_are_light(market: Market, visit: Visits) -> None:
    """On the wire, pictures aside; of scripts, ours without htmx."""
    for path in ("/", "/search?q=olive", f"/listing/{market.olive}"):
        page = visit(NARROW).page
        with weighed(page) as found:
            page.goto(f"{market.url}{path}", wait_until="networkidle")
        sizes = {url: size for url, size in found.items() if "/media/" not in url}
        own = {url: n for url, n in sizes.items() if url.endswith(".js") and "htmx" not in url}
        assert any("souk.css" in url for url in sizes)
        assert own
        assert sum(sizes.values()) <= FIRST_VISIT_BYTES, sizes
        assert sum(own.values()) <= OWN_SCRIPT_BYTES, own


@pytest.mark.parametrize("way", [WIDE, NARROW], ids=["wide", "narrow"])
def test_nothing_jumps(market: Market, visit: Visits, way: Way) -> None:
    shifts: dict[str, float] = {}
    page = visit(way).page
    page.add_init_script(_SHIFTS)
    for path in ("/", "/search?q=olive", f"/listing/{market.olive}", "/cart", "/wishlist"):
        page.goto(f"{market.url}{path}", wait_until="networkidle")
        # What comes late is waited for: to stand still is seen only over a while.
        page.wait_for_timeout(700)
        shifts[path] = page.evaluate("window.shift")
    assert all(shift < MOST_SHIFT for shift in shifts.values()), shifts


@pytest.mark.parametrize("widths", [(1280,), (390, 320)], ids=["wide", "narrow"])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_nothing_hangs_over_the_edge(
    market: Market, visit: Visits, widths: tuple[int, ...], language: str
) -> None:
    v = visit(Way("edge", widths[0], language=language))
    for path in (
        "/", "/search?q=olive", "/search?q=zzqqx", f"/c/{market.plants}?view=list", "/cart",
        f"/listing/{market.olive}", f"/listing/{market.olive}/report", f"/s/{market.nursery}",
        "/wishlist", "/recently-viewed", "/cookies", "/sellers", "/help", "/help/selling",
        "/legal/terms", "/login", "/register", "/forgot",
    ):  # fmt: skip
        v.page.set_viewport_size({"width": widths[0], "height": 900})
        v.go(path)
        v.fits()
        for width in widths[1:]:
            v.page.set_viewport_size({"width": width, "height": 900})
            v.fits()
