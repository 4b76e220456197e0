"""Import: a file, what it would do, the run, what it did, and undoing it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from souk.contexts.listings.api import importing
from souk.flows.import_listings import flow, jobs
from souk.flows.import_listings.columns import inspect
from souk.flows.import_listings.work import receive
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError
from souk.platform.database import Database, WriteTx
from souk.platform.http import access
from souk.platform.services import Services
from souk.platform.settings import Settings
from souk.web.desk import Ask, act, address, answer, ask, back_to, refusal, seller_of
from souk.web.page import Req, fragment, page

_LIST = "/sell/import"
_ONE = _LIST + "/{run_id:uuid}"
_CHUNK = 1_000_000
_State = importing.RunState
_AT_WORK = frozenset({_State.PREVIEWING, _State.RUNNING, _State.UNDOING})
_EARLY = frozenset({_State.UPLOADED, _State.PREVIEWING, _State.PREVIEWED})
_Cursor = Annotated[str | None, QueryParameter(max_length=1_024)]


@get(_LIST, access=access.SELLER, include_in_schema=False)
async def imports_page(
    request: Req, db: Database, actor: Actor, cursor: _Cursor = None
) -> Response[bytes]:
    """Send a file; below, the imports so far."""
    async with db.read() as conn:
        found = await importing.runs_of(conn, seller_id=seller_of(actor), cursor=cursor, limit=20)
    return await page(
        request,
        "sell/imports.html",
        rows=found.items,
        next_url=address(_LIST, cursor=found.next_cursor) if found.next_cursor else None,
    )


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(_CHUNK):
        yield chunk


@post(
    _LIST,
    access=access.SELLER,
    rate="upload",
    request_max_body_size=importing.MAX_FILE_SIZE + _CHUNK,
    include_in_schema=False,
)
async def upload(request: Req, services: Services, actor: Actor) -> Response[bytes]:
    """Keep the file and begin to look at it; nothing is imported yet."""
    file = (await request.form()).get("file")
    try:
        if not isinstance(file, UploadFile) or not file.filename:
            raise refusal("file", "Choose a file first.")
        run_id, key, size = await receive(services, _chunks(file))
        run = await services.db.transact(
            partial(
                importing.create_run,
                actor=actor,
                run_id=run_id,
                seller_id=seller_of(actor),
                filename=file.filename[:200],
                file_key=key,
                file_size=size,
                currency=services.settings.currency,
            )
        )
        found = await inspect(services.db, services.files, run)
        if found.columns:
            return back_to(request, f"{_LIST}/{run_id}/columns", "The file is here.")
        await services.db.transact(
            partial(begin, actor=actor, run_id=run_id, wanted=importing.RunState.PREVIEWING)
        )
    except DomainError as error:
        return back_to(request, _LIST, error.message, tone="error")
    return back_to(request, f"{_LIST}/{run_id}", "The file is here. We look at every row first.")


async def begin(tx: WriteTx, *, actor: Actor, run_id: UUID, wanted: importing.RunState) -> None:
    """Set the import to work, with the work queued in the same transaction."""
    run = await flow.begin(tx, actor, run_id=run_id, seller_id=seller_of(actor), wanted=wanted)
    if run.at_work:
        await jobs.enqueue(tx, run)


@get(_ONE, access=access.SELLER, include_in_schema=False)
async def import_page(
    request: Req,
    db: Database,
    actor: Actor,
    run_id: FromPath[UUID],
    outcome: Annotated[str, QueryParameter(max_length=20)] = "",
    cursor: _Cursor = None,
) -> Response[bytes]:
    """Where the import is and what became, or would become, of each product."""
    seller_id = seller_of(actor)
    chosen = importing.Outcome(outcome) if outcome in set(importing.Outcome) else None
    async with db.read() as conn:
        run = importing.view_of(await importing.run(conn, run_id=run_id, seller_id=seller_id))
        early = run.state in _EARLY
        found = await importing.results(
            conn,
            run_id=run_id,
            seller_id=seller_id,
            phase=importing.Phase.PREVIEW if early else importing.Phase.IMPORT,
            outcome=chosen,
            cursor=cursor,
            limit=50,
        )
    own = f"{_LIST}/{run_id}"
    return await page(
        request,
        "sell/import.html",
        run=run,
        early=early,
        at_work=run.state in _AT_WORK,
        results=found.items,
        outcome=outcome if chosen else "",
        next_url=address(own, outcome=outcome, cursor=found.next_cursor)
        if found.next_cursor
        else None,
    )


@get(_ONE + "/progress", access=access.SELLER, include_in_schema=False)
async def import_progress(
    request: Req, db: Database, actor: Actor, run_id: FromPath[UUID]
) -> Response[bytes]:
    """How far it is, for a page that asks again; when it is done, the page is loaded anew."""
    async with db.read() as conn:
        run = await importing.run(conn, run_id=run_id, seller_id=seller_of(actor))
    answer = fragment(request, "sell/import_progress.html", run=importing.view_of(run))
    answer.headers["Cache-Control"] = "no-store"
    if run.state not in _AT_WORK:
        answer.headers["HX-Refresh"] = "true"
    return answer


@get(_ONE + "/report.csv", access=access.SELLER, include_in_schema=False)
async def import_report(
    db: Database, actor: Actor, run_id: FromPath[UUID], settings: Settings
) -> Stream:
    """What became, or would become, of every product: one line per product and remark."""
    seller_id = seller_of(actor)
    async with db.read() as conn:
        run = await importing.run(conn, run_id=run_id, seller_id=seller_id)
    phase = importing.Phase.PREVIEW if run.state in _EARLY else importing.Phase.IMPORT

    async def lines() -> AsyncIterator[bytes]:
        yield importing.report_head()
        cursor = None
        while True:
            async with db.read() as conn:
                found = await importing.results(
                    conn, run_id=run_id, seller_id=seller_id, phase=phase, outcome=None,
                    cursor=cursor, limit=500,
                )  # fmt: skip
            yield importing.report_lines(found.items, base_url=settings.base_url)
            cursor = found.next_cursor
            if cursor is None:
                return

    name = f"import-{run.created_at:%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Stream(lines(), media_type="text/csv; charset=utf-8", headers=headers)


@post(_ONE + "/run", access=access.SELLER, rate="write", include_in_schema=False)
async def run_import(
    request: Req, db: Database, actor: Actor, run_id: FromPath[UUID]
) -> Response[bytes]:
    """Create and update listings; new ones are drafts."""
    return await act(
        request,
        db,
        partial(begin, actor=actor, run_id=run_id, wanted=importing.RunState.RUNNING),
        to=f"{_LIST}/{run_id}",
        done="The import is running. You can leave this page.",
    )


def _undoing(run_id: UUID) -> Ask:
    return Ask(
        title="Take this import back?",
        text="What it created is put away, and what it changed is set back.",
        consequences=["Listings that were ordered or changed by hand stay; the list says which."],
        confirm="Take it back",
        action=f"{_LIST}/{run_id}/undo",
        back=f"{_LIST}/{run_id}",
        done="The import is being taken back.",
    )


@get(_ONE + "/undo", access=access.SELLER, include_in_schema=False)
async def undo_page(
    request: Req, db: Database, actor: Actor, run_id: FromPath[UUID]
) -> Response[bytes]:
    """Ask first."""
    async with db.read() as conn:
        await importing.run(conn, run_id=run_id, seller_id=seller_of(actor))
    return await ask(request, _undoing(run_id))


@post(_ONE + "/undo", access=access.SELLER, rate="write", include_in_schema=False)
async def undo(request: Req, db: Database, actor: Actor, run_id: FromPath[UUID]) -> Response[bytes]:
    """Take the import back."""
    return await answer(
        request,
        db,
        _undoing(run_id),
        lambda tx, _: begin(tx, actor=actor, run_id=run_id, wanted=importing.RunState.UNDOING),
    )


routes: list[Any] = [
    imports_page, upload, import_page, import_progress, import_report, run_import, undo_page, undo,
]  # fmt: skip
