"""Uploading and working off imports in tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from uuid import UUID

from souk.contexts.listings.api import importing
from souk.contexts.sellers import api as sellers
from souk.flows.import_listings.work import receive, work
from souk.kernel.actor import Actor, Role, system
from souk.kernel.ids import uuid7
from souk.platform.services import Services

RunState = importing.RunState


def seller_actor() -> Actor:
    return Actor(kind="user", user_id=uuid7(), seller_id=uuid7(), roles=frozenset({Role.SELLER}))


async def open_shop(services: Services) -> tuple[Actor, str]:
    """Somebody with an approved shop, and its slug."""
    key = uuid7().hex[-10:]
    owner = Actor(kind="user", user_id=uuid7(), email_verified=True)
    application = sellers.Application(name=f"Shop {key}", country="DE", bio="We sell plants.")
    shop = await services.db.transact(lambda tx: sellers.apply(tx, owner, application=application))
    await services.db.transact(lambda tx: sellers.approve(tx, system("tests"), seller_id=shop.id))
    actor = Actor(
        kind="user", user_id=owner.user_id, seller_id=shop.id, roles=frozenset({Role.SELLER})
    )
    return actor, shop.slug


async def chunks_of(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 1 << 16):
        yield content[start : start + (1 << 16)]


async def upload(services: Services, actor: Actor, content: str | bytes) -> UUID:
    data = content.encode() if isinstance(content, str) else content
    run_id, key, size = await receive(services, chunks_of(data))
    await services.db.transact(
        partial(
            importing.create_run, actor=actor, run_id=run_id, seller_id=actor.seller_id,
            filename="products.csv", file_key=key, file_size=size, currency="EUR",
        )
    )  # fmt: skip
    return run_id


async def begin(services: Services, actor: Actor, run_id: UUID, wanted: RunState) -> None:
    await services.db.transact(
        partial(
            importing.begin, actor=actor, run_id=run_id, seller_id=actor.seller_id, wanted=wanted
        )
    )


async def done(
    services: Services, actor: Actor, run_id: UUID, wanted: RunState = RunState.RUNNING
) -> importing.Run:
    """Begin a phase and carry it to its end."""
    await begin(services, actor, run_id, wanted)
    await work(services, run_id)
    async with services.db.read() as conn:
        return await importing.run(conn, run_id=run_id, seller_id=actor.seller_id)


async def import_file(services: Services, actor: Actor, content: str | bytes) -> importing.Run:
    return await done(services, actor, await upload(services, actor, content))


async def results(
    services: Services, actor: Actor, run_id: UUID, phase: str = "import"
) -> list[importing.ResultView]:
    async with services.db.read() as conn:
        page = await importing.results(
            conn, run_id=run_id, seller_id=actor.seller_id, phase=importing.Phase(phase),
            outcome=None, cursor=None, limit=100,
        )  # fmt: skip
    return page.items
