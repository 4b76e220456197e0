"""The shop in Arabic, as an installed application, and while things happen; in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from souk.contexts.identity import api as identity
from souk.kernel.actor import GUEST, system
from souk.kernel.ids import uuid7
from souk.platform.database import Database, WriteTx
from tests.web.live import Market
from tests.web.visits import PASSWORD, prepare
from tests.web.wire import Wire

pytestmark = pytest.mark.browser
ARABIC = re.compile("[\u0600-\u06ff]")


@pytest.fixture(autouse=True)
def alone(browser: Browser) -> Iterator[None]:
    """What a test opened is shut after it: nobody else's page listens."""
    yield
    for context in browser.contexts:
        context.close()


def until(page: Page, expression: str) -> None:
    """Wait for something that no element shows; our pages forbid what Playwright does for it."""
    page.evaluate(
        f"async () => {{ for (let n = 0; n < 400 && !({expression}); n += 1)"
        " await new Promise((go) => setTimeout(go, 50)); }"
    )
    assert page.evaluate(expression), expression


def visitor(
    browser: Browser, *, width: int = 1280, locale: str = "en-GB", scripts: bool = True
) -> BrowserContext:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        locale=locale,
        java_script_enabled=scripts,
        reduced_motion="reduce",
    )
    context.set_default_timeout(20_000)
    return context


def fits(page: Page) -> None:
    """Nothing hangs over the edge, and the page runs from right to left."""
    assert page.locator("html").get_attribute("dir") == "rtl"
    assert ARABIC.search(page.locator("h1").first.inner_text())


def buy(page: Page, market: Market, *, scripts: bool) -> str:
    """A guest buys what stands on a listing's page. Fields are found by name: no word is known."""
    page.goto(f"{market.url}/search?q=lavender")
    assert page.locator("html").get_attribute("dir") == "rtl"
    page.get_by_role("link", name="Lavender", exact=True).first.click()
    page.locator('form[action="/cart/items"] button[type=submit]').first.click()
    page.wait_for_url("**/cart")
    fits(page)
    page.locator('form[action="/checkout"] button').first.click()
    page.wait_for_url("**/checkout/**")
    fits(page)
    email = f"guest-{uuid7().hex[-8:]}@example.com"
    for name, value in {
        "email": email,
        "name": "ليلى حداد",
        "line1": "Johannisplatz 3",
        "postal_code": "07743",
        "city": "Jena",
    }.items():
        page.locator(f'[name="{name}"]').first.fill(value)
    if scripts:
        over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(over) == 0
    page.locator('button[value="place"]').first.click()
    page.wait_for_url("**/pay/**")
    page.get_by_role("button", name=re.compile("^Succeeds 4242")).click()
    page.wait_for_url("**/account/orders/**")
    fits(page)
    expect(page.get_by_text("مدفوع ومؤكد").first).to_be_visible()
    expect(page.get_by_text("شكرًا. أُرسل طلبك.")).to_be_visible()
    return email


@pytest.mark.parametrize(("width", "scripts"), [(1280, True), (390, False)])
def test_a_guest_buys_in_arabic(
    market: Market, browser: Browser, width: int, scripts: bool
) -> None:
    page = visitor(browser, width=width, locale="ar", scripts=scripts).new_page()
    email = buy(page, market, scripts=scripts)
    # The letter of somebody without an account comes in the language of the purchase.
    row = page.get_by_role("row").filter(has_text=email)
    for _ in range(80):
        page.goto(f"{market.url}/dev/mail")
        if row.count():
            break
        page.wait_for_timeout(250)
    expect(row.first).to_contain_text("طلبك")


def test_a_refused_form_is_explained_in_arabic_without_scripts(
    market: Market, browser: Browser
) -> None:
    page = visitor(browser, locale="ar", scripts=False).new_page()
    page.goto(f"{market.url}/search?q=lavender")
    page.get_by_role("link", name="Lavender", exact=True).first.click()
    page.locator('form[action="/cart/items"] button[type=submit]').first.click()
    page.locator('form[action="/checkout"] button').first.click()
    # Browsers check the fields of a form; a form that is sent all the same is refused by us.
    token = page.locator('input[name="_csrf"]').first.get_attribute("value") or ""
    answer = page.request.post(
        page.url,
        form={"_csrf": token, "act": "update", "email": "not an address"},
        headers={"accept-language": "ar"},
    )
    assert answer.status == 422
    assert "هذا ليس عنوان بريد إلكتروني" in answer.text()


@pytest.mark.parametrize(
    ("locale", "title"), [("en-GB", "No connection to the market"), ("ar", "لا اتصال بالسوق")]
)
def test_when_the_server_is_away_a_page_of_ours_says_so(
    market: Market, browser: Browser, locale: str, title: str
) -> None:
    wire = Wire(market.url)
    context = visitor(browser, locale=locale)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(wire.url)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    until(page, "navigator.serviceWorker.controller !== null")
    until(page, "localStorage.getItem('souk-language') !== null")
    page.goto(f"{wire.url}/cart")
    kept = page.evaluate(
        "caches.keys().then(async (names) => (await Promise.all(names.map(async (name) =>"
        " (await (await caches.open(name)).keys()).map((r) => new URL(r.url).pathname))))"
        ".flat())"
    )
    # Nothing that belongs to one person is kept.
    private = re.compile("^/(cart|checkout|account|sell|admin|api|live|login)")
    assert "/offline" in kept
    assert [path for path in kept if private.match(path)] == []
    wire.cut()
    page.goto(f"{wire.url}/search?q=olive")
    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
    # The page is drawn in our design: its style sheet was kept too.
    assert page.evaluate("getComputedStyle(document.querySelector('.button')).borderRadius")
    assert page.evaluate("document.styleSheets[0].cssRules.length") > 3
    assert [text for text in said if "Content Security Policy" in text] == []


def test_the_shop_can_be_installed(market: Market, browser: Browser) -> None:
    page = visitor(browser).new_page()
    page.goto(market.url)
    manifest = page.request.get(f"{market.url}/manifest.webmanifest").json()
    assert (manifest["start_url"], manifest["display"]) == ("/?from=app", "standalone")
    sizes = {(icon["sizes"], icon["purpose"]) for icon in manifest["icons"]}
    assert {("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")} <= sizes
    for icon in manifest["icons"]:
        answer = page.request.get(f"{market.url}{icon['src']}")
        assert answer.headers["content-type"] == "image/png"
        wide = int.from_bytes(answer.body()[16:20], "big")
        assert f"{wide}x{wide}" == icon["sizes"]
    session = page.context.new_cdp_session(page)
    found = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    # Headless browsers have no window to install into; everything else must be in order.
    assert [e["errorId"] for e in found if e["errorId"] != "in-incognito"] == []


async def _work_for(db: Database, shop: str) -> str:
    """An account that works for the shop of this name; answers its address."""
    email = f"desk-{uuid7().hex[-10:]}@example.com"
    hashed = await identity.prepare_password(PASSWORD, inputs=[])

    async def work(tx: WriteTx) -> None:
        await identity.register(
            tx, GUEST, email=email, password_hash=hashed, display_name="Olga Seller"
        )
        await tx.execute(
            "UPDATE identity.account SET email_verified_at = now() WHERE email = $1", email
        )
        user_id = await tx.fetchval("SELECT id FROM identity.account WHERE email = $1", email)
        seller_id = await tx.fetchval(
            "SELECT id FROM sellers.seller WHERE name LIKE $1 || '%'", shop
        )
        await identity.add_membership(
            tx, system("tests"), user_id=user_id, seller_id=seller_id,
            role=identity.MemberRole.OWNER,
        )  # fmt: skip

    await db.transact(work)
    return email


def log_in(page: Page, market: Market, email: str) -> None:
    page.goto(f"{market.url}/login")
    page.locator("#f-email").fill(email)
    page.locator("#f-password").fill(PASSWORD)
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url(f"{market.url}/")


def test_a_new_order_appears_on_the_sellers_desk_by_itself(
    market: Market, browser: Browser
) -> None:
    email = prepare(market.db_url, lambda db: _work_for(db, "Vivaio Doria"))
    desk = visitor(browser).new_page()
    log_in(desk, market, email)
    desk.goto(f"{market.url}/sell/orders")
    expect(desk.locator("html")).to_have_attribute("data-live", "1")
    desk.evaluate("window.neverReloaded = true")
    links = desk.locator('main a[href^="/sell/orders/"]:not([href*="?"])')
    before = links.count()
    other_tab = desk.context.new_page()
    other_tab.goto(f"{market.url}/account/notifications")
    shop = visitor(browser, locale="ar").new_page()
    buy(shop, market, scripts=True)
    expect(links).to_have_count(before + 1, timeout=30_000)
    expect(desk.locator("[data-unread]").first).to_have_text("1")
    assert desk.evaluate("window.neverReloaded")
    # One tab listens for both.
    expect(other_tab.get_by_role("heading", level=1, name="Notifications")).to_be_visible()
    expect(other_tab.get_by_text("You made a sale").first).to_be_visible()
