"""Imports over the API and from the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from souk.contexts.listings import api as listings
from souk.contexts.sellers import api as sellers
from souk.flows.import_listings import command, http, work
from souk.kernel.actor import GUEST, system
from souk.kernel.ids import uuid7
from souk.platform.services import Services
from tests.flows.import_listings.steps import open_shop, seller_actor

FILE = b"title,price,stock\nFern,12.50,3\nMug,free,1\nPot,on request,1\n"


@pytest.fixture
def client(make_client: Callable[..., Any]) -> Any:
    return make_client(http.routes)


async def test_a_seller_uploads_previews_runs_and_undoes(client: Any, services: Services) -> None:
    client.act_as.actor, slug = await open_shop(services)
    async with services.db.read() as conn:
        shop_name = (await sellers.by_slug(conn, slug)).name
    sent = await client.post("/api/v1/imports?filename=shop.csv", content=FILE)
    assert sent.status_code == 201
    run = sent.json()
    assert (run["filename"], run["size"], run["state"]) == ("shop.csv", len(FILE), "uploaded")
    url = f"/api/v1/imports/{run['id']}"
    for step, ended in (("preview", "previewed"), ("run", "done"), ("undo", "undone")):
        begun = await client.post(f"{url}/{step}")
        assert begun.status_code == 202
        await work.work(services, UUID(run["id"]))
        assert (await client.get(url)).json()["state"] == ended
        again = await client.post(f"{url}/{step}")
        assert (again.status_code, again.json()["state"]) == (202, ended)
        if step == "run":
            answer = await client.get(f"{url}/results", params={"limit": 2})
            page = answer.json()
            assert [item["outcome"] for item in page["items"]] == ["created", "refused"]
            rest = await client.get(f"{url}/results", params={"cursor": page["next_cursor"]})
            assert rest.json()["items"][0]["problems"][0]["code"] == "price_unreadable"
            refused = await client.get(f"{url}/results", params={"outcome": "refused"})
            assert len(refused.json()["items"]) == 2
    async with services.db.read() as conn:
        made = await listings.of_seller(conn, client.act_as.actor.seller_id)
    assert {row.seller_name for row in made.items} == {shop_name}
    listed = (await client.get("/api/v1/imports")).json()
    assert [item["id"] for item in listed["items"]] == [run["id"]]


async def test_every_route_hides_other_sellers_imports(client: Any, services: Services) -> None:
    client.act_as.actor, _ = await open_shop(services)
    run = (await client.post("/api/v1/imports", content=FILE)).json()
    client.act_as.actor, _ = await open_shop(services)
    for run_id in (run["id"], uuid7()):
        url = f"/api/v1/imports/{run_id}"
        answers = [
            await client.get(url),
            await client.get(f"{url}/results"),
            *[await client.post(f"{url}/{step}") for step in ("preview", "run", "undo")],
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert {answer.json()["code"] for answer in answers} == {"not_found"}
    assert (await client.get("/api/v1/imports")).json()["items"] == []


async def test_guests_and_nonsense_get_a_clear_answer(client: Any, services: Services) -> None:
    client.act_as.actor = GUEST
    assert (await client.post("/api/v1/imports", content=FILE)).status_code == 401
    client.act_as.actor, _ = await open_shop(services)
    empty = await client.post("/api/v1/imports", content=b"")
    assert (empty.status_code, empty.json()["code"]) == (422, "file_empty")
    run = (await client.post("/api/v1/imports", content=FILE)).json()
    url = f"/api/v1/imports/{run['id']}"
    assert (await client.post(f"{url}/undo")).status_code == 409
    for query in ("cursor=x", "outcome=lost", "phase=dream", "limit=0"):
        assert 400 <= (await client.get(f"{url}/results?{query}")).status_code < 500


async def test_a_file_beyond_the_limit_is_refused_while_it_arrives(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work.importing, "MAX_FILE_SIZE", 1_000)
    client.act_as.actor = seller_actor()
    answer = await client.post("/api/v1/imports", content=FILE * 100)
    assert (answer.status_code, answer.json()["code"]) == (422, "file_too_large")


async def test_the_command_line_imports_a_file_into_a_shop(
    services: Services, tmp_path: Path
) -> None:
    _, slug = await open_shop(services)
    path = tmp_path / "shop.csv"
    path.write_bytes(FILE)
    seen: list[tuple[str, int]] = []

    def report(what: str, at: int, total: int | None) -> None:
        seen.append((what, at))

    looked = await command.run_file(services, path, seller_slug=slug, preview=True, report=report)
    assert "1 would be created" in looked
    text = await command.run_file(services, path, seller_slug=slug, preview=False, report=report)
    assert "3 products (souk).\n1 created, 0 updated, 0 unchanged, 2 refused." in text
    assert "Row 4: “on request” is not a price." in text
    assert ("Importing products", 3) in seen
    path.write_bytes(b"%PDF-1.4")
    with pytest.raises(command.NothingImported, match=r"^Nothing was imported: This is a PDF"):
        await command.run_file(services, path, seller_slug=slug, preview=False, report=report)
    with pytest.raises(sellers.SellerNotFound):
        await command.run_file(services, path, seller_slug="none", preview=True, report=report)


async def test_a_shop_that_is_not_open_imports_nothing(client: Any, services: Services) -> None:
    client.act_as.actor, _ = await open_shop(services)
    run = (await client.post("/api/v1/imports", content=FILE)).json()
    await services.db.transact(
        lambda tx: sellers.suspend(
            tx, system("tests"), seller_id=client.act_as.actor.seller_id, reason="A test of this."
        )
    )
    refused = await client.post(f"/api/v1/imports/{run['id']}/run")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert "not open" in refused.json()["detail"]
