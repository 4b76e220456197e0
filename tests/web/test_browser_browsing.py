"""Looking around the market: home, categories, search, a listing's page, shops, help, law.

At two widths, without scripts, and in Arabic.
"""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from tests.web.conftest import Visits
from tests.web.live import Market
from tests.web.visits import SHOP_WAYS, Visit, Way

pytestmark = pytest.mark.browser
A_PAGE = 24


def titles(v: Visit) -> list[str]:
    """What the page lists, in its order."""
    return v.page.locator("main .listing-card h3").all_inner_texts()


def choose_order(v: Visit, text: str) -> None:
    v.field("Order", exact=True).select_option(label=v.say(text))
    if not v.way.scripts:
        v.button("Sort").click()


@pytest.mark.parametrize("way", SHOP_WAYS)
def test_a_category_is_walked_sorted_and_turned(market: Market, visit: Visits, way: Way) -> None:
    v = visit(way)
    v.go("/")
    expect(v.role("heading", "Fresh on the market")).to_be_visible()
    v.fits()
    v.role("navigation", "Categories").first.get_by_role("link", name="Plants").click()
    expect(v.page.get_by_role("heading", level=1, name="Plants")).to_be_visible()
    if way.width < 800:
        v.page.get_by_text(v.say("Filter"), exact=True).click()
    # What lies below, each with its number.
    herbs = v.page.locator(".tree").get_by_role("link", name=re.compile("^Herbs"))
    expect(herbs).to_contain_text("25")
    herbs.click()
    expect(v.page.get_by_role("heading", level=1, name="Herbs")).to_be_visible()
    expect(v.role("navigation", "Breadcrumbs").get_by_role("link", name="Plants")).to_be_visible()
    assert len(titles(v)) == A_PAGE
    choose_order(v, "Price, low first")
    v.page.wait_for_url("**sort=price_asc**")
    assert titles(v)[0] == "Thyme 1"
    v.link("As a list", exact=True).click()
    v.page.wait_for_url("**view=list**")
    expect(v.page.locator(".listing-list")).to_be_visible()
    v.fits()
    v.link("Next").click()
    v.page.wait_for_url("**page=2**")
    # The second page keeps what was chosen, and so does the way back.
    assert titles(v) == ["Thyme 25"] and "sort=price_asc" in v.page.url
    assert "view=list" in v.page.url
    v.link("Previous").click()
    expect(v.page.locator("main .listing-card")).to_have_count(A_PAGE)
    assert "sort=price_asc" in v.page.url and titles(v)[0] == "Thyme 1"


@pytest.mark.parametrize("way", SHOP_WAYS)
def test_facets_have_counts_and_a_price_is_a_range(market: Market, visit: Visits, way: Way) -> None:
    v = visit(way)
    v.go(f"/c/{market.plants}")
    if way.width < 800:
        v.page.get_by_text(v.say("Filter"), exact=True).click()
    sun = v.page.locator(".facet li").filter(has_text="sun").first
    expect(sun.locator(".n")).to_have_text("1")
    prices = v.page.locator('.facet:has([name="price_min"])')
    prices.locator('[name="price_min"]').fill("20")
    prices.locator('[name="price_max"]').fill("30")
    # The form is sent by its button, or by the first change where scripts run.
    v.page.locator('form:has([name="price_min"]) button[type=submit]').click()
    v.page.wait_for_url("**price_max=30**")
    assert titles(v) == ["Olive tree"]
    expect(v.page.locator(".chip")).to_have_count(1)
    v.fits()
    v.link("Clear all").click()
    expect(v.page.locator(".chip")).to_have_count(0)
    expect(v.page.locator("main .listing-card")).to_have_count(A_PAGE)
    v.go(f"/c/{market.plants}?price_min=900")
    v.sees("Nothing with these filters")
    v.link("The whole category").click()
    expect(v.page.locator("main .listing-card")).to_have_count(A_PAGE)


@pytest.mark.parametrize("way", SHOP_WAYS)
def test_a_search_is_put_right_and_helps_when_it_finds_nothing(visit: Visits, way: Way) -> None:
    v = visit(way)
    v.go("/")
    v.page.locator("#finder").fill("lavendr")
    v.page.keyboard.press("Enter")
    v.page.wait_for_url("**/search?**")
    meant = v.page.locator("main").get_by_text("lavender").first
    expect(meant).to_be_visible()
    expect(v.page.get_by_role("link", name="Lavender", exact=True).first).to_be_visible()
    v.page.locator("#finder").fill("zzqqx")
    v.page.keyboard.press("Enter")
    v.sees("Nothing found")
    v.fits()
    # Categories to go to, and what people like.
    expect(v.role("heading", "What people like")).to_be_visible()
    v.page.locator("main .chips").get_by_role("link", name="Plants").click()
    expect(v.page.get_by_role("heading", level=1, name="Plants")).to_be_visible()


@pytest.mark.parametrize("way", SHOP_WAYS)
def test_a_plant_says_what_it_needs_and_when_it_comes(
    market: Market, visit: Visits, way: Way
) -> None:
    v = visit(way)
    v.go(f"/listing/{market.palm}")
    care = v.page.get_by_role("region", name=v.say("Growing it"))
    expect(care).to_contain_text(v.say("full sun"))
    expect(care).to_contain_text("9a–11b")
    expect(care).to_contain_text("100–900 cm")
    expect(care).to_contain_text("Arecaceae")
    v.sees("A living plant")
    v.sees("In stock")
    promise = v.say("With you between %(from)s and %(to)s").split("%")[0]
    expect(v.page.locator(".listing-buy")).to_contain_text(promise)
    expect(v.page.locator(".listing-buy .price")).to_contain_text("59.00")
    # The seller, others like it, and what machines read.
    expect(v.link("See the whole shop")).to_be_visible()
    expect(v.starting("heading", "More from %(seller)s")).to_be_visible()
    data = json.loads(v.page.locator('script[type="application/ld+json"]').text_content() or "")
    product = data[0] if isinstance(data, list) else data
    assert "Date palm" in json.dumps(product) and "59.00" in json.dumps(product)
    v.fits()
    v.go(f"/listing/{market.olive}")
    expect(v.page.get_by_role("region", name=v.say("Details"))).to_contain_text("sun")
    expect(v.page.get_by_role("heading", name=v.say("More like this"))).to_be_visible()
    expect(v.page.locator(".swatch")).to_have_count(2)
    v.page.locator(".swatch").nth(1).click()
    v.field("Quantity").fill("3")
    v.button("Put into the cart").click()
    v.title("Cart")
    expect(v.page.locator(".line-item")).to_contain_text("18 cm")
    expect(v.page.locator(".leaders").first).to_contain_text("119.70")


@pytest.mark.parametrize("way", SHOP_WAYS)
def test_a_second_hand_find_tells_its_wear_and_place(
    market: Market, visit: Visits, way: Way
) -> None:
    v = visit(way)
    v.go("/search?kind=secondhand")
    card = v.page.locator("main .listing-card").filter(has_text="Reading lamp")
    expect(card.locator(".tag")).to_have_text(v.say("Good"))
    card.get_by_role("link", name="Reading lamp").click()
    v.page.wait_for_url("**/listing/**")
    v.sees("Second-hand: %(condition)s", condition=v.say("Good"))
    v.sees("One of a kind, and still here")
    expect(v.page.get_by_text("The shade has a scratch.")).to_be_visible()
    expect(v.page.locator(".listing-buy")).to_contain_text("Leipzig")
    # One single thing: no number is asked for.
    expect(v.field("Quantity")).to_have_count(0)
    v.fits()


@pytest.mark.parametrize("way", SHOP_WAYS)
def test_a_shop_is_searched_and_turned(market: Market, visit: Visits, way: Way) -> None:
    v = visit(way)
    v.go("/sellers")
    v.title("Sellers")
    v.page.locator("main").get_by_role("link", name=re.compile("^Vivaio Doria")).first.click()
    expect(v.page.get_by_role("heading", level=1, name=re.compile("^Vivaio"))).to_be_visible()
    first = titles(v)
    assert len(first) == A_PAGE
    v.link("Next").click()
    v.page.wait_for_url("**cursor=**")
    assert titles(v) and not set(titles(v)) & set(first)
    finder = v.page.locator("#shop-finder")
    finder.fill("olive")
    finder.press("Enter")
    v.page.wait_for_url(f"**/s/{market.nursery}?q=olive")
    assert titles(v) == ["Olive tree"]
    v.fits()
    # What another shop sells is not found here.
    finder.fill("reading lamp")
    finder.press("Enter")
    v.sees("Nothing found in this shop")
    v.link("The whole shop").click()
    expect(v.page.locator("main .listing-card")).to_have_count(A_PAGE)


@pytest.mark.parametrize("way", SHOP_WAYS)
def test_help_and_law_answer(visit: Visits, way: Way) -> None:
    v = visit(way)
    v.go("/help")
    v.title("Help")
    answer = v.page.locator("main details").filter(has_text=v.say("Do I need an account?"))
    expect(answer.locator("p")).to_be_hidden()
    answer.locator("summary").click()
    expect(answer.locator("p")).to_be_visible()
    foot = v.page.get_by_role("contentinfo")
    foot.get_by_role("link", name=v.say("How selling works")).click()
    v.page.wait_for_url("**/help/selling")
    expect(v.page.get_by_role("heading", level=1)).to_be_visible()
    v.fits()
    foot.get_by_role("link").filter(has_text=re.compile(v.say("Terms"))).first.click()
    v.page.wait_for_url("**/legal/terms")
    expect(v.page.locator("main h1 + p")).to_contain_text("1")
    assert len(v.page.locator("main .prose").inner_text()) > 500
    v.fits()


@pytest.mark.parametrize("way", SHOP_WAYS)
def test_language_and_theme_are_chosen_and_kept(visit: Visits, way: Way) -> None:
    v = visit(way)
    v.go("/help")
    v.page.locator("#pref-theme").select_option("dark")
    if not way.scripts:
        v.page.locator("form.switches button").click()
    expect(v.page.locator("html")).to_have_attribute("data-theme", "dark")
    v.page.locator("#pref-language").select_option("fr")
    if not way.scripts:
        v.page.locator("form.switches button").click()
    expect(v.page.get_by_role("heading", level=1, name="Aide")).to_be_visible()
    expect(v.page.locator("html")).to_have_attribute("dir", "ltr")
    v.go("/cart")
    expect(v.page.locator("html")).to_have_attribute("lang", "fr")
    expect(v.page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("way", SHOP_WAYS)
def test_listings_are_compared_side_by_side(market: Market, visit: Visits, way: Way) -> None:
    v = visit(way)
    v.go("/search?q=olive&view=list")
    for title in ("Olive tree", "Olive growing guide"):
        v.role("checkbox", "Compare %(what)s", what=title).check()
    v.page.locator("#compare button").click()
    v.page.wait_for_url("**/compare?**")
    v.title("Side by side")
    table = v.role("region", "Side by side")
    expect(table.locator("thead th")).to_have_count(2)
    kind = table.get_by_role("row").filter(has=v.page.get_by_text(v.say("Kind"), exact=True))
    expect(kind).to_contain_text(v.say("Download"))
    expect(kind).to_contain_text(v.say("differs"))
    # The region can be scrolled by keyboard, and the names of the rows stay at its beginning.
    table.focus()
    expect(table).to_be_focused()
    start = table.evaluate("e => e.getBoundingClientRect()[document.dir === 'rtl' ? 'right' : 'x']")
    table.evaluate("e => e.scrollBy(document.dir === 'rtl' ? -80 : 80, 0)")
    names = table.locator("tbody th").first
    edge = names.evaluate("e => e.getBoundingClientRect()[document.dir === 'rtl' ? 'right' : 'x']")
    assert abs(edge - start) < 2
    v.link("Only what differs").click()
    v.page.wait_for_url("**differs=1**")
    v.title("Side by side")
    rows = table.locator("tbody tr")
    expect(rows.first).to_be_visible()
    assert rows.count() == table.locator("tbody tr.differs").count()
    v.link("Remove %(what)s", what="Olive growing guide").click()
    v.sees("One alone cannot be compared")
    v.page.locator("main").get_by_role("link", name=v.say("Look at it")).click()
    v.page.wait_for_url("**/listing/**")
    v.link("Compare these side by side").click()
    v.title("Side by side")
    expect(v.page.locator(".compare thead th").first).to_contain_text("Olive tree")
