"""What people look for."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from souk.contexts.search.domain import QueryCount
from souk.platform.database import ReadConn

_SUMS = """
SELECT query, sum(searches)::bigint AS searches, sum(without_results)::bigint AS without_results
FROM search.query_log WHERE day > $1 GROUP BY query
"""


async def popular(
    conn: ReadConn, *, limit: int = 10, days: int = 30, at_least: int = 3
) -> list[QueryCount]:
    """The most frequent queries of the last `days` that mostly find something.

    What was asked fewer than `at_least` times is left out: it may be one person's.
    """
    rows = await conn.fetch(
        f"{_SUMS} HAVING sum(searches) >= $3 AND sum(without_results) * 2 < sum(searches)"
        " ORDER BY searches DESC, query LIMIT $2",
        conn.clock.now().date() - timedelta(days=days),
        limit,
        at_least,
    )
    return [QueryCount(**dict(row)) for row in rows]


class IndexLag(msgspec.Struct, frozen=True):
    """Listings whose place in the index is out of date, and how long the oldest has been so."""

    waiting: int
    seconds: float


async def index_lag(conn: ReadConn) -> IndexLag:
    """How far the index is behind; one statement."""
    row = await conn.fetchrow(
        "SELECT count(*) AS n, coalesce(extract(epoch FROM $1 - min(noted_at)), 0) AS age"
        " FROM search.stale_listing",
        conn.clock.now(),
    )
    assert row is not None
    return IndexLag(row["n"], max(float(row["age"]), 0.0))


async def without_results(conn: ReadConn, *, limit: int = 50, days: int = 30) -> list[QueryCount]:
    """The queries that most often found nothing: what buyers miss."""
    rows = await conn.fetch(
        f"{_SUMS} HAVING sum(without_results) > 0 ORDER BY without_results DESC, query LIMIT $2",
        conn.clock.now().date() - timedelta(days=days),
        limit,
    )
    return [QueryCount(**dict(row)) for row in rows]
