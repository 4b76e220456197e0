"""Events and jobs: how far delivery is, what failed, and trying it again."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from souk.kernel.actor import Actor, Permission
from souk.kernel.errors import NotFound
from souk.kernel.ids import parse_uuid
from souk.platform import audit, operations, relay
from souk.platform.database import Database, WriteTx
from souk.platform.events import EventWriter
from souk.platform.http import access
from souk.platform.http.wire import clean_text
from souk.web.admin.frame import people_of
from souk.web.desk import Ask, address, answer, ask
from souk.web.page import Req, page

_MAY = access.operator(Permission.EVENTS_MANAGE)
_PATH = "/admin/events"
_LIMIT = 50
_Word = Annotated[str, QueryParameter(max_length=200)]


@get(_PATH, access=_MAY, include_in_schema=False)
async def events_page(
    request: Req, db: Database, q: _Word = "", before: _Word = ""
) -> Response[bytes]:
    """Lag, dead letters and the latest events."""
    wanted = clean_text(q, path="q")
    aggregate = parse_uuid(wanted)
    async with db.read() as conn:
        lag = await relay.lag(conn)
        dead = await relay.dead_letters(conn, limit=_LIMIT)
        queue = await operations.queue_health(conn)
        found = await relay.recent_events(
            conn,
            name_prefix="" if aggregate else wanted,
            aggregate_id=aggregate,
            before=parse_uuid(before),
            limit=_LIMIT + 1,
        )
        people = await people_of(conn, [row.actor for row in found])
    rows = found[:_LIMIT]
    return await page(
        request,
        "admin/events.html",
        lag=lag,
        dead=dead,
        queue=queue,
        rows=rows,
        people=people,
        q=q,
        next_url=address(_PATH, q=q, before=str(rows[-1].id)) if len(found) > _LIMIT else None,
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
        template="admin/ask.html",
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


@get(_PATH + "/jobs", access=_MAY, include_in_schema=False)
async def jobs_page(request: Req, db: Database) -> Response[bytes]:
    """What waits to be done, and the jobs that failed for good."""
    async with db.read() as conn:
        queue = await operations.queue_health(conn)
        held = await operations.held(conn, limit=_LIMIT)
    return await page(request, "admin/jobs.html", queue=queue, held=held)


@get(_PATH + "/schedules", access=_MAY, include_in_schema=False)
async def schedules_page(request: Req, db: Database) -> Response[bytes]:
    """Everything that runs by the clock, with its last and next run."""
    async with db.read() as conn:
        rows = await operations.schedules(conn)
    return await page(request, "admin/schedules.html", rows=rows, now=db.clock.now())


def _job_question(job_id: str, what: str) -> Ask:
    own = f"{_PATH}/jobs"
    which = "All held jobs" if job_id == "all" else f"Job {job_id}"
    if what == "retry":
        return Ask(
            title="Try again?",
            text=f"{which}: from now, with all attempts anew.",
            consequences=["What was done before the failure is not done twice."],
            confirm="Try again",
            action=f"{own}/{job_id}/retry",
            back=own,
            done="Queued again.",
            danger=False,
            template="admin/ask.html",
        )
    if what == "drop" and job_id != "all":
        return Ask(
            title="Give this job up?",
            text=f"{which} is never done. What it was to do stays in the audit log.",
            confirm="Give it up",
            action=f"{own}/{job_id}/drop",
            back=own,
            done="The job is given up.",
            reason="Why",
            reasons=["What it was to do is no longer needed.", "It was done by hand."],
            template="admin/ask.html",
        )
    raise NotFound("There is nothing at this address. Look at the list of jobs.")


def _job_id(text: str) -> int | None:
    """The number of a job, None for all of them. Raises NotFound."""
    if text == "all":
        return None
    if not text.isdecimal() or len(text) > 18:
        raise NotFound("There is no such job. Look at the list of jobs.")
    return int(text)


@get(_PATH + "/jobs/{job_id:str}/{what:str}", access=_MAY, include_in_schema=False)
async def job_question(request: Req, job_id: FromPath[str], what: FromPath[str]) -> Response[bytes]:
    """Ask first."""
    _job_id(job_id)
    return await ask(request, _job_question(job_id, what))


@post(_PATH + "/jobs/{job_id:str}/{what:str}", access=_MAY, rate="write", include_in_schema=False)
async def job_decided(
    request: Req, db: Database, actor: Actor, job_id: FromPath[str], what: FromPath[str]
) -> Response[bytes]:
    """Try held jobs again, one or all, or give one up."""
    number = _job_id(job_id)

    async def work(tx: WriteTx, reason: str) -> None:
        if what == "retry":
            await operations.retry_held(tx, actor, job_id=number)
        elif number is not None:
            await operations.drop_held(tx, actor, job_id=number, reason=reason)

    return await answer(request, db, _job_question(job_id, what), work)


routes: list[Any] = [
    events_page, replay_page, replay, jobs_page, schedules_page, job_question, job_decided,
]  # fmt: skip
