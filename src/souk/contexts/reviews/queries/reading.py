"""Reviews as readers, authors, sellers and operators see them; ratings and what is checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from souk.contexts.reviews import store
from souk.contexts.reviews.domain import EDIT_WINDOW, Review, State
from souk.contexts.reviews.errors import review_not_found
from souk.kernel.page import DEFAULT_LIMIT, BadCursor, Page, decode_cursor, encode_cursor, page_of
from souk.platform.database import ReadConn, Record

_LAST = 2**31 - 1


class Order(StrEnum):
    """How reviews are ordered; equal ones newest first."""

    NEWEST = "newest"
    HELPFUL = "helpful"
    HIGHEST = "highest"
    LOWEST = "lowest"


class Filter(StrEnum):
    """What a seller looks for among the own reviews."""

    ALL = "all"
    UNANSWERED = "unanswered"
    LOW = "low"


class Queue(StrEnum):
    """What an operator looks through."""

    HELD = "held"
    REPORTED = "reported"
    HIDDEN = "hidden"


class PhotoView(msgspec.Struct, frozen=True):
    """`url` is the full size; `key` is the folder of all sizes."""

    id: UUID
    key: str
    width: int
    height: int
    url: str


class ReviewView(msgspec.Struct, frozen=True, kw_only=True):
    """A review as everybody sees it. `title` and `detail` are what was bought."""

    id: UUID
    kind: str
    subject_id: UUID
    seller_id: UUID
    author: str
    title: str
    detail: str
    slug: str
    stars: int
    text: str
    returned: bool
    helpful: int
    reply: str
    replied_at: datetime | None
    created_at: datetime
    edited_at: datetime | None
    photos: list[PhotoView]


class OwnReviewView(ReviewView, frozen=True, kw_only=True):
    """A review as its author sees it; `note` says why an operator hid it."""

    order_id: UUID
    seller_order_id: UUID
    order_line_id: UUID | None
    state: str
    note: str
    may_edit: bool


class ReportView(msgspec.Struct, frozen=True):
    """What somebody finds wrong with a review."""

    reason: str
    note: str
    at: datetime


class ModeratedReview(OwnReviewView, frozen=True, kw_only=True):
    """A review as operators see it. `earlier` is what it said before, newest first."""

    author_id: UUID | None
    held_for: list[str]
    reports: list[ReportView]
    earlier: list[str]


def view_of(review: Review) -> ReviewView:
    """For everybody."""
    return ReviewView(**_shown(review))


def own_view(review: Review, now: datetime) -> OwnReviewView:
    """For its author."""
    return OwnReviewView(**_shown(review), **_private(review, now))


def _shown(review: Review) -> dict[str, Any]:
    names = ReviewView.__struct_fields__
    fields = {name: getattr(review, name) for name in names if name not in {"author", "photos"}}
    photos = [
        PhotoView(one.id, one.key, one.width, one.height, f"/media/{one.key}/full.webp")
        for one in review.photos
    ]
    return fields | {"author": review.author_name, "photos": photos}


def _private(review: Review, now: datetime) -> dict[str, Any]:
    return {
        "order_id": review.order_id,
        "seller_order_id": review.seller_order_id,
        "order_line_id": review.order_line_id,
        "state": review.state.value,
        "note": review.note,
        "may_edit": now <= review.created_at + EDIT_WINDOW,
    }


_KEYS: Mapping[Order, str] = {
    Order.NEWEST: "0",
    Order.HELPFUL: "r.helpful",
    Order.HIGHEST: "r.stars",
    Order.LOWEST: "-r.stars",
}


def _cursor_of(row: Record) -> str:
    return encode_cursor(row["sort_key"], str(row["id"]))


def _after(cursor: str | None) -> tuple[int | None, UUID | None]:
    if cursor is None:
        return None, None
    key, last = decode_cursor(cursor, size=2)
    try:
        number, found = int(str(key)), UUID(str(last))
    except ValueError as error:
        raise BadCursor from error
    if abs(number) > _LAST:
        raise BadCursor
    return number, found


async def _page(
    conn: ReadConn,
    where: str,
    *args: object,
    order: Order = Order.NEWEST,
    cursor: str | None,
    limit: int,
) -> Page[Review]:
    """Reviews for which `where` holds (its parameters begin at $4), ordered and cut."""
    key = _KEYS[order]
    before, by = (f"({key}, r.id) < ($1, $2)", f"{key} DESC, r.id DESC")
    if order is Order.NEWEST:
        before, by = "r.id < $2", "r.id DESC"
    columns = ", ".join(f"r.{name}" for name in store.COLUMNS)
    rows = await conn.fetch(
        f"SELECT {columns}, {key} AS sort_key, {store.PHOTOS} FROM reviews.review r"
        f" WHERE {where} AND ($1::integer IS NULL OR $2::uuid IS NULL OR {before})"
        f" ORDER BY {by} LIMIT $3",
        *_after(cursor),
        limit + 1,
        *args,
    )
    page = page_of(rows, limit=limit, cursor_of=_cursor_of)
    return Page([store.review_of(row) for row in page.items], page.next_cursor)


async def of_subject(
    conn: ReadConn,
    subject_id: UUID,
    *,
    stars: int | None = None,
    with_photos: bool = False,
    order: Order = Order.NEWEST,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[ReviewView]:
    """The published reviews of a listing or a seller, in one statement."""
    page = await _page(
        conn,
        "r.subject_id = $4 AND r.state = 'published' AND ($5::smallint IS NULL OR r.stars = $5)"
        " AND (NOT $6 OR EXISTS (SELECT FROM reviews.photo p WHERE p.review_id = r.id))",
        subject_id,
        stars,
        with_photos,
        order=order,
        cursor=cursor,
        limit=limit,
    )
    return Page([view_of(review) for review in page.items], page.next_cursor)


async def published(conn: ReadConn, review_id: UUID) -> ReviewView:
    """One review that everybody may see. Raises NotFound."""
    review = await store.find(conn, review_id)
    if review is None or review.state is not State.PUBLISHED:
        raise review_not_found()
    return view_of(review)


async def any_state(conn: ReadConn, review_id: UUID) -> Review:
    """One living review, for flows and operators. Raises NotFound."""
    review = await store.find(conn, review_id)
    if review is None:
        raise review_not_found()
    return review


async def of_author(
    conn: ReadConn,
    *,
    user_id: UUID | None,
    guest: bytes | None,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[OwnReviewView]:
    """What the caller wrote, newest first, in any state but deleted."""
    page = await _page(
        conn,
        "(r.author_id = $4 OR r.guest = $5) AND r.state <> 'deleted'",
        user_id,
        guest if user_id is None else None,
        cursor=cursor,
        limit=limit,
    )
    now = conn.clock.now()
    return Page([own_view(review, now) for review in page.items], page.next_cursor)


async def of_orders(
    conn: ReadConn, seller_order_ids: Sequence[UUID]
) -> dict[tuple[UUID, UUID], UUID]:
    """The living reviews of these seller orders: (seller order, subject) → review."""
    rows = await conn.fetch(
        "SELECT seller_order_id, subject_id, id FROM reviews.review"
        " WHERE seller_order_id = ANY($1::uuid[]) AND state <> 'deleted'",
        list(seller_order_ids),
    )
    return {(row["seller_order_id"], row["subject_id"]): row["id"] for row in rows}


_FILTERS = {
    Filter.ALL: "true",
    Filter.UNANSWERED: "r.replied_at IS NULL",
    Filter.LOW: "r.stars <= 3",
}


async def of_seller(
    conn: ReadConn,
    seller_id: UUID,
    *,
    which: Filter = Filter.ALL,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[ReviewView]:
    """Published reviews of the shop and of all that it sells, newest first."""
    page = await _page(
        conn,
        f"r.seller_id = $4 AND r.state = 'published' AND {_FILTERS[which]}",
        seller_id,
        cursor=cursor,
        limit=limit,
    )
    return Page([view_of(review) for review in page.items], page.next_cursor)


_QUEUES = {
    Queue.HELD: "r.state = 'held'",
    Queue.REPORTED: "r.reports > 0 AND r.state = 'published'",
    Queue.HIDDEN: "r.state = 'hidden'",
}


async def queue(
    conn: ReadConn, which: Queue, *, cursor: str | None = None, limit: int = DEFAULT_LIMIT
) -> Page[ModeratedReview]:
    """What waits for an operator, newest first, in three statements."""
    page = await _page(conn, _QUEUES[which], cursor=cursor, limit=limit)
    return Page(await _moderated(conn, page.items), page.next_cursor)


async def moderated(conn: ReadConn, review_id: UUID) -> ModeratedReview:
    """One living review as operators see it. Raises NotFound."""
    (view,) = await _moderated(conn, [await any_state(conn, review_id)])
    return view


async def _moderated(conn: ReadConn, found: Sequence[Review]) -> list[ModeratedReview]:
    ids = [review.id for review in found]
    reports = await conn.fetch(
        "SELECT review_id, reason, note, reported_at FROM reviews.report"
        " WHERE review_id = ANY($1::uuid[]) AND settled_at IS NULL ORDER BY reported_at",
        ids,
    )
    earlier = await conn.fetch(
        "SELECT review_id, text FROM reviews.revision WHERE review_id = ANY($1::uuid[])"
        " ORDER BY version DESC",
        ids,
    )
    now = conn.clock.now()
    return [
        ModeratedReview(
            **_shown(review),
            **_private(review, now),
            author_id=review.author_id,
            held_for=review.held_for,
            reports=[
                ReportView(row["reason"], row["note"], row["reported_at"])
                for row in reports
                if row["review_id"] == review.id
            ],
            earlier=[row["text"] for row in earlier if row["review_id"] == review.id],
        )
        for review in found
    ]


async def held_words(conn: ReadConn) -> list[str]:
    """The words for which reviews are held."""
    return await store.held_words(conn)


async def voted(conn: ReadConn, user_id: UUID, review_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Those of these reviews that a person found helpful."""
    rows = await conn.fetch(
        "SELECT review_id FROM reviews.vote WHERE user_id = $1 AND review_id = ANY($2::uuid[])",
        user_id,
        list(review_ids),
    )
    return frozenset(row["review_id"] for row in rows)
