"""`/api/v1/reviews`: reading, answering, voting, reporting, deciding.

Writing stands in the flow `review_purchase`, which knows what was bought.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath, Parameter, QueryParameter

from souk.contexts.reviews import commands, queries
from souk.contexts.reviews.domain import MAX_REASON, MAX_REPLY, ReportReason
from souk.contexts.reviews.queries import (
    Analytics,
    Filter,
    ModeratedReview,
    Order,
    Queue,
    ReviewView,
)
from souk.kernel.actor import Actor, Permission
from souk.kernel.errors import FieldProblem, InvalidInput
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.wire import Limit, Listed

_MODERATE = access.operator(Permission.REVIEWS_MODERATE)
_Cursor = Annotated[str | None, Parameter(max_length=1024)]
_Stars = Annotated[int | None, QueryParameter(ge=1, le=5)]
_ONE = "/api/v1/reviews/{review_id:uuid}"
_ADMIN = "/api/v1/admin/reviews"


class RatingView(msgspec.Struct, frozen=True):
    """What published reviews come to. `stars` is how many gave 1, 2, 3, 4 and 5 stars."""

    average: float | None
    count: int
    stars: list[int]


class Reviews(msgspec.Struct, frozen=True):
    """One page of reviews, and what all of them come to; `next_cursor` is null on the last."""

    items: list[ReviewView]
    rating: RatingView
    next_cursor: str | None = None


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The seller's answer."""

    text: Annotated[str, msgspec.Meta(min_length=2, max_length=MAX_REPLY)]


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is wrong with a review."""

    reason: ReportReason
    note: Annotated[str, msgspec.Meta(max_length=MAX_REASON)] = ""


class Why(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sentence that the author will read."""

    reason: Annotated[str, msgspec.Meta(min_length=3, max_length=MAX_REASON)]


class PublishReview(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The reason may stay empty."""

    reason: Annotated[str, msgspec.Meta(max_length=MAX_REASON)] = ""


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words for which reviews are held."""

    words: Annotated[
        list[Annotated[str, msgspec.Meta(min_length=2, max_length=60)]],
        msgspec.Meta(max_length=500),
    ]


class Helpful(msgspec.Struct, frozen=True):
    """How many found the review helpful."""

    helpful: int


async def _reviews(
    db: Database,
    subject_id: UUID,
    *,
    stars: int | None,
    with_photos: bool,
    order: Order,
    cursor: str | None,
    limit: int,
) -> Reviews:
    async with db.read() as conn:
        page = await queries.of_subject(
            conn,
            subject_id,
            stars=stars,
            with_photos=with_photos,
            order=order,
            cursor=cursor,
            limit=limit,
        )
        found = await queries.rating(conn, subject_id)
    rating = RatingView(found.average, found.count, found.stars)
    return Reviews(page.items, rating, page.next_cursor)


@get("/api/v1/reviews", access=access.PUBLIC)
async def list_reviews(
    db: Database,
    listing: UUID | None = None,
    seller: UUID | None = None,
    stars: _Stars = None,
    with_photos: bool = False,  # noqa: FBT001, FBT002 - a query parameter
    sort: Order = Order.NEWEST,
    cursor: _Cursor = None,
    limit: Limit = 20,
) -> Reviews:
    """The published reviews of one listing, or of one seller, with what they come to."""
    subject = listing or seller
    if subject is None or (listing and seller):
        problem = FieldProblem("listing", "required", "Name one listing or one seller.")
        raise InvalidInput("Say whose reviews you want.", problems=[problem])
    return await _reviews(
        db, subject, stars=stars, with_photos=with_photos, order=sort, cursor=cursor, limit=limit
    )


@get("/api/v1/listings/{listing_id:uuid}/reviews", access=access.PUBLIC)
async def listing_reviews(
    db: Database,
    listing_id: FromPath[UUID],
    stars: _Stars = None,
    sort: Order = Order.NEWEST,
    cursor: _Cursor = None,
    limit: Limit = 20,
) -> Reviews:
    """The published reviews of a listing, with what they come to."""
    return await _reviews(
        db, listing_id, stars=stars, with_photos=False, order=sort, cursor=cursor, limit=limit
    )


@get("/api/v1/sellers/{seller_id:uuid}/reviews", access=access.PUBLIC)
async def shop_reviews(
    db: Database,
    seller_id: FromPath[UUID],
    stars: _Stars = None,
    sort: Order = Order.NEWEST,
    cursor: _Cursor = None,
    limit: Limit = 20,
) -> Reviews:
    """The published reviews of a seller, with what they come to."""
    return await _reviews(
        db, seller_id, stars=stars, with_photos=False, order=sort, cursor=cursor, limit=limit
    )


@get(_ONE, access=access.PUBLIC)
async def read_review(db: Database, review_id: FromPath[UUID]) -> ReviewView:
    """One published review."""
    async with db.read() as conn:
        return await queries.published(conn, review_id)


@put(_ONE + "/reply", access=access.SELLER, idempotent=True, rate="write")
async def reply(data: Reply, db: Database, actor: Actor, review_id: FromPath[UUID]) -> ReviewView:
    """Answer a review of the caller's shop or goods, or change that answer."""
    seller_id = actor.seller_id
    assert seller_id is not None
    review = await db.transact(
        lambda tx: commands.reply(
            tx, actor, review_id=review_id, seller_id=seller_id, text=data.text
        )
    )
    return queries.view_of(review)


@delete(_ONE + "/reply", access=access.SELLER, rate="write", status_code=200)
async def withdraw_reply(db: Database, actor: Actor, review_id: FromPath[UUID]) -> ReviewView:
    """Take the answer away."""
    seller_id = actor.seller_id
    assert seller_id is not None
    review = await db.transact(
        lambda tx: commands.withdraw_reply(tx, review_id=review_id, seller_id=seller_id)
    )
    return queries.view_of(review)


@put(_ONE + "/helpful", access=access.SIGNED_IN, rate="write")
async def vote(db: Database, actor: Actor, review_id: FromPath[UUID]) -> Helpful:
    """Say that a review helped; repeating changes nothing."""
    review = await db.transact(
        lambda tx: commands.vote(tx, actor, review_id=review_id, helpful=True)
    )
    return Helpful(review.helpful)


@delete(_ONE + "/helpful", access=access.SIGNED_IN, rate="write", status_code=200)
async def unvote(db: Database, actor: Actor, review_id: FromPath[UUID]) -> Helpful:
    """Take the vote back; repeating changes nothing."""
    review = await db.transact(
        lambda tx: commands.vote(tx, actor, review_id=review_id, helpful=False)
    )
    return Helpful(review.helpful)


@post(_ONE + "/reports", access=access.SIGNED_IN, idempotent=True, rate="write", status_code=204)
async def report(data: Report, db: Database, actor: Actor, review_id: FromPath[UUID]) -> None:
    """Bring a review before the operators; once per person."""
    await db.transact(
        lambda tx: commands.report(
            tx, actor, review_id=review_id, reason=data.reason, note=data.note
        )
    )


@get("/api/v1/seller/reviews", access=access.SELLER)
async def shop_desk(
    db: Database,
    actor: Actor,
    which: Annotated[Filter, QueryParameter(name="filter")] = Filter.ALL,
    cursor: _Cursor = None,
    limit: Limit = 20,
) -> Listed[ReviewView]:
    """What was said of the caller's shop and goods."""
    assert actor.seller_id is not None
    async with db.read() as conn:
        page = await queries.of_seller(
            conn, actor.seller_id, which=which, cursor=cursor, limit=limit
        )
    return Listed.of(page)


@get("/api/v1/seller/reviews/analytics", access=access.SELLER)
async def shop_figures(db: Database, actor: Actor) -> Analytics:
    """The reviews of the caller's shop and goods in figures."""
    assert actor.seller_id is not None
    async with db.read() as conn:
        return await queries.analytics(conn, actor.seller_id)


@get(_ADMIN, access=_MODERATE)
async def list_queue(
    db: Database, queue: Queue = Queue.HELD, cursor: _Cursor = None, limit: Limit = 20
) -> Listed[ModeratedReview]:
    """Reviews that wait for a decision, were reported, or are hidden."""
    async with db.read() as conn:
        return Listed.of(await queries.queue(conn, queue, cursor=cursor, limit=limit))


@get(_ADMIN + "/{review_id:uuid}", access=_MODERATE)
async def read_any(db: Database, review_id: FromPath[UUID]) -> ModeratedReview:
    """Any living review, with what is held against it and what it said before."""
    async with db.read() as conn:
        return await queries.moderated(conn, review_id)


@post(
    _ADMIN + "/{review_id:uuid}/hide",
    access=_MODERATE,
    idempotent=True,
    rate="write",
    status_code=200,
)
async def hide(data: Why, db: Database, actor: Actor, review_id: FromPath[UUID]) -> ModeratedReview:
    """Take a review out of sight; its author reads the reason."""
    await db.transact(lambda tx: commands.hide(tx, actor, review_id=review_id, reason=data.reason))
    return await _decided(db, review_id)


@post(
    _ADMIN + "/{review_id:uuid}/publish",
    access=_MODERATE,
    idempotent=True,
    rate="write",
    status_code=200,
)
async def publish(
    data: PublishReview, db: Database, actor: Actor, review_id: FromPath[UUID]
) -> ModeratedReview:
    """Show a held or hidden review; its author is told."""
    await db.transact(
        lambda tx: commands.publish(tx, actor, review_id=review_id, reason=data.reason)
    )
    return await _decided(db, review_id)


@post(_ADMIN + "/{review_id:uuid}/dismiss", access=_MODERATE, rate="write", status_code=200)
async def dismiss(db: Database, actor: Actor, review_id: FromPath[UUID]) -> ModeratedReview:
    """Leave a reported review as it is."""
    await db.transact(lambda tx: commands.dismiss_reports(tx, actor, review_id=review_id))
    return await _decided(db, review_id)


async def _decided(db: Database, review_id: UUID) -> ModeratedReview:
    async with db.read() as conn:
        return await queries.moderated(conn, review_id)


@get(_ADMIN + "/words", access=_MODERATE)
async def list_words(db: Database) -> Words:
    """The words for which reviews are held."""
    async with db.read() as conn:
        return Words(await queries.held_words(conn))


@put(_ADMIN + "/words", access=_MODERATE, rate="write")
async def set_words(data: Words, db: Database, actor: Actor) -> Words:
    """Replace the words for which reviews are held."""
    text = "\n".join(data.words)
    return Words(await db.transact(lambda tx: commands.set_held_words(tx, actor, text=text)))


routes: list[Any] = [
    list_reviews,
    listing_reviews,
    shop_reviews,
    read_review,
    reply,
    withdraw_reply,
    vote,
    unvote,
    report,
    shop_desk,
    shop_figures,
    list_queue,
    read_any,
    hide,
    publish,
    dismiss,
    list_words,
    set_words,
]
