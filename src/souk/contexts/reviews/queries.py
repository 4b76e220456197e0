"""Reviews as readers, authors, sellers and operators see them; ratings and what is checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from souk.contexts.reviews import store
from souk.contexts.reviews.domain import EDIT_WINDOW, Review, State
from souk.contexts.reviews.errors import review_not_found
from souk.kernel.page import DEFAULT_LIMIT, BadCursor, Page, decode_cursor, encode_cursor, page_of
from souk.platform.database import ReadConn, Record
from souk.platform.verify import Violation

_RECENT = timedelta(days=90)
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


class Rating(msgspec.Struct, frozen=True, kw_only=True):
    """What published reviews come to. `stars` is how many gave 1, 2, 3, 4 and 5; `average` is null
    without reviews."""

    subject_id: UUID
    count: int = 0
    sum: int = 0
    stars: list[int] = msgspec.field(default_factory=lambda: [0, 0, 0, 0, 0])

    @property
    def average(self) -> float | None:
        return round(self.sum / self.count, 2) if self.count else None


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


async def rating(conn: ReadConn, subject_id: UUID) -> Rating:
    """What the reviews of a listing or a seller come to; none is a rating of nothing."""
    return (await ratings(conn, [subject_id]))[subject_id]


async def ratings(conn: ReadConn, subject_ids: Sequence[UUID]) -> dict[UUID, Rating]:
    """As `rating`, for several, in one statement."""
    rows = await conn.fetch(
        "SELECT subject_id, count, sum, ARRAY[n1, n2, n3, n4, n5] AS stars FROM reviews.rating"
        " WHERE subject_id = ANY($1::uuid[])",
        list(subject_ids),
    )
    found = {row["subject_id"]: Rating(**dict(row)) for row in rows}
    return {one: found.get(one) or Rating(subject_id=one) for one in subject_ids}


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


class ListingShare(msgspec.Struct, frozen=True):
    """A listing's part of what a shop was given."""

    subject_id: UUID
    title: str
    slug: str
    count: int
    average: float


class Analytics(msgspec.Struct, frozen=True, kw_only=True):
    """A shop's reviews in figures. `stars` is how many gave 1, 2, 3, 4 and 5, of goods and of the
    shop; `recent` are the last 90 days; `lowest` are the listings that fare worst."""

    count: int
    average: float | None
    stars: list[int]
    recent_count: int
    recent_average: float | None
    unanswered: int
    low: int
    with_photos: int
    lowest: list[ListingShare]


_ANALYTICS = """
SELECT count(*) AS count, round(avg(stars), 2)::float8 AS average,
  ARRAY[count(*) FILTER (WHERE stars = 1), count(*) FILTER (WHERE stars = 2),
    count(*) FILTER (WHERE stars = 3), count(*) FILTER (WHERE stars = 4),
    count(*) FILTER (WHERE stars = 5)] AS stars,
  count(*) FILTER (WHERE created_at >= $2) AS recent_count,
  round(avg(stars) FILTER (WHERE created_at >= $2), 2)::float8 AS recent_average,
  count(*) FILTER (WHERE replied_at IS NULL) AS unanswered,
  count(*) FILTER (WHERE stars <= 3) AS low,
  count(*) FILTER (WHERE EXISTS (SELECT FROM reviews.photo p WHERE p.review_id = r.id))
    AS with_photos
FROM reviews.review r WHERE seller_id = $1 AND state = 'published'
"""
_LOWEST = """
SELECT subject_id, (array_agg(title ORDER BY id DESC))[1] AS title,
  (array_agg(slug ORDER BY id DESC))[1] AS slug, count(*) AS count,
  round(avg(stars), 2)::float8 AS average
FROM reviews.review WHERE seller_id = $1 AND state = 'published' AND kind = 'listing'
GROUP BY subject_id HAVING avg(stars) < 4 ORDER BY avg(stars), subject_id LIMIT 5
"""


async def analytics(conn: ReadConn, seller_id: UUID) -> Analytics:
    """A shop's reviews in figures, in two statements."""
    row = await conn.fetchrow(_ANALYTICS, seller_id, conn.clock.now() - _RECENT)
    assert row is not None
    lowest = await conn.fetch(_LOWEST, seller_id)
    return Analytics(**dict(row), lowest=[ListingShare(*each.values()) for each in lowest])


async def unanswered(conn: ReadConn, seller_id: UUID) -> int:
    """How many published reviews of a shop have no answer."""
    return await conn.fetchval(
        "SELECT count(*) FROM reviews.review"
        " WHERE seller_id = $1 AND state = 'published' AND replied_at IS NULL",
        seller_id,
    )


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


async def queue_counts(conn: ReadConn) -> dict[str, int]:
    """How many reviews are in each queue."""
    row = await conn.fetchrow(
        "SELECT count(*) FILTER (WHERE state = 'held') AS held,"
        " count(*) FILTER (WHERE reports > 0 AND state = 'published') AS reported,"
        " count(*) FILTER (WHERE state = 'hidden') AS hidden FROM reviews.review"
        " WHERE state IN ('held', 'hidden') OR reports > 0"
    )
    return dict(row) if row else {}


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


_CHECKS = {
    "reviews.rating": """
SELECT coalesce(k.subject_id, r.subject_id)::text AS subject,
  format('%s counted with %s stars, %s reviews with %s', coalesce(k.count, 0),
    coalesce(k.sum, 0), coalesce(r.n, 0), coalesce(r.stars, 0)) AS detail
FROM reviews.rating k FULL JOIN (
  SELECT subject_id, count(*) AS n, sum(stars) AS stars,
    ARRAY[count(*) FILTER (WHERE stars = 1), count(*) FILTER (WHERE stars = 2),
      count(*) FILTER (WHERE stars = 3), count(*) FILTER (WHERE stars = 4),
      count(*) FILTER (WHERE stars = 5)] AS each
  FROM reviews.review WHERE state = 'published' GROUP BY subject_id) r USING (subject_id)
WHERE coalesce(ARRAY[k.n1, k.n2, k.n3, k.n4, k.n5], '{0,0,0,0,0}')::bigint[]
  IS DISTINCT FROM coalesce(r.each, '{0,0,0,0,0}')
""",
    "reviews.helpful": """
SELECT r.id::text AS subject, format('%s counted, %s votes', r.helpful, count(v.user_id)) AS detail
FROM reviews.review r LEFT JOIN reviews.vote v ON v.review_id = r.id
GROUP BY r.id HAVING r.helpful <> count(v.user_id)
""",
    "reviews.reports": """
SELECT r.id::text AS subject,
  format('%s open, %s reports', r.reports, count(p.reporter_id)) AS detail
FROM reviews.review r
LEFT JOIN reviews.report p ON p.review_id = r.id AND p.settled_at IS NULL
GROUP BY r.id HAVING r.reports <> count(p.reporter_id)
""",
}


async def violations(conn: ReadConn) -> list[Violation]:
    """Ratings, votes and reports that are not what their rows come to."""
    found: list[Violation] = []
    for invariant, sql in _CHECKS.items():
        rows = await conn.fetch(sql)
        found.extend(Violation(invariant, row["subject"], row["detail"]) for row in rows)
    return found
