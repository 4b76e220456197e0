"""Import: which column of the file is what."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from souk.contexts.listings.api import importing
from souk.flows.import_listings.columns import inspect
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.storage import FileStore
from souk.web.desk import back_to, problem_context, seller_of, status_of
from souk.web.page import Req, form_of, page
from souk.web.sell.pages.importing import begin

_ONE = "/sell/import/{run_id:uuid}/columns"


async def _show(
    request: Req,
    db: Database,
    files: FileStore,
    actor: Actor,
    run_id: UUID,
    *,
    chosen: dict[str, str] | None = None,
    error: DomainError | None = None,
) -> Response[bytes]:
    seller_id = seller_of(actor)
    async with db.read() as conn:
        run = await importing.run(conn, run_id=run_id, seller_id=seller_id)
    found = await inspect(db, files, run)
    fields = {column.header: column.field for column in found.columns if column.usable}
    return await page(
        request,
        "sell/import_columns.html",
        status=status_of(error),
        run=importing.view_of(run),
        found=found,
        chosen=fields if chosen is None else chosen,
        own_fields=importing.COLUMNS,
        by_hand=found.needs_mapping or found.format == "souk" or run.mapping is not None,
        **problem_context(error),
    )


@get(_ONE, access=access.SELLER, include_in_schema=False)
async def columns_page(
    request: Req, db: Database, files: FileStore, actor: Actor, run_id: FromPath[UUID]
) -> Response[bytes]:
    """Every column with what it seems to hold and what it becomes."""
    return await _show(request, db, files, actor, run_id)


@post(_ONE, access=access.SELLER, rate="write", include_in_schema=False)
async def map_columns(
    request: Req, db: Database, files: FileStore, actor: Actor, run_id: FromPath[UUID]
) -> Response[bytes]:
    """Keep the mapping and look at every row; `act` known reads the export as it is."""
    form = await form_of(request)
    previewing = partial(begin, actor=actor, run_id=run_id, wanted=importing.RunState.PREVIEWING)
    columns = {
        header: form.get(f"c{name.removeprefix('h')}", "")
        for name, header in form.items()
        if name[:1] == "h" and name[1:].isdecimal()
    }
    try:
        if form.get("act") != "known":
            await db.transact(
                lambda tx: importing.set_mapping(
                    tx, run_id=run_id, seller_id=seller_of(actor), columns=columns
                )
            )
        await db.transact(previewing)
    except DomainError as error:
        return await _show(request, db, files, actor, run_id, chosen=columns, error=error)
    return back_to(request, f"/sell/import/{run_id}", "We look at every row. Nothing is changed.")


routes: list[Any] = [columns_page, map_columns]
