"""Pages of reviews: for readers, buyers, sellers and operators."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID

import pytest

from souk.contexts.listings import api as listings
from souk.contexts.reviews import api as reviews
from souk.kernel.ids import fingerprint, token
from souk.platform.database import Database, count_statements
from souk.platform.http.holder import GUEST_COOKIE
from souk.platform.relay import Relay
from tests.reviews.factories import person, written
from tests.web import desks
from tests.web.conftest import Member, Visitor, text_of
from tests.web.received import delivered
from tests.web.world import World


async def drain(db: Database, event_writer: Any) -> None:
    await Relay(db, event_writer).drain()


async def say(db: Database, listing: listings.Listing, **more: Any) -> reviews.Review:
    place = {"subject_id": listing.id, "seller_id": listing.seller_id, "slug": listing.slug}
    return await written(db, person(), **place, **more)


def ld_of(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', html, re.S)
    assert found is not None
    return json.loads(found[1])


async def test_readers_see_stars_words_and_data_for_machines(
    visitor: Visitor, world: World, db: Database, event_writer: Any
) -> None:
    page = await visitor.page(f"/listing/{world.lavender.slug}")
    assert "Nobody has reviewed this yet" in text_of(page)
    assert "aggregateRating" not in ld_of(page)
    await say(db, world.lavender, stars=5, text="Smells of <b>summer</b>.")
    await say(db, world.lavender, stars=2, text="Too small.")
    await drain(db, event_writer)
    page = await visitor.page(f"/listing/{world.lavender.slug}")
    words = text_of(page)
    assert "3.5" in words
    assert "2 reviews" in words
    assert "Smells of <b>summer</b>." in words
    assert "<b>summer" not in page.replace("\\u003cb>summer", "")
    data = ld_of(page)
    assert data["aggregateRating"]["ratingValue"] == 3.5
    assert data["aggregateRating"]["reviewCount"] == 2
    assert {one["reviewRating"]["ratingValue"] for one in data["review"]} == {2, 5}


async def test_filters_and_pages_are_in_the_address(
    visitor: Visitor, world: World, db: Database
) -> None:
    for place in range(25):
        await say(db, world.olive, stars=5 if place else 1, text=f"Opinion {place}.")
    url = f"/listing/{world.olive.slug}/reviews"
    first = await visitor.page(f"{url}?sort=lowest")
    assert "Opinion 0." in text_of(first)
    (following,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = await visitor.page(following.replace("&amp;", "&"))
    assert "sort=lowest" in following
    said = re.findall(r"Opinion (\d+)\.", text_of(first) + text_of(second))
    assert sorted(map(int, said)) == list(range(25))
    ones = text_of(await visitor.page(f"{url}?stars=1"))
    assert "Opinion 0." in ones
    assert "Opinion 1." not in ones
    none = await visitor.page(f"{url}?stars=3")
    assert "No review like this" in text_of(none)
    assert 'content="noindex"' in none or "noindex" in none
    await visitor.page(f"{url}?stars=9", status=422)


@pytest.mark.parametrize("page", ["listing", "s"])
async def test_a_page_takes_as_many_statements_for_one_review_as_for_fifty(
    visitor: Visitor, world: World, db: Database, page: str
) -> None:
    listing = world.lamp
    shop_slug = world.press.slug
    url = f"/listing/{listing.slug}" if page == "listing" else f"/s/{shop_slug}"
    about = {"subject_id": listing.id, "seller_id": listing.seller_id}
    if page == "s":
        about = {
            "kind": reviews.Kind.SELLER, "subject_id": listing.seller_id,
            "seller_id": listing.seller_id, "order_line_id": None,
        }  # fmt: skip
    counted: list[int] = []
    for amount in (1, 49):
        for _ in range(amount):
            await written(db, person(), **about)
        await visitor.page(f"{url}/reviews")
        async with count_statements() as count:
            await visitor.page(f"{url}/reviews")
        counted.append(count.total)
    assert counted[0] == counted[1]


async def test_a_buyer_writes_changes_and_deletes(
    visitor: Visitor, other: Visitor, join: Member, world: World, db: Database
) -> None:
    email = await join(visitor)
    order_id, part_id, line_id = await delivered(db, world.lavender, email)
    page = await visitor.page(f"/account/orders/{order_id}")
    assert "How was it?" in text_of(page)
    url = f"/account/orders/{order_id}/lines/{line_id}/review"
    assert url in page
    await join(other)
    await other.page(url, status=404)
    await visitor.page(url)
    nothing = await visitor.submit(url, {"text": "Fine."})
    assert nothing.status_code == 422
    assert "Choose from one to five stars." in nothing.text
    assert "Fine." in nothing.text
    done = await visitor.submit(url, {"stars": "4", "text": "Fine, and it smells."})
    assert done.status_code == 303, text_of(done.text)
    assert (await visitor.get(url)).status_code == 303
    shop = f"/account/orders/{order_id}/sellers/{part_id}/review"
    assert (await visitor.submit(shop, {"stars": "5", "text": ""})).status_code == 303
    mine = await visitor.page("/account/reviews")
    assert "Fine, and it smells." in text_of(mine)
    review_id = re.findall(r'id="review-([0-9a-f-]{36})"', mine)[-1]
    await other.page(f"/account/reviews/{review_id}", status=404)
    changed = await visitor.submit(
        f"/account/reviews/{review_id}", {"stars": "2", "text": "It withered."}
    )
    assert changed.status_code == 303
    async with db.read() as conn:
        assert (await reviews.published(conn, UUID(review_id))).stars == 2
    question = await visitor.page(f"/account/reviews/{review_id}/delete")
    assert "for good" in text_of(question)
    assert (await other.submit(f"/account/reviews/{review_id}/delete")).status_code == 404
    gone = await visitor.submit(f"/account/reviews/{review_id}/delete")
    assert gone.status_code == 303
    assert "It withered." not in text_of(await visitor.page("/account/reviews"))


async def test_a_guest_reviews_through_the_order(
    visitor: Visitor, other: Visitor, world: World, db: Database
) -> None:
    secret = token()
    order_id, _, line_id = await delivered(
        db, world.lavender, "guest@example.com", guest=fingerprint(secret)
    )
    url = f"/account/orders/{order_id}/lines/{line_id}/review"
    await other.page(url, status=404)
    visitor.cookies.set(GUEST_COOKIE, secret)
    assert url in await visitor.page(f"/account/orders/{order_id}")
    assert "How is it?" in text_of(await visitor.page(url))
    form = {"stars": "5", "text": "Blooms on the balcony."}
    answer = await visitor.submit(url, form)
    assert answer.headers["location"] == f"/account/orders/{order_id}#reviews"
    shown = text_of(await visitor.page(f"/listing/{world.lavender.slug}/reviews?sort=newest"))
    assert "A buyer" in shown
    assert "Blooms on the balcony." in shown
    page = await visitor.page(f"/account/orders/{order_id}")
    (review_id,) = re.findall(r'href="/account/reviews/([0-9a-f-]{36})"', page)
    await other.page(f"/account/reviews/{review_id}", status=404)
    assert (await visitor.submit(f"/account/reviews/{review_id}/delete")).status_code == 303
    assert url in await visitor.page(f"/account/orders/{order_id}")


async def test_readers_vote_and_report(
    visitor: Visitor, other: Visitor, join: Member, world: World, db: Database
) -> None:
    review = await say(db, world.guide, text="Clear and short.")
    page = await visitor.page(f"/listing/{world.guide.slug}")
    assert f"/login?next=/listing/{world.guide.slug}" in page
    refused = await visitor.submit(f"/reviews/{review.id}/helpful", {"helpful": "1"})
    assert refused.status_code == 303
    assert refused.headers["location"].startswith("/login")
    await join(visitor)
    back = f"/listing/{world.guide.slug}/reviews"
    done = await visitor.submit(f"/reviews/{review.id}/helpful", {"helpful": "1", "back": back})
    assert done.headers["location"] == back
    assert "1 person found it helpful" in text_of(await visitor.page(back))
    bad = await visitor.submit(f"/reviews/{review.id}/report", {"reason": "whim"})
    assert bad.status_code == 422
    sent = await visitor.submit(
        f"/reviews/{review.id}/report", {"reason": "untrue", "note": "I own it."}
    )
    assert sent.status_code == 303
    await desks.admin(db, other)
    queue = text_of(await other.page("/admin/reviews?queue=reported"))
    assert "I own it." in queue
    assert "Reported 1" in queue


async def test_a_seller_reads_and_answers(visitor: Visitor, db: Database) -> None:
    shop = await desks.seller(db, visitor)
    assert "No reviews yet" in text_of(await visitor.page("/sell/reviews"))
    place = {"seller_id": shop.id}
    low = await written(db, person(), stars=2, text="Late.", **place)
    await written(db, person(), stars=5, text="Great.", **place)
    page = text_of(await visitor.page("/sell/reviews?show=low"))
    assert "Late." in page
    assert "Great." not in page
    url = f"/sell/reviews/{low.id}/reply"
    answered = await visitor.submit(url, {"text": "We are sorry.", "back": "/sell/reviews"})
    assert answered.status_code == 303
    assert "Late." not in text_of(await visitor.page("/sell/reviews?show=unanswered"))
    assert "We are sorry." in text_of(await visitor.page("/sell/reviews"))
    foreign = await written(db, person())
    assert (
        await visitor.submit(f"/sell/reviews/{foreign.id}/reply", {"text": "Mine?"})
    ).status_code == 404
    await visitor.page(f"{url}/remove")
    assert (await visitor.submit(f"{url}/remove")).status_code == 303
    assert "We are sorry." not in text_of(await visitor.page("/sell/reviews"))


async def test_an_operator_decides(visitor: Visitor, world: World, db: Database) -> None:
    await desks.admin(db, visitor)
    held = await say(db, world.guide, text="Visit www.elsewhere.example")
    page = await visitor.page("/admin/reviews")
    assert "It has a link or an address" in text_of(page)
    shown = await visitor.submit(f"/admin/reviews/{held.id}/publish", {"queue": "held"})
    assert shown.status_code == 303
    await visitor.page(f"/admin/reviews/{held.id}/hide")
    bare = await visitor.submit(f"/admin/reviews/{held.id}/hide", {"reason": ""})
    assert bare.status_code == 422
    hidden = await visitor.submit(f"/admin/reviews/{held.id}/hide", {"reason": "Advertising."})
    assert hidden.status_code == 303
    assert "Advertising." in text_of(await visitor.page("/admin/reviews?queue=hidden"))
    words = await visitor.submit("/admin/reviews/words", {"words": "snake oil"})
    assert words.status_code == 303
    assert "snake oil" in await visitor.page("/admin/reviews")
    assert (await say(db, world.guide, text="Snake oil")).held_for == ["word"]
