from __future__ import annotations

import pytest
import pyvips

from souk.contexts.catalog import api as catalog
from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.contexts.listings import http as listings_http
from souk.contexts.sellers import api as sellers
from souk.flows.browse import http as browse_http
from souk.flows.publish_listing import flow
from souk.flows.publish_listing import http as publish_http
from souk.kernel.actor import GUEST, Actor, Permission
from souk.kernel.errors import Forbidden
from souk.kernel.ids import uuid7

OPERATOR = Actor(
    kind="user",
    user_id=uuid7(),
    permissions=frozenset(
        {Permission.CATALOG_MANAGE, Permission.LISTINGS_REVIEW, Permission.SELLERS_REVIEW}
    ),
)
LEAF = pyvips.Image.black(64, 64, bands=3).write_to_buffer(".png")


@pytest.fixture
def client(make_client):
    return make_client([*listings_http.routes, *publish_http.routes, *browse_http.routes])


async def seller_actor(db, *, tier=None) -> Actor:
    person = Actor(kind="user", user_id=uuid7(), email_verified=True)
    application = sellers.Application(name=f"Shop {uuid7().hex[-10:]}", country="DE")
    seller = await db.transact(lambda tx: sellers.apply(tx, person, application=application))
    await db.transact(
        lambda tx: sellers.approve(tx, OPERATOR, seller_id=seller.id, reason="Looks good")
    )
    if tier:
        await db.transact(lambda tx: sellers.set_tier(tx, OPERATOR, seller_id=seller.id, tier=tier))
    return Actor(kind="user", user_id=person.user_id, seller_id=seller.id, email_verified=True)


async def category_with_height(db):
    category = await db.transact(
        lambda tx: catalog.create_category(tx, OPERATOR, name=f"Cat {uuid7().hex[-10:]}")
    )
    code = f"height_{uuid7().hex[-8:]}"
    attribute = await db.transact(
        lambda tx: catalog.create_attribute(
            tx, OPERATOR, code=code, name="Height", type=catalog.AttributeType.NUMBER, unit="cm"
        )
    )
    await db.transact(
        lambda tx: catalog.assign_attribute(
            tx, OPERATOR, category_id=category.id, attribute_id=attribute.id, required=True
        )
    )
    return category, code


def body(**fields):
    return {
        "kind": "goods",
        "title": f"Olive tree {uuid7().hex[-8:]}",
        "description": "<p onclick='x()'>Evergreen<script>alert(1)</script></p>",
        "variants": [{"price": 1500, "options": {"Size": "S"}, "on_hand": 4}],
    } | fields


async def post_image(client, listing_id):
    response = await client.post(
        f"/api/v1/listings/{listing_id}/images", files={"file": ("a.png", LEAF)}
    )
    assert response.status_code == 201, response.text


async def test_from_draft_through_review_to_the_buyer(client, db):
    actor = await seller_actor(db)
    category, code = await category_with_height(db)
    client.act_as.actor = actor
    made = await client.post("/api/v1/listings", json=body(category_id=str(category.id)))
    assert made.status_code == 201, made.text
    draft = made.json()
    assert (draft["state"], draft["currency"]) == ("draft", "EUR")
    assert draft["description_html"] == "<p>Evergreen</p>"
    assert draft["variants"][0]["sku"].startswith("OLIVE-TREE-")
    url = f"/api/v1/listings/{draft['id']}"
    refused = await client.post(f"{url}/submit")
    assert refused.status_code == 422
    assert {p["path"] for p in refused.json()["problems"]} == {f"attributes.{code}"}
    filled = await client.patch(url, json={"attributes": {code: "120"}, "version": 1})
    assert filled.json()["attributes"] == {code: 120}
    refused = await client.post(f"{url}/submit")
    assert {p["path"] for p in refused.json()["problems"]} == {"images"}
    await post_image(client, draft["id"])
    assert (await client.post(f"{url}/submit")).json()["state"] == "in_review"
    client.act_as.actor = OPERATOR
    queue = (await client.get("/api/v1/admin/listings/review")).json()["items"]
    assert draft["id"] in {row["id"] for row in queue}
    admin = f"/api/v1/admin/listings/{draft['id']}"
    rejected = await client.post(f"{admin}/reject", json={"reason": "Show the pot"})
    assert (rejected.json()["state"], rejected.json()["review_note"]) == ("draft", "Show the pot")
    client.act_as.actor = actor
    assert (await client.post(f"{url}/submit")).json()["review_note"] == ""
    client.act_as.actor = OPERATOR
    assert (await client.post(f"{admin}/approve")).json()["state"] == "active"
    client.act_as.actor = GUEST
    for key in (draft["id"], draft["slug"]):
        shown = (await client.get(f"/api/v1/listings/{key}")).json()
        assert [each["available"] for each in shown["stock"]] == [4]
    assert shown["seller"]["id"] == str(actor.seller_id)
    assert shown["seller"]["name"].startswith("Shop ")
    client.act_as.actor = OPERATOR
    flagged = await client.post(f"{admin}/flag", json={"reason": "Reported"})
    assert flagged.json()["state"] == "flagged"
    assert (await client.get(url)).status_code == 404


async def test_premium_sellers_publish_at_once_and_pause_and_archive(client, db):
    actor = await seller_actor(db, tier=sellers.Tier.PREMIUM)
    category = await db.transact(
        lambda tx: catalog.create_category(tx, OPERATOR, name=f"Cat {uuid7().hex[-10:]}")
    )
    client.act_as.actor = actor
    made = (await client.post("/api/v1/listings", json=body(category_id=str(category.id)))).json()
    await post_image(client, made["id"])
    url = f"/api/v1/listings/{made['id']}"
    assert (await client.post(f"{url}/submit")).json()["state"] == "active"
    assert (await client.post(f"{url}/submit")).json()["code"] == "illegal_transition"
    assert (await client.post(f"{url}/pause")).json()["state"] == "paused"
    assert (await client.post(f"{url}/resume")).json()["state"] == "active"
    assert (await client.post(f"{url}/resume")).status_code == 409
    assert (await client.post(f"{url}/archive")).json()["state"] == "archived"
    assert (await client.patch(url, json={"title": "Other"})).json()["code"] == "listing_archived"


async def test_nothing_is_published_without_stock(client, db):
    actor = await seller_actor(db, tier=sellers.Tier.PREMIUM)
    category, code = await category_with_height(db)
    client.act_as.actor = actor
    variants = [{"price": 900, "on_hand": 0}]
    made = (
        await client.post(
            "/api/v1/listings",
            json=body(category_id=str(category.id), attributes={code: 3}, variants=variants),
        )
    ).json()
    await post_image(client, made["id"])
    refused = await client.post(f"/api/v1/listings/{made['id']}/submit")
    assert {p["path"] for p in refused.json()["problems"]} == {"stock"}


async def test_second_hand_is_one_piece_and_new_variants_get_stock(client, db):
    actor = await seller_actor(db)
    client.act_as.actor = actor
    made = await client.post(
        "/api/v1/listings",
        json=body(kind="secondhand", condition="good", variants=[{"price": 900, "on_hand": None}]),
    )
    assert made.status_code == 201, made.text
    goods = (await client.post("/api/v1/listings", json=body())).json()
    old = goods["variants"][0]["id"]
    changed = await client.put(
        f"/api/v1/listings/{goods['id']}/variants",
        json={
            "variants": [
                {"id": old, "price": 1600, "options": {"Size": "S"}, "on_hand": 99},
                {"price": 1900, "options": {"Size": "M"}, "on_hand": 7},
                {"price": 2900, "options": {"Size": "L"}, "on_hand": None},
            ]
        },
    )
    assert changed.status_code == 200, changed.text
    ids = [variant["id"] for variant in changed.json()["variants"]]
    second = made.json()["variants"][0]["id"]
    async with db.read() as conn:
        stock = {str(k): v for k, v in (await inventory.availability(conn, [*ids, second])).items()}
    assert ids[0] == old
    assert [stock[each].available for each in ids[:2]] == [4, 7]
    assert not stock[ids[2]].tracked
    assert stock[second].available == 1


async def test_bodies_that_are_refused_name_the_field(client, db):
    actor = await seller_actor(db)
    client.act_as.actor = actor
    category, code = await category_with_height(db)
    cases = [
        ({"variants": [{"price": 10}]}, "variants[0].price"),
        ({"variants": [{"price": 900, "compare_at": 900}]}, "variants[0].compare_at"),
        ({"slug": "Not a slug"}, "slug"),
        ({"slug": "search"}, "slug"),
        ({"condition": "good"}, "condition"),
        ({"kind": "digital", "live_plant": True}, "live_plant"),
        ({"attributes": {"x": 1}}, "category_id"),
        ({"category_id": str(category.id), "attributes": {code: "tall"}}, f"attributes.{code}"),
        ({"category_id": str(category.id), "attributes": {"zzz": 1}}, "attributes.zzz"),
    ]
    for fields, path in cases:
        response = await client.post("/api/v1/listings", json=body(**fields))
        assert response.status_code == 422, response.text
        assert {p["path"] for p in response.json()["problems"]} == {path}
    for fields, status in [
        ({"category_id": str(uuid7())}, 404),
        ({"species_id": str(uuid7())}, 404),
        ({"title": "a\x00b"}, 422),
        ({"surprise": 1}, 422),
    ]:
        response = await client.post("/api/v1/listings", json=body(**fields))
        assert response.status_code in {status, 400}, response.text


async def test_two_who_change_the_same_listing(client, db):
    actor = await seller_actor(db)
    client.act_as.actor = actor
    made = (await client.post("/api/v1/listings", json=body())).json()
    url = f"/api/v1/listings/{made['id']}"
    assert (await client.patch(url, json={"title": "First", "version": 1})).status_code == 200
    late = await client.patch(url, json={"title": "Second", "version": 1})
    assert (late.status_code, late.json()["code"]) == (409, "listing_changed")
    taken = await client.post("/api/v1/listings", json=body(slug=made["slug"]))
    assert taken.json()["code"] == "slug_taken"
    sku = made["variants"][0]["sku"]
    again = await client.post("/api/v1/listings", json=body(variants=[{"price": 99, "sku": sku}]))
    assert again.json()["code"] == "sku_taken"


async def test_moving_to_another_category_keeps_only_its_attributes(db):
    actor = await seller_actor(db)
    first, code = await category_with_height(db)
    second, _ = await category_with_height(db)
    seller_id = actor.seller_id
    data = listings.NewListing(
        kind=listings.Kind.GOODS,
        title="Olive",
        currency="EUR",
        category_id=first.id,
        attributes={code: 5},
    )
    listing = await db.transact(
        lambda tx: flow.create(tx, actor, seller_id=seller_id, data=data, variants=[])
    )
    assert listing.attributes == {code: 5}
    changed = await db.transact(
        lambda tx: flow.change(
            tx,
            actor,
            seller_id=seller_id,
            listing_id=listing.id,
            changes=listings.ListingChanges(category_id=second.id),
        )
    )
    assert (changed.category_path, changed.attributes) == ([second.id], {})


async def test_suspended_sellers_list_nothing(db):
    actor = await seller_actor(db)
    seller_id = actor.seller_id
    await db.transact(
        lambda tx: sellers.suspend(tx, OPERATOR, seller_id=seller_id, reason="Complaints")
    )
    data = listings.NewListing(kind=listings.Kind.GOODS, title="Olive", currency="EUR")
    with pytest.raises(Forbidden):
        await db.transact(
            lambda tx: flow.create(tx, actor, seller_id=seller_id, data=data, variants=[])
        )


async def test_every_seller_route_refuses_another_sellers_listing(client, db):
    owner, other = await seller_actor(db), await seller_actor(db)
    client.act_as.actor = owner
    made = (await client.post("/api/v1/listings", json=body())).json()
    await post_image(client, made["id"])
    x, url = uuid7(), f"/api/v1/listings/{made['id']}"
    calls = [
        ("GET", f"/api/v1/seller/listings/{made['id']}", {}),
        ("PATCH", url, {"json": {"title": "Mine now"}}),
        ("PUT", f"{url}/variants", {"json": {"variants": []}}),
        ("POST", f"{url}/submit", {}),
        ("POST", f"{url}/resume", {}),
        ("POST", f"{url}/pause", {}),
        ("POST", f"{url}/archive", {}),
        ("POST", f"{url}/images", {"files": {"file": ("a.png", LEAF)}}),
        ("PUT", f"{url}/images/order", {"json": {"ids": []}}),
        ("PATCH", f"{url}/images/{x}", {"json": {"alt": "x"}}),
        ("DELETE", f"{url}/images/{x}", {}),
        ("PUT", f"{url}/files?filename=a.pdf", {"content": b"x"}),
        ("DELETE", f"{url}/files/{x}", {}),
    ]
    for method, path, options in calls:
        client.act_as.actor = other
        foreign = await client.request(method, path, **options)
        absent = await client.request(method, path.replace(made["id"], str(uuid7())), **options)
        assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found"), (method, path)
        strip = {"request_id"}
        assert {k: v for k, v in foreign.json().items() if k not in strip} == {
            k: v for k, v in absent.json().items() if k not in strip
        }
        for actor, status in ((GUEST, 401), (OPERATOR, 403)):
            client.act_as.actor = actor
            assert (await client.request(method, path, **options)).status_code == status
    client.act_as.actor = owner
    for path in ("approve", "reject", "flag"):
        response = await client.post(
            f"/api/v1/admin/listings/{made['id']}/{path}", json={"reason": "because"}
        )
        assert response.status_code == 403
    mine = (await client.get("/api/v1/seller/listings", params={"state": "draft"})).json()["items"]
    assert [row["title"] for row in mine] == [made["title"]]
    assert (await client.get("/api/v1/seller/listings", params={"state": "x"})).status_code == 422
