"""The operator's lists: filters, sorting, pages, CSV, bulk acts, and what each costs."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from uuid import UUID

import pytest

from souk.contexts.listings import api as listings
from souk.contexts.payments import api as payments
from souk.contexts.sellers import api as sellers
from souk.kernel.actor import Role, system
from souk.kernel.ids import uuid7
from souk.kernel.money import Money
from souk.platform import audit
from souk.platform.database import Database, WriteTx, count_statements
from souk.platform.http import csv as tables
from souk.platform.http.csv import safe_cell
from souk.platform.services import Services
from souk.web.admin.lists import plain_money
from tests.fulfilment.factories import Sold, order
from tests.web import desks
from tests.web import world as worlds
from tests.web.conftest import Visitor, text_of
from tests.web.world import World

LISTS = [
    "/admin/orders", "/admin/payments", "/admin/users", "/admin/sellers?state=all",
    "/admin/listings?state=all", "/admin/ledger", "/admin/ledger/accounts", "/admin/audit",
    "/admin/events", "/admin/events/jobs", "/admin/events/schedules", "/admin/commission",
    "/admin/legal/terms", "/admin/catalog", "/admin/settings", "/admin/flags", "/admin",
    "/admin/reports", "/admin/reports?queue=closed",
]  # fmt: skip


async def applicant(db: Database, name: str) -> sellers.Seller:
    _, actor = await desks.member(db)
    application = sellers.Application(name=name, country="DE")
    return await db.transact(lambda tx: sellers.apply(tx, actor, application=application))


async def paid(db: Database, *, state: str = "captured", amount: int = 5_000) -> UUID:
    """A payment of the sandbox, without an order behind it."""
    payment_id = uuid7()

    async def work(tx: WriteTx) -> None:
        now = tx.clock.now()
        await tx.execute(
            "INSERT INTO payments.payment (id, checkout_id, gateway, amount, currency, state,"
            " holds_checkout, return_url, gateway_ref, captured, created_at, updated_at)"
            " VALUES ($1, $2, 'sandbox', $3, 'EUR', $4, false, '/', $5, $6, $7, $7)",
            payment_id,
            uuid7(),
            amount,
            state,
            f"pi_{payment_id.hex}",
            amount if state == "captured" else 0,
            now,
        )

    await db.transact(work)
    return payment_id


async def many(db: Database, world: World, count: int) -> None:
    """`count` more rows of everything that grows."""
    for number in range(count):
        shop = await applicant(db, f"Shop {uuid7().hex[-8:]}")
        await order(db, [Sold(shop.id)], email=f"b{number}@example.com", user_id=uuid7())
        await desks.draft(db, world.nursery, title=f"Fig tree {number}")
        await paid(db)

    async def work(tx: WriteTx) -> None:
        await tx.execute(
            "INSERT INTO jobs.pgqueuer (priority, entrypoint, payload, status, attempts)"
            " SELECT 0, 'test.held', '{}', 'failed', 10 FROM generate_series(1, $1)",
            count,
        )
        await tx.execute(
            "INSERT INTO platform.delivery (event_id, subscriber, aggregate_id, seq, next_at, dead,"
            " attempts, error) SELECT id, 'test.dead', aggregate_id, seq, now(), true, 12, 'boom'"
            " FROM platform.event ORDER BY seq DESC LIMIT $1 ON CONFLICT DO NOTHING",
            count,
        )

    await db.transact(work)


async def test_no_list_asks_more_for_more_rows(
    visitor: Visitor, world: World, db: Database
) -> None:
    await desks.admin(db, visitor)
    await many(db, world, 1)
    few: dict[str, int] = {}
    for url in LISTS:
        await visitor.page(url)
        async with count_statements() as asked:
            await visitor.page(url)
        few[url] = asked.total
    await many(db, world, 50)
    for url in LISTS:
        async with count_statements() as asked:
            await visitor.page(url)
        assert asked.total <= few[url], f"{url}: {few[url]} for one row, {asked.total} for fifty"
    assert max(few.values()) <= 30, few


async def test_orders_are_filtered_sorted_and_paged(
    visitor: Visitor, world: World, db: Database
) -> None:
    await desks.admin(db, visitor)
    mark = uuid7().hex[-8:]
    email = f"{mark}@example.com"
    for quantity in (3, 1, 2):
        await order(db, [Sold(uuid7(), quantity=quantity)], email=email, user_id=uuid7())
    html = await visitor.page(f"/admin/orders?q={email}&sort=-total")
    totals = re.findall(r"€(\d+\.\d\d)</td>", html)
    assert len(totals) == 3 and [float(t) for t in totals] == sorted(
        map(float, totals), reverse=True
    )
    assert 'aria-sort="descending"' in html
    assert "No order fits" in text_of(
        await visitor.page(f"/admin/orders?q={email}&state=cancelled")
    )
    assert "No order fits" in text_of(
        await visitor.page(f"/admin/orders?q={email}&until=2020-01-01")
    )
    wrong = await visitor.get("/admin/orders?since=yesterday")
    assert wrong.status_code == 422 and "Choose a date." in text_of(wrong.text)
    assert (await visitor.get("/admin/orders?cursor=nonsense")).status_code == 422


@pytest.mark.parametrize("sort", ["-placed_at", "placed_at", "-total", "total"])
async def test_pages_of_a_list_show_every_row_once(
    visitor: Visitor, world: World, db: Database, sort: str
) -> None:
    await desks.admin(db, visitor)
    email = f"{uuid7().hex[-8:]}@example.com"
    made = {
        str((await order(db, [Sold(uuid7(), quantity=1 + n % 4)], email=email, user_id=uuid7())).id)
        for n in range(25)
    }
    seen: list[str] = []
    url: str | None = f"/admin/orders?q={email}&sort={sort}"
    for _ in range(4):
        if url is None:
            break
        html = await visitor.page(url)
        seen += re.findall(r'href="/admin/orders/([0-9a-f-]{36})"', html)
        following = re.search(r'rel="next" href="([^"]+)"', html)
        url = following.group(1).replace("&amp;", "&") if following else None
    assert len(seen) == 25 and set(seen) == made


def rows_of(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:])))


@pytest.mark.parametrize(
    "url",
    ["/admin/orders.csv", "/admin/payments.csv", "/admin/users.csv", "/admin/sellers.csv",
     "/admin/listings.csv", "/admin/ledger.csv", "/admin/ledger/accounts.csv",
     "/admin/ledger/trial-balance.csv", "/admin/audit.csv"],
)  # fmt: skip
async def test_every_list_is_a_table(
    visitor: Visitor, world: World, db: Database, url: str
) -> None:
    await desks.admin(db, visitor)
    await order(db, [Sold(world.nursery.id)], email="table@example.com", user_id=uuid7())
    answer = await visitor.get(url)
    assert answer.status_code == 200, answer.text[:500]
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = rows_of(answer.text)
    assert all(None not in row and None not in row.values() for row in rows)
    if "ledger" not in url and "payments" not in url:
        assert rows


async def test_a_table_has_all_rows_and_no_formula(
    visitor: Visitor, world: World, db: Database
) -> None:
    await desks.admin(db, visitor)
    mark = uuid7().hex[-8:]
    name = f'=HYPERLINK("http://x.example/{mark}")'
    await applicant(db, name)
    rows = rows_of((await visitor.get(f"/admin/sellers.csv?state=all&q={mark}")).text)
    assert [row["name"] for row in rows] == [f"'{name}"]
    assert safe_cell(plain_money(-500, "EUR")) == "-5.00"
    assert safe_cell(Money(-500, "EUR")) == "-5.00"
    assert safe_cell(-5) == "-5" and safe_cell("-5") == "'-5" and safe_cell(None) == ""
    for each in ("=1", "+1", "-1", "@x", "\tx", "\rx"):
        assert safe_cell(each).startswith("'")
    async with db.read() as conn:
        log = await audit.recent(conn, action_prefix="identity.exported")
    before = len(log)
    assert rows_of((await visitor.get("/admin/users.csv")).text)
    async with db.read() as conn:
        assert len(await audit.recent(conn, action_prefix="identity.exported")) == before + 1


@pytest.mark.parametrize("rows", [9, 10, 11])
async def test_a_table_goes_on_after_every_batch(
    visitor: Visitor, world: World, db: Database, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(tables, "BATCH", 5)
    await desks.admin(db, visitor)
    email = f"{uuid7().hex[-8:]}@example.com"
    made = {
        str((await order(db, [Sold(uuid7())], email=email, user_id=uuid7())).id)
        for _ in range(rows)
    }
    found = [
        row["order"] for row in rows_of((await visitor.get(f"/admin/orders.csv?q={email}")).text)
    ]
    assert len(found) == rows and set(found) == made
    _, actor = await desks.member(db)

    async def write(tx: WriteTx) -> None:
        for number in range(rows):
            await audit.record(tx, actor, "test.batch", f"{email}:{number}")

    await db.transact(write)
    log = rows_of((await visitor.get(f"/admin/audit.csv?who={actor.label()}")).text)
    assert len({row["about"] for row in log if row["act"] == "test.batch"}) == rows


async def test_payments_by_number_and_state(visitor: Visitor, world: World, db: Database) -> None:
    await desks.admin(db, visitor)
    failed, taken = await paid(db, state="failed"), await paid(db, amount=123_456)
    html = await visitor.page(f"/admin/payments?q=pi_{failed.hex}")
    assert f"/admin/payments/{failed}" in html and f"/admin/payments/{taken}" not in html
    html = await visitor.page("/admin/payments?status=failed")
    assert f"/admin/payments/{failed}" in html and f"/admin/payments/{taken}" not in html
    first = re.search(
        r"/admin/payments/([0-9a-f-]{36})", await visitor.page("/admin/payments?sort=-amount")
    )
    assert first is not None and first.group(1) == str(taken)
    words = text_of(await visitor.page(f"/admin/payments/{taken}"))
    assert "€1,234.56" in words and "No order came of it." in words
    assert (await visitor.get(f"/admin/payments/{uuid7()}")).status_code == 404


async def test_what_the_gateway_sent_is_read_again(visitor: Visitor, db: Database) -> None:
    await desks.admin(db, visitor)
    payment_id, inbox_id = await paid(db), uuid7()
    async with db.read() as conn:
        now = conn.clock.now()
    await db.transact(
        lambda tx: tx.execute(
            "INSERT INTO payments.webhook_inbox (id, gateway, event_id, type, payment_id, payload,"
            " received_at, processed_at, note, fact)"
            " VALUES ($1, 'sandbox', $2, 'payment_intent.succeeded', $3, '{}', $4, $4, 'applied',"
            " '{}')",
            inbox_id,
            f"evt_{inbox_id.hex}",
            payment_id,
            now,
        )
    )
    url = f"/admin/payments/{payment_id}"
    assert f'action="{url}/webhooks/replay"' in await visitor.page(url)
    await visitor.submit(f"{url}/webhooks/replay")
    words = text_of(await visitor.page(url))
    assert "What the gateway sent is read again." in words
    assert "replayed" in words
    async with db.read() as conn:
        [row, *_] = await audit.recent(conn, subject=f"payment:{payment_id}")
        queued = await conn.fetchval(
            "SELECT count(*) FROM jobs.pgqueuer WHERE convert_from(payload, 'UTF8') LIKE $1",
            f"%{inbox_id}%",
        )
    assert (row.action, queued) == ("payments.webhooks_replayed", 1)
    # Who may look at payments but not move money is not offered it.
    await desks.staff(db, visitor, Role.SUPPORT)
    assert "webhooks/replay" not in await visitor.page(url)


async def test_a_refund_that_failed_is_sent_once_more(visitor: Visitor, db: Database) -> None:
    await desks.admin(db, visitor)
    payment_id = await paid(db)
    actor = system("test")

    async def fail(tx: WriteTx, key: str) -> UUID:
        refund = await payments.request_refund(
            tx, actor, payment_id=payment_id, amount=Money(700, "EUR"), key=key, reason="Broken"
        )
        outcome = payments.RefundOutcome(
            state=payments.RefundState.FAILED, failure_code="account_closed"
        )
        await payments.record_refund(
            tx, actor, refund_id=refund.id, outcome=outcome, source="webhook"
        )
        return refund.id

    failed = await db.transact(lambda tx: fail(tx, "part:1"))
    url = f"/admin/payments/{payment_id}"
    again = f"{url}/refunds/{failed}/again"
    assert f'action="{again}"' in await visitor.page(url)
    await visitor.submit(again)
    html = await visitor.page(url)
    assert "The refund is sent once more." in text_of(html)
    assert again not in html
    async with db.read() as conn:
        states = [one.state for one in await payments.refunds_of(conn, payment_id)]
        [row, *_] = await audit.recent(conn, subject=f"payment:{payment_id}")
    assert (states, row.action) == (["failed", "requested"], "payments.refund_sent_again")
    # Who may look at payments but not move money is not offered it.
    another = await db.transact(lambda tx: fail(tx, "part:2"))
    assert f"{another}/again" in await visitor.page(url)
    await desks.staff(db, visitor, Role.SUPPORT)
    assert f"{another}/again" not in await visitor.page(url)


async def in_review(services: Services, world: World, count: int) -> list[UUID]:
    """Complete listings that wait, the first of them longest."""
    db = services.db
    made = [
        await worlds.put_up(
            db, services.files, world.nursery, world.trees, title=f"Quince {uuid7().hex[-6:]}"
        )
        for _ in range(count)
    ]

    async def work(tx: WriteTx) -> None:
        for number, listing in enumerate(made):
            await tx.execute(
                "UPDATE listings.listing SET state = 'in_review', updated_at = $2 WHERE id = $1",
                listing.id,
                tx.clock.now() - timedelta(hours=count - number),
            )

    await db.transact(work)
    return [listing.id for listing in made]


async def test_several_listings_are_approved_at_once(
    visitor: Visitor, world: World, db: Database, services: Services
) -> None:
    await desks.admin(db, visitor)
    first, second, third = await in_review(services, world, 3)
    none = await visitor.submit("/admin/listings/bulk", {"act": "approve"})
    assert none.status_code == 303
    asked = await visitor.submit(
        "/admin/listings/bulk", {"act": "approve", "id": [str(first), str(second)]}
    )
    assert asked.status_code == 200 and text_of(asked.text).count("Quince") == 2
    async with db.read() as conn:
        assert (await listings.any_state(conn, first)).state == "in_review"
    form = {"act": "approve", "ids": f"{first} {second}", "confirmed": "1"}
    assert (await visitor.submit("/admin/listings/bulk", form)).status_code == 303
    async with db.read() as conn:
        states = [(await listings.any_state(conn, each)).state for each in (first, second, third)]
    assert states == ["active", "active", "in_review"]
    # One that was decided meanwhile is told about; the other is done.
    form = {"act": "reject", "ids": f"{first} {third}", "confirmed": "1",
            "reason_template": "The pictures do not show what is sold."}  # fmt: skip
    answer = await visitor.submit("/admin/listings/bulk", form)
    assert answer.status_code == 303
    assert "1 of 2 were done." in text_of(await visitor.page("/admin/listings"))
    async with db.read() as conn:
        found = await listings.any_state(conn, third)
    assert found.state == "draft" and found.review_note == form["reason_template"]


async def test_the_queue_goes_on_to_the_next(
    visitor: Visitor, world: World, db: Database, services: Services
) -> None:
    await desks.admin(db, visitor)
    ids = await in_review(services, world, 3)
    async with db.read() as conn:
        queue = [row.id for row in (await listings.for_review(conn, limit=100)).items]
    at = queue.index(ids[1])
    html = await visitor.page(f"/admin/listings/{queue[at]}")
    assert f'rel="prev" href="/admin/listings/{queue[at - 1]}"' in html
    assert f'rel="next" href="/admin/listings/{queue[at + 1]}"' in html
    answer = await visitor.submit(f"/admin/listings/{queue[at]}/approve")
    assert answer.headers["location"] == f"/admin/listings/{queue[at + 1]}"


async def test_several_shops_are_opened_at_once(
    visitor: Visitor, world: World, db: Database
) -> None:
    await desks.admin(db, visitor)
    shops = [await applicant(db, f"Stall {uuid7().hex[-8:]}") for _ in range(2)]
    ids = " ".join(str(shop.id) for shop in shops)
    asked = await visitor.submit("/admin/sellers/bulk", {"act": "approve", "ids": ids})
    assert shops[0].name in text_of(asked.text) and "Open these shops?" in text_of(asked.text)
    form = {"ids": ids, "confirmed": "1", "reason_template": "All details were checked."}
    assert (await visitor.submit("/admin/sellers/bulk", form)).status_code == 303
    async with db.read() as conn:
        for shop in shops:
            found = await sellers.account(conn, seller_id=shop.id)
            assert found.state == "approved"
            assert found.steps[-1].reason == "All details were checked."


async def test_a_ready_sentence_is_enough_and_no_other_is_taken(
    visitor: Visitor, world: World, db: Database
) -> None:
    await desks.admin(db, visitor)
    shop = await applicant(db, f"Stall {uuid7().hex[-8:]}")
    url = f"/admin/sellers/{shop.id}/reject"
    forged = {"reason_template": "Something that nobody offered.", "reason": ""}
    assert (await visitor.submit(url, forged)).status_code == 422
    ready = "What you want to sell does not fit this market."
    form = {"reason_template": ready, "reason": "Try the flea market."}
    assert (await visitor.submit(url, form)).status_code == 303
    async with db.read() as conn:
        found = await sellers.account(conn, seller_id=shop.id)
    assert found.steps[-1].reason == f"{ready} Try the flea market."


NAVIGATION = {
    Role.MODERATOR: {
        "/admin", "/admin/sellers", "/admin/listings", "/admin/reports", "/admin/users",
    },
    Role.SUPPORT: {"/admin", "/admin/orders", "/admin/payments", "/admin/users"},
    Role.FINANCE: {
        "/admin", "/admin/orders", "/admin/payments", "/admin/users", "/admin/ledger",
        "/admin/commission",
    },
}  # fmt: skip


@pytest.mark.parametrize("role", NAVIGATION)
async def test_navigation_leads_where_the_role_may_go(
    visitor: Visitor, world: World, db: Database, role: Role
) -> None:
    await desks.staff(db, visitor, role)
    html = await visitor.page("/admin")
    nav = html[
        html.index('class="desk-nav"') : html.index("</nav>", html.index('class="desk-nav"'))
    ]
    assert set(re.findall(r'<a href="([^"]+)"', nav)) - {"/admin/reviews"} == NAVIGATION[role]
    body = html[html.index("desk-main") :]
    for url in set(re.findall(r'href="(/admin[^"#]*)', html)):
        assert (await visitor.get(url.replace("&amp;", "&"))).status_code == 200, (role, url)
    assert ("Commission" in text_of(body)) is (role is Role.FINANCE)
    assert ("in balance" in text_of(body)) is (role is Role.FINANCE)
    assert ("Seller orders" in text_of(body)) is (role is not Role.MODERATOR)
    assert "Search index" not in text_of(body)
    all_lists = {each.split("?")[0] for each in LISTS} - {"/admin"}
    for url in all_lists:
        may = any(
            url == each or url.startswith(f"{each}/") for each in NAVIGATION[role] - {"/admin"}
        )
        assert (await visitor.get(url)).status_code == (200 if may else 403), (role, url)
