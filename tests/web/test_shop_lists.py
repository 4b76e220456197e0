"""Wishlist, recently viewed, reports, cookie choice and the cart's sums, without scripts."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from souk.contexts.carts import api as carts
from souk.contexts.compliance import api as compliance
from souk.contexts.identity import api as identity
from souk.contexts.listings import api as listings
from souk.contexts.listings import store as listing_store
from souk.flows.remind_carts.jobs import remind_of_carts
from souk.kernel.actor import Actor
from souk.kernel.clock import SettableClock
from souk.kernel.ids import uuid7
from souk.platform.database import Database, WriteTx, count_statements
from souk.platform.http.holder import GUEST_COOKIE, Holder
from souk.platform.services import Services
from souk.web.page import CONSENT_COOKIE
from souk.web.storefront.seen import SEEN_COOKIE, decode, encode
from tests.web.conftest import Member, Visitor, text_of
from tests.web.world import World, put_up

FILLED = 'value="drop:{}" aria-pressed="true"'
EMPTY = 'value="add:{}" aria-pressed="false"'


async def keep(visitor: Visitor, listing: listings.Listing, act: str = "add") -> None:
    answer = await visitor.submit("/wishlist/items", {"wish": f"{act}:{listing.id}"})
    assert answer.status_code == 303, answer.text[:500]


async def test_hearts_on_drawn_pages_are_the_visitors_own(
    visitor: Visitor, other: Visitor, world: World
) -> None:
    path = f"/listing/{world.olive.slug}"
    assert EMPTY.format(world.olive.id) in await visitor.page(path)
    await keep(visitor, world.olive)
    assert FILLED.format(world.olive.id) in await visitor.page(path)
    assert EMPTY.format(world.olive.id) in await other.page(path)
    await keep(visitor, world.olive, "drop")
    assert EMPTY.format(world.olive.id) in await visitor.page(path)


async def test_wishlist_comes_along_and_moves_to_the_cart(
    visitor: Visitor, world: World, join: Member
) -> None:
    await keep(visitor, world.olive)
    await keep(visitor, world.guide)
    await join(visitor)
    html = await visitor.page("/wishlist")
    assert "2 things that you keep in view" in text_of(html)
    answer = await visitor.submit("/wishlist/to-cart", {"listing_id": str(world.olive.id)})
    assert answer.headers["location"] == f"/listing/{world.olive.slug}"
    answer = await visitor.submit("/wishlist/to-cart", {"listing_id": str(world.guide.id)})
    assert answer.headers["location"] == "/wishlist"
    assert world.guide.slug in await visitor.page("/cart")
    assert "1 thing that you keep in view" in text_of(await visitor.page("/wishlist"))


async def test_wishlist_says_what_became_cheaper(
    visitor: Visitor, world: World, services: Services
) -> None:
    listing = await put_up(
        services.db, services.files, world.nursery, world.plants, title="Dear fern", prices=(2_000,)
    )
    await keep(visitor, listing)

    async def cheaper(tx: WriteTx) -> None:
        found = await listing_store.lock(tx, listing.id, seller_id=None)
        assert found is not None
        changed, facts = found
        changed.variants = [msgspec.structs.replace(changed.variants[0], price=1_500)]
        await listing_store.save(tx, changed, facts, variants=True)

    await services.db.transact(cheaper)
    words = text_of(await visitor.page("/wishlist"))
    assert "Was €20.00 when you kept it" in words
    assert "€15.00" in words


@pytest.mark.parametrize("path", ["/wishlist", "/recently-viewed", "/cart"])
async def test_lists_ask_as_often_for_fifty_as_for_one(
    visitor: Visitor, world: World, services: Services, path: str
) -> None:
    made: list[listings.Listing] = []

    async def fill(n: int) -> int:
        for _ in range(n):
            listing = await put_up(
                services.db, services.files, world.nursery, world.plants, title="A seed"
            )
            made.append(listing)
            await keep(visitor, listing)
            variant = str(listing.variants[0].id)
            await visitor.submit("/cart/items", {"variant_id": variant})
        visitor.cookies.set(SEEN_COOKIE, encode(one.id for one in made[-16:]))
        await visitor.page(path)
        async with count_statements() as count:
            await visitor.page(path)
        return count.total

    assert await fill(1) >= await fill(49)


async def test_looks_of_a_guest_stay_in_the_browser(visitor: Visitor, world: World) -> None:
    assert (await visitor.get("/recently-viewed/row")).status_code == 204
    async with count_statements() as count:
        for listing in (world.olive, world.lavender, world.olive):
            await visitor.page(f"/listing/{listing.slug}")
    assert not [text for text in count.texts if text.lstrip().startswith("INSERT")]
    assert GUEST_COOKIE not in visitor.cookies
    assert decode(visitor.cookies[SEEN_COOKIE]) == [world.olive.id, world.lavender.id]
    html = await visitor.page("/recently-viewed")
    assert html.index(world.olive.slug) < html.index(world.lavender.slug)
    row = await visitor.page(f"/recently-viewed/row?but={world.olive.id}")
    assert f"/listing/{world.olive.slug}" not in row
    await visitor.submit("/recently-viewed/clear")
    assert "Nothing looked at yet" in text_of(await visitor.page("/recently-viewed"))


async def test_looks_are_kept_with_the_account(
    visitor: Visitor, world: World, join: Member
) -> None:
    await visitor.page(f"/listing/{world.lamp.slug}")
    await join(visitor)
    await visitor.page(f"/listing/{world.guide.slug}")
    assert SEEN_COOKIE not in visitor.cookies
    html = await visitor.page("/recently-viewed")
    assert html.index(world.guide.slug) < html.index(world.lamp.slug)
    await visitor.submit("/recently-viewed/clear")
    assert "Nothing looked at yet" in text_of(await visitor.page("/recently-viewed"))


@pytest.mark.parametrize("value", ["", "x", "€", "AAAA", encode([uuid7()]) + "A" * 999])
def test_a_made_up_cookie_is_nothing(value: str) -> None:
    assert decode(value) == []


async def test_a_report_is_kept_once_and_seen_by_operators(
    visitor: Visitor, world: World, db: Database
) -> None:
    path = f"/listing/{world.lamp.slug}/report"
    assert "What is wrong with it?" in text_of(await visitor.page(path))
    refused = await visitor.submit(path, {"reason": "", "note": "?"})
    assert refused.status_code == 422
    refused = await visitor.submit(path, {"reason": "boring"})
    assert refused.status_code == 422
    await keep(visitor, world.lamp)
    for _ in range(2):
        sent = {"reason": "counterfeit", "note": "The maker's mark is wrong."}
        answer = await visitor.submit(path, sent)
        assert answer.status_code == 303, answer.text[:500]
    async with db.read() as conn:
        [kept] = await listings.reports_of(conn, world.lamp.id)
        waiting = (await listings.reported.queue(conn)).items
    assert (world.lamp.id, "Reading lamp", 1) in [
        (row.id, row.title, row.reports) for row in waiting
    ]
    assert (kept.reason, kept.note) == ("counterfeit", "The maker's mark is wrong.")


async def test_cookies_are_asked_about_once(visitor: Visitor, db: Database) -> None:
    assert "A word about cookies" in text_of(await visitor.page("/"))
    await visitor.submit("/cookies", {"act": "necessary", "back": "/"})
    assert visitor.cookies[CONSENT_COOKIE] == "1"
    assert GUEST_COOKIE not in visitor.cookies
    assert "A word about cookies" not in text_of(await visitor.page("/"))
    await visitor.submit("/cookies", {"act": "choose", "analytics": "1"})
    html = await visitor.page("/cookies")
    [box] = re.findall(r'<input type="checkbox" id="f-analytics"[^>]*>', html)
    assert "checked" in box
    [box] = re.findall(r'<input type="checkbox" id="f-personalisation"[^>]*>', html)
    assert "checked" not in box


async def test_cart_reckons_the_delivery_of_each_seller(visitor: Visitor, world: World) -> None:
    for variant in (world.olive.variants[0], world.guide.variants[0]):
        await visitor.submit("/cart/items", {"variant_id": str(variant.id)})
    words = text_of(await visitor.page("/cart"))
    assert f"Parcel of {world.nursery.name}" in words
    assert f"Parcel of {world.press.name}" not in words
    assert "Ready to download at once" in words
    [goods] = re.findall(r"Goods €([\d.]+)", words)
    [total] = re.findall(r"Total €([\d.]+)", words)
    [parcel] = re.findall(rf"Parcel of {world.nursery.name} (free|€[\d.]+)", words)
    delivery = 0.0 if parcel == "free" else float(parcel[1:])
    assert float(total) == pytest.approx(float(goods) + delivery)


async def test_similar_listings_are_of_the_same_sort(visitor: Visitor, world: World) -> None:
    html = await visitor.page(f"/listing/{world.olive.slug}")
    [section] = re.findall(r"<h2>More like this</h2>.*?</section>", html, re.S)
    assert world.lavender.slug in section
    assert f'href="/listing/{world.olive.slug}"' not in section


async def test_a_cart_left_standing_is_written_about_once(
    services: Services, visitor: Visitor, other: Visitor, world: World, join: Member
) -> None:
    """Only to the member who allowed it, and only while something can be bought."""
    db = services.db
    assert isinstance(db.clock, SettableClock)
    variant = str(world.lavender.variants[0].id)
    emails = [await join(one) for one in (visitor, other)]
    for one in (visitor, other):
        await one.submit("/cart/items", {"variant_id": variant})
    async with db.read() as conn:
        ids = [await identity.user_id_of(conn, email=email) for email in emails]
    allowing = Holder(user_id=ids[0])
    answers = {compliance.ConsentPurpose.MARKETING_MAIL: True}
    actor = Actor(kind="user", user_id=ids[0])
    await db.transact(
        lambda tx: compliance.record_consents(tx, actor, subject=allowing.label(), answers=answers)
    )
    db.clock.advance(timedelta(hours=carts.IDLE_HOURS, minutes=1))
    for _ in range(2):
        await remind_of_carts(services)
    async with db.read() as conn:
        sent = await conn.fetch(
            "SELECT address FROM notifications.message WHERE kind = 'cart_waiting'"
        )
    assert [row["address"] for row in sent] == [emails[0]]


async def test_a_payment_under_way_is_found_again_from_the_cart(
    visitor: Visitor, other: Visitor, world: World, db: Database
) -> None:
    variant = str(world.guide.variants[0].id)
    await visitor.submit("/cart/items", {"variant_id": variant})
    begun = await visitor.submit("/checkout")
    checkout = begun.headers["location"].rsplit("/", 1)[1]
    assert "A payment is under way" not in text_of(await visitor.page("/cart"))
    await db.transact(
        lambda tx: tx.execute(
            "UPDATE orders.checkout SET state = 'awaiting_payment' WHERE id = $1", UUID(checkout)
        )
    )
    assert f'href="/checkout/{checkout}"' in await visitor.page("/cart")
    assert "A payment is under way" not in text_of(await other.page("/cart"))
