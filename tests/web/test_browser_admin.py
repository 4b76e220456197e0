"""The operator's desk in a real browser, wide and narrow: each flow by mouse, some by keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from souk.contexts.identity import api as identity
from souk.contexts.listings import api as listings
from souk.contexts.sellers import api as sellers
from souk.kernel.actor import GUEST, Actor
from souk.kernel.ids import uuid7
from souk.platform.database import Database, WriteTx
from tests.web.buying import order_by_api
from tests.web.conftest import Visits
from tests.web.live import Market, require_browser, running
from tests.web.received import delivered
from tests.web.visits import DESK_WAYS, PASSWORD, Person, Way, logged_in, member, prepare, row_of

pytestmark = pytest.mark.browser
ADMIN = "admin@souk.example"


async def _fill(db: Database) -> None:
    """An administrator, applications and listings that wait, dead letters and held jobs."""
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
        for subscriber in ("test.wide", "test.narrow"):
            await tx.execute(
                "INSERT INTO platform.delivery (event_id, subscriber, aggregate_id, seq, next_at,"
                " dead, attempts, error) SELECT id, $1, aggregate_id, seq, now(), true, 12, 'boom'"
                " FROM platform.event ORDER BY seq DESC LIMIT 1",
                subscriber,
            )

    await db.transact(work)


@pytest.fixture(scope="module")
def market(db_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    require_browser()
    with running(tmp_path_factory.mktemp("market"), db_url) as made:
        variant = row_of(
            db_url,
            "SELECT v.id FROM listings.variant v JOIN listings.listing l ON l.id = v.listing_id"
            " WHERE l.title = 'Lavender'",
        )
        order_by_api(made, str(variant["id"]), 2)
        prepare(db_url, _fill)
        yield made


@pytest.fixture(scope="module")
def admin(market: Market) -> Person:
    return prepare(market.db_url, lambda db: logged_in(db, ADMIN))


@pytest.fixture(params=DESK_WAYS)
def desk(request: pytest.FixtureRequest, visit: Visits, market: Market, admin: Person) -> Page:
    """A profile of one width, logged in as the administrator."""
    page = visit(request.param, admin).page
    page.goto(f"{market.url}/admin")
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
    return page


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
    go(desk, market, f"/admin/listings?state=active&q={title}", "Listings")
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


def test_an_attribute_is_defined_and_asked_for(desk: Page, market: Market) -> None:
    go(desk, market, "/admin/catalog", "Categories")
    name = f"Scent {uuid7().hex[-6:]}"
    form = desk.locator('form[action="/admin/catalog/attributes"]')
    form.get_by_label("Name").fill(name)
    form.get_by_label("Code").fill(f"scent_{uuid7().hex[-6:]}")
    form.get_by_label("Values").select_option(label="One of several")
    form.get_by_label("Choices, separated by commas").fill("faint, strong")
    form.get_by_role("button", name="Define").click()
    expect(desk.get_by_text("The attribute is there; assign it now.")).to_be_visible()
    desk.get_by_role("link", name=name).click()
    desk.get_by_label("Choices, one a line").fill("faint\nstrong\nheavy")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_label("Choices, one a line")).to_have_value(re.compile("heavy"))
    desk.goto(f"{market.url}/admin/catalog")
    desk.locator("[data-tree]").get_by_role("link", name="Herbs").click()
    assign = desk.locator("form", has=desk.get_by_role("button", name="Assign"))
    option = assign.locator("option", has_text=name)
    assign.locator("select").select_option(value=option.get_attribute("value"))
    assign.get_by_label("Filter in lists").uncheck()
    assign.get_by_role("button", name="Assign").click()
    row = desk.locator("main li").filter(has_text=name)
    expect(row).to_contain_text("faint / strong / heavy")
    fits(desk)
    row.get_by_role("button", name="Take away").click()
    expect(desk.locator("main li").filter(has_text=name)).to_have_count(0)


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


def test_an_order_is_followed_into_the_books(desk: Page, market: Market) -> None:
    """From the list of orders to the payment, the entry and the account that it moved."""
    go(desk, market, "/admin/orders", "Orders")
    desk.locator("tbody td.lead a").first.click()
    expect(desk.get_by_role("heading", level=1)).to_contain_text("Order")
    expect(desk.get_by_text("Lavender").first).to_be_visible()
    expect(desk.get_by_role("heading", name="Ledger entries")).to_be_visible()
    fits(desk)
    desk.get_by_role("region", name="Payment attempts").or_(desk.locator("main")).locator(
        'a[href^="/admin/payments/"]'
    ).first.click()
    expect(desk.get_by_role("heading", name="What the gateway sent")).to_be_visible()
    fits(desk)
    desk.get_by_role("link", name="In the books").click()
    expect(desk.get_by_role("heading", level=1, name="Ledger")).to_be_visible()
    entry = desk.locator("tbody td.lead a").first
    expect(entry).to_be_visible()
    entry.click()
    expect(desk.get_by_role("heading", level=1, name="Entry")).to_be_visible()
    expect(desk.get_by_text("An entry is never changed.")).to_be_visible()
    fits(desk)
    go(desk, market, "/admin/ledger/accounts", "Ledger")
    expect(desk.locator("tbody tr").first).to_be_visible()
    go(desk, market, "/admin/ledger/trial-balance", "Ledger")
    expect(desk.locator("tfoot")).to_contain_text("In balance")
    desk.get_by_label("At the end of").fill("2020-01-01")
    expect(desk.get_by_text("Nothing was booked by then")).to_be_visible()
    fits(desk)


def test_reviews_are_shown_and_hidden(desk: Page, market: Market, visit: Visits) -> None:
    """One that waits is shown; one that was reported is hidden, with a reason for its author."""
    words = f"A tree with a link. {uuid7().hex[-6:]}"
    person = member(market.db_url)

    async def receive(db: Database) -> tuple[str, str, str]:
        async with db.read() as conn:
            found = await listings.detail(conn, market.palm)
            listing = await listings.any_state(conn, found.id)
        return await delivered(db, listing, person.email)

    order_id, _, line_id = prepare(market.db_url, receive)
    theirs = visit(Way("theirs"), person)
    theirs.go(f"/account/orders/{order_id}/lines/{line_id}/review")
    theirs.page.locator('input[name="stars"][value="4"]').check(force=True)
    theirs.field("What should others know?").fill(f"{words} See https://trees.example")
    theirs.button("Publish the review").click()
    theirs.sees("Thank you. Our staff will read your review before it is shown.")
    go(desk, market, "/admin/reviews", "Reviews")
    waiting = desk.locator("article").filter(has_text=words)
    expect(waiting).to_contain_text("It has a link or an address")
    waiting.get_by_role("button", name="Show it").click()
    expect(desk.get_by_text("The review is shown and its author was told.")).to_be_visible()
    desk.goto(f"{market.url}/listing/{market.palm}/reviews?sort=newest")
    expect(desk.get_by_text(words)).to_be_visible()
    fits(desk)
    desk.locator("article").filter(has_text=words).get_by_role("link", name="Report").click()
    desk.get_by_role("button", name="Report").click()
    go(desk, market, "/admin/reviews?queue=reported", "Reviews")
    desk.locator("article").filter(has_text=words).get_by_role("link", name="Hide it").click()
    expect(desk.get_by_role("heading", level=1, name="Hide this review?")).to_be_visible()
    desk.get_by_label("Why, in a sentence to the author").fill("Please without links.")
    desk.get_by_role("button", name="Hide it").click()
    expect(desk.get_by_text("The review is hidden and its author was told why.")).to_be_visible()
    desk.goto(f"{market.url}/listing/{market.palm}/reviews?sort=newest")
    expect(desk.get_by_text(words)).to_have_count(0)


def test_a_dead_letter_is_delivered_again(desk: Page, market: Market) -> None:
    go(desk, market, "/admin/events", "Events and jobs")
    viewport = desk.viewport_size
    assert viewport is not None
    name = "test.wide" if viewport["width"] > 800 else "test.narrow"
    row = desk.locator("#dead tr").filter(has_text=name)
    expect(row).to_contain_text("boom")
    row.get_by_role("link", name="Deliver again").click()
    expect(desk.get_by_role("heading", level=1, name="Deliver again?")).to_be_visible()
    fits(desk)
    desk.get_by_role("button", name="Deliver again").click()
    expect(desk.get_by_text("They are on their way again.")).to_be_visible()
    expect(desk.locator("#dead tr").filter(has_text=name)).to_have_count(0)
    found = row_of(market.db_url, "SELECT dead FROM platform.delivery WHERE subscriber = $1", name)
    assert found is None or found["dead"] is False
    go(desk, market, "/admin/audit?action=events.", "Audit log")
    expect(desk.get_by_text(name).first).to_be_visible()


def test_a_commission_rule_begins_and_ends(desk: Page, market: Market) -> None:
    go(desk, market, "/admin/commission", "Commission")
    form = desk.locator('form[action="/admin/commission"]')
    form.get_by_label("For", exact=True).select_option(label="A tier of sellers")
    form.get_by_label("Tier").select_option(label="Premium")
    form.get_by_label("Rate").fill("seven")
    form.get_by_role("button", name="Put into force").click()
    expect(desk.get_by_role("alert")).to_be_visible()
    form.get_by_label("Rate").fill("6.25")
    form.get_by_role("button", name="Put into force").click()
    expect(desk.get_by_text("The rule is written down. Past sales keep theirs.")).to_be_visible()
    desk.goto(f"{market.url}/admin/commission?amount=80&of_tier=premium#trial")
    computed = desk.get_by_role("status").filter(has_text="The seller pays")
    expect(computed).to_contain_text("€5.00")
    fits(desk)
    rule = desk.locator("tbody tr").filter(has_text="6.25").filter(has_text="in force")
    rule.get_by_role("link", name="End").click()
    desk.get_by_role("button", name="End the rule").click()
    expect(desk.get_by_text("The rule is over.")).to_be_visible()
    desk.goto(f"{market.url}/admin/commission?amount=80&of_tier=premium#trial")
    expect(computed).to_contain_text("€8.00")


def test_a_document_gets_a_new_version(desk: Page, market: Market) -> None:
    go(desk, market, "/admin/legal/content-guidelines", "Content guidelines")
    box = desk.get_by_label("Text, in Markdown")
    added = f"No moss from the woods {uuid7().hex[-6:]}."
    box.fill(f"{box.input_value()}\n\n{added}")
    desk.get_by_role("button", name="Save draft").click()
    desk.goto(f"{market.url}/legal/content-guidelines")
    expect(desk.get_by_text(added)).to_have_count(0)
    desk.goto(f"{market.url}/admin/legal/content-guidelines")
    desk.get_by_role("link", name="Publish…").click()
    expect(desk.get_by_role("heading", level=1, name="Publish the draft?")).to_be_visible()
    fits(desk)
    desk.get_by_role("button", name="Publish").click()
    expect(desk.get_by_text("The new version is in force, or will be on its day.")).to_be_visible()
    desk.goto(f"{market.url}/legal/content-guidelines")
    expect(desk.get_by_text(added)).to_be_visible()
    go(desk, market, "/admin/audit?action=compliance.", "Audit log")
    expect(desk.locator("main")).to_contain_text("content")


def test_a_person_is_shut_out_and_let_in_again(desk: Page, market: Market, visit: Visits) -> None:
    person = member(market.db_url)
    theirs = visit(Way("theirs"), person)
    theirs.go("/account/orders")
    go(desk, market, f"/admin/users?q={person.email}", "People")
    desk.locator("tbody td.lead a").first.click()
    expect(desk.get_by_text(person.email).first).to_be_visible()
    desk.get_by_role("link", name="Suspend").click()
    expect(desk.get_by_role("heading", level=1, name="Shut this account out?")).to_be_visible()
    desk.get_by_label("Why, in a sentence to the person").fill("Somebody else uses it.")
    desk.get_by_role("button", name="Suspend the account").click()
    expect(desk.get_by_text("The account is suspended.")).to_be_visible()
    fits(desk)
    theirs.page.goto(f"{market.url}/account/orders")
    expect(theirs.page).to_have_url(re.compile("/login"))
    desk.get_by_role("button", name="Let in again").click()
    expect(desk.get_by_text("The person can log in again.")).to_be_visible()
    expect(desk.get_by_text("Somebody else uses it.").first).to_be_visible()
