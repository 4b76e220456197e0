"""Ratings, a shop's figures, the queues' lengths, and what is checked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from souk.platform.database import ReadConn
from souk.platform.verify import Violation, broken

_RECENT = timedelta(days=90)


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


async def queue_counts(conn: ReadConn) -> dict[str, int]:
    """How many reviews are in each queue."""
    row = await conn.fetchrow(
        "SELECT count(*) FILTER (WHERE state = 'held') AS held,"
        " count(*) FILTER (WHERE reports > 0 AND state = 'published') AS reported,"
        " count(*) FILTER (WHERE state = 'hidden') AS hidden FROM reviews.review"
        " WHERE state IN ('held', 'hidden') OR reports > 0"
    )
    return dict(row) if row else {}


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
    return await broken(conn, _CHECKS)
