"""From the delivery to the stars in the lists: over the API, with real orders."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import pyvips

from souk.contexts.compliance import api as compliance
from souk.contexts.listings import api as listings
from souk.contexts.notifications import api as notifications
from souk.contexts.orders import api as orders
from souk.contexts.reviews import api as reviews
from souk.contexts.search import api as search
from souk.contexts.sellers import api as sellers
from souk.flows.fulfil_order import steps
from souk.flows.index_listings.indexer import Indexer
from souk.flows.review_purchase.flow import REFRESH_RECORD, RefreshRecord
from souk.flows.review_purchase.jobs import ask_for_reviews, refresh_one, refresh_records
from souk.kernel.actor import Role
from souk.kernel.ids import uuid7
from tests.factories.market import TEST, Buyer, Market, Shop
from tests.identity.factories import Person

PARCEL = {"carrier": "dhl", "tracking": "00340434161094042557"}
REVIEWS = "/api/v1/reviews"


@pytest.fixture(autouse=True)
async def sound(market: Market):
    yield
    await market.sound()


async def deliver(buyer: Buyer, order: dict[str, Any], *shops: Shop) -> None:
    for shop in shops:
        part = next(p for p in order["seller_orders"] if p["seller_id"] == str(shop.seller_id))
        answer = await shop.post(f"{part['id']}/ship", PARCEL)
        assert answer.status_code == 200, answer.text
        url = f"/api/v1/orders/{order['id']}/parts/{part['id']}/confirm-delivery"
        assert (await buyer.http.post(url)).status_code == 200


def line_of(order: dict[str, Any], listing: listings.Listing) -> str:
    lines = [line for part in order["seller_orders"] for line in part["lines"]]
    return next(line["id"] for line in lines if line["listing_id"] == str(listing.id))


async def bought(market: Market, *, buyer: Buyer | None = None) -> tuple[Shop, Any, Buyer, Any]:
    """A guest's delivered order of one listing."""
    shop = await market.shop()
    listing = await shop.goods()
    buyer = buyer or market.guest()
    order = await buyer.buy((listing, 1))
    await deliver(buyer, order, shop)
    return shop, listing, buyer, order


async def review(buyer: Buyer, order: Any, listing: Any, **body: Any) -> Any:
    body = {"order_line_id": line_of(order, listing), "stars": 5, "text": "Just right."} | body
    return await buyer.http.post(REVIEWS, json=body)


async def old_member(market: Market) -> tuple[Buyer, Person]:
    """Somebody whose account is older than a day."""
    buyer, person = await market.member()
    await later(market, buyer, person, timedelta(days=2))
    return buyer, person


async def later(market: Market, buyer: Buyer, person: Person, by: timedelta) -> None:
    """Time passes, and the person logs in again."""
    market.clock.advance(by)
    buyer.http.headers["authorization"] = f"Bearer {await market.bearer(person.id)}"


async def test_only_what_arrived_can_be_reviewed(market: Market) -> None:
    shop = await market.shop()
    listing = await shop.goods()
    buyer = market.guest()
    order = await buyer.buy((listing, 1))
    early = await review(buyer, order, listing)
    assert (early.status_code, early.json()["code"]) == (409, "not_received")
    await deliver(buyer, order, shop)
    made = await review(buyer, order, listing)
    assert made.status_code == 201, made.text
    assert made.json()["state"] == "published"
    again = await review(buyer, order, listing)
    assert again.json()["code"] == "already_reviewed"
    assert again.json()["review_id"] == made.json()["id"]


async def test_anothers_order_is_like_an_absent_one(market: Market) -> None:
    _, listing, _, order = await bought(market)
    stranger = market.guest()
    member, _ = await market.member()
    for other in (stranger, member):
        theirs = await review(other, order, listing)
        absent = await review(other, order, listing, order_line_id=str(uuid7()))
        bodies = [answer.json() | {"request_id": ""} for answer in (theirs, absent)]
        assert theirs.status_code == absent.status_code == 404
        assert bodies[0] == bodies[1]
    part = order["seller_orders"][0]["id"]
    answer = await stranger.http.post(REVIEWS, json={"seller_order_id": part, "stars": 1})
    assert answer.status_code == 404


async def test_the_same_key_writes_once(market: Market) -> None:
    _, listing, buyer, order = await bought(market)
    body = {"order_line_id": line_of(order, listing), "stars": 4}
    key = {"idempotency-key": uuid7().hex}
    first = await buyer.http.post(REVIEWS, json=body, headers=key)
    second = await buyer.http.post(REVIEWS, json=body, headers=key)
    assert first.status_code == second.status_code == 201
    assert first.json()["id"] == second.json()["id"]


async def test_downloads_are_reviewed_as_soon_as_they_are_there(market: Market) -> None:
    shop = await market.shop()
    guide = await shop.download()
    plant = await shop.goods()
    buyer = market.guest()
    order = await buyer.buy((guide, 1), (plant, 1))
    await market.drain()
    assert (await review(buyer, order, guide)).status_code == 201
    assert (await review(buyer, order, plant)).json()["code"] == "not_received"


async def test_a_cancelled_order_is_not_reviewed(market: Market) -> None:
    shop = await market.shop()
    listing = await shop.goods()
    buyer = market.guest()
    order = await buyer.buy((listing, 1))
    part = order["seller_orders"][0]
    done = await shop.post(f"{part['id']}/cancel", {"reason": "None is left."})
    assert done.status_code == 200, done.text
    assert (await review(buyer, order, listing)).json()["code"] == "not_received"


async def test_stars_reach_lists_shop_and_search(market: Market) -> None:
    shop, listing, buyer, order = await bought(market)
    part = order["seller_orders"][0]["id"]
    await review(buyer, order, listing, stars=5)
    shop_review = await buyer.http.post(REVIEWS, json={"seller_order_id": part, "stars": 4})
    assert shop_review.status_code == 201, shop_review.text
    other = market.guest()
    second = await other.buy((listing, 1))
    await deliver(other, second, shop)
    await review(other, second, listing, stars=2, text="Smaller than it looks.")
    await market.drain()
    document = (await buyer.http.get(f"/api/v1/listings/{listing.id}")).json()
    assert (document["rating"], document["rating_count"]) == (3.5, 2)
    public = (await buyer.http.get(REVIEWS, params={"listing": str(listing.id)})).json()
    assert public["rating"] == {"average": 3.5, "count": 2, "stars": [0, 1, 0, 0, 1]}
    assert [one["stars"] for one in public["items"]] == [2, 5]
    lowest = await buyer.http.get(f"/api/v1/listings/{listing.id}/reviews", params={"stars": 2})
    assert [one["text"] for one in lowest.json()["items"]] == ["Smaller than it looks."]
    of_shop = (await buyer.http.get(f"/api/v1/sellers/{shop.seller_id}/reviews")).json()
    assert of_shop["rating"]["average"] == 4.0
    async with market.db.read() as conn:
        card = (await sellers.cards(conn, [shop.seller_id]))[shop.seller_id]
        (row,) = await listings.cards(conn, [listing.id])
    assert (card.rating, card.rating_count) == (4.0, 1)
    assert (row.rating, row.rating_count) == (3.5, 2)
    engine = market.services.get(search.SearchEngine)
    await Indexer(market.db, engine).drain()
    engine.refresh()
    for least, found in ((3.0, True), (4.0, False)):
        query = search.SearchQuery(text=listing.title, rating_min=least)
        result = await search.search(engine, query)
        assert (listing.id in result.ids) is found


async def test_changing_and_deleting_the_own_review(market: Market) -> None:
    _, listing, buyer, order = await bought(market)
    made = (await review(buyer, order, listing, stars=1, text="Broken.")).json()
    url = f"{REVIEWS}/{made['id']}"
    changed = await buyer.http.patch(url, json={"stars": 4, "text": "Replaced at once."})
    assert changed.json()["stars"] == 4
    assert changed.json()["edited_at"] is not None
    stranger = market.guest()
    assert (await stranger.http.patch(url, json={"stars": 1})).status_code == 404
    assert (await stranger.http.delete(url)).status_code == 404
    mine = (await buyer.http.get(f"{REVIEWS}/mine")).json()
    assert [one["id"] for one in mine["items"]] == [made["id"]]
    assert (await buyer.http.delete(url)).status_code == 204
    assert (await buyer.http.get(url)).status_code == 404
    assert (await buyer.http.get(f"{REVIEWS}/mine")).json()["items"] == []
    waiting = (await buyer.http.get(f"{REVIEWS}/to-write")).json()["items"]
    assert {one["kind"] for one in waiting} == {"listing", "seller"}
    assert (await review(buyer, order, listing)).status_code == 201


def picture() -> bytes:
    """A JPEG that says where it was taken."""
    plain = pyvips.Image.black(400, 300, bands=3)
    image = plain.linear(1, [90, 140, 60]).cast("uchar").copy()
    image.set_type(pyvips.GValue.gstr_type, "exif-ifd3-GPSLatitude", "50/1 55/1 0/1")
    return image.jpegsave_buffer()


async def test_photos_are_checked_cleaned_and_made_small(market: Market) -> None:
    _, listing, buyer, order = await bought(market)
    made = (await review(buyer, order, listing)).json()
    url = f"{REVIEWS}/{made['id']}/photos"
    fake = {"file": ("leaf.jpg", io.BytesIO(b"MZ not a picture"), "image/jpeg")}
    refused = await buyer.http.post(url, files=fake)
    assert refused.status_code in {400, 422}, refused.text
    content = picture()
    for place in range(5):
        files = {"file": (f"{place}.jpg", io.BytesIO(content), "image/jpeg")}
        answer = await buyer.http.post(url, files=files)
        assert answer.status_code == 201, answer.text
    full = {"file": ("6.jpg", io.BytesIO(content), "image/jpeg")}
    assert (await buyer.http.post(url, files=full)).json()["code"] == "too_many_photos"
    stranger = market.guest()
    strange = {"file": ("6.jpg", io.BytesIO(content), "image/jpeg")}
    assert (await stranger.http.post(url, files=strange)).status_code == 404
    photos = (await buyer.http.get(f"{REVIEWS}/{made['id']}")).json()["photos"]
    assert len(photos) == 5
    stored = await market.services.files.get(f"{photos[0]['key']}/full.webp")
    assert stored[:4] == b"RIFF"
    assert b"GPS" not in stored
    assert b"Exif" not in stored
    gone = await buyer.http.delete(f"{url}/{photos[0]['id']}")
    assert len(gone.json()["photos"]) == 4
    shown = await buyer.http.get(
        REVIEWS, params={"listing": str(listing.id), "with_photos": "true"}
    )
    assert len(shown.json()["items"]) == 1


async def test_what_went_back_says_so_and_still_counts(market: Market) -> None:
    shop = await market.shop()
    listing = await shop.goods()
    buyer = market.guest()
    order = await buyer.buy((listing, 1))
    part = order["seller_orders"][0]
    await shop.post(f"{part['id']}/ship", PARCEL)

    async def arrive(tx: Any) -> None:
        locked = await orders.lock_part(tx, seller_order_id=UUID(part["id"]))
        await steps.confirm_delivery(tx, TEST, part=locked)

    await market.db.transact(arrive)
    made = (await review(buyer, order, listing, stars=2)).json()
    url = f"/api/v1/orders/{order['id']}/parts/{part['id']}/request-return"
    asked = await buyer.http.post(url, json={"reason": "Too small."})
    assert asked.status_code == 200, asked.text
    back = await shop.post(f"{part['id']}/returned", {"reason": "It is here."})
    assert back.status_code == 200, back.text
    await market.drain()
    shown = (await buyer.http.get(f"{REVIEWS}/{made['id']}")).json()
    assert shown["returned"] is True
    async with market.db.read() as conn:
        assert (await reviews.rating(conn, listing.id)).count == 1


async def test_new_accounts_are_looked_at_first(market: Market) -> None:
    shop = await market.shop()
    listing = await shop.goods()
    buyer, person = await market.member()
    order = await buyer.buy((listing, 1))
    await deliver(buyer, order, shop)
    held = (await review(buyer, order, listing)).json()
    assert held["state"] == "held"
    assert (await buyer.http.get(f"{REVIEWS}/{held['id']}")).status_code == 404
    moderator = await market.operator(Role.MODERATOR)
    queue = (await moderator.get("/api/v1/admin/reviews")).json()["items"]
    assert [one["held_for"] for one in queue if one["id"] == held["id"]] == [["new_account"]]
    shown = await moderator.post(f"/api/v1/admin/reviews/{held['id']}/publish", json={})
    assert shown.json()["state"] == "published"
    await market.drain()
    assert "review_shown" in await notices(market, person)
    hidden = await moderator.post(
        f"/api/v1/admin/reviews/{held['id']}/hide", json={"reason": "It names a neighbour."}
    )
    assert hidden.json()["state"] == "hidden"
    await market.drain()
    assert "review_hidden" in await notices(market, person)
    (mine,) = (await buyer.http.get(f"{REVIEWS}/mine")).json()["items"]
    assert mine["note"] == "It names a neighbour."


async def notices(market: Market, person: Person) -> list[str]:
    async with market.db.read() as conn:
        page = await notifications.notices(conn, user_id=person.id)
    return [one.kind for one in page.items]


async def test_shop_and_author_talk_and_readers_vote(market: Market) -> None:
    author, person = await old_member(market)
    shop, listing, author, order = await bought(market, buyer=author)
    made = (await review(author, order, listing, stars=3, text="Nice, but late.")).json()
    assert made["state"] == "published"
    await market.drain()
    assert "review_received" in await notices(market, shop.owner)
    url = f"{REVIEWS}/{made['id']}"
    reply = await shop.http.put(f"{url}/reply", json={"text": "We are sorry for the delay."})
    assert reply.status_code == 200, reply.text
    await market.drain()
    assert "review_answered" in await notices(market, person)
    other = await market.shop("Other")
    assert (await other.http.put(f"{url}/reply", json={"text": "Ha."})).status_code == 404
    assert (await author.http.put(f"{url}/helpful")).json()["code"] == "own_review"
    assert (await shop.http.put(f"{url}/helpful")).json()["code"] == "own_shop"
    reader, _ = await market.member()
    assert (await reader.http.put(f"{url}/helpful")).json() == {"helpful": 1}
    assert (await reader.http.put(f"{url}/helpful")).json() == {"helpful": 1}
    assert (await reader.http.delete(f"{url}/helpful")).json() == {"helpful": 0}
    said = await reader.http.post(f"{url}/reports", json={"reason": "spam", "note": "Copied."})
    assert said.status_code == 204
    moderator = await market.operator(Role.MODERATOR)
    queue = await moderator.get("/api/v1/admin/reviews", params={"queue": "reported"})
    assert [one["reports"][0]["note"] for one in queue.json()["items"]] == ["Copied."]
    assert (await moderator.post(f"/api/v1/admin/reviews/{made['id']}/dismiss")).status_code == 200
    desk = await shop.http.get("/api/v1/seller/reviews", params={"filter": "unanswered"})
    assert desk.json()["items"] == []
    figures = (await shop.http.get("/api/v1/seller/reviews/analytics")).json()
    assert (figures["count"], figures["low"], figures["average"]) == (1, 1, 3.0)


async def test_nobody_reviews_the_own_shop(market: Market) -> None:
    shop = await market.shop()
    listing = await shop.goods()
    owner = Buyer(market, bearer=await market.bearer(shop.owner.id))
    order = await owner.buy((listing, 1))
    await deliver(owner, order, shop)
    assert (await review(owner, order, listing)).json()["code"] == "own_shop"


async def test_buyers_are_asked_once_and_not_when_they_said_it_already(market: Market) -> None:
    buyer, person = await old_member(market)
    _, listing, buyer, order = await bought(market, buyer=buyer)
    talker, talked = await old_member(market)
    _, other_listing, talker, other_order = await bought(market, buyer=talker)
    await review(talker, other_order, other_listing)
    await ask_for_reviews(market.services)
    assert "review_wanted" not in await notices(market, person)
    await later(market, buyer, person, timedelta(days=6))
    await ask_for_reviews(market.services)
    assert (await notices(market, person)).count("review_wanted") == 1
    assert "review_wanted" not in await notices(market, talked)
    assert await ask_for_reviews(market.services) == 0
    late = await review(buyer, order, listing)
    assert late.status_code == 201
    await later(market, buyer, person, timedelta(days=181))
    part = order["seller_orders"][0]["id"]
    over = await buyer.http.post(REVIEWS, json={"seller_order_id": part, "stars": 5})
    assert over.json()["code"] == "review_window_over"


async def test_refusing_advertising_leaves_the_notice_only(market: Market) -> None:
    buyer, person = await old_member(market)
    await bought(market, buyer=buyer)
    await market.db.transact(
        lambda tx: compliance.record_consents(
            tx,
            TEST,
            subject=f"user:{person.id}",
            answers={compliance.ConsentPurpose.MARKETING_MAIL: False},
        )
    )
    market.clock.advance(timedelta(days=6))
    await ask_for_reviews(market.services)
    assert "review_wanted" in await notices(market, person)
    async with market.db.read() as conn:
        mails = await conn.fetchval(
            "SELECT count(*) FROM notifications.message WHERE dedupe_key LIKE 'review_wanted:%'"
            " AND address = $1",
            person.email,
        )
    assert mails == 0


async def test_standing_comes_from_reviews_and_from_service(market: Market) -> None:
    shop = await market.shop()
    listing = await shop.goods(stock=20)
    placed: list[tuple[Buyer, Any]] = []
    for _ in range(4):
        buyer = market.guest()
        placed.append((buyer, await buyer.buy((listing, 1))))
    for buyer, order in placed[:2]:
        await deliver(buyer, order, shop)
    part = placed[2][1]["seller_orders"][0]["id"]
    await shop.post(f"{part}/cancel", {"reason": "None is left."})
    await market.drain()
    async with market.db.read() as conn:
        waiting = await conn.fetchval(
            "SELECT count(*) FROM jobs.pgqueuer WHERE dedupe_key = $1",
            f"{REFRESH_RECORD}:{shop.seller_id}",
        )
    assert waiting == 1
    await refresh_one(market.services, RefreshRecord(shop.seller_id))

    async def front() -> sellers.SellerAccount:
        async with market.db.read() as conn:
            return await sellers.account(conn, seller_id=shop.seller_id)

    now = await front()
    assert (now.orders_due, now.orders_on_time, now.orders_cancelled) == (2, 2, 1)
    # No review yet: 4 for seven tenths; two of three carried out, 1 + 4 × 2/3, for the rest.
    assert now.standing == 3.9
    market.clock.advance(timedelta(days=4))
    await refresh_records(market.services)
    late = await front()
    assert (late.orders_due, late.orders_on_time, late.orders_cancelled) == (3, 2, 1)
    assert late.standing == 3.7
    buyer, order = placed[0]
    body = {"seller_order_id": order["seller_orders"][0]["id"], "stars": 5}
    assert (await buyer.http.post(REVIEWS, json=body)).status_code == 201
    await market.drain()
    # (5 + 5 × 4) / 6 = 4.17 for seven tenths, 3.0 for three tenths.
    assert (await front()).standing == 3.82
