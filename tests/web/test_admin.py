"""The operator's desk in forms alone."""

from __future__ import annotations

from uuid import UUID

import pytest

from souk.contexts.identity import api as identity
from souk.contexts.ledger import api as ledger
from souk.contexts.listings import api as listings
from souk.contexts.orders import api as orders
from souk.contexts.sellers import api as sellers
from souk.kernel.ids import uuid7
from souk.platform import audit, relay
from souk.platform.database import Database, WriteTx, count_statements
from tests.fulfilment.factories import Sold, order
from tests.web import desks
from tests.web.conftest import Visitor, text_of
from tests.web.world import World

PAGES = [
    "/admin", "/admin?days=7", "/admin/sellers", "/admin/sellers?state=all", "/admin/listings",
    "/admin/orders", "/admin/orders?q=none", "/admin/ledger", "/admin/ledger?q=none",
    "/admin/ledger/accounts", "/admin/ledger/trial-balance",
    "/admin/ledger/trial-balance?as_of=2020-01-01", "/admin/events", "/admin/events?q=none",
    "/admin/users", "/admin/users?q=none", "/admin/audit", "/admin/audit?action=none",
    "/admin/catalog", "/admin/commission", "/admin/legal", "/admin/legal/terms",
    "/admin/legal/terms/publish", "/admin/events/replay",
]  # fmt: skip


async def test_every_page_is_drawn(visitor: Visitor, world: World, db: Database) -> None:
    await desks.admin(db, visitor)
    for url in PAGES:
        html = await visitor.page(url)
        assert "<h1>" in html and "style=" not in html, url


async def test_customers_and_sellers_stay_out(
    visitor: Visitor, other: Visitor, world: World, db: Database
) -> None:
    await desks.seller(db, visitor)
    for url in PAGES:
        assert (await visitor.get(url)).status_code == 403, url
        assert (await other.get(url)).status_code == 303, url


async def test_application_is_decided(visitor: Visitor, world: World, db: Database) -> None:
    await desks.admin(db, visitor)
    _, actor = await desks.member(db)
    name = f"Quinces {uuid7().hex[-6:]}"
    shop = await db.transact(
        lambda tx: sellers.apply(
            tx, actor, application=sellers.Application(name=name, country="DE")
        )
    )
    assert name in await visitor.page("/admin/sellers")
    own = f"/admin/sellers/{shop.id}"
    answer = await visitor.submit(f"{own}/reject", {"reason": "no"})
    assert answer.status_code == 422 and "at least 10 characters" in text_of(answer.text)
    assert (
        await visitor.submit(f"{own}/ask_more", {"reason": "Which quinces?"})
    ).status_code == 303
    assert "Which quinces?" in text_of(await visitor.page(own))
    assert "Open this shop?" in text_of(await visitor.page(f"{own}/approve"))
    assert (await visitor.submit(f"{own}/approve")).status_code == 303
    async with db.read() as conn:
        assert (await sellers.account(conn, seller_id=shop.id)).state == "approved"
        assert await identity.members(conn, seller_id=shop.id) == [shop.user_id]
        log = await audit.recent(conn, subject=f"seller:{shop.id}")
    assert [row.action for row in log] == ["sellers.approved", "sellers.needs_info"]


async def test_listing_is_looked_at_and_sent_back(
    visitor: Visitor, world: World, db: Database
) -> None:
    await desks.admin(db, visitor)
    own = f"/admin/listings/{world.olive.id}"
    html = await visitor.page(own)
    assert "Olive tree" in html and "<dt>Light</dt><dd>sun</dd>" in html
    assert (await visitor.submit(f"{own}/flag", {"reason": "x"})).status_code == 422
    assert (await visitor.submit(f"{own}/flag", {"reason": "A wrong picture."})).status_code == 303
    assert "A wrong picture." in text_of(await visitor.page(own))
    assert (await visitor.submit(f"{own}/approve")).status_code == 303
    async with db.read() as conn:
        assert (await listings.any_state(conn, world.olive.id)).state == "active"


async def test_order_and_its_books(visitor: Visitor, world: World, db: Database) -> None:
    await desks.admin(db, visitor)
    placed = await order(db, [Sold(world.nursery.id)], email="buyer@example.com", user_id=uuid7())
    async with db.read() as conn:
        view = await orders.order(conn, placed.id, any_holder=True)
        assert await ledger.entries_of(conn, [f"order:{placed.id}"]) == []
    words = text_of(await visitor.page(f"/admin/orders/{placed.id}"))
    assert view.number in words and world.nursery.name in words
    assert view.number in await visitor.page(f"/admin/orders?q={view.number.lower()}")
    assert (await visitor.get(f"/admin/orders/{uuid7()}")).status_code == 404


async def test_dead_letters_are_delivered_again(
    visitor: Visitor, world: World, db: Database
) -> None:
    await desks.admin(db, visitor)

    async def kill(tx: WriteTx) -> UUID:
        event = (await relay.recent_events(tx, limit=1))[0]
        await tx.execute(
            "INSERT INTO platform.delivery (event_id, subscriber, aggregate_id, seq, next_at, dead,"
            " attempts, error) SELECT id, 'test.dead', aggregate_id, seq, now(), true, 12, 'boom'"
            " FROM platform.event WHERE id = $1",
            event.id,
        )
        return event.id

    event_id = await db.transact(kill)
    assert "test.dead" in text_of(await visitor.page("/admin/events"))
    answer = await visitor.submit("/admin/events/replay?subscriber=test.dead")
    assert answer.status_code == 303
    async with db.read() as conn:
        assert not [d for d in await relay.dead_letters(conn) if d.event_id == event_id]
        [row, *_] = await audit.recent(conn, action_prefix="events.replayed")
    assert row.detail["subscriber"] == "test.dead" and row.detail["count"] == 1


async def test_events_are_listed_by_name_and_page(world: World, db: Database) -> None:
    async with db.read() as conn:
        first, second = await relay.recent_events(conn, limit=2)
        assert await relay.recent_events(conn, before=first.id, limit=1) == [second]
        same = await relay.recent_events(conn, name_prefix=first.name)
        assert {event.name for event in same} == {first.name}
        about = await relay.recent_events(conn, aggregate_id=first.aggregate_id)
        assert {event.aggregate_id for event in about} == {first.aggregate_id}


async def test_person_is_suspended_and_let_in_again(
    visitor: Visitor, world: World, db: Database
) -> None:
    await desks.admin(db, visitor)
    email, actor = await desks.member(db)
    own = f"/admin/users/{actor.user_id}"
    assert email in await visitor.page(f"/admin/users?q={email}")
    assert (await visitor.submit(f"{own}/suspend", {"reason": ""})).status_code == 422
    assert (await visitor.submit(f"{own}/suspend", {"reason": "Spam."})).status_code == 303
    assert "Suspended" in text_of(await visitor.page(own))
    assert (await visitor.submit(f"{own}/reinstate")).status_code == 303
    assert (await visitor.submit(f"{own}/roles", {"role": "support"})).status_code == 303
    async with db.read() as conn:
        user = await identity.user(conn, user_id=UUID(str(actor.user_id)))
    assert user.state == "active" and "support" in user.roles


async def test_category_is_made_renamed_moved_and_merged(
    visitor: Visitor, world: World, db: Database
) -> None:
    await desks.admin(db, visitor)
    name = f"Vines {uuid7().hex[-6:]}"
    answer = await visitor.submit("/admin/catalog", {"name": "", "parent_id": ""})
    assert answer.status_code == 422
    answer = await visitor.submit("/admin/catalog", {"name": name})
    own = answer.headers["location"]
    assert name in await visitor.page(own)
    answer = await visitor.submit(own, {"name": f"{name} and more", "slug": ""})
    assert answer.status_code == 303
    await visitor.submit(f"{own}/move", {"parent_id": str(world.plants.id)})
    assert world.plants.name in text_of(await visitor.page(own))
    merge = f"{own}/merge?into={world.trees.id}"
    assert f"{name} and more" in text_of(await visitor.page(merge))
    assert (await visitor.submit(merge)).status_code == 303
    assert (await visitor.get(own)).status_code == 404


async def test_commission_rule_is_written_down(
    visitor: Visitor, world: World, db: Database
) -> None:
    await desks.admin(db, visitor)
    form = {"scope": "tier", "tier": "premium", "rate": "7.5", "kind": "digital"}
    answer = await visitor.submit("/admin/commission", {**form, "rate": "seven"})
    assert answer.status_code == 422 and 'value="seven"' in answer.text
    assert (await visitor.submit("/admin/commission", form)).status_code == 303
    async with db.read() as conn:
        rules = await ledger.commission_rules(conn)
    assert any(rule.tier == "premium" and rule.rate_bp == 750 for rule in rules)


async def test_document_is_drafted_and_published(
    visitor: Visitor, world: World, db: Database
) -> None:
    await desks.admin(db, visitor)
    form = {"locale": "en", "title": "Refunds, again", "markdown": "We *pay back*."}
    answer = await visitor.submit("/admin/legal/refunds", {**form, "markdown": ""})
    assert answer.status_code == 422
    assert (await visitor.submit("/admin/legal/refunds", form)).status_code == 303
    answer = await visitor.submit("/admin/legal/refunds/publish", {"requires_acceptance": "1"})
    assert answer.status_code == 303, text_of(answer.text)
    assert "Refunds, again" in await visitor.page("/legal/refunds")
    assert (await visitor.get("/admin/legal/nothing")).status_code == 404


@pytest.mark.parametrize("url", ["/admin/orders", "/admin/sellers", "/admin/users", "/admin/audit"])
async def test_lists_ask_once_for_all_rows(
    visitor: Visitor, world: World, db: Database, url: str
) -> None:
    await desks.admin(db, visitor)
    await visitor.page(url)
    async with count_statements() as few:
        await visitor.page(url)
    for _ in range(8):
        _, actor = await desks.member(db)
        application = sellers.Application(name=f"Shop {uuid7().hex[-8:]}", country="DE")
        await db.transact(lambda tx, a=actor, b=application: sellers.apply(tx, a, application=b))
        await order(db, [Sold(uuid7())], email="b@example.com", user_id=uuid7())
    async with count_statements() as many:
        await visitor.page(url)
    assert many.total <= few.total, f"{few.total} with few rows, {many.total} with many"


async def test_audit_details_are_read_in_words(
    visitor: Visitor, world: World, db: Database
) -> None:
    await desks.admin(db, visitor)
    subject = f"listing:{world.lavender.id}"

    async def note(tx: WriteTx) -> None:
        await audit.record(
            tx, desks.OPERATOR, "listings.noted", subject,
            documents={"terms": 1, "privacy": 2}, fields=["title", "price"], told=True,
        )  # fmt: skip

    await db.transact(note)
    for url in (f"/admin/listings/{world.lavender.id}", f"/admin/audit?subject={subject}"):
        words = text_of(await visitor.page(url))
        assert "documents: terms 1, privacy 2" in words
        assert "fields: title, price" in words
        assert "told: yes" in words
