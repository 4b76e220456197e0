"""The cart with live prices and stock, over listings and inventory, through the API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.contexts.listings.domain import Kind, Listing
from souk.flows.cart import flow
from souk.flows.cart.http import routes
from souk.kernel.actor import Actor, system
from souk.kernel.ids import fingerprint, token, uuid7
from souk.platform.database import Database, count_statements
from souk.platform.http.holder import Holder
from tests.conftest import Client
from tests.listings import factories

TEST = system("test")
URL = "/api/v1/cart/items"


async def stock(db: Database, listing: Listing, on_hand: int | None) -> None:
    items = [
        inventory.StockSetUp(
            variant.id, listing.id, listing.seller_id, on_hand or 0, on_hand is not None
        )
        for variant in listing.variants
    ]
    await db.transact(lambda tx: inventory.set_up(tx, TEST, items=items))


async def for_sale(db: Database, *, on_hand: int | None = 10, price: int = 1_250) -> Listing:
    listing = await factories.active(
        db, factories.seller_actor(), variants=[listings.VariantInput(price=price)]
    )
    await stock(db, listing, on_hand)
    return listing


async def set_price(db: Database, listing: Listing, price: int) -> None:
    await db.transact(
        lambda tx: tx.execute(
            "UPDATE listings.variant SET price = $2 WHERE listing_id = $1", listing.id, price
        )
    )


async def set_state(db: Database, listing: Listing, state: str) -> None:
    await db.transact(
        lambda tx: tx.execute(
            "UPDATE listings.listing SET state = $2 WHERE id = $1", listing.id, state
        )
    )


def variant(listing: Listing) -> UUID:
    return listing.variants[0].id


def body(listing: Listing, quantity: int = 1) -> dict[str, Any]:
    return {"variant_id": str(variant(listing)), "quantity": quantity}


def items_of(cart: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {item["variant_id"]: item for group in cart["groups"] for item in group["items"]}


def said(cart: dict[str, Any]) -> list[tuple[str, str]]:
    return [(message["code"], message["severity"]) for message in cart["messages"]]


@pytest.fixture
def client(make_client: Callable[..., Client]) -> Client:
    """A guest who brings a token."""
    client = make_client(routes)
    client.headers["souk-guest"] = token()
    return client


async def test_a_guest_receives_a_token_with_the_first_thing(
    db: Database, make_client: Callable[..., Client]
) -> None:
    client = make_client(routes)
    empty = await client.get("/api/v1/cart")
    assert (empty.json()["groups"], empty.json()["ready"]) == ([], False)
    assert "souk-guest" not in empty.headers
    listing = await for_sale(db)
    added = await client.post(URL, json=body(listing, 2))
    assert added.status_code == 200, added.text
    given = added.headers["souk-guest"]
    assert client.cookies["souk_guest"] == given
    client.cookies.clear()
    seen = await client.get("/api/v1/cart", headers={"souk-guest": given})
    assert seen.json() == added.json()
    assert (await client.get("/api/v1/cart")).json()["groups"] == []


async def test_a_cart_over_two_sellers(db: Database, client: Client) -> None:
    first, second = await for_sale(db, price=1_250), await for_sale(db, price=999)
    await client.post(URL, json=body(first, 2))
    cart = (await client.post(URL, json=body(second, 3))).json()
    assert [group["seller_id"] for group in cart["groups"]] == [
        str(first.seller_id),
        str(second.seller_id),
    ]
    assert [group["subtotal"]["amount"] for group in cart["groups"]] == [2_500, 2_997]
    assert cart["subtotal"] == {"amount": 5_497, "currency": "EUR"}
    assert (cart["count"], cart["ready"], cart["messages"]) == (5, True, [])
    item = items_of(cart)[str(variant(first))]
    assert item["title"] == first.title
    assert item["image_key"].startswith("images/")


async def test_what_changed_since_is_said(db: Database, client: Client) -> None:
    dearer, fewer, gone, ended, sold = [await for_sale(db) for _ in range(5)]
    for listing in (dearer, fewer, gone, ended, sold):
        await client.post(URL, json=body(listing, 5))
    await set_price(db, dearer, 1_500)
    await stock(db, fewer, None)
    await db.transact(
        lambda tx: tx.execute(
            "UPDATE inventory.stock SET tracked = true, on_hand = 2, reserved = 0"
            " WHERE variant_id = $1",
            variant(fewer),
        )
    )
    await db.transact(
        lambda tx: tx.execute(
            "UPDATE inventory.stock SET on_hand = 0 WHERE variant_id = $1", variant(gone)
        )
    )
    await set_state(db, ended, "archived")
    await set_state(db, sold, "sold_out")
    cart = (await client.get("/api/v1/cart")).json()
    assert sorted(said(cart)) == [
        ("price_changed", "warning"),
        ("quantity_reduced", "warning"),
        ("sold_out", "error"),
        ("sold_out", "error"),
        ("unavailable", "error"),
    ]
    found = items_of(cart)
    assert found[str(variant(dearer))]["total"]["amount"] == 7_500
    assert (found[str(variant(fewer))]["quantity"], found[str(variant(fewer))]["wanted"]) == (2, 5)
    assert found[str(variant(gone))]["quantity"] == 0
    assert cart["subtotal"]["amount"] == 7_500 + 2 * 1_250
    assert cart["count"] == 7
    message = next(m for m in cart["messages"] if m["code"] == "price_changed")
    assert message["path"].endswith(".price")
    assert "12.50 EUR to 15.00 EUR" in message["text"]


async def test_nothing_left_to_buy_is_not_ready(db: Database, client: Client) -> None:
    listing = await for_sale(db)
    await client.post(URL, json=body(listing))
    await set_state(db, listing, "paused")
    cart = (await client.get("/api/v1/cart")).json()
    assert (cart["ready"], cart["count"]) == (False, 0)


async def test_what_cannot_be_bought_does_not_get_in(db: Database, client: Client) -> None:
    few, paused = await for_sale(db, on_hand=3), await for_sale(db)
    await set_state(db, paused, "paused")
    await client.post(URL, json=body(few, 2))
    over = await client.post(URL, json=body(few, 2))
    assert (over.status_code, over.json()["code"]) == (409, "not_enough_stock")
    assert over.json()["available"] == 3
    off = await client.post(URL, json=body(paused))
    assert (off.status_code, off.json()["code"]) == (409, "not_for_sale")
    absent = await client.post(URL, json={"variant_id": str(uuid7())})
    assert (absent.status_code, absent.json()["code"]) == (409, "not_for_sale")
    for bad in (0, 100, -1, "x", 1.5):
        answer = await client.post(URL, json={"variant_id": str(variant(few)), "quantity": bad})
        assert answer.status_code in {400, 422}
    cart = (await client.get("/api/v1/cart")).json()
    assert items_of(cart)[str(variant(few))]["quantity"] == 2
    assert cart["count"] == 2


async def test_changing_and_removing(db: Database, client: Client) -> None:
    listing, other = await for_sale(db, on_hand=5), await for_sale(db)
    await client.post(URL, json=body(listing))
    await client.post(URL, json=body(other))
    one = f"{URL}/{variant(listing)}"
    changed = await client.patch(one, json={"quantity": 5})
    assert items_of(changed.json())[str(variant(listing))]["total"]["amount"] == 6_250
    over = await client.patch(one, json={"quantity": 6})
    assert (over.status_code, over.json()["available"]) == (409, 5)
    await set_state(db, listing, "paused")
    assert (await client.patch(one, json={"quantity": 1})).json()["code"] == "not_for_sale"
    removed = await client.delete(one)
    assert removed.status_code == 200
    assert list(items_of(removed.json())) == [str(variant(other))]
    assert (await client.delete(one)).status_code == 404
    assert (await client.patch(one, json={"quantity": 1})).status_code == 404
    last = await client.delete(f"{URL}/{variant(other)}")
    assert last.json()["groups"] == []


async def test_another_holder_sees_and_changes_nothing(db: Database, client: Client) -> None:
    listing = await for_sale(db)
    await client.post(URL, json=body(listing))
    client.headers["souk-guest"] = token()
    assert (await client.get("/api/v1/cart")).json()["groups"] == []
    assert (await client.delete(f"{URL}/{variant(listing)}")).status_code == 404
    client.act_as.actor = Actor(kind="user", user_id=uuid7())
    answer = await client.patch(f"{URL}/{variant(listing)}", json={"quantity": 2})
    assert answer.status_code == 404


async def test_a_digital_good_without_a_count(db: Database, client: Client) -> None:
    seller = factories.seller_actor()
    category = uuid7()
    listing = await factories.create(
        db,
        seller,
        kind=Kind.DIGITAL,
        variants=[listings.VariantInput(price=500)],
        category_id=category,
        category_path=[category],
    )
    await db.transact(
        lambda tx: tx.execute(
            "UPDATE listings.listing SET state = 'active', published_at = $2 WHERE id = $1",
            listing.id,
            tx.clock.now(),
        )
    )
    cart = (await client.post(URL, json=body(listing, 3))).json()
    assert items_of(cart)[str(variant(listing))]["quantity"] == 1
    again = await client.patch(f"{URL}/{variant(listing)}", json={"quantity": 2})
    assert (again.status_code, again.json()["code"]) == (422, "quantity_out_of_range")


async def test_adding_takes_six_statements(db: Database) -> None:
    holder = Holder(guest=fingerprint(token()))
    goods = [await for_sale(db) for _ in range(4)]
    for listing in goods:
        async with count_statements() as count:
            await db.transact(
                lambda tx, listing=listing: flow.add(
                    tx, holder, variant_id=variant(listing), quantity=1, currency="EUR"
                )
            )
        assert count.total <= 6, count.texts
    async with db.read() as conn, count_statements() as count:
        view = await flow.read(conn, holder, currency="EUR")
    assert count.total == 3
    assert view.count == 4


async def test_adding_at_once_loses_nothing(db: Database, client: Client) -> None:
    listing, other = await for_sale(db, on_hand=50), await for_sale(db)
    answers = await asyncio.gather(
        *(client.post(URL, json=body(listing)) for _ in range(12)),
        *(client.post(URL, json=body(other)) for _ in range(3)),
    )
    assert {answer.status_code for answer in answers} == {200}
    cart = (await client.get("/api/v1/cart")).json()
    assert items_of(cart)[str(variant(listing))]["quantity"] == 12
    assert items_of(cart)[str(variant(other))]["quantity"] == 3


async def test_a_guests_cart_is_taken_along_at_log_in(db: Database, client: Client) -> None:
    listing = await for_sale(db)
    await client.post(URL, json=body(listing, 2))
    assert (await client.post("/api/v1/cart/merge")).status_code == 401
    client.act_as.actor = Actor(kind="user", user_id=uuid7())
    for _ in range(2):
        merged = await client.post("/api/v1/cart/merge")
        assert merged.status_code == 200
        assert items_of(merged.json())[str(variant(listing))]["quantity"] == 2
    del client.headers["souk-guest"]
    assert (await client.get("/api/v1/cart")).json() == merged.json()
    assert (await client.post("/api/v1/cart/merge")).json() == merged.json()
