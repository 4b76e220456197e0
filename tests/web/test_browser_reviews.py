"""A review's whole life, in a real browser: written with a photo, answered, found helpful,
reported, changed, deleted. At two widths, without scripts, and in Arabic."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pyvips
from playwright.sync_api import Locator, expect

from souk.contexts.listings import api as listings
from souk.kernel.ids import uuid7
from souk.platform.database import Database, WriteTx
from tests.web import desks
from tests.web.conftest import Visits
from tests.web.live import Market
from tests.web.received import delivered
from tests.web.visits import SHOP_WAYS, Person, Visit, Way, logged_in, member, prepare, row_of

pytestmark = pytest.mark.browser
REVIEW = """
SELECT stars, state, helpful,
  (SELECT count(*) FROM reviews.photo WHERE review_id = review.id) AS photos,
  (SELECT count(*) FROM reviews.report WHERE review_id = review.id) AS reports
FROM reviews.review WHERE order_id = $1
"""


@dataclass(frozen=True)
class Bought:
    """Who bought what, and who sold it."""

    buyer: Person
    seller: Person
    order_id: str


def buy(market: Market, way: Way) -> Bought:
    """A buyer with a delivered olive tree, and somebody who works for its shop."""

    async def work(db: Database) -> Bought:
        async with db.read() as conn:
            document = await listings.detail(conn, market.olive)
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
        people = [await logged_in(db, buyer, locale=way.language), await logged_in(db, seller)]
        return Bought(*people, order_id=order_id)

    return prepare(market.db_url, work)


def photo(folder: Path) -> Path:
    path = folder / "tree.jpg"
    plain = pyvips.Image.black(400, 300, bands=3)
    plain.linear([1, 1, 1], [60, 110, 50]).cast("uchar").jpegsave(str(path))
    return path


def shown(v: Visit, market: Market, words: str) -> Locator:
    """The review as everybody reads it."""
    v.go(f"/listing/{market.olive}/reviews?sort=newest")
    return v.page.locator("article").filter(has_text=words)


@pytest.mark.parametrize("way", SHOP_WAYS)
def test_a_review_and_its_answer(market: Market, visit: Visits, tmp_path: Path, way: Way) -> None:
    bought = buy(market, way)
    words = f"Three buds already. {uuid7().hex[-6:]}"

    def stored() -> Any:
        return row_of(market.db_url, REVIEW, bought.order_id)

    v = visit(way, bought.buyer)
    v.go(f"/account/orders/{bought.order_id}")
    v.link("Review %(what)s", what="Olive tree").click()
    v.title("How is it?")
    v.page.locator('input[name="stars"][value="4"]').check(force=True)
    v.field("What should others know?").fill(words)
    v.page.locator("input[type=file]").set_input_files(photo(tmp_path))
    v.button("Publish the review").click()
    v.sees("Thank you. Your review is shown now.")
    v.fits()
    assert (stored()["stars"], stored()["photos"]) == (4, 1)
    answer(visit(Way("seller", way.width, scripts=way.scripts), bought.seller), words)
    find_helpful_and_report(visit(way, member(market.db_url, way)), market, words)
    assert (stored()["helpful"], stored()["reports"]) == (1, 1)
    change_and_delete(v, market, words)
    gone = stored()
    assert (gone["state"], gone["photos"]) == ("deleted", 0)


def answer(v: Visit, words: str) -> None:
    v.go("/sell/reviews?show=unanswered")
    said = v.page.locator("article").filter(has_text=words)
    said.get_by_text("Answer", exact=True).click()
    said.get_by_label("Your answer").fill("It likes the sun. Thank you!")
    said.get_by_role("button", name="Publish the answer").click()
    v.sees("Your answer is shown below the review.")


def find_helpful_and_report(v: Visit, market: Market, words: str) -> None:
    """What another reader does."""
    said = shown(v, market, words)
    expect(said.get_by_text("It likes the sun. Thank you!")).to_be_visible()
    stars = v.say("%(value)s out of 5 stars", value=4)
    expect(said.get_by_role("img", name=stars)).to_be_visible()
    expect(said.locator(".review-photos img")).to_have_count(1)
    v.fits()
    said.get_by_role("button", name=v.say("Helpful")).click()
    expect(said.get_by_role("button", name=v.say("You found it helpful"))).to_be_visible()
    said.get_by_role("link", name=v.say("Report")).click()
    v.title("Report a review")
    v.field("It is about something else").check()
    v.button("Report", exact=True).click()
    v.page.wait_for_url(f"**/listing/{market.olive}**")


def change_and_delete(v: Visit, market: Market, words: str) -> None:
    v.go("/account/reviews")
    v.title("Reviews")
    v.page.locator("article").get_by_role("link", name=v.say("Change"), exact=True).click()
    v.title("Change your review")
    v.button("Remove").click()
    v.sees("The photo is gone.")
    v.page.locator('input[name="stars"][value="2"]').check(force=True)
    v.field("What should others know?").fill(f"{words} Then it froze.")
    v.button("Save the changes").click()
    v.sees("Thank you. Your review is shown now.")
    said = shown(v, market, words)
    expect(said).to_contain_text("Then it froze.")
    expect(said.get_by_role("img", name=v.say("%(value)s out of 5 stars", value=2))).to_be_visible()
    expect(said.locator(".review-photos")).to_have_count(0)
    v.go("/account/reviews")
    v.page.locator("article").get_by_role("link", name=v.say("Delete"), exact=True).click()
    v.title("Delete this review?")
    v.button("Delete the review").click()
    v.sees("Your review is deleted.")
    expect(shown(v, market, words)).to_have_count(0)
