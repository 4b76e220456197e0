"""A paid order's files and keys: granted by the event, fetched by the buyer, closed by a refund."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.fulfilment import http as fulfilment_http
from souk.contexts.orders import api as orders
from souk.flows.deliver_digital.handlers import subscriptions
from souk.flows.deliver_digital.http import routes
from souk.kernel.actor import GUEST, Actor
from souk.kernel.ids import fingerprint, token, uuid7
from souk.platform import relay
from souk.platform.database import Database
from souk.platform.events import EventWriter
from souk.platform.relay import Relay
from souk.platform.services import Services
from tests.conftest import Client
from tests.fulfilment.factories import ACTOR, CONTENT, Sold, digital, order

EMAIL = "buyer@example.com"


@pytest.fixture(scope="module")
def event_writer() -> EventWriter:
    return EventWriter(subscriptions)


@pytest.fixture
def client(make_client: Callable[..., Client]) -> Client:
    return make_client([*routes, *fulfilment_http.routes])


async def drain(db: Database, writer: EventWriter) -> None:
    await Relay(db, writer).drain()
    async with db.read() as conn:
        assert await relay.dead_letters(conn) == []


async def part_of(db: Database, placed: orders.PlacedOrder, kind: str) -> orders.SellerOrderView:
    async with db.read() as conn:
        found = await orders.order(conn, placed.id, any_holder=True)
    return next(part for part in found.seller_orders if part.lines[0].kind == kind)


async def test_a_buyer_downloads_what_was_paid(
    services: Services, event_writer: EventWriter, client: Client
) -> None:
    db, buyer_id = services.db, uuid7()
    placed = await order(
        db,
        [await digital(db, services.files, uuid7()), Sold(uuid7())],
        email=EMAIL,
        user_id=buyer_id,
    )
    client.act_as.actor = Actor(kind="user", user_id=buyer_id)
    url = f"/api/v1/orders/{placed.id}/downloads"
    assert (await client.get(url)).json() == {"files": [], "licence_keys": []}
    await drain(db, event_writer)
    files = (await client.get(url)).json()["files"]
    assert [(file["filename"], file["state"]) for file in files] == [("ferns.pdf", "ready")]
    client.act_as.actor = GUEST
    assert (await client.get(files[0]["url"])).content == CONTENT
    assert (await part_of(db, placed, "digital")).state == "delivered"
    assert (await part_of(db, placed, "goods")).state == "confirmed"


async def test_a_guest_reaches_only_the_own_order(
    services: Services, event_writer: EventWriter, client: Client
) -> None:
    secret = token()
    sold = [await digital(services.db, services.files, uuid7())]
    placed = await order(services.db, sold, email=EMAIL, guest=fingerprint(secret))
    await drain(services.db, event_writer)
    url = f"/api/v1/orders/{placed.id}/downloads"
    mine = await client.get(url, headers={"souk-guest": secret})
    assert len(mine.json()["files"]) == 1
    assert (await client.get(url, headers={"souk-guest": token()})).status_code == 404
    client.act_as.actor = Actor(kind="user", user_id=uuid7())
    assert (await client.get(url, headers={"souk-guest": secret})).status_code == 404


async def test_a_replayed_event_grants_nothing_twice(
    services: Services, event_writer: EventWriter
) -> None:
    db = services.db
    placed = await order(
        db, [await digital(db, services.files, uuid7())], email=EMAIL, user_id=uuid7()
    )
    await drain(db, event_writer)
    before = await part_of(db, placed, "digital")
    await db.transact(lambda tx: relay.replay(tx, event_writer, name="orders.order_confirmed.v1"))
    await drain(db, event_writer)
    after = await part_of(db, placed, "digital")
    assert after == before
    async with db.read() as conn:
        links = await fulfilment.links(conn, seller_order_ids=[after.id], secret="s")
    assert len(links[after.id]) == 1


async def test_a_line_that_was_cancelled_first_gets_nothing(
    services: Services, event_writer: EventWriter
) -> None:
    db = services.db
    placed = await order(
        db, [await digital(db, services.files, uuid7())], email=EMAIL, user_id=uuid7()
    )
    part = await part_of(db, placed, "digital")
    await db.transact(
        lambda tx: tx.execute(
            "UPDATE orders.line SET cancelled = quantity WHERE seller_order_id = $1", part.id
        )
    )
    await drain(db, event_writer)
    async with db.read() as conn:
        assert await fulfilment.links(conn, seller_order_ids=[part.id], secret="s") == {}


async def test_keys_from_the_seller_complete_the_order(
    services: Services, event_writer: EventWriter, client: Client
) -> None:
    db, buyer_id = services.db, uuid7()
    seller = Actor(kind="user", user_id=uuid7(), seller_id=uuid7())
    assert seller.seller_id is not None
    sold = await digital(db, services.files, seller.seller_id, quantity=2)
    keys_url = f"/api/v1/licence-keys/{sold.variant_id}"
    client.act_as.actor = seller
    added = await client.post(keys_url, json={"keys": ["ONE", "ONE", " "]})
    assert (added.status_code, added.json()["added"]) == (201, 1)
    placed = await order(db, [sold], email=EMAIL, user_id=buyer_id)
    await drain(db, event_writer)
    assert (await part_of(db, placed, "digital")).state == "confirmed"
    assert (await client.get(keys_url)).json()["owed"] == 1
    await client.post(keys_url, json={"keys": ["TWO", "THREE"]})
    await drain(db, event_writer)
    assert (await part_of(db, placed, "digital")).state == "delivered"
    assert (await client.delete(keys_url)).json()["free"] == 0
    client.act_as.actor = Actor(kind="user", user_id=buyer_id)
    found = (await client.get(f"/api/v1/orders/{placed.id}/downloads")).json()
    assert found["licence_keys"][0]["keys"] == ["ONE", "TWO"]


async def test_keys_of_another_seller_are_out_of_reach(services: Services, client: Client) -> None:
    sold = await digital(services.db, services.files, uuid7())
    client.act_as.actor = Actor(kind="user", user_id=uuid7(), seller_id=uuid7())
    url = f"/api/v1/licence-keys/{sold.variant_id}"
    for answer in (
        await client.get(url),
        await client.post(url, json={"keys": ["A"]}),
        await client.delete(url),
        await client.get(f"/api/v1/licence-keys/{uuid7()}"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_refund_closes_the_links(
    services: Services, event_writer: EventWriter, client: Client
) -> None:
    db, buyer_id = services.db, uuid7()
    placed = await order(
        db, [await digital(db, services.files, uuid7())], email=EMAIL, user_id=buyer_id
    )
    await drain(db, event_writer)
    client.act_as.actor = Actor(kind="user", user_id=buyer_id)
    url = f"/api/v1/orders/{placed.id}/downloads"
    link = (await client.get(url)).json()["files"][0]["url"]
    line_ids: list[UUID] = [line.id for line in (await part_of(db, placed, "digital")).lines]
    await db.transact(
        lambda tx: fulfilment.revoke_digital(tx, ACTOR, order_line_ids=line_ids, reason="refund")
    )
    assert (await client.get(link)).status_code == 403
    assert (await client.get(url)).json()["files"][0]["state"] == "revoked"
