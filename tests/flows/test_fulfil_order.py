"""After the payment: parcels, delivery, completion, cancelling and returning, with their money."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from souk.contexts.ledger import api as ledger
from souk.contexts.ledger.jobs import release_holds
from souk.flows.checkout import jobs as checkout_jobs
from souk.flows.fulfil_order import jobs
from souk.kernel.ids import uuid7
from souk.platform.database import WriteTx
from tests.factories.market import FLAT_DELIVERY, HOME, Buyer, Market, Shop

WHY = {"reason": "It does not fit"}
PARCEL = {"carrier": "dhl", "tracking": "00340434161094042557"}


@pytest.fixture(autouse=True)
async def sound(market: Market):
    yield
    await market.sound()


def part_of(order: dict[str, Any], shop: Shop) -> dict[str, Any]:
    return next(p for p in order["seller_orders"] if p["seller_id"] == str(shop.seller_id))


async def confirm(buyer: Buyer, order: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    url = f"/api/v1/orders/{order['id']}/parts/{part['id']}/confirm-delivery"
    answer = await buyer.http.post(url)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def as_buyer(buyer: Buyer, order: dict[str, Any], part: dict[str, Any], step: str) -> Any:
    url = f"/api/v1/orders/{order['id']}/parts/{part['id']}/{step}"
    return await buyer.http.post(url, json=WHY)


async def ship(shop: Shop, part: dict[str, Any], **lines: int) -> dict[str, Any]:
    body = PARCEL | ({"lines": lines} if lines else {})
    answer = await shop.post(f"{part['id']}/ship", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_from_acceptance_to_the_sellers_money(market: Market) -> None:
    shop = await market.shop()
    listing = await shop.goods(price=4_000)
    buyer = market.guest()
    gateway = await market.balance("gateway:sandbox")
    commission = await market.balance("commission")
    order = await buyer.buy((listing, 2))
    part = part_of(order, shop)
    total = 8_000 + FLAT_DELIVERY
    assert await market.balance("gateway:sandbox") == gateway + total
    assert await market.balance(f"escrow:{part['id']}") == -total
    accepted = await shop.post(f"{part['id']}/accept")
    assert accepted.json()["state"] == "processing"
    assert (await shop.post(f"{part['id']}/accept")).json()["state"] == "processing"
    shipped = await ship(shop, part)
    assert shipped["state"] == "shipped"
    assert shipped["lines"][0]["fulfilled"] == 2
    assert (await confirm(buyer, order, part))["state"] == "completed"
    pending = f"seller:{shop.seller_id}:pending"
    assert await market.balance(f"escrow:{part['id']}") == 0
    assert await market.balance("commission") == commission - 800
    assert await market.balance(pending) == -(total - 800)
    market.clock.advance(timedelta(days=3, minutes=1))
    await release_holds(market.services)
    assert await market.balance(pending) == 0
    assert await market.balance(f"seller:{shop.seller_id}:available") == -(total - 800)
    steps = [s["state"] for s in (await buyer.order(order["id"]))["seller_orders"][0]["timeline"]]
    assert steps == ["confirmed", "processing", "shipped", "delivered", "completed"]


async def test_the_figures_of_the_book(market: Market) -> None:
    """80.00 goods + 10.00 delivery + 10.00 tax; commission 10 %, 20 % tax on the commission."""
    from souk.contexts.orders import api as orders
    from souk.flows.checkout.complete import order_share
    from souk.flows.fulfil_order import money
    from souk.kernel.actor import system

    made = uuid7()
    totals = orders.Totals(items=8_000, delivery=1_000, tax=1_000, total=10_000)
    choice = orders.DeliveryChoice(made, None, "Parcel", 1_000)
    part = orders.SellerOrder(
        id=uuid7(), order_id=uuid7(), seller_id=made, buyer_id=None, currency="EUR",
        state=orders.SellerOrderState.DELIVERED, totals=totals, delivery_tax=0, commission=800,
        commission_tax=160, delivery=choice, lines=[],
    )  # fmt: skip
    share = order_share(part, "XX")
    assert share.escrow.amount == 9_000
    assert {key: tax.amount for key, tax in share.tax.items()} == {"XX": 1_000}
    assert money.HOLD == timedelta(days=3)
    actor = system("test")
    captured = ledger.draft.captured(
        payment_id=uuid7(), gateway="sandbox", order_number="T-1", currency="EUR",
        shares=[share], cause="test",
    )  # fmt: skip

    async def book(tx: WriteTx) -> None:
        async def balance(code: str) -> int:
            return await ledger.balance_of(tx, code, "EUR")

        await ledger.post(tx, actor, captured)
        before = await balance("commission"), await balance("tax:operator")
        await ledger.release_escrow(
            tx, actor, seller_order_id=part.id, seller_id=made, order_number="T-1",
            amount=share.escrow, commission=ledger.CommissionShare(
                ledger_money(800), ledger_money(160), jurisdiction="operator"
            ),
            release_at=tx.clock.now(), cause="test",
        )  # fmt: skip
        assert await balance(f"seller:{made}:pending") == -8_040
        assert await balance("commission") == before[0] - 800
        assert await balance("tax:operator") == before[1] - 160
        assert await balance(f"escrow:{part.id}") == 0
        raise Undo

    # Nobody paid this in truth, so it does not stay in the books.
    with pytest.raises(Undo):
        await market.db.transact(book)


class Undo(Exception):
    """Ends a transaction that a test does not want to keep."""


def ledger_money(amount: int) -> Any:
    from souk.kernel.money import Money

    return Money(amount, "EUR")


async def test_parcels_one_after_the_other(market: Market) -> None:
    shop = await market.shop()
    first, second = await shop.goods(), await shop.goods()
    buyer = market.guest()
    order = await buyer.buy((first, 3), (second, 1))
    part = part_of(order, shop)
    a, b = (line["id"] for line in part["lines"])
    state = await ship(shop, part, **{a: 2})
    assert state["state"] == "processing"
    assert [line["fulfilled"] for line in state["lines"]] == [2, 0]
    too_many = await shop.post(f"{part['id']}/ship", PARCEL | {"lines": {a: 2}})
    assert (too_many.status_code, too_many.json()["code"]) == (409, "quantity_not_left")
    for wrong in ({str(uuid7()): 1}, {}):
        refused = await shop.post(f"{part['id']}/ship", PARCEL | {"lines": wrong})
        assert refused.status_code == 422, refused.text
    late = await as_buyer(buyer, order, part, "cancel")
    assert (late.status_code, late.json()["code"]) == (409, "cancel_too_late")
    assert (await ship(shop, part, **{a: 1, b: 1}))["state"] == "shipped"
    again = await shop.post(f"{part['id']}/ship", PARCEL)
    assert (again.status_code, again.json()["code"]) == (409, "illegal_transition")
    parcels = await shop.http.get(f"/api/v1/seller/orders/{part['id']}")
    assert [line["fulfilled"] for line in parcels.json()["lines"]] == [3, 1]


async def test_parcels_that_leave_before_the_downloads_are_granted(market: Market) -> None:
    shop = await market.shop()
    plant, guide = await shop.goods(), await shop.download()
    buyer = market.guest()
    order = await buyer.buy((plant, 1), (guide, 1))
    part = part_of(order, shop)
    await ship(shop, part)
    await market.drain()
    current = part_of(await buyer.order(order["id"]), shop)
    assert current["state"] == "shipped"
    assert (await confirm(buyer, order, part))["state"] == "completed"


async def test_the_return_window_ends_by_itself(market: Market) -> None:
    shop = await market.shop()
    guide = await shop.download(price=1_000)
    buyer = market.guest()
    order = await buyer.buy((guide, 1))
    await market.drain()
    part = part_of(await buyer.order(order["id"]), shop)
    assert part["state"] == "delivered"
    market.clock.advance(timedelta(days=7, minutes=-1))
    await jobs.complete_due(market.services)
    assert part_of(await buyer.order(order["id"]), shop)["state"] == "delivered"
    market.clock.advance(timedelta(minutes=2))
    await jobs.complete_due(market.services)
    await jobs.complete_due(market.services)
    assert part_of(await buyer.order(order["id"]), shop)["state"] == "completed"
    assert await market.balance(f"seller:{shop.seller_id}:pending") == -900
    refused = await as_buyer(buyer, order, part, "request-return")
    assert refused.status_code == 409


async def test_a_part_that_cannot_be_completed_keeps_nobody_else_unpaid(market: Market) -> None:
    shops = [await market.shop() for _ in range(2)]
    parts: list[str] = []
    for shop in shops:
        order = await market.guest().buy((await shop.download(price=1_000), 1))
        parts.append(part_of(order, shop)["id"])
        await market.drain()
        market.clock.advance(timedelta(seconds=1))
    market.clock.advance(timedelta(days=7))
    escrow = "UPDATE ledger.account SET balance = balance + $2 WHERE code = $1"
    await market.db.transact(lambda tx: tx.execute(escrow, f"escrow:{parts[0]}", 600))
    await jobs.complete_due(market.services)
    earned = [await market.balance(f"seller:{shop.seller_id}:pending") for shop in shops]
    assert earned == [0, -900]
    await market.db.transact(lambda tx: tx.execute(escrow, f"escrow:{parts[0]}", -600))
    await jobs.complete_due(market.services)
    assert await market.balance(f"seller:{shops[0].seller_id}:pending") == -900


async def test_workers_that_complete_at_once_pay_once(market: Market) -> None:
    shops = [await market.shop() for _ in range(6)]
    for shop in shops:
        await market.guest().buy((await shop.download(price=1_000), 1))
    await market.drain()
    market.clock.advance(timedelta(days=7, minutes=1))
    await asyncio.gather(
        *(jobs.complete_due(market.services) for _ in range(3)),
        *(release_holds(market.services) for _ in range(3)),
    )
    for shop in shops:
        assert await market.balance(f"seller:{shop.seller_id}:pending") == -900


async def test_downloads_leave_by_no_parcel(market: Market) -> None:
    shop = await market.shop()
    plant, guide = await shop.goods(), await shop.download()
    buyer = market.guest()
    order = await buyer.buy((plant, 1), (guide, 1))
    part = part_of(order, shop)
    lines = {line["id"]: 1 for line in part["lines"]}
    refused = await shop.post(f"{part['id']}/ship", PARCEL | {"lines": lines})
    assert (refused.status_code, refused.json()["code"]) == (422, "line_not_found")
    await market.drain()
    files = (await buyer.http.get(f"/api/v1/orders/{order['id']}/downloads")).json()["files"]
    assert [file["state"] for file in files] == ["ready"]


async def test_parcels_that_arrive_deliver_the_order(market: Market) -> None:
    shop = await market.shop()
    first, second = await shop.goods(), await shop.goods()
    buyer = market.guest()
    order = await buyer.buy((first, 1), (second, 1))
    part = part_of(order, shop)
    for line in part["lines"]:
        await ship(shop, part, **{line["id"]: 1})
    parcels = (await shop.http.get("/api/v1/shipments")).json()["items"]
    states: list[str] = []
    for parcel in parcels:
        for state in ("in_transit", "delivered"):
            url = f"/api/v1/shipments/{parcel['id']}"
            assert (await shop.http.patch(url, json={"state": state})).status_code == 200
        await market.drain()
        states.append(part_of(await buyer.order(order["id"]), shop)["state"])
    assert states == ["shipped", "delivered"]
    market.clock.advance(timedelta(days=7, minutes=1))
    await jobs.complete_due(market.services)
    assert part_of(await buyer.order(order["id"]), shop)["state"] == "completed"
    assert await market.balance(f"escrow:{part['id']}") == 0


async def test_a_buyers_silence_keeps_no_seller_unpaid(market: Market) -> None:
    shop = await market.shop()
    buyer = market.guest()
    order = await buyer.buy((await shop.goods(), 1))
    part = part_of(order, shop)
    await ship(shop, part)
    states: list[str] = []
    for wait in (timedelta(days=21, minutes=-1), timedelta(minutes=2), timedelta(0)):
        market.clock.advance(wait)
        await jobs.arrive_overdue(market.services)
        states.append(part_of(await buyer.order(order["id"]), shop)["state"])
    assert states == ["shipped", "delivered", "delivered"]
    asked = await as_buyer(buyer, order, part, "request-return")
    assert asked.status_code == 200, asked.text


@pytest.mark.parametrize("by", ["buyer", "seller"])
async def test_cancelling_one_part_of_two(market: Market, by: str) -> None:
    shop, other = await market.shop(), await market.shop()
    mine, theirs = await shop.goods(price=1_500), await other.goods(price=700)
    buyer = market.guest()
    order = await buyer.buy((mine, 2), (theirs, 1))
    part = part_of(order, shop)
    assert await market.on_hand(mine) == (8, 0)
    answer = (
        await as_buyer(buyer, order, part, "cancel")
        if by == "buyer"
        else await shop.post(f"{part['id']}/cancel", WHY)
    )
    assert answer.status_code == 200, answer.text
    assert await market.on_hand(mine) == (10, 0)
    assert await market.on_hand(theirs) == (9, 0)
    assert await market.balance(f"escrow:{part['id']}") == 0
    after = await buyer.order(order["id"])
    assert part_of(after, shop)["state"] == "cancelled"
    assert after["refunded"] == 3_000 + FLAT_DELIVERY
    await checkout_jobs.send_refunds(market.services)
    await checkout_jobs.send_refunds(market.services)
    intents = await market.intents(reference=order["payment_id"])
    assert [back for _, _, back in intents] == [3_000 + FLAT_DELIVERY]
    again = await as_buyer(buyer, order, part, "cancel")
    assert again.status_code == 409
    assert await market.on_hand(mine) == (10, 0)


async def test_a_return(market: Market) -> None:
    shop = await market.shop()
    listing, guide = await shop.goods(), await shop.download()
    buyer = market.guest()
    order = await buyer.buy((listing, 1), (guide, 1))
    part = part_of(order, shop)
    await market.drain()
    await ship(shop, part)
    early = await as_buyer(buyer, order, part, "request-return")
    assert early.status_code == 409
    await deliver(market, shop, part)
    asked = await as_buyer(buyer, order, part, "request-return")
    assert part_of(asked.json(), shop)["state"] == "return_requested"
    refused = await shop.post(f"{part['id']}/refuse-return", WHY)
    assert refused.json()["state"] == "delivered"
    await as_buyer(buyer, order, part, "request-return")
    taken = await shop.post(f"{part['id']}/returned", WHY)
    assert (taken.status_code, taken.json()["state"]) == (200, "returned"), taken.text
    assert await market.on_hand(listing) == (10, 0)
    assert (await buyer.order(order["id"]))["refunded"] == order["total"]
    files = (await buyer.http.get(f"/api/v1/orders/{order['id']}/downloads")).json()["files"]
    assert [file["state"] for file in files] == ["revoked"]
    assert (await shop.post(f"{part['id']}/returned", WHY)).status_code == 409
    assert await market.on_hand(listing) == (10, 0)


async def deliver(market: Market, shop: Shop, part: dict[str, Any]) -> None:
    """The carrier brings it; nobody has said yet that all is fine."""
    from souk.contexts.orders import api as orders
    from souk.flows.fulfil_order import steps
    from souk.kernel.actor import system

    async def arrive(tx: Any) -> None:
        locked = await orders.lock_part(tx, seller_order_id=UUID(part["id"]))
        await steps.confirm_delivery(tx, system("test"), part=locked)

    await market.db.transact(arrive)


async def test_another_seller_reaches_nothing(market: Market) -> None:
    shop, stranger = await market.shop(), await market.shop()
    buyer = market.guest()
    order = await buyer.buy((await shop.goods(), 1))
    part = part_of(order, shop)
    steps: list[tuple[str, dict[str, Any] | None]] = [
        ("accept", None), ("ship", PARCEL), ("cancel", WHY), ("returned", WHY),
        ("refuse-return", WHY),
    ]  # fmt: skip
    for step, body in steps:
        bodies = []
        for target in (part["id"], str(uuid7())):
            answer = await stranger.post(f"{target}/{step}", body)
            assert answer.status_code == 404, (step, answer.text)
            bodies.append({k: v for k, v in answer.json().items() if k != "request_id"})
        assert bodies[0] == bodies[1]
    url = f"/api/v1/seller/orders/{part['id']}"
    assert (await stranger.http.get(url)).status_code == 404
    assert (await stranger.http.get("/api/v1/seller/orders")).json()["items"] == []
    assert part_of(await buyer.order(order["id"]), shop)["state"] == "confirmed"


async def test_another_buyer_reaches_nothing(market: Market) -> None:
    shop = await market.shop()
    buyer, other = market.guest(), market.guest()
    order = await buyer.buy((await shop.goods(), 1))
    own = await other.buy((await shop.goods(), 1))
    part, mine = part_of(order, shop), part_of(own, shop)
    for step in ("cancel", "request-return", "confirm-delivery"):
        for order_id, part_id in ((order["id"], part["id"]), (own["id"], part["id"])):
            url = f"/api/v1/orders/{order_id}/parts/{part_id}/{step}"
            assert (await other.http.post(url, json=WHY)).status_code == 404
    assert part_of(await buyer.order(order["id"]), shop)["state"] == "confirmed"
    assert mine["state"] == "confirmed"


@pytest.mark.parametrize("tax", ["DE:1900"])
async def test_tax_is_booked_and_given_back(db_url: str, market: Market, tax: str) -> None:
    from souk.contexts.fulfilment import api as fulfilment
    from souk.flows.checkout import flow
    from souk.kernel.ids import fingerprint
    from souk.platform.http.holder import Holder

    shop = await market.shop()
    listing = await shop.goods(price=1_000)
    buyer = market.guest()
    settings = msgspec.structs.replace(market.services.settings, tax_rates=(tax,))
    holder = Holder(guest=fingerprint(buyer.http.headers["souk-guest"]))
    before = await market.balance("tax:DE")
    view = await market.db.transact(
        lambda tx: flow.open_checkout(
            tx,
            holder,
            items=[flow.Item(listing.variants[0].id, 1)],
            parts=flow.Parts(
                email="a@b.test", shipping_address=msgspec.convert(HOME, fulfilment.Address)
            ),
            settings=settings,
        )
    )
    assert (view.totals.tax, view.totals.total) == (283, 1_000 + 490 + 283)
    paid = (await buyer.pay({"id": str(view.id)})).json()
    assert await market.balance("tax:DE") == before - 283
    order = await buyer.order(paid["order_id"])
    part = part_of(order, shop)
    assert await market.balance(f"escrow:{part['id']}") == -1_490
    await as_buyer(buyer, order, part, "cancel")
    assert await market.balance("tax:DE") == before
    assert await market.balance(f"escrow:{part['id']}") == 0


async def test_tax_on_a_download_without_an_address_is_the_marketplaces_own(market: Market) -> None:
    from souk.flows.checkout import flow
    from souk.kernel.ids import fingerprint
    from souk.platform.http.holder import Holder

    shop = await market.shop()
    guide = await shop.download(price=1_000)
    buyer = market.guest()
    settings = msgspec.structs.replace(market.services.settings, tax_rates=("DE:1900",))
    holder = Holder(guest=fingerprint(buyer.http.headers["souk-guest"]))
    before = await market.balance("tax:DE")
    view = await market.db.transact(
        lambda tx: flow.open_checkout(
            tx,
            holder,
            items=[flow.Item(guide.variants[0].id, 1)],
            parts=flow.Parts(email="a@b.test"),
            settings=settings,
        )
    )
    paid = (await buyer.pay({"id": str(view.id)})).json()
    assert await market.balance("tax:DE") == before - 190
    order = await buyer.order(paid["order_id"])
    await as_buyer(buyer, order, part_of(order, shop), "cancel")
    assert await market.balance("tax:DE") == before
