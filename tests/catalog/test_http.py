from __future__ import annotations

import pytest

from souk.contexts.catalog import http
from souk.kernel.actor import GUEST, Actor, Permission
from souk.kernel.ids import uuid7

OPERATOR = Actor(kind="user", user_id=uuid7(), permissions=frozenset({Permission.CATALOG_MANAGE}))
ANYONE = Actor(kind="user", user_id=uuid7())


@pytest.fixture
def client(make_client):
    client = make_client(http.routes)
    client.act_as.actor = OPERATOR
    return client


def name() -> str:
    return f"Cat {uuid7().hex[-10:]}"


async def create(client, **body):
    response = await client.post("/api/v1/categories", json={"name": name()} | body)
    assert response.status_code == 201, response.text
    return response.json()


async def test_the_life_of_a_category(client):
    parent = await create(client)
    child = await create(client, parent_id=parent["id"])
    other = await create(client)
    assert [c["id"] for c in child["breadcrumbs"]] == [parent["id"], child["id"]]
    base = f"/api/v1/categories/{child['id']}"
    renamed = await client.patch(base, json={"name": "Ferns & Co"})
    assert renamed.json()["name"] == "Ferns & Co"
    moved = await client.post(f"{base}/move", json={"parent_id": other["id"]})
    assert [c["id"] for c in moved.json()["breadcrumbs"]] == [other["id"], child["id"]]
    merged = await client.post(f"{base}/merge", json={"into": parent["id"]})
    assert merged.json()["id"] == parent["id"]
    assert (await client.get(base)).status_code == 404
    a, b = [await create(client, parent_id=parent["id"]) for _ in range(2)]
    order = {"parent_id": parent["id"], "ids": [b["id"], a["id"]]}
    assert (await client.put("/api/v1/categories/order", json=order)).status_code == 200
    by_slug = (await client.get(f"/api/v1/categories/{parent['slug']}")).json()
    assert [c["id"] for c in by_slug["children"]] == [b["id"], a["id"]]
    tree = (await client.get("/api/v1/categories")).json()["items"]
    assert parent["id"] in {node["id"] for node in tree}


async def test_attributes_through_the_api(client):
    category = await create(client)
    code = f"colour_{uuid7().hex[-8:]}"
    made = await client.post(
        "/api/v1/attributes",
        json={"code": code, "name": "Colour", "type": "choice", "choices": ["red", "blue"]},
    )
    attribute = made.json()
    url = f"/api/v1/categories/{category['id']}/attributes/{attribute['id']}"
    assigned = await client.put(url, json={"required": True, "facet": True})
    assert [(a["code"], a["required"]) for a in assigned.json()["attributes"]] == [(code, True)]
    changed = await client.patch(
        f"/api/v1/attributes/{attribute['id']}", json={"name": "Hue", "choices": ["red"]}
    )
    assert changed.json()["choices"] == ["red"]
    assert (await client.delete(url)).status_code == 204
    assert (await client.delete(url)).status_code == 404


async def test_species_through_the_api(client):
    word = uuid7().hex[-8:].translate(str.maketrans("0123456789", "ghijklmnop"))
    body = {
        "scientific_name": f"Ficus {word}",
        "zone_min": "10",
        "zone_max": "12",
        "care": {"light": ["bright_indirect"], "water": "moderate"},
    }
    made = await client.post("/api/v1/species", json=body)
    assert made.status_code == 201, made.text
    species = made.json()
    assert (species["zone_min"], species["zone_max"]) == ("10a", "12b")
    base = f"/api/v1/species/{species['slug']}"
    client.act_as.actor = GUEST
    assert (await client.get(base)).json()["id"] == species["id"]
    check = (await client.get(f"{base}/suitability", params={"zone": "7"})).json()
    assert check["suitable"] is False
    hits = await client.get("/api/v1/species/suggest", params={"prefix": f"ficus {word[:5]}"})
    assert [h["id"] for h in hits.json()] == [species["id"]]
    assert (await client.get("/api/v1/species", params={"zone": "99"})).status_code == 422
    assert (await client.get("/api/v1/species", params={"limit": 1})).status_code == 200
    client.act_as.actor = OPERATOR
    wrong = await client.put(
        f"/api/v1/species/{species['id']}", json=body | {"care": {"light": ["moon"]}}
    )
    assert wrong.status_code in {400, 422}
    right = await client.put(f"/api/v1/species/{species['id']}", json=body | {"family": "Moraceae"})
    assert right.json()["family"] == "Moraceae"


@pytest.mark.parametrize(("actor", "status"), [(GUEST, 401), (ANYONE, 403)])
async def test_only_the_operator_writes(client, actor, status):
    client.act_as.actor = actor
    x = uuid7()
    calls = [
        ("POST", "/api/v1/categories", {"name": "X x"}),
        ("PATCH", f"/api/v1/categories/{x}", {"name": "Y"}),
        ("POST", f"/api/v1/categories/{x}/move", {"parent_id": None}),
        ("POST", f"/api/v1/categories/{x}/merge", {"into": str(x)}),
        ("PUT", "/api/v1/categories/order", {"ids": []}),
        ("POST", "/api/v1/attributes", {"code": "x", "name": "X", "type": "text"}),
        ("PATCH", f"/api/v1/attributes/{x}", {"name": "X"}),
        ("PUT", f"/api/v1/categories/{x}/attributes/{x}", {}),
        ("DELETE", f"/api/v1/categories/{x}/attributes/{x}", None),
        ("POST", "/api/v1/species", {"scientific_name": "Xus yus"}),
        ("PUT", f"/api/v1/species/{x}", {"scientific_name": "Xus yus"}),
    ]
    for method, url, body in calls:
        response = await client.request(method, url, json=body)
        assert response.status_code == status, (method, url, response.text)
