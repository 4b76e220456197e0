"""The demo marketplace, small, filled by the real commands into a real database."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from souk import app as composition
from souk.contexts.carts import api as carts
from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.identity import api as identity
from souk.contexts.ledger import api as ledger
from souk.contexts.listings import api as listings
from souk.contexts.orders import api as orders
from souk.contexts.search import api as search
from souk.contexts.sellers import api as sellers
from souk.demo import catalogue, fill, fill_world
from souk.demo.fill_goods import slugs
from souk.demo.model import Demo
from souk.flows.verify import verify
from souk.kernel.actor import Role
from souk.platform import audit
from souk.platform.database import Database
from souk.platform.http.holder import Holder
from souk.platform.mail import local_mails
from souk.platform.services import Services
from souk.platform.settings import Settings

ORDERS = 12
WHOLE = catalogue.load()
WIRING = fill.Wiring(composition.subscriptions(), composition.job_types())


def small() -> Demo:
    """Every kind of listing, and few of each."""
    kept = [spec for spec in WHOLE.listings if spec.draft.kind != "goods"][:20]
    kept += [spec for spec in WHOLE.listings if spec.photos and spec.photos[0].path][:12]
    kept += [spec for spec in WHOLE.listings if spec.seller == "loom-and-sole"][:8]
    return msgspec.structs.replace(WHOLE, listings=kept)


def quiet(_what: str, _done: int, _total: int | None) -> None:
    return


class Interrupted(Exception):
    """Stands in for a process that is killed."""


@pytest.fixture(scope="module")
async def filled(db_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Services]:
    """Filled once with an interruption among the orders, then again to the end."""
    settings = Settings(
        environment="test",
        data_dir=tmp_path_factory.mktemp("demo"),
        database_url=db_url,
        secret_key="a-test-secret-key-of-more-than-32-characters",
    )
    patch = pytest.MonkeyPatch()
    demo = small()
    patch.setattr(fill_world.catalogue, "load", lambda: demo)
    async with composition.services(settings, role="worker") as built:

        def kill(what: str, done: int, _total: int | None) -> None:
            if what == "orders" and done == 3:
                raise Interrupted

        assert await fill.is_wanted(built)
        with pytest.raises(Interrupted):
            await fill.fill(built, WIRING, orders=ORDERS, report=kill)
        assert not await fill.is_filled(built)
        assert await fill.is_wanted(built)
        await fill.fill(built, WIRING, orders=ORDERS, report=quiet)
        yield built
    patch.undo()


async def _counts(db: Database) -> dict[str, int]:
    async with db.read() as conn:
        rows = await conn.fetch(
            "SELECT 'event' AS name, count(*) FROM platform.event"
            " UNION ALL SELECT 'audit', count(*) FROM platform.audit"
            " UNION ALL SELECT 'order', count(*) FROM orders.purchase"
            " UNION ALL SELECT 'checkout', count(*) FROM orders.checkout"
            " UNION ALL SELECT 'account', count(*) FROM identity.account"
            " UNION ALL SELECT 'listing', count(*) FROM listings.listing"
        )
    return {row["name"]: row["count"] for row in rows}


async def test_every_state_is_there_and_every_invariant_holds(filled: Services) -> None:
    async with filled.db.read() as conn:
        page = await orders.all_orders(conn, limit=100)
        states = Counter(part.state for part in await orders.money_of_all(conn))
        placed = [row.placed_at for row in page.items]
    assert len(page.items) == ORDERS
    assert set(states) >= {
        "confirmed", "processing", "shipped", "delivered", "completed", "cancelled",
        "return_requested", "returned",
    }  # fmt: skip
    now = filled.clock.now()
    assert min(placed) < now - fill_world.SET_UP
    assert max(placed) <= now
    assert await verify.violations(filled) == []


async def test_a_second_run_changes_nothing(filled: Services) -> None:
    before = await _counts(filled.db)
    assert await fill.fill(filled, WIRING, orders=ORDERS, report=quiet) == fill.log_ins()
    assert await _counts(filled.db) == before
    assert not await fill.is_wanted(filled)


async def test_everything_of_the_data_is_for_sale(filled: Services) -> None:
    demo = small()
    engine = filled.get(search.SearchEngine)
    async with filled.db.read() as conn:
        shops = await sellers.open_shops(conn, limit=100)
        for slug in slugs(demo.listings):
            document = await listings.detail(conn, slug)
            assert document.images or document.kind == "digital"
            for image in document.images:
                assert image.url
    assert len(shops.items) == len(demo.sellers) == 12
    assert (await search.search(engine, search.SearchQuery(text="boots"))).total > 0


async def test_log_ins_open_the_door(filled: Services) -> None:
    for who, email, password in fill.log_ins():
        async with filled.db.read() as conn:
            user_id = await identity.user_id_of(conn, email=email)
            assert user_id is not None, who
            person = await identity.user(conn, user_id=user_id)
        assert person.email_verified
        assert ("seller" in who) == (person.seller_id is not None)
        assert (who == "administrator") == (Role.ADMIN in person.roles)
        assert password == fill_world.PASSWORD


async def test_money_mails_downloads_and_baskets_are_alive(filled: Services) -> None:
    async with filled.db.read() as conn:
        trial = {row.code for row in await ledger.trial_balance(conn)}
        assert {"commission", "gateway:sandbox"} <= trial
        # What was earned long enough ago can be paid out.
        now = filled.clock.now()
        shops = await sellers.open_shops(conn, limit=100)
        balances = [
            balance for shop in shops.items for balance in await ledger.balances(conn, shop.id)
        ]
        assert any(balance.available > 0 for balance in balances)
        late = await conn.fetchval(
            "SELECT count(*) FROM ledger.hold WHERE NOT released AND release_at < $1",
            now - timedelta(days=2),
        )
        assert late == 0
        mails = await local_mails(conn, limit=1_000)
        rows = await conn.fetch("SELECT state FROM payments.payment")
        kinds = Counter(row["state"] for row in rows)
        log = await audit.recent(conn, action_prefix="demo.filled")
        held = 0
        for spec in small().buyers:
            user_id = await identity.user_id_of(conn, email=spec.email)
            assert user_id is not None
            held += bool((await carts.read(conn, Holder(user_id=user_id))).lines)
            assert await fulfilment.saved_addresses(conn, user_id)
    assert held >= 5
    assert len(log) == 1
    assert {mail.recipient for mail in mails} & {spec.email for spec in small().buyers}
    assert kinds["failed"] > 0
    assert kinds["captured"] > 0
    assert kinds["requires_action"] > 0


async def test_a_marketplace_in_use_is_left_alone(
    server_url: str, template: str, tmp_path: Path
) -> None:
    from tests.conftest import fresh_database

    async with fresh_database(server_url, template) as url:
        settings = Settings(
            environment="test", data_dir=tmp_path, database_url=url,
            secret_key="a-test-secret-key-of-more-than-32-characters",
        )  # fmt: skip
        async with composition.services(settings, role="worker") as built:
            await built.db.transact(
                lambda tx: identity.create_admin(
                    tx, email="owner@shop.example", password="olive-lantern-harbour"
                )
            )
            assert not await fill.is_wanted(built)
            with pytest.raises(fill.DemoRefused, match="in use"):
                await fill.fill(built, WIRING, orders=1, report=quiet)


async def test_customers_say_what_they_think(filled: Services) -> None:
    async with filled.db.read() as conn:
        said = await conn.fetch(
            "SELECT r.stars, r.text, r.title, r.state, r.created_at,"
            " o.delivered_at, o.buyer_id, r.author_id,"
            " (SELECT count(*) FROM reviews.photo p WHERE p.review_id = r.id) AS photos"
            " FROM reviews.review r JOIN orders.seller_order o ON o.id = r.seller_order_id"
        )
        shown = await conn.fetchval("SELECT sum(rating_count) FROM listings.listing")
        counted = await conn.fetchval(
            "SELECT sum(count) FROM reviews.rating WHERE kind = 'listing'"
        )
    assert len(said) >= 3
    assert all(one["buyer_id"] == one["author_id"] for one in said)
    assert all(one["delivered_at"] < one["created_at"] for one in said)
    assert shown == counted
    photographed = {
        spec.draft.title
        for spec in small().listings
        if spec.photos and spec.photos[0].path and not spec.photos[0].licence.startswith("CC-BY")
    }
    with_photos = [one for one in said if one["photos"]]
    could = [
        one
        for one in said
        if one["title"] in photographed and one["stars"] >= 4 and one["text"]
        and one["state"] == "published"
    ]  # fmt: skip
    # A dozen orders may have nobody who received a photographed thing and liked it.
    assert bool(with_photos) == bool(could)
    assert {one["title"] for one in with_photos} <= photographed
    assert all(one["stars"] >= 4 and one["text"] and one["photos"] <= 3 for one in with_photos)
