"""Mapping the columns of a file over the API, and using it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from souk.flows.import_listings import http, work
from souk.platform.services import Services
from tests.flows.import_listings.steps import open_shop

FILE = b"what;how much;Farbe;notes\nFern;12,50;green;x\nPot;4,00;red;y\n"
COLUMNS = {"what": "title", "how much": "price", "Farbe": "attr:Colour", "notes": ""}


@pytest.fixture
def client(make_client: Callable[..., Any]) -> Any:
    return make_client(http.routes)


async def send(client: Any, content: bytes) -> str:
    sent = await client.post("/api/v1/imports?filename=own.csv", content=content)
    return f"/api/v1/imports/{sent.json()['id']}"


async def work_off(client: Any, services: Services, url: str, step: str) -> dict[str, Any]:
    begun = await client.post(f"{url}/{step}")
    assert begun.status_code == 202, begun.text
    await work.work(services, UUID(url.rsplit("/", 1)[-1]))
    return (await client.get(url)).json()


async def test_an_unknown_table_is_mapped_previewed_run_and_remembered(
    client: Any, services: Services
) -> None:
    client.act_as.actor, _ = await open_shop(services)
    url = await send(client, FILE)
    seen = (await client.get(f"{url}/columns")).json()
    assert seen["needs_mapping"] is True
    assert [c["field"] for c in seen["columns"]] == ["", "price", "option2_value", ""]
    failed = await work_off(client, services, url, "preview")
    assert failed["state"] == "failed", "nobody said what its columns are"
    mapped = await client.put(f"{url}/columns", json={"columns": COLUMNS})
    assert mapped.status_code == 200, mapped.text
    assert (mapped.json()["state"], mapped.json()["mapping"]["what"]) == ("uploaded", "title")
    assert (await work_off(client, services, url, "preview"))["counts"]["created"] == 2
    run = await work_off(client, services, url, "run")
    assert (run["state"], run["counts"]["created"]) == ("done", 2)

    # The next file has one column more: what is known of the others is suggested again.
    again = await send(client, FILE.replace(b"notes", b"SKU"))
    seen = (await client.get(f"{again}/columns")).json()
    assert [(c["field"], c["reason"]) for c in seen["columns"]] == [
        ("title", "yours"), ("price", "yours"), ("attr:Colour", "yours"), ("sku", "name"),
    ]  # fmt: skip


async def test_a_new_mapping_voids_the_preview_and_none_comes_after_the_run(
    client: Any, services: Services
) -> None:
    client.act_as.actor, _ = await open_shop(services)
    url = await send(client, FILE)
    await client.put(f"{url}/columns", json={"columns": COLUMNS})
    await work_off(client, services, url, "preview")
    other = COLUMNS | {"Farbe": ""}
    mapped = (await client.put(f"{url}/columns", json={"columns": other})).json()
    assert (mapped["state"], mapped["counts"]["created"]) == ("uploaded", 0)
    results = await client.get(f"{url}/results", params={"phase": "preview"})
    assert results.json()["items"] == []
    await work_off(client, services, url, "run")
    late = await client.put(f"{url}/columns", json={"columns": COLUMNS})
    assert (late.status_code, late.json()["code"]) == (409, "illegal_transition")


async def test_mappings_are_checked_and_stay_with_their_seller(
    client: Any, services: Services
) -> None:
    client.act_as.actor, _ = await open_shop(services)
    url = await send(client, FILE)
    refused = await client.put(f"{url}/columns", json={"columns": {"what": "title"}})
    assert refused.status_code == 422 and "price" in refused.text
    await client.put(f"{url}/columns", json={"columns": COLUMNS})
    client.act_as.actor, _ = await open_shop(services)
    for answer in (
        await client.get(f"{url}/columns"),
        await client.put(f"{url}/columns", json={"columns": COLUMNS}),
    ):
        assert answer.status_code == 404
    mine = await send(client, FILE)
    seen = (await client.get(f"{mine}/columns")).json()
    assert {c["reason"] for c in seen["columns"]} <= {"", "name", "values"}, (
        "another seller's words"
    )
