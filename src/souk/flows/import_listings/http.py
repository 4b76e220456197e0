"""`/api/v1/imports`: product files of a seller. Everything is found through the seller only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, get, post, put
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec import Meta

from souk.contexts.listings.api import importing
from souk.flows.import_listings import flow, jobs
from souk.flows.import_listings.columns import inspect
from souk.flows.import_listings.work import receive
from souk.kernel.actor import Actor
from souk.kernel.errors import Forbidden
from souk.platform.database import Database, WriteTx
from souk.platform.http import access
from souk.platform.http.wire import Listed
from souk.platform.services import Services
from souk.platform.storage import FileStore

Filename = Annotated[str, QueryParameter(min_length=1, max_length=200)]
PageSize = Annotated[int, QueryParameter(ge=1, le=100)]
Cursor = Annotated[str | None, QueryParameter(max_length=1_024)]
_Header = Annotated[str, Meta(min_length=1, max_length=300)]
_Field = Annotated[str, Meta(max_length=65)]


def _seller(actor: Actor) -> UUID:
    if actor.seller_id is None:
        raise Forbidden("Only sellers can do this. Apply to become a seller first.")
    return actor.seller_id


@post(
    "/api/v1/imports",
    access=access.SELLER,
    rate="upload",
    request_max_body_size=importing.MAX_FILE_SIZE,
)
async def upload_file(
    request: Request[Any, Any, Any],
    services: Services,
    actor: Actor,
    filename: Filename = "products.csv",
) -> importing.RunView:
    """Send a product file as the body of the request, whatever its content type says.

    Nothing is imported yet: ask for a preview, then start the run.
    """
    chunks: AsyncIterator[bytes] = request.stream()
    run_id, key, size = await receive(services, chunks)
    run = await services.db.transact(
        partial(
            importing.create_run,
            actor=actor,
            run_id=run_id,
            seller_id=_seller(actor),
            filename=filename,
            file_key=key,
            file_size=size,
            currency=services.settings.currency,
        )
    )
    return importing.view_of(run)


@get("/api/v1/imports", access=access.SELLER)
async def list_imports(
    db: Database, actor: Actor, cursor: Cursor = None, limit: PageSize = 20
) -> Listed[importing.RunView]:
    """The seller's imports, newest first."""
    async with db.read() as conn:
        page = await importing.runs_of(conn, seller_id=_seller(actor), cursor=cursor, limit=limit)
    return Listed.of(page)


@get("/api/v1/imports/{run_id:uuid}", access=access.SELLER)
async def read_import(db: Database, actor: Actor, run_id: FromPath[UUID]) -> importing.RunView:
    """How far an import is."""
    async with db.read() as conn:
        run = await importing.run(conn, run_id=run_id, seller_id=_seller(actor))
    return importing.view_of(run)


@get("/api/v1/imports/{run_id:uuid}/results", access=access.SELLER)
async def list_results(
    db: Database,
    actor: Actor,
    run_id: FromPath[UUID],
    phase: FromQuery[importing.Phase] = importing.Phase.IMPORT,
    outcome: FromQuery[importing.Outcome | None] = None,
    cursor: Cursor = None,
    limit: PageSize = 20,
) -> Listed[importing.ResultView]:
    """What becomes (`phase=preview`) or became (`phase=import`) of each product, by row."""
    async with db.read() as conn:
        page = await importing.results(
            conn, run_id=run_id, seller_id=_seller(actor), phase=phase, outcome=outcome,
            cursor=cursor, limit=limit,
        )  # fmt: skip
    return Listed.of(page)


class MapColumns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The field of each column by its header; an empty one leaves the column out."""

    columns: Annotated[dict[_Header, _Field], Meta(min_length=1, max_length=2_000)]


@get("/api/v1/imports/{run_id:uuid}/columns", access=access.SELLER)
async def read_columns(
    db: Database, files: FileStore, actor: Actor, run_id: FromPath[UUID]
) -> importing.Inspection:
    """What the columns of the file seem to hold: kind, samples, and the field suggested for each.

    Headers that you mapped before are suggested as you mapped them.
    """
    async with db.read() as conn:
        run = await importing.run(conn, run_id=run_id, seller_id=_seller(actor))
    return await inspect(db, files, run)


@put("/api/v1/imports/{run_id:uuid}/columns", access=access.SELLER, rate="write")
async def map_columns(
    data: MapColumns, db: Database, actor: Actor, run_id: FromPath[UUID]
) -> importing.RunView:
    """Say which field each column is. An earlier preview is void; ask for a new one."""
    run = await db.transact(
        lambda tx: importing.set_mapping(
            tx, run_id=run_id, seller_id=_seller(actor), columns=data.columns
        )
    )
    return importing.view_of(run)


@post("/api/v1/imports/{run_id:uuid}/preview", access=access.SELLER, rate="write", status_code=202)
async def preview_import(db: Database, actor: Actor, run_id: FromPath[UUID]) -> importing.RunView:
    """Begin to find out what the file would do. Listings are not touched."""
    return await _begin(db, actor, run_id, importing.RunState.PREVIEWING)


@post("/api/v1/imports/{run_id:uuid}/run", access=access.SELLER, rate="write", status_code=202)
async def run_import(db: Database, actor: Actor, run_id: FromPath[UUID]) -> importing.RunView:
    """Begin to create and update listings. New ones are drafts."""
    return await _begin(db, actor, run_id, importing.RunState.RUNNING)


@post("/api/v1/imports/{run_id:uuid}/undo", access=access.SELLER, rate="write", status_code=202)
async def undo_import(db: Database, actor: Actor, run_id: FromPath[UUID]) -> importing.RunView:
    """Begin to take the import back: what was created is archived, what was updated is restored.

    Listings that were ordered or changed by hand stay; the results say which and why.
    """
    return await _begin(db, actor, run_id, importing.RunState.UNDOING)


async def _begin(
    db: Database, actor: Actor, run_id: UUID, wanted: importing.RunState
) -> importing.RunView:
    async def begin(tx: WriteTx) -> importing.Run:
        run = await flow.begin(tx, actor, run_id=run_id, seller_id=_seller(actor), wanted=wanted)
        if run.at_work:
            await jobs.enqueue(tx, run)
        return run

    return importing.view_of(await db.transact(begin))


routes: list[Any] = [
    upload_file,
    list_imports,
    read_import,
    list_results,
    read_columns,
    map_columns,
    preview_import,
    run_import,
    undo_import,
]
