"""What the demo's customers say of what they received, some days after it came.

Repeatable: what was reviewed in an earlier run, or asked about, is left as it is.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from souk.contexts.listings import api as listings
from souk.contexts.orders import api as orders
from souk.contexts.reviews import api as reviews
from souk.demo import opinions
from souk.demo.catalogue import SEED
from souk.demo.fill_goods import Made
from souk.demo.fill_people import STAFF
from souk.demo.fill_world import Person, World
from souk.demo.model import PhotoSpec
from souk.demo.pictures import snapshot
from souk.flows.review_purchase import flow
from souk.flows.review_purchase.jobs import ask_for_reviews, refresh_records
from souk.platform.database import WriteTx
from souk.platform.http.holder import Holder

_GOODS_SHARE, _SHOP_SHARE, _PHOTO_SHARE = 0.52, 0.3, 0.4
_HELD = "Good. The same thing is on www.cheaper-plants.example for less, look there first."
_HIDDEN = "The owner is an idiot and lives at the end of Mill Lane, go and tell him."
_WHY = "It insults a person and says where he lives."


class _Opinion(msgspec.Struct, frozen=True):
    """What will be said when, by whom, of which line; of the shop without a line."""

    at: datetime
    author: Person
    owner: Person
    part_id: UUID
    line_id: UUID | None
    stars: int
    text: str
    seed: int
    photo: PhotoSpec | None = None


async def opinions_of(world: World, offered: Sequence[Made]) -> None:
    """Reviews with answers and votes; one is held, one was reported, one hidden."""
    topics = {
        made.listing_id: opinions.topic_of(
            category=made.spec.category,
            kind=made.spec.draft.kind,
            plant=bool(made.spec.species),
        )
        for made in offered
    }
    # A review names nobody whose photograph it shows, as some licences ask for.
    photos = {
        made.listing_id: made.spec.photos[0]
        for made in offered
        if made.spec.photos
        and made.spec.photos[0].path
        and not made.spec.photos[0].licence.startswith("CC-BY")
    }
    planned = await _planned(world, topics, photos)
    shown = False
    for done, opinion in enumerate(planned):
        world.report("reviews", done, len(planned))
        world.clock.set(opinion.at)
        # Whoever is the first that could show what arrived does, also in a small marketplace.
        shown = await _say(world, opinion, place=done, sure=not shown) or shown
    world.clock.set(world.present)
    await world.relay.drain()
    await ask_for_reviews(world.services)
    await refresh_records(world.services)
    await world.relay.drain()
    world.report("reviews", len(planned), len(planned))


async def _planned(
    world: World, topics: dict[UUID, str], photos: dict[UUID, PhotoSpec]
) -> list[_Opinion]:
    people = {person.user_id: person for person in world.people.values()}
    found: list[_Opinion] = []
    for owner in world.shops.values():
        assert owner.seller_id is not None
        cursor: str | None = None
        while True:
            async with world.db.read() as conn:
                page = await orders.seller_orders(
                    conn, seller_id=owner.seller_id, cursor=cursor, limit=100
                )
                parts = [await orders.seller_order(conn, row.id) for row in page.items]
            for part in parts:
                author = people.get(part.buyer_id) if part.buyer_id else None
                if author is not None and part.delivered_at is not None:
                    found += _about(part, author, owner, topics, photos, world.present)
            cursor = page.next_cursor
            if cursor is None:
                break
    return sorted(found, key=lambda one: (one.at, one.seed))


def _about(
    part: orders.SellerOrderView,
    author: Person,
    owner: Person,
    topics: dict[UUID, str],
    photos: dict[UUID, PhotoSpec],
    present: datetime,
) -> list[_Opinion]:
    assert part.delivered_at is not None
    seed = SEED + int(part.number.replace("-", ""), 36) % 1_000_003
    rng = random.Random(f"{seed} {part.seller_id}")  # noqa: S311  variety, not secrets
    at = part.delivered_at + timedelta(days=rng.uniform(0.5, 9))
    if at > present:
        return []
    seen: set[UUID] = set()
    found: list[_Opinion] = []
    returned = part.state == "returned"
    for line in part.lines:
        if line.listing_id in seen or rng.random() > _GOODS_SHARE:
            continue
        seen.add(line.listing_id)
        stars = min(opinions.stars(rng), 3) if returned else opinions.stars(rng)
        text = opinions.words(rng, topics.get(line.listing_id, "home"), stars)
        photo = photos.get(line.listing_id) if text and stars >= 4 else None
        seen_as = rng.getrandbits(30)
        found.append(_Opinion(at, author, owner, part.id, line.id, stars, text, seen_as, photo))
    if rng.random() < _SHOP_SHARE:
        stars = opinions.stars(rng)
        text = opinions.words_for_shop(rng, stars)
        found.append(_Opinion(at, author, owner, part.id, None, stars, text, rng.getrandbits(30)))
    return found


async def _say(world: World, opinion: _Opinion, *, place: int, sure: bool) -> bool:
    """Publish an opinion and what others do with it; returns whether it shows photos."""
    rng = random.Random(opinion.seed)  # noqa: S311
    text = {12: _HIDDEN, 30: _HELD}.get(place, opinion.text)
    actor = opinion.author.actor()

    async def write(tx: WriteTx) -> reviews.Review:
        return await flow.write(
            tx,
            actor,
            Holder(user_id=opinion.author.user_id),
            stars=1 if place == 12 else opinion.stars,
            text=text,
            line_id=opinion.line_id,
            seller_order_id=None if opinion.line_id else opinion.part_id,
        )

    try:
        review = await world.db.transact(write)
    except reviews.AlreadyReviewed:
        return False
    shown = False
    if place == 12:
        moderator = world.people[next(iter(STAFF))].actor()
        await world.db.transact(
            lambda tx: reviews.hide(tx, moderator, review_id=review.id, reason=_WHY)
        )
    elif review.state is reviews.State.PUBLISHED:
        shown = await _show(world, opinion, review, sure=sure)
        await _answer(world, opinion, review, rng)
        await _judge(world, opinion, review, rng, reported=place == 44)
    return shown


async def _show(world: World, opinion: _Opinion, review: reviews.Review, *, sure: bool) -> bool:
    """Some add photos, one to three, and who is `sure` to; returns whether this one did."""
    rng = random.Random(f"photos {opinion.seed}")  # noqa: S311
    if opinion.photo is None or (rng.random() > _PHOTO_SHARE and not sure):
        return False
    holder = Holder(user_id=opinion.author.user_id)
    for _ in range(rng.choices((1, 2, 3), (5, 3, 2))[0]):
        content = await asyncio.to_thread(snapshot, opinion.photo, rng)
        stored = await listings.store_image(world.services.files, content)
        await world.db.transact(
            lambda tx, stored=stored: flow.add_photo(tx, holder, review_id=review.id, photo=stored)
        )
    return True


async def _answer(
    world: World, opinion: _Opinion, review: reviews.Review, rng: random.Random
) -> None:
    likely = 0.6 if review.stars <= 3 else 0.22
    at = opinion.at + timedelta(hours=rng.uniform(2, 40))
    if rng.random() > likely or at > world.present or not review.text:
        return
    world.clock.set(at)
    seller_id = review.seller_id
    text = opinions.reply(rng, review.stars)
    await world.db.transact(
        lambda tx: reviews.reply(
            tx, opinion.owner.actor(), review_id=review.id, seller_id=seller_id, text=text
        )
    )


async def _judge(
    world: World,
    opinion: _Opinion,
    review: reviews.Review,
    rng: random.Random,
    *,
    reported: bool,
) -> None:
    readers = [
        world.people[spec.email]
        for spec in rng.sample(world.demo.buyers, 12)
        if spec.email != opinion.author.email
    ]
    helpful = rng.choices((0, 1, 2, 3, 5, 8), (50, 20, 12, 9, 6, 3))[0] if review.text else 0
    for reader in readers[:helpful]:
        await world.db.transact(
            lambda tx, reader=reader: reviews.vote(
                tx, reader.actor(), review_id=review.id, helpful=True
            )
        )
    if reported:
        await world.db.transact(
            lambda tx: reviews.report(
                tx,
                readers[0].actor(),
                review_id=review.id,
                reason=reviews.ReportReason.UNTRUE,
                note="I have the same one and it is not like that at all.",
            )
        )
