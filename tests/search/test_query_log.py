"""The log of queries and the notes of stale listings, in the database."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from souk.contexts.search import api, jobs
from souk.contexts.search.commands import KEPT
from souk.kernel.clock import SettableClock
from souk.kernel.ids import uuid7
from souk.platform.database import Database
from souk.platform.services import Services


async def _record(db: Database, *searches: tuple[str, int]) -> None:
    await db.transact(lambda tx: api.record_queries(tx, searches))


async def _popular(db: Database, **options: int) -> list[tuple[str, int, int]]:
    async with db.read() as conn:
        found = await api.popular(conn, **options)
    return [(one.query, one.searches, one.without_results) for one in found]


async def _kept(db: Database) -> int:
    async with db.read() as conn:
        return await conn.fetchval("SELECT coalesce(sum(searches), 0) FROM search.query_log")


async def test_queries_are_counted_under_one_form(db: Database) -> None:
    await _record(db, ("  Épicéa BLEU ", 3), ("epicea bleu", 0), ("Epicea, bleu!", 4), ("rare", 1))
    assert ("epicea bleu", 3, 1) in await _popular(db)
    assert "rare" not in [query for query, *_ in await _popular(db)]
    await _record(db, ("epicea bleu", 5))
    assert ("epicea bleu", 4, 1) in await _popular(db)


async def test_one_search_at_a_time(db: Database) -> None:
    for total in (0, 2, 2):
        await db.transact(lambda tx, total=total: api.record_queries(tx, [("lily", total)]))
    assert ("lily", 3, 1) in await _popular(db)


@pytest.mark.parametrize(
    "text",
    ["jane@example.com", "call 0123 456 789", "4242424242424242", "", "?!", "word " * 30, "\x00"],
)
async def test_personal_or_empty_texts_are_not_kept(db: Database, text: str) -> None:
    before = await _kept(db)
    await _record(db, *[(text, 0)] * 3)
    assert await _kept(db) == before


async def test_what_finds_nothing_is_not_popular_but_reported(db: Database) -> None:
    await _record(db, *[("unobtainium", 0)] * 4, ("unobtainium", 1))
    assert "unobtainium" not in [query for query, *_ in await _popular(db)]
    async with db.read() as conn:
        missed = await api.without_results(conn)
    assert ("unobtainium", 4) in [(one.query, one.without_results) for one in missed]


async def test_old_counts_do_not_matter_and_go(
    db: Database, clock: SettableClock, services: Services
) -> None:
    await _record(db, *[("yesteryear", 1)] * 5)
    now = clock.now()
    clock.set(now + timedelta(days=31))
    assert "yesteryear" not in [query for query, *_ in await _popular(db)]
    clock.set(now + KEPT + timedelta(days=1))
    (schedule,) = jobs.schedules
    await schedule.run(services)
    async with db.read() as conn:
        left = await conn.fetchval(
            "SELECT count(*) FROM search.query_log WHERE query = 'yesteryear'"
        )
    clock.set(now)
    assert left == 0


async def test_a_listing_noted_again_meanwhile_stays_noted(db: Database) -> None:
    first, second = uuid7(), uuid7()
    await db.transact(lambda tx: api.mark_stale(tx, [second, first, first]))
    async with db.read() as conn:
        read = await api.stale(conn, limit=10)
    assert {one.listing_id for one in read} == {first, second}
    await db.transact(lambda tx: api.mark_stale(tx, [first]))
    await db.transact(lambda tx: api.mark_indexed(tx, read))
    async with db.read() as conn:
        left = await api.stale(conn, limit=10)
    assert [one.listing_id for one in left] == [first]
    await db.transact(lambda tx: api.mark_indexed(tx, left))


async def test_rebuild_requests(db: Database, clock: SettableClock) -> None:
    async def asked() -> datetime | None:
        async with db.read() as conn:
            return await api.rebuild_asked(conn)

    assert await asked() is None
    await db.transact(api.ask_for_rebuild)
    first = await asked()
    assert first is not None
    assert first == clock.now()
    clock.advance(timedelta(seconds=1))
    await db.transact(api.ask_for_rebuild)
    await db.transact(lambda tx: api.mark_rebuilt(tx, asked_at=first))
    second = await asked()
    assert second is not None
    assert second == clock.now()
    await db.transact(lambda tx: api.mark_rebuilt(tx, asked_at=second))
    assert await asked() is None
