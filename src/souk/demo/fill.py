"""`souk demo`: fills an empty marketplace with goods, shops, people and a history of sales.

Everything is done by the commands and flows that people's requests run, so that stock, orders,
money, mails and the audit log are what they would be after months of real use. Running it again
changes nothing; after an interruption it goes on where it stopped.
"""

from __future__ import annotations

from datetime import UTC, datetime

from souk.contexts.identity import api as identity
from souk.contexts.ledger import api as ledger
from souk.contexts.search import api as search
from souk.demo.fill_goods import goods
from souk.demo.fill_orders import trade
from souk.demo.fill_people import ADMIN, STAFF, people
from souk.demo.fill_reviews import opinions_of
from souk.demo.fill_world import PASSWORD, Report, Wiring, World, world
from souk.demo.people import SELLERS, buyers
from souk.flows.fulfil_order import jobs as fulfilment_jobs
from souk.flows.index_listings.indexer import Indexer
from souk.flows.verify import verify
from souk.kernel.actor import system
from souk.kernel.errors import DomainError, ErrorKind
from souk.platform import audit
from souk.platform.database import WriteTx
from souk.platform.services import Services
from souk.platform.upkeep import seal_audit

_ACTOR = system("demo")
_FILLED = "demo.filled"
ORDERS = 300
LogIn = tuple[str, str, str]


class DemoRefused(DomainError):
    """The demo does not go with what is there; the message says what to do."""

    code = "demo_refused"
    kind = ErrorKind.CONFLICT


class DemoBroken(DomainError):
    """The filled marketplace breaks an invariant; the message names the first."""

    code = "demo_broken"
    kind = ErrorKind.CONFLICT


async def is_filled(services: Services) -> bool:
    """Whether the demo was filled to its end."""
    async with services.db.read() as conn:
        return bool(await audit.recent(conn, action_prefix=_FILLED, limit=1))


async def is_wanted(services: Services) -> bool:
    """Whether the marketplace is empty, or holds a demo whose filling was interrupted."""
    if services.settings.is_production or await is_filled(services):
        return False
    async with services.db.read() as conn:
        if await identity.user_id_of(conn, email=ADMIN) is not None:
            return True
        return not (await identity.users(conn, limit=1)).items


async def fill(
    services: Services, wiring: Wiring, *, orders: int = ORDERS, report: Report
) -> list[LogIn]:
    """Fill the marketplace; returns (who, e-mail, password) of the accounts to try.

    `services` must hold the writer of the search index, so no worker may run meanwhile. `report` is
    called with what is being made, how many are done and how many there will be.
    Raises DemoRefused on a marketplace in use or in production, DemoBroken.
    """
    if services.settings.is_production:
        raise DemoRefused("The demo fills marketplaces for trying out. This one is in production.")
    if not await is_filled(services):
        if not await is_wanted(services):
            raise DemoRefused(
                "This marketplace is in use. Fill an empty one: set SOUK_DATA_DIR to a new folder."
            )
        async with world(services, wiring, report=report) as made:
            await _make(made, orders=orders)
            await _index(made, services)
            await _check(made, orders=orders)
    return log_ins()


def log_ins() -> list[LogIn]:
    """The accounts of the demo that are worth trying, with their password."""
    staff = [(f"{role.value}", email, PASSWORD) for email, (_, role) in STAFF.items()]
    shops = {seller.slug: seller for seller in SELLERS}
    return [
        ("administrator", ADMIN, PASSWORD),
        *staff,
        *(
            (f"seller, {shops[slug].name}", shops[slug].email, PASSWORD)
            for slug in ("alpenglow", "arboretum-kessler", "leaf-and-letter", "joost-spullen")
        ),
        *((f"buyer, {buyer.name}", buyer.email, PASSWORD) for buyer in buyers()[:2]),
    ]


async def _make(made: World, *, orders: int) -> None:
    await people(made)
    offered = await goods(made)
    await made.relay.drain()
    made.report("pictures", 0, 1)
    await made.run_jobs(only="listings.make_renditions")
    made.report("pictures", 1, 1)
    await trade(made, offered, orders=orders)
    await opinions_of(made, offered)
    made.clock.set(datetime.now(UTC))
    await made.relay.drain()
    made.report("mails", 0, 1)
    await made.run_jobs()
    made.report("mails", 1, 1)
    await fulfilment_jobs.complete_due(made.services)
    await made.relay.drain()
    while await made.db.transact(ledger.fold):
        continue
    await seal_audit(made.services)


async def _index(made: World, services: Services) -> None:
    made.report("search index", 0, 1)
    indexer = Indexer(made.db, services.get(search.SearchEngine))
    await indexer.drain()
    made.report("search index", 1, 1)


async def _check(made: World, *, orders: int) -> None:
    found = await verify.violations(made.services)
    if found:
        first = found[0]
        raise DemoBroken(
            f"{len(found)} invariants do not hold on the demo marketplace. The first:"
            f" {first.invariant}, {first.subject}: {first.detail}"
        )

    async def note(tx: WriteTx) -> None:
        await audit.record(tx, _ACTOR, _FILLED, "marketplace", orders=orders)

    await made.db.transact(note)
