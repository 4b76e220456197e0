"""Reviews to and from rows; every FOR UPDATE of the context.

Lock order: review → rating of its subject.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from asyncpg import exceptions as pg

from souk.contexts.reviews.domain import Kind, ReportReason, Review
from souk.contexts.reviews.errors import AlreadyReviewed
from souk.platform.database import ReadConn, Record, WriteTx

COLUMNS = tuple(name for name in Review.__struct_fields__ if name != "photos")
PHOTOS = (
    "(SELECT json_agg(json_build_object('id', p.id, 'key', p.key, 'width', p.width,"
    " 'height', p.height) ORDER BY p.position) FROM reviews.photo p WHERE p.review_id = r.id)"
    " AS photos"
)
SELECT = f"SELECT {', '.join('r.' + name for name in COLUMNS)}, {PHOTOS} FROM reviews.review r"


def review_of(row: Record) -> Review:
    """The entity in one row of `SELECT`."""
    fields: dict[str, Any] = {name: row[name] for name in COLUMNS}
    return msgspec.convert(fields | {"photos": row["photos"] or []}, Review)


async def find(conn: ReadConn, review_id: UUID) -> Review | None:
    row = await conn.fetchrow(f"{SELECT} WHERE r.id = $1 AND r.state <> 'deleted'", review_id)
    return review_of(row) if row else None


async def lock(tx: WriteTx, review_id: UUID) -> Review | None:
    """The living review, locked for a change."""
    row = await tx.fetchrow(
        f"{SELECT} WHERE r.id = $1 AND r.state <> 'deleted' FOR UPDATE OF r", review_id
    )
    return review_of(row) if row else None


async def lock_of_order(tx: WriteTx, seller_order_id: UUID) -> list[Review]:
    rows = await tx.fetch(
        f"{SELECT} WHERE r.seller_order_id = $1 AND r.state <> 'deleted' ORDER BY r.id"
        " FOR UPDATE OF r",
        seller_order_id,
    )
    return [review_of(row) for row in rows]


async def living(conn: ReadConn, *, seller_order_id: UUID, subject_id: UUID) -> UUID | None:
    """The review of the same thing from the same order, if it was not deleted."""
    return await conn.fetchval(
        "SELECT id FROM reviews.review"
        " WHERE seller_order_id = $1 AND subject_id = $2 AND state <> 'deleted'",
        seller_order_id,
        subject_id,
    )


async def was_hidden(conn: ReadConn, *, seller_order_id: UUID, subject_id: UUID) -> bool:
    """Whether an earlier review of the same purchase was hidden by an operator."""
    return await conn.fetchval(
        "SELECT EXISTS (SELECT FROM reviews.review"
        " WHERE seller_order_id = $1 AND subject_id = $2 AND was_hidden)",
        seller_order_id,
        subject_id,
    )


async def held_words(conn: ReadConn) -> list[str]:
    rows = await conn.fetch("SELECT word FROM reviews.held_word ORDER BY word")
    return [row["word"] for row in rows]


async def set_held_words(tx: WriteTx, words: Sequence[str]) -> None:
    await tx.execute("DELETE FROM reviews.held_word WHERE word <> ALL($1::text[])", list(words))
    await tx.execute(
        "INSERT INTO reviews.held_word (word) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING",
        list(words),
    )


_INSERT = (
    f"INSERT INTO reviews.review ({', '.join(COLUMNS)})"
    f" VALUES ({', '.join(f'${n}' for n in range(1, len(COLUMNS) + 1))})"
)
_UPDATE = (
    "UPDATE reviews.review SET "
    + ", ".join(f"{name} = ${n}" for n, name in enumerate(COLUMNS, start=1) if name != "id")
    + " WHERE id = $1"
)


async def insert(tx: WriteTx, review: Review) -> None:
    """Raises AlreadyReviewed when another request came first."""
    try:
        await tx.execute(_INSERT, *(getattr(review, name) for name in COLUMNS))
    except pg.UniqueViolationError as error:
        raise AlreadyReviewed from error


async def save(tx: WriteTx, review: Review) -> None:
    review.version += 1
    await tx.execute(_UPDATE, *(getattr(review, name) for name in COLUMNS))


async def save_photos(tx: WriteTx, review: Review) -> None:
    await tx.execute(
        "DELETE FROM reviews.photo WHERE review_id = $1 AND id <> ALL($2::uuid[])",
        review.id,
        [photo.id for photo in review.photos],
    )
    await tx.execute(
        "INSERT INTO reviews.photo (id, review_id, position, key, width, height)"
        " SELECT r.id, $1, r.position, r.key, r.width, r.height FROM json_to_recordset($2::json)"
        " AS r (id uuid, position smallint, key text, width integer, height integer)"
        " ON CONFLICT (id) DO UPDATE SET position = excluded.position",
        review.id,
        [
            msgspec.structs.asdict(photo) | {"position": position}
            for position, photo in enumerate(review.photos)
        ],
    )


async def keep_revision(tx: WriteTx, review: Review) -> None:
    """What the review says now, before it is changed."""
    await tx.execute(
        "INSERT INTO reviews.revision (review_id, version, stars, text, replaced_at)"
        " VALUES ($1, $2, $3, $4, $5)",
        review.id,
        review.version,
        review.stars,
        review.text,
        tx.clock.now(),
    )


async def forget_words(tx: WriteTx, review_id: UUID) -> None:
    """Earlier versions and votes go with a deleted review; reports stay settled."""
    await tx.execute("DELETE FROM reviews.revision WHERE review_id = $1", review_id)
    await tx.execute("DELETE FROM reviews.vote WHERE review_id = $1", review_id)
    await settle_reports(tx, review_id)


_COUNT = """
INSERT INTO reviews.rating AS r (subject_id, kind, seller_id, n1, n2, n3, n4, n5)
VALUES ($1, $2, $3, greatest($4, 0), greatest($5, 0), greatest($6, 0), greatest($7, 0),
  greatest($8, 0))
ON CONFLICT (subject_id) DO UPDATE SET n1 = r.n1 + $4, n2 = r.n2 + $5, n3 = r.n3 + $6,
  n4 = r.n4 + $7, n5 = r.n5 + $8
RETURNING count, sum
"""


async def count(
    tx: WriteTx, *, kind: Kind, subject_id: UUID, seller_id: UUID, change: Sequence[int]
) -> tuple[int, int]:
    """Add `change`, by stars from one to five, to a rating; its new count and sum."""
    row = await tx.fetchrow(_COUNT, subject_id, kind, seller_id, *change)
    assert row is not None
    return row["count"], row["sum"]


async def add_vote(tx: WriteTx, *, review_id: UUID, user_id: UUID) -> bool:
    tag = await tx.execute(
        "INSERT INTO reviews.vote (review_id, user_id, voted_at) VALUES ($1, $2, $3)"
        " ON CONFLICT DO NOTHING",
        review_id,
        user_id,
        tx.clock.now(),
    )
    return tag == "INSERT 0 1"


async def remove_vote(tx: WriteTx, *, review_id: UUID, user_id: UUID) -> bool:
    tag = await tx.execute(
        "DELETE FROM reviews.vote WHERE review_id = $1 AND user_id = $2", review_id, user_id
    )
    return tag == "DELETE 1"


async def add_report(
    tx: WriteTx, *, review_id: UUID, reporter_id: UUID, reason: ReportReason, note: str
) -> bool:
    """False when this person reported it before."""
    tag = await tx.execute(
        "INSERT INTO reviews.report (review_id, reporter_id, reason, note, reported_at)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        review_id,
        reporter_id,
        reason,
        note,
        tx.clock.now(),
    )
    return tag == "INSERT 0 1"


async def settle_reports(tx: WriteTx, review_id: UUID) -> None:
    await tx.execute(
        "UPDATE reviews.report SET settled_at = $2 WHERE review_id = $1 AND settled_at IS NULL",
        review_id,
        tx.clock.now(),
    )


async def forget_author(tx: WriteTx, user_id: UUID) -> None:
    """What the person said stays, without name; votes and reports lose their person."""
    await tx.execute(
        "UPDATE reviews.review SET author_id = NULL, author_name = '' WHERE author_id = $1",
        user_id,
    )
    await tx.execute(
        "UPDATE reviews.review SET helpful = helpful - 1 WHERE id IN"
        " (SELECT review_id FROM reviews.vote WHERE user_id = $1)",
        user_id,
    )
    await tx.execute("DELETE FROM reviews.vote WHERE user_id = $1", user_id)


async def note_asked(tx: WriteTx, seller_order_id: UUID) -> bool:
    """False when the buyer was asked before."""
    tag = await tx.execute(
        "INSERT INTO reviews.asked (seller_order_id, asked_at) VALUES ($1, $2)"
        " ON CONFLICT DO NOTHING",
        seller_order_id,
        tx.clock.now(),
    )
    return tag == "INSERT 0 1"


_RECOUNT = """
INSERT INTO reviews.rating AS r (subject_id, kind, seller_id, n1, n2, n3, n4, n5)
SELECT subject_id, min(kind), (array_agg(seller_id))[1],
  count(*) FILTER (WHERE stars = 1 AND state = 'published'),
  count(*) FILTER (WHERE stars = 2 AND state = 'published'),
  count(*) FILTER (WHERE stars = 3 AND state = 'published'),
  count(*) FILTER (WHERE stars = 4 AND state = 'published'),
  count(*) FILTER (WHERE stars = 5 AND state = 'published')
FROM reviews.review GROUP BY subject_id
HAVING bool_or(state = 'published')
  OR EXISTS (SELECT FROM reviews.rating k WHERE k.subject_id = review.subject_id)
ON CONFLICT (subject_id) DO UPDATE SET n1 = excluded.n1, n2 = excluded.n2, n3 = excluded.n3,
  n4 = excluded.n4, n5 = excluded.n5
WHERE (r.n1, r.n2, r.n3, r.n4, r.n5)
  IS DISTINCT FROM (excluded.n1, excluded.n2, excluded.n3, excluded.n4, excluded.n5)
RETURNING kind, subject_id, seller_id, count, sum
"""


async def recount(tx: WriteTx) -> list[Record]:
    """Count every rating anew from the reviews; those that were wrong, as they are now."""
    await tx.execute("LOCK TABLE reviews.review IN SHARE MODE")
    return await tx.fetch(_RECOUNT)
