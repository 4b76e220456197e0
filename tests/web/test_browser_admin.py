"""The operator's desk in a real browser, wide and narrow: each flow by mouse, some by keyboard."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from souk import app as composition
from souk.contexts.identity import api as identity
from souk.contexts.sellers import api as sellers
from souk.kernel.actor import GUEST, Actor
from souk.kernel.ids import uuid7
from souk.platform.database import Database, WriteTx
from tests.web.live import Market, open_page, require_browser, running

pytestmark = pytest.mark.browser
PASSWORD = "a quiet market at seven in the morning"
ADMIN = "admin@souk.example"
WIDTHS = [1280, 390]


async def _fill(url: str) -> None:
    """An administrator, applications and listings that wait, a dead letter and a held job."""
    db = await Database.connect(url, size=2, writer=composition.event_writer())
    hashed = await identity.prepare_password(PASSWORD, inputs=[])

    async def work(tx: WriteTx) -> None:
        await identity.create_admin(tx, email=ADMIN, password=PASSWORD)
        for number in range(6):
            person = await identity.register(
                tx,
                GUEST,
                email=f"stall-{number}@example.com",
                password_hash=hashed,
                display_name=f"Owner {number}",
            )
            actor = Actor(kind="user", user_id=person.user_id, email_verified=True)
            application = sellers.Application(name=f"Stall number {number}", country="DE")
            await sellers.apply(tx, actor, application=application)
        await tx.execute(
            "UPDATE listings.listing SET state = 'in_review' WHERE title LIKE 'Lavender%'"
            " OR title LIKE 'Olive%'"
        )
        await tx.execute(
            "INSERT INTO jobs.pgqueuer (priority, entrypoint, payload, status, attempts)"
            " VALUES (0, 'test.held', '{}', 'failed', 10), (0, 'test.held', '{}', 'failed', 10)"
        )

    await db.transact(work)
    await db.close()


@pytest.fixture(scope="module")
def market(db_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    require_browser()
    with running(tmp_path_factory.mktemp("market"), db_url) as made:
        asyncio.run(_fill(db_url))
        yield made


@pytest.fixture(params=WIDTHS)
def desk(request: pytest.FixtureRequest, market: Market) -> Iterator[Page]:
    """A browser of one width, logged in as the administrator."""
    with open_page(market, width=request.param) as page:
        page.goto(f"{market.url}/login?next=/admin")
        page.get_by_label("E-mail").fill(ADMIN)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
        yield page


def go(page: Page, market: Market, path: str, heading: str) -> None:
    page.goto(f"{market.url}{path}")
    expect(page.get_by_role("heading", level=1, name=heading)).to_be_visible()
    fits(page)


def fits(page: Page) -> None:
    """Nothing makes the page wider than the window."""
    extra = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert extra <= 0, f"{page.url} is {extra} px too wide"


def test_every_page_fits(desk: Page, market: Market) -> None:
    for path in (
        "/admin", "/admin/sellers?state=all", "/admin/listings?state=all", "/admin/orders",
        "/admin/payments", "/admin/users", "/admin/catalog", "/admin/ledger",
        "/admin/ledger/accounts", "/admin/ledger/trial-balance", "/admin/commission?amount=40",
        "/admin/settings", "/admin/flags", "/admin/legal", "/admin/legal/terms", "/admin/audit",
        "/admin/events", "/admin/events/jobs", "/admin/events/schedules", "/admin/reports",
    ):  # fmt: skip
        answer = desk.goto(f"{market.url}{path}")
        assert answer is not None and answer.status == 200, path
        fits(desk)


def test_dashboard_by_span(desk: Page, market: Market) -> None:
    desk.get_by_role("link", name="7 days").click()
    expect(desk.get_by_role("link", name="7 days")).to_have_attribute("aria-current", "page")
    desk.get_by_label("From").fill("2026-01-01")
    desk.get_by_label("To", exact=False).last.fill("2026-02-01")
    desk.get_by_role("button", name="Show").click()
    expect(desk.get_by_text("compared with the 32 days before")).to_be_visible()
    desk.get_by_text("Show as a table").first.click()
    expect(desk.get_by_role("table").first).to_be_visible()
    fits(desk)
    expect(desk.get_by_role("heading", name="Search index")).to_be_visible()


def test_applications_by_keyboard(desk: Page, market: Market) -> None:
    go(desk, market, "/admin/sellers", "Sellers")
    desk.get_by_role("link", name=re.compile("Stall number")).first.click()
    first = desk.get_by_role("heading", level=1).inner_text()
    desk.keyboard.press("j")
    expect(desk.get_by_role("heading", level=1)).not_to_have_text(first)
    desk.keyboard.press("k")
    expect(desk.get_by_role("heading", level=1)).to_have_text(first)
    desk.keyboard.press("a")
    expect(desk.get_by_role("heading", level=1, name="Open this shop?")).to_be_visible()
    expect(desk.get_by_text(first)).to_be_visible()
    desk.get_by_label("A ready sentence").select_option("All details were checked.")
    desk.get_by_role("button", name="Approve").click()
    expect(desk.get_by_text("The shop is open and its owner was told.")).to_be_visible()
    expect(desk.get_by_role("heading", level=1)).not_to_have_text(first)
    desk.keyboard.press("r")
    expect(desk.get_by_role("heading", level=1, name="Turn this application down?")).to_be_visible()
    desk.get_by_label("Why, in a sentence").fill("We have too many stalls of this kind.")
    desk.get_by_role("button", name="Reject").click()
    expect(desk.get_by_text("The application is rejected")).to_be_visible()


def test_listings_in_bulk(desk: Page, market: Market) -> None:
    go(desk, market, "/admin/listings", "Listings")
    title = desk.locator("td.lead a").first.inner_text()
    desk.get_by_label(f"Select {title}").check()
    desk.get_by_role("button", name="Approve").click()
    expect(desk.get_by_role("heading", level=1, name="Show these listings?")).to_be_visible()
    expect(desk.get_by_text(title)).to_be_visible()
    desk.get_by_role("button", name="Approve all").click()
    expect(desk.get_by_text("The listings are on sale.")).to_be_visible()
    go(desk, market, "/admin/listings?state=active", "Listings")
    expect(desk.get_by_role("link", name=title)).to_be_visible()


def test_settings_and_flags(desk: Page, market: Market) -> None:
    go(desk, market, "/admin/settings", "Settings")
    text = f"We count our stock {uuid7().hex[-6:]}."
    desk.get_by_label("Words of the banner").fill(text)
    desk.locator("#banner-text").get_by_role("button", name="Save").click()
    expect(desk.get_by_text("It holds at once, everywhere.")).to_be_visible()
    desk.goto(market.url)
    expect(desk.get_by_text(text)).to_be_visible()
    fits(desk)
    go(desk, market, "/admin/settings", "Settings")
    desk.locator("#banner-text").get_by_role("button", name="Back to the default").click()
    expect(desk.get_by_text(text)).to_have_count(0)
    go(desk, market, "/admin/flags", "Feature flags")
    flag = desk.locator("#checkout-guests")
    expect(flag.get_by_label("Share of the people")).to_be_hidden()
    flag.get_by_label("For whom").select_option("percent")
    flag.get_by_label("Share of the people").fill("40")
    flag.get_by_role("button", name="Save").click()
    expect(
        desk.locator("#checkout-guests").get_by_text("On for 40 % of the people")
    ).to_be_visible()
    desk.locator("#checkout-guests").get_by_label("For whom").select_option("on")
    desk.locator("#checkout-guests").get_by_role("button", name="Save").click()


def test_category_tree_by_drag_and_by_form(desk: Page, market: Market) -> None:
    go(desk, market, "/admin/catalog", "Categories")
    name = f"Mosses {uuid7().hex[-6:]}"
    form = desk.locator("form", has=desk.locator("#f-new-name"))
    form.get_by_label("Name").fill(name)
    form.get_by_role("button", name="Add").click()
    expect(desk.get_by_role("heading", level=1, name=name)).to_be_visible()
    desk.goto(f"{market.url}/admin/catalog")
    tree = desk.locator("[data-tree]")
    expect(tree.get_by_role("link", name=name)).to_be_visible()
    tree.locator("li", has_text=name).last.drag_to(tree.get_by_role("link", name="Plants"))
    expect(desk.get_by_text("Moved.")).to_be_visible()
    expect(desk.get_by_role("navigation", name="Breadcrumbs")).to_contain_text("Plants")
    desk.get_by_label("Below").select_option("")
    desk.get_by_role("button", name="Move").click()
    expect(desk.get_by_role("navigation", name="Breadcrumbs")).not_to_contain_text("Plants")
    fits(desk)


def test_books_orders_payments_people(desk: Page, market: Market) -> None:
    go(desk, market, "/admin/ledger", "Ledger")
    desk.get_by_label("Search").last.fill("no such order")
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("No entry fits")).to_be_visible()
    desk.get_by_role("link", name="Trial balance").click()
    expect(desk.get_by_label("At the end of")).to_be_visible()
    go(desk, market, "/admin/payments?status=failed", "Payments")
    expect(desk.get_by_text("No payment fits")).to_be_visible()
    go(desk, market, "/admin/users", "People")
    desk.get_by_label("Role").select_option("admin")
    desk.wait_for_url(re.compile("role=admin"))
    desk.get_by_role("link", name="Administrator").first.click()
    expect(desk.get_by_text(ADMIN)).to_be_visible()
    go(desk, market, "/admin/users", "People")
    with desk.expect_download() as got:
        desk.get_by_role("link", name="CSV").click()
    assert got.value.suggested_filename == "people.csv"


def test_commission_is_computed(desk: Page, market: Market) -> None:
    go(desk, market, "/admin/commission", "Commission")
    desk.get_by_label("Price of the line").fill("80")
    desk.get_by_role("button", name="Compute").click()
    expect(desk.get_by_role("status").filter(has_text="The seller pays")).to_contain_text("€8.00")


def test_documents_are_compared(desk: Page, market: Market) -> None:
    go(desk, market, "/admin/legal/refunds", "Refunds")
    box = desk.get_by_label("Text, in Markdown")
    added = f"A sentence {uuid7().hex[-6:]}."
    box.fill(f"{box.input_value()}\n\n{added}")
    desk.get_by_role("button", name="Save draft").click()
    expect(desk.get_by_role("region", name="Changes of the draft")).to_contain_text(f"+ {added}")
    fits(desk)
    desk.get_by_role("link", name="Discard the draft").click()
    desk.get_by_role("button", name="Throw it away").click()
    expect(desk.get_by_text("The draft is gone.")).to_be_visible()


def test_jobs_and_the_chain(desk: Page, market: Market) -> None:
    go(desk, market, "/admin/events/jobs", "Events and jobs")
    desk.get_by_role("link", name="Give up").first.click()
    desk.get_by_label("Why").fill("It was a test.")
    desk.get_by_role("button", name="Give it up").click()
    expect(desk.get_by_text("The job is given up.")).to_be_visible()
    go(desk, market, "/admin/audit?action=jobs.", "Audit log")
    expect(desk.get_by_text("reason: It was a test.").first).to_be_visible()
    desk.get_by_role("button", name="Check the chain").click()
    expect(desk.get_by_text("are as they were written")).to_be_visible()
