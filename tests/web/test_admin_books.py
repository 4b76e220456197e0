"""The dashboard's figures, the books by cause, commission, documents, categories, jobs, audit."""

from __future__ import annotations

import re
from datetime import date, timedelta
from uuid import UUID

import pytest

from souk.contexts.catalog import api as catalog
from souk.contexts.ledger import api as ledger
from souk.contexts.orders import api as orders
from souk.kernel.errors import InvalidInput
from souk.kernel.ids import uuid7
from souk.kernel.money import Money
from souk.platform import audit, operations
from souk.platform.database import Database, WriteTx
from souk.web.admin import books, figures
from souk.web.admin.diff import differences
from tests.fulfilment.factories import Sold, order
from tests.web import desks
from tests.web.conftest import Visitor, text_of
from tests.web.world import World

TODAY = date(2026, 11, 21)


def test_spans_have_as_many_days_before_them() -> None:
    span = figures.span_of(days=7, first="", last="", today=TODAY)
    assert (span.first, span.last, span.days) == (date(2026, 11, 15), TODAY, 7)
    assert (span.since - span.before).days == 7 and (span.until - span.since).days == 7
    own = figures.span_of(days=30, first="2026-01-01", last="2026-01-31", today=TODAY)
    assert own.days == 31 and own.before.date() == date(2025, 12, 1)
    for first, last in (
        ("2026-02-01", "2026-01-01"),
        ("x", ""),
        ("2020-01-01", ""),
        ("", "2026-01-01"),
    ):
        with pytest.raises(InvalidInput):
            figures.span_of(days=30, first=first, last=last, today=TODAY)


@pytest.mark.parametrize(("days", "points"), [(1, 1), (7, 7), (62, 62), (90, 13), (365, 53)])
def test_a_plot_loses_no_day(days: int, points: int) -> None:
    span = figures.span_of(days=days, first="", last="", today=TODAY)
    shown = figures.buckets(span)
    assert len(shown) == points
    assert shown[0].first == span.first and shown[-1].last == span.last
    values = dict.fromkeys(span.dates(), 1) | {span.first - timedelta(days=1): 99}
    assert sum(figures.summed(shown, values)) == days


def test_changes_in_per_cent() -> None:
    assert figures.Change(150, 100).percent == 50
    assert figures.Change(0, 80).percent == -100
    assert figures.Change(5, 0).percent is None


async def test_figures_are_those_of_the_orders(
    visitor: Visitor, world: World, db: Database
) -> None:
    await desks.admin(db, visitor)
    for quantity in (1, 2):
        await order(db, [Sold(uuid7(), quantity=quantity)], email="f@example.com", user_id=uuid7())
    today = db.clock.now().date()
    span = figures.span_of(days=1, first="", last="", today=today)
    async with db.read() as conn:
        market = await figures.market(conn, span, currency="EUR")
        sold = await conn.fetchval(
            "SELECT sum(total) FROM orders.seller_order WHERE currency = 'EUR' AND placed_at >= $1"
            " AND state <> 'cancelled'",
            span.since,
        )
        total = await conn.fetchval("SELECT count(*) FROM orders.purchase")
    assert market.gmv.now == sold > 0
    assert market.orders.now == total and market.orders.before == 0
    words = text_of(await visitor.page("/admin?days=1"))
    assert f"€{market.gmv.now / 100:,.2f}" in words and "compared with the day before" in words
    for url in ("/admin?days=7", "/admin?days=365", "/admin?since=2026-01-01&until=2026-01-31"):
        html = await visitor.page(url)
        assert html.count('<svg class="chart-svg"') == 4 and html.count("Show as a table") == 4
    wrong = await visitor.get("/admin?since=2026-02-01&until=2026-01-01")
    assert wrong.status_code == 422 and "The first day comes before the last" in text_of(wrong.text)


async def booked(db: Database, seller_id: UUID) -> orders.PlacedOrder:
    """An order whose purchase is in the books as checkout writes it."""
    placed = await order(db, [Sold(seller_id)], email="book@example.com", user_id=uuid7())
    async with db.read() as conn:
        view = await orders.order(conn, placed.id, any_holder=True)
    part = view.seller_orders[0]

    async def work(tx: WriteTx) -> None:
        share = ledger.OrderShare(part.id, Money(part.total, "EUR"))
        await ledger.post(
            tx,
            desks.OPERATOR,
            ledger.draft.captured(
                payment_id=view.payment_id,
                gateway="sandbox",
                order_number=view.number,
                currency="EUR",
                shares=[share],
                cause=f"order:{placed.id}",
            ),
        )

    await db.transact(work)
    return placed


async def test_entries_are_found_by_what_people_know(
    visitor: Visitor, world: World, db: Database
) -> None:
    await desks.admin(db, visitor)
    placed = await booked(db, world.nursery.id)
    other = await booked(db, world.press.id)
    async with db.read() as conn:
        number = (await orders.order(conn, placed.id, any_holder=True)).number
        away = (await orders.order(conn, other.id, any_holder=True)).number
    html = await visitor.page(f"/admin/ledger?q={number.lower()}")
    assert number in html and away not in html
    entry = re.search(r"/admin/ledger/entries/([0-9a-f-]{36})", html)
    assert entry is not None
    words = text_of(await visitor.page(f"/admin/ledger/entries/{entry.group(1)}"))
    assert f"order {number}" in words and f"escrow {number}" in words
    assert f"escrow {number}" in text_of(await visitor.page(f"/admin/ledger/accounts?q={number}"))
    plain = text_of(await visitor.page("/admin/ledger/accounts"))
    assert f"escrow {number}" not in plain, "those of single orders do not hide the others"
    assert "gateway" in plain
    assert f"escrow {number}" in text_of(await visitor.page("/admin/ledger/accounts?orders=1"))
    assert "Nothing found" in text_of(await visitor.page("/admin/ledger?q=no-such-thing"))
    csv = (await visitor.get(f"/admin/ledger.csv?q={number}")).text
    assert csv.count("\r\n") == 2 and f"order:{placed.id}" in csv


async def test_trial_balance_balances_by_kind_and_by_account(
    visitor: Visitor, world: World, db: Database
) -> None:
    await desks.admin(db, visitor)
    await booked(db, world.nursery.id)
    async with db.read() as conn:
        rows = await ledger.trial_balance(conn)
    groups = books.grouped(rows)
    assert sum(group.debit for group in groups) == sum(row.debit for row in rows)
    assert sum(group.count for group in groups) == len(rows) > len(groups) - 1
    words = text_of(await visitor.page("/admin/ledger/trial-balance"))
    assert "In balance" in words and "Out of balance" not in words
    assert "escrow " in text_of(await visitor.page("/admin/ledger/trial-balance?each=1"))
    assert "Nothing was booked" in text_of(
        await visitor.page("/admin/ledger/trial-balance?as_of=2020-01-01")
    )


async def test_commission_is_tried_and_ended(visitor: Visitor, world: World, db: Database) -> None:
    await desks.admin(db, visitor)
    words = text_of(await visitor.page("/admin/commission?amount=50.00&of_kind=goods"))
    assert "€5.00" in words and "The seller pays" in words
    form = {"scope": "seller", "seller_id": world.nursery.name, "rate": "4", "fixed": "0.30"}
    assert (await visitor.submit("/admin/commission", form)).status_code == 303
    url = f"/admin/commission?amount=50&of_seller={world.nursery.slug}"
    assert "€2.30" in text_of(await visitor.page(url))
    wrong = await visitor.get("/admin/commission?amount=50&of_seller=Nobody")
    assert wrong.status_code == 422 and "whole name of a shop" in text_of(wrong.text)
    async with db.read() as conn:
        rules = await ledger.commission_rules(conn)
    rule = next(each for each in rules if each.seller_id == world.nursery.id)
    base = next(each for each in rules if each.is_base)
    assert "End this rule?" in text_of(await visitor.page(f"/admin/commission/{rule.id}/end"))
    assert (await visitor.submit(f"/admin/commission/{rule.id}/end")).status_code == 303
    assert "€5.00" in text_of(await visitor.page(url))
    assert (await visitor.submit(f"/admin/commission/{rule.id}/end")).status_code == 422
    assert (await visitor.submit(f"/admin/commission/{base.id}/end")).status_code == 422
    assert (await visitor.submit(f"/admin/commission/{uuid7()}/end")).status_code == 404
    async with db.read() as conn:
        [row] = await audit.recent(conn, action_prefix="ledger.commission_rule_ended")
    assert row.subject == f"commission_rule:{rule.id}"


async def test_a_rule_that_has_not_begun_is_withdrawn(
    visitor: Visitor, world: World, db: Database
) -> None:
    await desks.admin(db, visitor)
    later = (db.clock.now() + timedelta(days=9)).date()
    form = {"scope": "tier", "tier": "premium", "rate": "1", "valid_from": later.isoformat()}
    await visitor.submit("/admin/commission", form)
    async with db.read() as conn:
        rule = next(r for r in await ledger.commission_rules(conn) if r.rate_bp == 100)
    assert (await visitor.submit(f"/admin/commission/{rule.id}/end")).status_code == 303
    async with db.read() as conn:
        rule = next(r for r in await ledger.commission_rules(conn) if r.rate_bp == 100)
    assert rule.valid_until == rule.valid_from and not rule.in_force(rule.valid_from)


def test_differences_show_what_changed_and_little_else() -> None:
    before = "\n".join(f"line {n}" for n in range(30))
    after = before.replace("line 7", "line seven").replace("line 20\n", "")
    found = differences(before, after)
    assert [line.text for line in found if line.kind == "removed"] == ["line 7", "line 20"]
    assert [line.text for line in found if line.kind == "added"] == ["line seven"]
    assert len(found) < 16 and differences(before, before) == []


async def test_versions_of_a_document_are_compared(
    visitor: Visitor, world: World, db: Database
) -> None:
    await desks.admin(db, visitor)
    own = "/admin/legal/privacy"
    await visitor.submit(
        own, {"locale": "en", "title": "Privacy", "markdown": "We keep little.\n\nAlways."}
    )
    await visitor.submit(f"{own}/publish", {"requires_acceptance": "1"})
    await visitor.submit(
        own, {"locale": "en", "title": "Privacy", "markdown": "We keep less.\n\nAlways."}
    )
    html = await visitor.page(own)
    assert "<del>− We keep little.</del>" in html and "<ins>+ We keep less.</ins>" in html
    assert (await visitor.submit(f"{own}/publish", {"requires_acceptance": "1"})).status_code == 303
    numbers = sorted(map(int, set(re.findall(rf"{own}/versions/(\d+)", await visitor.page(own)))))
    html = await visitor.page(f"{own}/versions/{numbers[-1]}")
    assert "<ins>+ We keep less.</ins>" in html
    assert "We keep little." in await visitor.page(f"{own}/versions/{numbers[-2]}")
    assert (await visitor.get(f"{own}/versions/999")).status_code == 404


async def test_a_drag_moves_and_orders(visitor: Visitor, world: World, db: Database) -> None:
    await desks.admin(db, visitor)
    made: list[str] = []
    for name in ("Ash", "Beech", "Cedar"):
        answer = await visitor.submit(
            "/admin/catalog",
            {"name": f"{name} {uuid7().hex[-6:]}", "parent_id": str(world.trees.id)},
        )
        made.append(answer.headers["location"].rsplit("/", 1)[1])
    ash, beech, cedar = made
    await visitor.submit(f"/admin/catalog/{cedar}/move", {"act": "before", "target": ash})
    async with db.read() as conn:
        tree = await catalog.tree(conn)
    assert [str(each.id) for each in tree.children(world.trees.id)][-3:] == [cedar, ash, beech]
    await visitor.submit(f"/admin/catalog/{ash}/move", {"act": "into", "target": beech})
    await visitor.submit(f"/admin/catalog/{beech}/move", {"act": "into", "target": ash})
    async with db.read() as conn:
        tree = await catalog.tree(conn)
    assert tree.get(UUID(ash)).parent_id == UUID(beech)
    assert tree.get(UUID(beech)).parent_id == world.trees.id, "not below its own child"


async def test_an_attribute_is_changed(visitor: Visitor, world: World, db: Database) -> None:
    await desks.admin(db, visitor)
    code = f"soil_{uuid7().hex[-6:]}"
    form = {"name": "Soil", "code": code, "type": "choice", "choices": "clay, sand"}
    await visitor.submit("/admin/catalog/attributes", form)
    async with db.read() as conn:
        one = next(each for each in await catalog.all_attributes(conn) if each.code == code)
    url = f"/admin/catalog/attributes/{one.id}"
    assert "Nowhere yet" in text_of(await visitor.page(url))
    assign = {"attribute_id": str(one.id), "facet": "1"}
    await visitor.submit(f"/admin/catalog/{world.trees.id}/attributes", assign)
    assert world.trees.name in text_of(await visitor.page(url))
    changed = {"name": "Ground", "unit": "", "choices": "clay\nsand\nloam"}
    assert (await visitor.submit(url, changed)).status_code == 303
    assert (await visitor.submit(url, {**changed, "choices": ""})).status_code == 422
    async with db.read() as conn:
        one = next(each for each in await catalog.all_attributes(conn) if each.code == code)
    assert (one.name, one.choices) == ("Ground", ["clay", "sand", "loam"])


async def test_held_jobs_are_tried_again_or_given_up(
    visitor: Visitor, world: World, db: Database
) -> None:
    await desks.admin(db, visitor)

    async def hold(tx: WriteTx) -> list[int]:
        rows = await tx.fetch(
            "INSERT INTO jobs.pgqueuer (priority, entrypoint, payload, status, attempts)"
            " SELECT 0, 'test.held', '{\"a\": 1}', 'failed', 10 FROM generate_series(1, 3)"
            " RETURNING id"
        )
        return [row["id"] for row in rows]

    first, second, third = await db.transact(hold)
    assert "test.held" in text_of(await visitor.page("/admin/events/jobs"))
    assert "Try again?" in text_of(await visitor.page(f"/admin/events/jobs/{first}/retry"))
    assert (await visitor.submit(f"/admin/events/jobs/{first}/retry")).status_code == 303
    assert (await visitor.submit(f"/admin/events/jobs/{first}/retry")).status_code == 404
    drop = {"reason": "Nobody needs it."}
    assert (await visitor.submit(f"/admin/events/jobs/{second}/drop", drop)).status_code == 303
    assert (await visitor.submit("/admin/events/jobs/all/drop", drop)).status_code == 404
    assert (await visitor.submit("/admin/events/jobs/all/retry")).status_code == 303
    async with db.read() as conn:
        assert [
            job.id for job in await operations.held(conn) if job.id in {first, second, third}
        ] == []
        [row] = await audit.recent(conn, subject=f"job:{second}")
        queued = await conn.fetchval(
            "SELECT count(*) FROM jobs.pgqueuer WHERE id = ANY($1) AND status = 'queued'"
            " AND attempts = 0", [first, third],
        )  # fmt: skip
    assert row.detail["reason"] == "Nobody needs it." and row.detail["payload"] == '{"a": 1}'
    assert queued == 2


async def test_the_audit_log_is_searched_and_checked(
    visitor: Visitor, world: World, db: Database
) -> None:
    await desks.admin(db, visitor)
    email, actor = await desks.member(db)
    await db.transact(lambda tx: audit.record(tx, actor, "test.did", "thing:1", what="a thing"))
    words = text_of(await visitor.page(f"/admin/audit?who={email}&action=test."))
    assert "test: did" in words and "what: a thing" in words and "Olga Seller" in words
    assert "No row fits" in text_of(
        await visitor.page("/admin/audit?action=test.&until=2020-01-01")
    )
    await db.transact(audit.seal)
    assert (await visitor.submit("/admin/audit/check")).status_code == 303
    assert "are as they were written" in text_of(await visitor.page("/admin/audit"))

    async def forge(tx: WriteTx) -> None:
        await tx.execute("ALTER TABLE platform.audit DISABLE TRIGGER append_only")
        await tx.execute("UPDATE platform.audit SET detail = '{}' WHERE action = 'test.did'")
        await tx.execute("ALTER TABLE platform.audit ENABLE TRIGGER append_only")

    await db.transact(forge)
    await visitor.submit("/admin/audit/check")
    assert "The chain is broken at seal" in text_of(await visitor.page("/admin/audit"))
