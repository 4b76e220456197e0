"""The operators' queue of reported listings in forms alone."""

from __future__ import annotations

from uuid import UUID

from souk.contexts.listings import api as listings
from souk.kernel.actor import GUEST, Role
from souk.kernel.ids import uuid7
from souk.platform.database import Database, count_statements
from souk.platform.services import Services
from tests.web import desks
from tests.web import world as worlds
from tests.web.conftest import Member, Visitor, text_of
from tests.web.world import World

LIST = "/admin/reports"


async def on_sale(services: Services, world: World, title: str) -> listings.Listing:
    return await worlds.put_up(
        services.db, services.files, world.nursery, world.plants, title=title
    )


async def reported(db: Database, listing_id: UUID, *, by: str = "", note: str = "Broken.") -> None:
    await db.transact(
        lambda tx: listings.report(
            tx,
            GUEST,
            listing_id=listing_id,
            reporter=by or f"guest:{uuid7().hex}",
            reason=listings.ReportReason.UNSAFE,
            note=note,
            email="" if by else "witness@example.com",
        )
    )


async def test_the_queue_is_counted_and_shows_who_reported(
    visitor: Visitor,
    other: Visitor,
    world: World,
    db: Database,
    services: Services,
    join: Member,
) -> None:
    title = f"Wobbly lamp {uuid7().hex[-6:]}"
    lamp = await on_sale(services, world, title)
    await join(other)
    sent = {"reason": "counterfeit", "note": "The <b>mark</b> is wrong."}
    assert (await other.submit(f"/listing/{lamp.slug}/report", sent)).status_code == 303
    await reported(db, lamp.id, note="It fell on my foot.")
    await desks.admin(db, visitor)
    html = await visitor.page(LIST)
    words = text_of(html)
    assert title in words and "It fell on my foot." in words and "It is dangerous" in words
    assert "The &lt;b&gt;mark&lt;/b&gt; is wrong." in html
    assert "Anna Buyer" in words and "witness@example.com" in words
    overview = text_of(await visitor.page("/admin"))
    assert "reported by visitors" in overview
    assert title in text_of(await visitor.page(f"{LIST}?reason=unsafe&q={title[:8]}"))
    assert "No report fits" in text_of(await visitor.page(f"{LIST}?reason=illegal&q={title}"))
    own = text_of(await visitor.page(f"/admin/listings/{lamp.id}"))
    assert "Anna Buyer" in own
    for page in (f"/listing/{lamp.slug}", "/account"):
        assert "It fell on my foot." not in (await other.get(page)).text


async def test_one_is_dismissed_and_one_taken_down(
    visitor: Visitor, world: World, db: Database, services: Services
) -> None:
    await desks.admin(db, visitor)
    kept, taken = [
        await on_sale(services, world, f"{name} {uuid7().hex[-6:]}")
        for name in ("Sound", "Unsound")
    ]
    for listing in (kept, taken):
        await reported(db, listing.id)
    own = f"{LIST}/{kept.id}/dismiss"
    assert kept.title in text_of(await visitor.page(own))
    refused = await visitor.submit(own, {"reason": ""})
    assert refused.status_code == 422 and "what came of it" in text_of(refused.text)
    done = await visitor.submit(own, {"reason_template": "It was reported by mistake."})
    assert (done.status_code, done.headers["location"]) == (303, LIST)
    own = f"{LIST}/{taken.id}/take-down"
    assert "The seller is told" in text_of(await visitor.page(own))
    assert (await visitor.submit(own, {"reason": "It falls over."})).status_code == 303
    async with db.read() as conn:
        states = [(await listings.any_state(conn, one.id)).state for one in (kept, taken)]
    assert states == ["active", "flagged"]
    queue = await visitor.page(LIST)
    assert str(kept.id) not in queue and str(taken.id) not in queue
    over = text_of(await visitor.page(f"{LIST}?queue=closed"))
    assert "It was reported by mistake." in over and "Taken out of sight. It falls over." in over
    again = await visitor.submit(own, {"reason": "It falls over."})
    assert again.status_code == 409
    log = text_of(await visitor.page("/admin/audit?action=listings.reports_closed"))
    assert "It falls over." in log


async def test_several_are_dismissed_at_once(
    visitor: Visitor, world: World, db: Database, services: Services
) -> None:
    await desks.admin(db, visitor)
    made = [await on_sale(services, world, f"Bulk {uuid7().hex[-6:]}") for _ in range(3)]
    for listing in made:
        await reported(db, listing.id)
    ids = " ".join(str(one.id) for one in made)
    asked = await visitor.submit(f"{LIST}/bulk", {"act": "dismiss", "ids": ids})
    words = text_of(asked.text)
    assert asked.status_code == 200 and all(one.title in words for one in made)
    sure = {"act": "dismiss", "ids": ids, "confirmed": "1"}
    refused = await visitor.submit(f"{LIST}/bulk", sure)
    assert refused.status_code == 422
    done = await visitor.submit(f"{LIST}/bulk", sure | {"reason": "All of them are sound."})
    assert done.status_code == 303
    queue = await visitor.page(LIST)
    assert not any(str(one.id) in queue for one in made)
    assert (await visitor.submit(f"{LIST}/bulk", {"act": "dismiss"})).status_code == 303
    gone = await visitor.get(f"{LIST}/{made[0].id}/burn")
    assert gone.status_code == 404
    assert (await visitor.get(f"{LIST}/{uuid7()}/dismiss")).status_code == 404


async def test_it_costs_the_same_for_one_and_for_many(
    visitor: Visitor, world: World, db: Database, services: Services
) -> None:
    await desks.admin(db, visitor)
    costs: list[int] = []
    for _ in range(2):
        for number in range(10):
            listing = await on_sale(services, world, f"Many {number} {uuid7().hex[-6:]}")
            await reported(db, listing.id)
        async with count_statements() as asked:
            await visitor.page(LIST)
        costs.append(asked.total)
    assert costs[0] == costs[1] <= 30


async def test_support_sees_no_reports(visitor: Visitor, world: World, db: Database) -> None:
    await desks.staff(db, visitor, Role.SUPPORT)
    assert (await visitor.get(LIST)).status_code == 403
    assert LIST not in await visitor.page("/admin")
