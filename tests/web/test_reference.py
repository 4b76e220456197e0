"""The API reference is complete and links to itself."""

from __future__ import annotations

from souk.web.reference import TITLES, arrange


async def test_every_operation_is_described(visitor):
    document = (await visitor.get("/api/v1/openapi.json")).json()
    described = {
        (o.method.lower(), o.path) for g in arrange(document).values() for o in g.operations
    }
    assert described == {
        (m, path) for path, ways in document["paths"].items() for m in ways if m != "head"
    }
    assert all(
        o.summary and o.description for g in arrange(document).values() for o in g.operations
    )


async def test_index_and_parts(visitor):
    index = await visitor.get("/api-docs")
    assert index.status_code == 200
    assert "/api/v1/orders" in index.text
    part = await visitor.get("/api-docs/orders")
    assert part.status_code == 200
    assert "Idempotency-Key" in part.text
    assert "<h1>Orders</h1>" in part.text
    assert (await visitor.get("/api-docs/nothing")).status_code == 404


async def test_every_part_has_a_title_for_people(visitor):
    document = (await visitor.get("/api/v1/openapi.json")).json()
    assert set(arrange(document)) == set(TITLES)
    index = await visitor.get("/api-docs", headers={"accept-language": "de"})
    assert "<h2>Bestellungen</h2>" in index.text
    assert "<h2>shipping-methods</h2>" not in index.text


def test_samples_follow_the_schema():
    schemas = {
        "Money": {
            "type": "object",
            "properties": {
                "amount": {"type": "integer", "minimum": 0},
                "currency": {"enum": ["EUR"]},
            },
        }
    }
    body = {
        "type": "object",
        "required": ["price"],
        "properties": {
            "price": {"oneOf": [{"$ref": "#/components/schemas/Money"}, {"type": "null"}]},
            "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 4},
        },
    }
    document = {
        "components": {"schemas": schemas},
        "paths": {
            "/api/v1/things": {
                "post": {
                    "operationId": "things",
                    "tags": ["things"],
                    "requestBody": {"content": {"application/json": {"schema": body}}},
                    "responses": {"201": {}, "422": {"description": "Not valid."}},
                }
            }
        },
    }
    (one,) = arrange(document)["things"].operations
    assert one.sample is not None
    assert '"amount": 1' in one.sample
    assert [(f.name, f.required, f.note) for f in one.body] == [
        ("price", True, ""),
        ("tags", False, "at most 4"),
    ]
    assert one.errors == [("422", "Not valid.")]
