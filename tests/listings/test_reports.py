"""What visitors report, in the operators' queue and out of it again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from souk.contexts.listings import api
from souk.contexts.listings.reports import queries
from souk.kernel.actor import GUEST, Actor, Permission
from souk.kernel.errors import Forbidden, IllegalTransition, InvalidInput
from souk.kernel.ids import uuid7
from souk.platform import audit
from tests.listings import factories

OPERATOR = Actor(kind="user", user_id=uuid7(), permissions=frozenset({Permission.LISTINGS_REVIEW}))
REASON = api.ReportReason


async def reported(db, listing, *, times=1, reason=REASON.COUNTERFEIT, note="The mark is wrong."):
    for _ in range(times):
        await db.transact(
            lambda tx: api.report(
                tx,
                GUEST,
                listing_id=listing.id,
                reporter=f"guest:{uuid7().hex}",
                reason=reason,
                note=note,
            )
        )


async def goods(db, **more):
    return await factories.active(db, factories.seller_actor(), **more)


async def queue(db, **asked):
    async with db.read() as conn:
        return await api.reported.queue(conn, **asked)


async def test_reports_wait_grouped_by_listing(db, clock):
    first, second = await goods(db), await goods(db)
    await reported(db, first, times=queries.SHOWN + 2)
    clock.advance(timedelta(minutes=1))
    await reported(db, second, reason=REASON.UNSAFE, note="It broke.")
    async with db.read() as conn:
        before = await api.reported.waiting(conn)
    ids = {first.id, second.id}
    found = [row for row in (await queue(db, limit=100)).items if row.id in ids]
    assert [(row.id, row.reports) for row in found] == [
        (first.id, queries.SHOWN + 2),
        (second.id, 1),
    ]
    assert len(found[0].newest) == queries.SHOWN
    assert (found[1].newest[0].reason, found[1].newest[0].note) == (REASON.UNSAFE, "It broke.")
    only = [row.id for row in (await queue(db, reason=REASON.UNSAFE, limit=100)).items]
    assert second.id in only and first.id not in only
    assert [row.id for row in (await queue(db, search=first.title[3:])).items] == [first.id]
    closed = await db.transact(
        lambda tx: api.close_reports(tx, OPERATOR, listing_id=first.id, outcome="It is genuine.")
    )
    assert closed == queries.SHOWN + 2
    async with db.read() as conn:
        assert await api.reported.waiting(conn) == before - 1
        log = await audit.recent(conn, subject=f"listing:{first.id}")
        over = await api.reported.closed(conn)
    assert log[0].action == "listings.reports_closed"
    assert log[0].detail == {"reports": closed, "outcome": "It is genuine."}
    assert {row.report.closed_by for row in over.items if row.report.listing_id == first.id} == {
        OPERATOR.label()
    }


@pytest.mark.parametrize("sort", sorted(queries.SORTS))
async def test_pages_show_every_listing_once(db, clock, sort):
    made = set()
    for number in range(7):
        listing = await goods(db)
        await reported(db, listing, times=1 + number % 3)
        clock.advance(timedelta(seconds=5))
        made.add(listing.id)
    seen, cursor = [], None
    for _ in range(50):
        page = await queue(db, sort=sort, cursor=cursor, limit=3)
        seen += [row.id for row in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) and made <= set(seen)


async def test_what_was_looked_into_is_paged_the_last_first(db, clock):
    closed = []
    for _ in range(3):
        listing = await goods(db)
        await reported(db, listing, times=2)
        clock.advance(timedelta(seconds=5))
        await db.transact(
            lambda tx, one=listing.id: api.close_reports(
                tx, OPERATOR, listing_id=one, outcome="Fine."
            )
        )
        closed.append(listing.id)
    seen, cursor = [], None
    async with db.read() as conn:
        for _ in range(3):
            page = await api.reported.closed(conn, cursor=cursor, limit=2)
            seen += [row.report.listing_id for row in page.items]
            cursor = page.next_cursor
    assert seen == [one for one in reversed(closed) for _ in range(2)]


async def test_a_listing_that_is_taken_down_has_no_open_reports(db):
    listing = await goods(db)
    await reported(db, listing, times=2)
    done = await db.transact(
        lambda tx: api.take_down(tx, OPERATOR, listing_id=listing.id, reason="A  counterfeit.")
    )
    assert done == 2
    async with db.read() as conn:
        after = await api.any_state(conn, listing.id)
        kept = await api.reports_of(conn, listing.id)
        log = await audit.recent(conn, subject=f"listing:{listing.id}")
    assert (after.state, after.review_note) == (api.State.FLAGGED, "A counterfeit.")
    assert {one.outcome for one in kept} == {"Taken out of sight. A counterfeit."}
    assert {row.action for row in log} >= {"listings.flagged", "listings.reports_closed"}
    with pytest.raises(IllegalTransition):
        await db.transact(
            lambda tx: api.take_down(tx, OPERATOR, listing_id=listing.id, reason="Once more.")
        )


async def test_only_operators_decide_and_they_say_why(db):
    listing = await goods(db)
    await reported(db, listing)
    for work in (
        lambda tx: api.close_reports(
            tx, factories.seller_actor(), listing_id=listing.id, outcome="I want it so."
        ),
        lambda tx: api.take_down(tx, GUEST, listing_id=listing.id, reason="I want it so."),
    ):
        with pytest.raises(Forbidden):
            await db.transact(work)
    with pytest.raises(InvalidInput) as refused:
        await db.transact(
            lambda tx: api.close_reports(tx, OPERATOR, listing_id=listing.id, outcome=" ")
        )
    assert refused.value.problems[0].path == "reason"
    assert [row.id for row in (await queue(db, search=listing.title)).items] == [listing.id]
