"""A draft publishes itself at its time, or says why it did not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from souk.contexts.catalog import api as catalog
from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.flows.publish_listing import http, jobs
from souk.kernel.actor import Actor, Permission
from souk.kernel.clock import SettableClock
from souk.kernel.ids import uuid7
from souk.platform.database import Database
from souk.platform.services import Services
from tests.flows.import_listings.steps import open_shop
from tests.listings import factories

OPERATOR = Actor(kind="user", user_id=uuid7(), permissions=frozenset({Permission.CATALOG_MANAGE}))


@pytest.fixture
def client(make_client: Callable[..., Any]) -> Any:
    return make_client(http.routes)


async def ready(services: Services) -> tuple[Actor, listings.Listing]:
    """A draft to which only its publication is missing."""
    actor, _ = await open_shop(services)
    category = await services.db.transact(
        lambda tx: catalog.create_category(tx, OPERATOR, name=f"Figs {uuid7().hex[-8:]}")
    )
    made = await factories.create(
        services.db, actor, category_id=category.id, category_path=category.path
    )
    await services.db.transact(lambda tx: factories.with_image(tx, made.id))

    async def work(tx: Any) -> None:
        stock = [
            inventory.StockSetUp(
                variant_id=made.variants[0].id, listing_id=made.id, seller_id=made.seller_id,
                on_hand=3,
            )
        ]  # fmt: skip
        await inventory.set_up(tx, actor, items=stock)

    await services.db.transact(work)
    return actor, made


def at(when: datetime) -> dict[str, str]:
    return {"publish_at": when.isoformat()}


async def state(db: Database, listing_id: UUID) -> str:
    async with db.read() as conn:
        return (await listings.any_state(conn, listing_id)).state


async def plan_of(db: Database, listing_id: UUID) -> listings.scheduling.Planned | None:
    async with db.read() as conn:
        return (await listings.scheduling.planned(conn, [listing_id])).get(listing_id)


async def test_it_is_published_at_its_time_and_not_before(
    client: Any, services: Services, clock: SettableClock
) -> None:
    client.act_as.actor, made = await ready(services)
    url = f"/api/v1/listings/{made.id}/schedule"
    when = clock.now() + timedelta(hours=2)
    assert (await client.put(url, json=at(when))).status_code == 204
    await jobs.publish_due(services)
    assert await state(services.db, made.id) == "draft"
    clock.advance(timedelta(hours=2))
    assert await jobs.publish_due(services) == 1
    assert await state(services.db, made.id) == "in_review"
    assert await plan_of(services.db, made.id) is None
    assert await jobs.publish_due(services) == 0, "it is done once"


async def test_what_is_not_ready_stays_a_draft_and_says_why(
    client: Any, services: Services, clock: SettableClock
) -> None:
    client.act_as.actor, _ = await open_shop(services)
    made = await factories.create(services.db, client.act_as.actor)
    url = f"/api/v1/listings/{made.id}/schedule"
    await client.put(url, json=at(clock.now() + timedelta(minutes=5)))
    clock.advance(timedelta(minutes=6))
    await jobs.publish_due(services)
    plan = await plan_of(services.db, made.id)
    assert plan is not None and "Add at least one picture." in plan.failure
    assert await jobs.publish_due(services) == 0, "it is not tried every minute"
    await client.put(url, json=at(clock.now() + timedelta(minutes=5)))
    plan = await plan_of(services.db, made.id)
    assert plan is not None and plan.failure == ""
    assert (await client.delete(url)).status_code == 204
    clock.advance(timedelta(minutes=6))
    assert await jobs.publish_due(services) == 0


async def test_only_a_time_to_come_and_only_for_one_s_own(
    client: Any, services: Services, clock: SettableClock
) -> None:
    client.act_as.actor, _ = await open_shop(services)
    made = await factories.create(services.db, client.act_as.actor)
    url = f"/api/v1/listings/{made.id}/schedule"
    for when in (clock.now(), clock.now() + timedelta(days=400)):
        assert (await client.put(url, json=at(when))).status_code == 422
    assert (await client.put(url, json={"publish_at": "2030-01-01T10:00:00"})).status_code in {
        400, 422,
    }, "a time without an offset is no time"  # fmt: skip
    client.act_as.actor, _ = await open_shop(services)
    for answer in (await client.put(url, json=at(clock.now())), await client.delete(url)):
        assert answer.status_code == 404
