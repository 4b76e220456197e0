"""A buyer writes a review and its seller answers, in a real browser."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pyvips
from playwright.sync_api import Page, expect

from souk import app as composition
from souk.contexts.listings import api as listings
from souk.kernel.ids import uuid7
from souk.platform.database import Database, WriteTx
from tests.web import desks
from tests.web.conftest import PASSWORD
from tests.web.live import Market, open_page, require_browser, running
from tests.web.received import delivered

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Bought:
    """Who bought what, and who sold it."""

    buyer: str
    seller: str
    order_id: str


@pytest.fixture(scope="module")
def market(db_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    require_browser()
    with running(tmp_path_factory.mktemp("market"), db_url) as made:
        yield made


def buy(db_url: str, slug: str) -> Bought:
    """A buyer with a delivered olive tree, and somebody who works for its shop."""

    async def work() -> Bought:
        db = await Database.connect(db_url, size=2, writer=composition.event_writer())
        try:
            async with db.read() as conn:
                document = await listings.detail(conn, slug)
                listing = await listings.any_state(conn, document.id)
            buyer, _ = await desks.member(db)
            seller, actor = await desks.member(db)

            async def hire(tx: WriteTx) -> None:
                await tx.execute(
                    "INSERT INTO identity.membership (user_id, seller_id, role, created_at)"
                    " VALUES ($1, $2, 'owner', $3)",
                    actor.user_id,
                    listing.seller_id,
                    tx.clock.now(),
                )

            await db.transact(hire)
            order_id, _, _ = await delivered(db, listing, buyer)
            return Bought(buyer, seller, order_id)
        finally:
            await db.close()

    return asyncio.run(work())


def log_in(page: Page, market: Market, email: str) -> None:
    page.goto(f"{market.url}/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Welcome back")).to_be_visible()


@pytest.mark.parametrize(("width", "scripts"), [(1280, True), (390, True), (390, False)])
def test_a_review_and_its_answer(
    market: Market,
    db_url: str,
    tmp_path: Path,
    width: int,
    scripts: bool,
) -> None:
    bought = buy(db_url, market.olive)
    words = f"Three buds already, after {width} days. {uuid7().hex[-6:]}"
    photo = tmp_path / "tree.jpg"
    plain = pyvips.Image.black(400, 300, bands=3)
    plain.linear(1, [60, 110, 50]).cast("uchar").jpegsave(str(photo))
    with open_page(market, width=width, scripts=scripts) as page:
        log_in(page, market, bought.buyer)
        page.goto(f"{market.url}/account/orders/{bought.order_id}")
        page.get_by_role("link", name="Review Olive tree").click()
        page.get_by_role("radio", name="4 stars: good").check(force=True)
        page.get_by_label("What should others know?").fill(words)
        page.locator("input[type=file]").set_input_files(photo)
        page.get_by_role("button", name="Publish the review").click()
        expect(page.get_by_text("Thank you. Your review is shown now.")).to_be_visible()
        expect(page.get_by_text("You have reviewed it").first).to_be_visible()
        over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert over <= 0
    with open_page(market, width=width, scripts=scripts) as page:
        log_in(page, market, bought.seller)
        page.goto(f"{market.url}/sell/reviews?show=unanswered")
        said = page.locator("article").filter(has_text=words)
        said.get_by_text("Answer", exact=True).click()
        said.get_by_label("Your answer").fill("It likes the sun. Thank you!")
        said.get_by_role("button", name="Publish the answer").click()
        expect(page.get_by_text("Your answer is shown below the review.")).to_be_visible()
    with open_page(market, width=width, scripts=scripts) as page:
        page.goto(f"{market.url}/listing/{market.olive}/reviews?sort=newest")
        shown = page.locator("article").filter(has_text=words)
        expect(shown.get_by_text("It likes the sun. Thank you!")).to_be_visible()
        expect(shown.get_by_role("img", name="4 out of 5 stars")).to_be_visible()
        expect(shown.get_by_role("img", name="Photo 1")).to_be_visible()
