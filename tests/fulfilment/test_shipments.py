"""Parcels: partial shipping, their steps and events, delivery estimates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from souk.contexts.fulfilment import api
from souk.contexts.fulfilment.domain.shipment import check_transition, working_days_after
from souk.contexts.fulfilment.http import routes
from souk.kernel.actor import Actor
from souk.kernel.errors import IllegalTransition, InvalidInput, NotFound
from souk.kernel.ids import uuid7
from souk.platform.database import Database, count_statements
from tests.conftest import Client


def a_seller() -> Actor:
    return Actor(kind="user", user_id=uuid7(), seller_id=uuid7())


async def ship(db: Database, seller: Actor, order_id: UUID, **changes: Any) -> UUID:
    assert seller.seller_id is not None
    fields: dict[str, Any] = {
        "lines": [api.ShipLine(uuid7(), 1)],
        "carrier": "dhl",
        "tracking": "0034 0434",
        "days": (1, 3),
    }
    fields |= {"seller_order_id": order_id, "seller_id": seller.seller_id} | changes
    return await db.transact(lambda tx: api.ship(tx, seller, **fields))


async def events(db: Database, order_id: UUID) -> list[str]:
    async with db.read() as conn:
        rows = await conn.fetch(
            "SELECT name FROM platform.event WHERE aggregate_id = $1 ORDER BY seq", order_id
        )
    return [row["name"].split(".")[1] for row in rows]


async def view(db: Database, order_id: UUID) -> list[api.ShipmentView]:
    async with db.read() as conn:
        return (await api.of_orders(conn, [order_id])).get(order_id, [])


async def test_an_order_leaves_in_two_parcels(db: Database) -> None:
    seller, order_id = a_seller(), uuid7()
    line_a, line_b = uuid7(), uuid7()
    await ship(db, seller, order_id, lines=[api.ShipLine(line_a, 2)])
    await ship(
        db,
        seller,
        order_id,
        lines=[api.ShipLine(line_a, 1), api.ShipLine(line_b, 5)],
        carrier="other",
    )
    async with db.read() as conn, count_statements() as count:
        found = await api.of_orders(conn, [order_id, uuid7()])
    assert count.total == 1
    first, second = found[order_id]
    assert first.tracking_url == "https://www.dhl.com/en/express/tracking.html?AWB=0034%200434"
    assert second.tracking_url == ""
    assert {(line.order_line_id, line.quantity) for line in second.lines} == {
        (line_a, 1),
        (line_b, 5),
    }
    assert first.shipped_at == db.clock.now()
    assert first.estimate_to == working_days_after(db.clock.now().date(), 3)
    assert [step.state for step in first.timeline] == ["shipped"]
    assert await events(db, order_id) == ["shipment_shipped"] * 2


async def test_a_label_is_no_shipment_yet(db: Database) -> None:
    seller, order_id = a_seller(), uuid7()
    shipment_id = await ship(db, seller, order_id, label_only=True, tracking="")
    assert await events(db, order_id) == []
    assert (await view(db, order_id))[0].shipped_at is None
    moved = await db.transact(
        lambda tx: api.advance(
            tx,
            seller,
            shipment_id=shipment_id,
            seller_id=seller.seller_id or uuid7(),
            state=api.ShipmentState.SHIPPED,
            carrier="ups",
            tracking=" 1Z999 ",
            days=(2, 2),
        )
    )
    assert (moved.carrier, moved.tracking_number) == ("ups", "1Z999")
    assert await events(db, order_id) == ["shipment_shipped"]
    shown = (await view(db, order_id))[0]
    assert (shown.carrier_name, shown.state) == ("UPS", "shipped")
    assert [step.state for step in shown.timeline] == ["label_pending", "shipped"]


async def test_delivery_of_the_order_ends_every_parcel_once(db: Database) -> None:
    seller, order_id = a_seller(), uuid7()
    await ship(db, seller, order_id)
    await ship(db, seller, order_id)
    await ship(db, seller, order_id, label_only=True)
    for expected in (2, 0):
        changed = await db.transact(
            lambda tx: api.mark_delivered(tx, seller, seller_order_id=order_id, note="At the door")
        )
        assert changed == expected
    assert [shipment.state for shipment in await view(db, order_id)] == [
        "delivered",
        "delivered",
        "label_pending",
    ]
    assert (await events(db, order_id)).count("shipment_delivered") == 2


async def test_a_parcel_that_came_back(db: Database) -> None:
    seller, order_id = a_seller(), uuid7()
    shipment_id = await ship(db, seller, order_id)
    seller_id = seller.seller_id or uuid7()
    for state in (api.ShipmentState.IN_TRANSIT, api.ShipmentState.RETURNED):
        await db.transact(
            lambda tx, state=state: api.advance(
                tx, seller, shipment_id=shipment_id, seller_id=seller_id, state=state
            )
        )
    assert await events(db, order_id) == ["shipment_shipped", "shipment_returned"]
    with pytest.raises(IllegalTransition, match="returned"):
        await db.transact(
            lambda tx: api.advance(
                tx,
                seller,
                shipment_id=shipment_id,
                seller_id=seller_id,
                state=api.ShipmentState.DELIVERED,
            )
        )


@pytest.mark.parametrize(
    ("current", "wanted"),
    [
        ("label_pending", "delivered"),
        ("shipped", "label_pending"),
        ("in_transit", "shipped"),
        ("delivered", "in_transit"),
        ("returned", "returned"),
    ],
)
def test_steps_that_do_not_exist_name_both_states(current: str, wanted: str) -> None:
    with pytest.raises(IllegalTransition) as refusal:
        check_transition(api.ShipmentState(current), api.ShipmentState(wanted))
    assert refusal.value.fields["current"] == current
    assert refusal.value.fields["wanted"] == wanted


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"lines": []}, "lines"),
        ({"lines": [api.ShipLine(UUID(int=1), 1), api.ShipLine(UUID(int=1), 2)]}, "lines"),
        ({"lines": [api.ShipLine(UUID(int=1), 0)]}, "lines[0].quantity"),
        ({"carrier": "pigeon"}, "carrier"),
    ],
)
async def test_an_incomplete_parcel_is_refused(
    db: Database, changes: dict[str, Any], path: str
) -> None:
    order_id = uuid7()
    with pytest.raises(InvalidInput) as refusal:
        await ship(db, a_seller(), order_id, **changes)
    assert refusal.value.problems[0].path == path
    assert await view(db, order_id) == []


async def test_only_its_seller_moves_a_parcel(db: Database) -> None:
    seller, other = a_seller(), a_seller()
    shipment_id = await ship(db, seller, uuid7())
    with pytest.raises(NotFound):
        await db.transact(
            lambda tx: api.advance(
                tx,
                other,
                shipment_id=shipment_id,
                seller_id=other.seller_id or uuid7(),
                state=api.ShipmentState.DELIVERED,
            )
        )


def test_working_days_leave_out_the_weekend() -> None:
    friday = date(2026, 11, 20)
    assert working_days_after(friday, 0) == friday
    assert working_days_after(friday, 1) == date(2026, 11, 23)
    assert working_days_after(friday, 6) == date(2026, 11, 30)
    assert working_days_after(date(2026, 11, 21), 1) == date(2026, 11, 23)


async def test_the_routes(db: Database, make_client: Callable[..., Client]) -> None:
    client = make_client(routes)
    carriers = (await client.get("/api/v1/carriers")).json()["items"]
    assert {"code": "dhl", "name": "DHL"} in carriers
    seller = a_seller()
    client.act_as.actor = seller
    order_id = uuid7()
    ids = [await ship(db, seller, order_id) for _ in range(3)]
    page = (await client.get("/api/v1/shipments?limit=2")).json()
    assert [item["id"] for item in page["items"]] == [str(ids[2]), str(ids[1])]
    rest = (await client.get(f"/api/v1/shipments?cursor={page['next_cursor']}")).json()
    assert [item["id"] for item in rest["items"]] == [str(ids[0])]
    assert (await client.get("/api/v1/shipments?cursor=WyJ4Il0")).status_code == 422
    step = {"state": "in_transit", "note": "Handed to the night train"}
    moved = await client.patch(f"/api/v1/shipments/{ids[0]}", json=step)
    assert moved.json() == {"id": str(ids[0]), "state": "in_transit"}
    again = await client.patch(f"/api/v1/shipments/{ids[0]}", json=step)
    assert (again.status_code, again.json()["code"]) == (409, "illegal_transition")
    client.act_as.actor = a_seller()
    assert (await client.patch(f"/api/v1/shipments/{ids[1]}", json=step)).status_code == 404
