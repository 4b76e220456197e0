from __future__ import annotations

import pytest

from souk.contexts.catalog import api as catalog
from souk.contexts.inventory import api as inventory
from souk.flows.browse import http
from souk.kernel.actor import Actor, Permission
from souk.kernel.ids import uuid7
from souk.platform.database import count_statements
from tests.listings import factories

OPERATOR = Actor(
    kind="user", user_id=uuid7(), permissions=frozenset({Permission.CATALOG_MANAGE})
)


@pytest.fixture
def client(make_client):
    return make_client(http.routes)


async def stocked(db, listing, on_hand):
    await db.transact(
        lambda tx: inventory.set_up(
            tx, OPERATOR,
            items=[inventory.StockSetUp(
                variant_id=listing.variants[0].id, listing_id=listing.id,
                seller_id=listing.seller_id, on_hand=on_hand,
            )],
        )
    )


async def test_a_list_is_one_statement(client, db):
    actor = factories.seller_actor()
    made = [await factories.active(db, actor) for _ in range(3)]
    params = {"seller": str(actor.seller_id), "limit": 2}
    async with count_statements() as count:
        first = await client.get("/api/v1/listings", params=params)
    assert count.total == 1
    assert first.headers["content-type"] == "application/json"
    page = first.json()
    rest = (await client.get(
        "/api/v1/listings", params=params | {"cursor": page["next_cursor"]}
    )).json()
    ids = [card["id"] for card in page["items"] + rest["items"]]
    assert ids == [str(listing.id) for listing in reversed(made)]
    assert rest["next_cursor"] is None
    none = await client.get("/api/v1/listings", params={"seller": str(uuid7())})
    assert none.json() == {"items": [], "next_cursor": None}


async def test_a_detail_is_two_statements_with_live_stock(client, db):
    actor = factories.seller_actor()
    listing = await factories.active(db, actor)
    await stocked(db, listing, 5)
    async with count_statements() as count:
        response = await client.get(f"/api/v1/listings/{listing.slug}")
    assert count.total == 2
    shown = response.json()
    variant = str(listing.variants[0].id)
    assert shown["stock"] == [{"variant_id": variant, "available": 5}]
    await db.transact(
        lambda tx: inventory.adjust(
            tx, actor, seller_id=actor.seller_id, variant_id=listing.variants[0].id, absolute=2,
            reason=inventory.Reason.CORRECTION,
        )
    )
    again = (await client.get(f"/api/v1/listings/{listing.id}")).json()
    assert again["stock"][0]["available"] == 2


async def test_lists_by_category_slug_include_what_is_below(client, db):
    parent = await db.transact(
        lambda tx: catalog.create_category(tx, OPERATOR, name=f"Cat {uuid7().hex[-10:]}")
    )
    child = await db.transact(
        lambda tx: catalog.create_category(
            tx, OPERATOR, name=f"Cat {uuid7().hex[-10:]}", parent_id=parent.id
        )
    )
    actor = factories.seller_actor()
    listing = await factories.active(
        db, actor, category_id=child.id, category_path=child.path
    )
    for key in (parent.slug, str(parent.id), child.slug):
        found = (await client.get("/api/v1/listings", params={"category": key})).json()["items"]
        assert [card["id"] for card in found] == [str(listing.id)]
    kind = {"category": parent.slug, "kind": "digital"}
    assert (await client.get("/api/v1/listings", params=kind)).json()["items"] == []
    assert (await client.get("/api/v1/listings", params={"category": "nope"})).status_code == 404


@pytest.mark.parametrize(
    "params", [{"limit": 0}, {"limit": 101}, {"cursor": "x"}, {"kind": "x"}, {"seller": "x"}]
)
async def test_bad_queries_are_refused(client, params):
    assert (await client.get("/api/v1/listings", params=params)).status_code in {400, 422}


async def test_absent_listings(client):
    for key in (uuid7(), "no-such-listing", "a%00b"):
        assert (await client.get(f"/api/v1/listings/{key}")).status_code in {404, 422}
