"""Previewing, importing, importing again, undoing, and dying in between, on a real database."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest

from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.contexts.listings.api import importing
from souk.flows.import_listings import jobs, work
from souk.kernel.actor import Actor
from souk.kernel.clock import SettableClock
from souk.kernel.errors import IllegalTransition, NotFound
from souk.platform.services import Services
from tests.flows.import_listings.steps import (
    RunState,
    begin,
    done,
    import_file,
    results,
    seller_actor,
    upload,
)

HEADER = "external_id,title,description,option1_name,option1_value,sku,price,stock,publish\n"
FILE = (
    HEADER + "fern,Boston fern,Green,Size,S,{k}-F-S,12.50,3,yes\n"
    "fern,,,,L,{k}-F-L,19.00,0,\n"
    "mug,Mug,Blue,,,{k}-MUG,7,,\n"
    "bad,No price,,,,,,1,\n"
)


def filled(actor: Actor, text: str = FILE) -> str:
    return text.replace("{k}", actor.seller_id.hex[-6:].upper())


async def own(services: Services, actor: Actor) -> list[listings.SellerListingRow]:
    async with services.db.read() as conn:
        page = await listings.of_seller(conn, actor.seller_id, limit=100)
    return page.items


async def listing_of(services: Services, actor: Actor, listing_id: UUID) -> listings.Listing:
    async with services.db.read() as conn:
        return await listings.own(conn, seller_id=actor.seller_id, listing_id=listing_id)


async def stock(services: Services, actor: Actor) -> dict[UUID, int | None]:
    async with services.db.read() as conn:
        page = await inventory.stock(conn, actor.seller_id, limit=100)
    return {row.variant_id: row.on_hand if row.tracked else None for row in page.items}


async def test_a_preview_says_what_would_happen_and_writes_no_listing(services: Services) -> None:
    actor = seller_actor()
    run_id = await upload(services, actor, filled(actor))
    run = await done(services, actor, run_id, RunState.PREVIEWING)
    assert run.state is RunState.PREVIEWED
    assert (run.counts.created, run.counts.refused, run.total) == (2, 1, 3)
    assert run.format == "souk"
    assert await own(services, actor) == []
    found = await results(services, actor, run_id, "preview")
    assert [(result.outcome, result.listing_id) for result in found] == [
        ("created", None), ("created", None), ("refused", None),
    ]  # fmt: skip
    assert found[2].rows == [5]
    assert found[2].problems[0].message == "There is no price. Write one, such as 12.50."


async def test_an_import_creates_drafts_with_variants_and_stock(services: Services) -> None:
    actor = seller_actor()
    run = await import_file(services, actor, filled(actor))
    assert run.state is RunState.DONE
    assert (run.counts.created, run.counts.refused) == (2, 1)
    rows = {row.title: row for row in await own(services, actor)}
    assert set(rows) == {"Boston fern", "Mug"}
    assert {row.state for row in rows.values()} == {"draft"}
    fern = await listing_of(services, actor, rows["Boston fern"].id)
    assert [(variant.options, variant.price) for variant in fern.variants] == [
        ({"Size": "S"}, 1250), ({"Size": "L"}, 1900),
    ]  # fmt: skip
    assert fern.description_html == "<p>Green</p>"
    counted = await stock(services, actor)
    assert [counted[variant.id] for variant in fern.variants] == [3, 0]
    assert [counted[each] for each in rows["Mug"].variant_ids] == [None]


async def test_importing_the_same_file_twice_creates_nothing(services: Services) -> None:
    actor = seller_actor()
    await import_file(services, actor, filled(actor))
    before = await own(services, actor)
    run = await import_file(services, actor, filled(actor))
    assert (run.counts.created, run.counts.updated, run.counts.unchanged) == (0, 0, 2)
    assert await own(services, actor) == before


async def test_a_changed_product_is_updated_in_place_with_its_new_stock(
    services: Services,
) -> None:
    actor = seller_actor()
    await import_file(services, actor, filled(actor))
    (fern,) = [row for row in await own(services, actor) if row.title == "Boston fern"]
    old = await listing_of(services, actor, fern.id)
    changed = filled(actor).replace("Boston fern", "Sword fern").replace("19.00,0", "21.00,5")
    run = await import_file(services, actor, changed + "fern,,,,XL,,30,1,\n")
    assert (run.counts.created, run.counts.updated, run.counts.unchanged) == (0, 1, 1)
    new = await listing_of(services, actor, fern.id)
    assert (new.title, new.slug) == ("Sword fern", old.slug)
    assert [variant.price for variant in new.variants] == [1250, 2100, 3000]
    assert [variant.id for variant in new.variants[:2]] == [v.id for v in old.variants]
    counted = await stock(services, actor)
    assert [counted[variant.id] for variant in new.variants] == [3, 5, 1]


async def test_stock_that_the_file_did_not_change_is_left_to_the_shop(services: Services) -> None:
    actor = seller_actor()
    await import_file(services, actor, filled(actor))
    (fern,) = [row for row in await own(services, actor) if row.title == "Boston fern"]
    await services.db.transact(
        partial(
            inventory.adjust, actor=actor, seller_id=actor.seller_id,
            variant_id=fern.variant_ids[0], delta=-2, reason=inventory.Reason.LOSS,
        )
    )  # fmt: skip
    await import_file(services, actor, filled(actor).replace("Boston", "Sword"))
    assert (await stock(services, actor))[fern.variant_ids[0]] == 1


async def test_a_sku_of_another_listing_refuses_the_product_with_a_sentence(
    services: Services,
) -> None:
    actor = seller_actor()
    await import_file(services, actor, filled(actor))
    run_id = await upload(services, actor, filled(actor).replace("fern,B", "other,B", 1))
    await done(services, actor, run_id)
    refused = [result for result in await results(services, actor, run_id) if result.problems]
    assert refused[0].problems[0].code == "sku_taken"
    assert refused[0].problems[0].row == 2


async def test_two_sellers_do_not_get_in_each_others_way(services: Services) -> None:
    first, second = seller_actor(), seller_actor()
    text = FILE.replace("{k}", "SAME")
    assert (await import_file(services, first, text)).counts.created == 2
    assert (await import_file(services, second, text)).counts.created == 2
    slugs = {row.slug for actor in (first, second) for row in await own(services, actor)}
    assert len(slugs) == 4


async def test_the_rules_of_listings_hold_for_imports(services: Services) -> None:
    actor = seller_actor()
    run_id = await upload(services, actor, HEADER + "a,Cheap,,,,,0.10,1,\n")
    run = await done(services, actor, run_id)
    assert run.counts.refused == 1
    problem = (await results(services, actor, run_id))[0].problems[0]
    assert (problem.row, problem.column) == (2, "price")
    assert problem.message.startswith("Set a price between 0.50")


async def test_undo_archives_what_was_created_and_frees_its_skus(services: Services) -> None:
    actor = seller_actor()
    run = await import_file(services, actor, filled(actor))
    undone = await done(services, actor, run.id, RunState.UNDOING)
    assert undone.state is RunState.UNDONE
    assert (undone.counts.undone, undone.counts.kept) == (2, 0)
    assert {row.state for row in await own(services, actor)} == {"archived"}
    assert set((await stock(services, actor)).values()) <= {0, None}
    again = await import_file(services, actor, filled(actor))
    assert again.counts.created == 2


async def test_undo_restores_what_was_updated_unless_it_was_changed_since(
    services: Services,
) -> None:
    actor = seller_actor()
    await import_file(services, actor, filled(actor))
    before = {row.id: row for row in await own(services, actor)}
    text = filled(actor).replace("Boston fern", "Sword fern").replace("Mug,", "Cup,")
    run = await import_file(services, actor, text)
    assert run.counts.updated == 2
    (cup,) = [row for row in await own(services, actor) if row.title == "Cup"]
    await services.db.transact(
        partial(
            listings.update, actor=actor, seller_id=actor.seller_id, listing_id=cup.id,
            changes=listings.ListingChanges(title="My best cup"),
        )
    )  # fmt: skip
    undone = await done(services, actor, run.id, RunState.UNDOING)
    assert (undone.counts.undone, undone.counts.kept) == (1, 1)
    titles = {row.id: row.title for row in await own(services, actor)}
    assert titles[cup.id] == "My best cup"
    fern = next(each for each, row in before.items() if row.title == "Boston fern")
    assert titles[fern] == "Boston fern"
    kept = next(r for r in await results(services, actor, run.id) if r.undo == "kept")
    assert "changed after the import" in kept.undo_note


async def test_ordered_listings_survive_an_undo(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = seller_actor()
    run = await import_file(services, actor, filled(actor))
    mug = next(row.id for row in await own(services, actor) if row.title == "Mug")

    async def ordered(tx: object, ids: object) -> frozenset[UUID]:
        return frozenset({mug})

    monkeypatch.setattr(work.orders, "ordered_listings", ordered)
    undone = await done(services, actor, run.id, RunState.UNDOING)
    assert (undone.counts.undone, undone.counts.kept) == (1, 1)
    assert (await listing_of(services, actor, mug)).state == "draft"


def many(count: int, key: str) -> str:
    return HEADER + "".join(f"p{n},Plant {key} {n},x,,,{key}-{n},5.00,2,\n" for n in range(count))


async def test_a_run_goes_on_from_its_checkpoint_after_its_worker_died(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = seller_actor()
    monkeypatch.setattr(work, "BATCH", 20)
    run_id = await upload(services, actor, many(70, run_key := actor.seller_id.hex[-5:].upper()))
    await begin(services, actor, run_id, RunState.RUNNING)

    class Killed(BaseException):
        pass

    def die(what: str, position: int, total: int | None) -> None:
        if position >= 40:
            raise Killed

    with pytest.raises(Killed):
        await work.work(services, run_id, report=die)
    assert len(await own(services, actor)) == 40
    await work.work(services, run_id)
    rows = await own(services, actor)
    assert len({row.title for row in rows}) == len(rows) == 70
    assert run_key in rows[0].title
    found = await results(services, actor, run_id)
    assert [result.position for result in found] == list(range(70))


async def test_two_workers_on_one_run_import_every_product_once(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = seller_actor()
    monkeypatch.setattr(work, "BATCH", 7)
    run_id = await upload(services, actor, many(60, actor.seller_id.hex[-5:].upper()))
    await begin(services, actor, run_id, RunState.RUNNING)
    await asyncio.gather(*(work.work(services, run_id) for _ in range(3)))
    await work.work(services, run_id)
    assert len(await own(services, actor)) == 60
    async with services.db.read() as conn:
        run = await importing.run(conn, run_id=run_id, seller_id=None)
    assert (run.state, run.position, run.counts.created) == (RunState.DONE, 60, 60)


async def test_silent_runs_are_queued_again(services: Services, clock: SettableClock) -> None:
    actor = seller_actor()
    run_id = await upload(services, actor, filled(actor))
    await begin(services, actor, run_id, RunState.RUNNING)
    clock.advance(timedelta(minutes=5))
    await jobs.resume(services)
    async with services.db.read() as conn:
        queued = await conn.fetchval(
            "SELECT count(*) FROM jobs.pgqueuer WHERE entrypoint = 'listings.import'"
            " AND convert_from(payload, 'UTF8') LIKE $1",
            f"%{run_id}%",
        )
    assert queued == 1
    clock.advance(timedelta(hours=7))
    await jobs.resume(services)
    async with services.db.read() as conn:
        run = await importing.run(conn, run_id=run_id, seller_id=actor.seller_id)
    assert run.state is RunState.FAILED
    assert "Upload the file again" in run.failure
    again = await import_file(services, actor, filled(actor))
    assert again.counts.created == 2


async def test_a_file_that_cannot_be_read_fails_with_a_sentence(services: Services) -> None:
    actor = seller_actor()
    run = await import_file(services, actor, b"PK\x03\x04 a spreadsheet")
    assert run.state is RunState.FAILED
    assert "Excel" in run.failure
    with pytest.raises(importing.EmptyUpload):
        await upload(services, actor, b"")


async def test_runs_are_found_through_their_seller_only(services: Services) -> None:
    actor, other = seller_actor(), seller_actor()
    run_id = await upload(services, actor, filled(actor))
    with pytest.raises(NotFound):
        await begin(services, other, run_id, RunState.RUNNING)
    with pytest.raises(NotFound):
        await results(services, other, run_id)


async def test_one_import_of_a_seller_at_a_time_and_no_step_out_of_turn(
    services: Services,
) -> None:
    actor = seller_actor()
    first = await upload(services, actor, filled(actor))
    second = await upload(services, actor, filled(actor))
    await begin(services, actor, first, RunState.RUNNING)
    await begin(services, actor, first, RunState.RUNNING)
    with pytest.raises(importing.ImportBusy):
        await begin(services, actor, second, RunState.PREVIEWING)
    with pytest.raises(IllegalTransition):
        await begin(services, actor, second, RunState.UNDOING)
    await work.work(services, first)
    with pytest.raises(IllegalTransition):
        await begin(services, actor, first, RunState.PREVIEWING)
