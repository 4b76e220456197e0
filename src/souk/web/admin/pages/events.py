"""Events and jobs: how far delivery is, what failed, and trying it again."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.params import QueryParameter

from souk.kernel.actor import Actor, Permission
from souk.kernel.ids import parse_uuid
from souk.platform import audit, jobs, relay
from souk.platform.database import Database, WriteTx
from souk.platform.events import EventWriter
from souk.platform.http import access
from souk.platform.http.wire import clean_text
from souk.web.admin.frame import queues
from souk.web.desk import Ask, address, answer, ask
from souk.web.page import Req, page

_MAY = access.operator(Permission.EVENTS_MANAGE)
_PATH = "/admin/events"
_LIMIT = 50
_Word = Annotated[str, QueryParameter(max_length=200)]


@get(_PATH, access=_MAY, include_in_schema=False)
async def events_page(
    request: Req, db: Database, actor: Actor, q: _Word = "", before: _Word = ""
) -> Response[bytes]:
    """Lag, dead letters, held jobs and the latest events."""
    wanted = clean_text(q, path="q")
    aggregate = parse_uuid(wanted)
    async with db.read() as conn:
        lag = await relay.lag(conn)
        dead = await relay.dead_letters(conn, limit=_LIMIT)
        held = await jobs.held_jobs(conn, limit=_LIMIT)
        found = await relay.recent_events(
            conn,
            name_prefix="" if aggregate else wanted,
            aggregate_id=aggregate,
            before=parse_uuid(before),
            limit=_LIMIT + 1,
        )
        waiting = await queues(conn, actor)
    rows = found[:_LIMIT]
    return await page(
        request,
        "admin/events.html",
        lag=lag,
        dead=dead,
        held=held,
        rows=rows,
        q=q,
        next_url=address(_PATH, q=q, before=str(rows[-1].id)) if len(found) > _LIMIT else None,
        desk_counts=waiting,
    )


def _replaying(name: str, subscriber: str) -> Ask:
    own = f"{_PATH}/replay"
    which = f"{name} for {subscriber}" if name and subscriber else "All dead letters"
    return Ask(
        title="Deliver again?",
        text=f"{which}: each is tried again from now, up to twelve times.",
        consequences=[
            "What a handler has done already it does not do twice.",
            "If the fault is still there, they end here again.",
        ],
        confirm="Deliver again",
        action=address(own, name=name, subscriber=subscriber),
        back=_PATH,
        done="They are on their way again.",
        danger=False,
    )


@get(_PATH + "/replay", access=_MAY, include_in_schema=False)
async def replay_page(request: Req, name: _Word = "", subscriber: _Word = "") -> Response[bytes]:
    """Ask first."""
    return await ask(request, _replaying(name, subscriber))


@post(_PATH + "/replay", access=_MAY, rate="write", include_in_schema=False)
async def replay(
    request: Req, db: Database, actor: Actor, name: _Word = "", subscriber: _Word = ""
) -> Response[bytes]:
    """Queue dead letters again: one kind for one subscriber, or all."""

    async def work(tx: WriteTx, _reason: str) -> None:
        # Dead letters know their subscribers: the writer's list of them is not needed.
        count = await relay.replay(
            tx, EventWriter(), name=name or None, subscriber=subscriber or None, dead_only=True
        )
        subject = f"events:{name or 'all'}"
        await audit.record(
            tx, actor, "events.replayed", subject, subscriber=subscriber, count=count
        )

    return await answer(request, db, _replaying(name, subscriber), work)


routes: list[Any] = [events_page, replay_page, replay]
