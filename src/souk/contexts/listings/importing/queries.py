"""Reading imports: a run, a seller's runs, and what became of each product."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from souk.contexts.listings.importing import store
from souk.contexts.listings.importing.drafts import ProductDraft, RowProblem
from souk.contexts.listings.importing.errors import run_not_found
from souk.contexts.listings.importing.runs import Counts, Outcome, Phase, Run, RunState
from souk.kernel.ids import parse_uuid
from souk.kernel.page import BadCursor, Page, decode_cursor, encode_cursor, page_of
from souk.platform.database import ReadConn


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """An import as its seller sees it. `problems` are those of the file as a whole."""

    id: UUID
    filename: str
    size: int
    state: RunState
    format: str
    mapping: dict[str, str] | None
    currency: str
    position: int
    total: int | None
    counts: Counts
    problems: list[RowProblem]
    failure: str
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None


class ResultView(msgspec.Struct, frozen=True, kw_only=True):
    """One product of the file and what became, or would become, of it."""

    position: int
    outcome: Outcome
    external_id: str
    title: str
    rows: list[int]
    problems: list[RowProblem]
    listing_id: UUID | None
    undo: str | None
    undo_note: str


def view_of(run: Run) -> RunView:
    return RunView(
        id=run.id,
        filename=run.filename,
        size=run.file_size,
        state=run.state,
        format=run.format,
        mapping=run.mapping,
        currency=run.currency,
        position=run.position,
        total=run.total,
        counts=run.counts,
        problems=run.problems,
        failure=run.failure,
        created_at=run.created_at,
        updated_at=run.updated_at,
        finished_at=run.finished_at,
    )


async def run(conn: ReadConn, *, run_id: UUID, seller_id: UUID | None) -> Run:
    """The run; with `seller_id`, only the seller's own. Raises NotFound."""
    found = await store.find_run(conn, run_id, seller_id=seller_id)
    if found is None:
        raise run_not_found()
    return found


async def runs_of(
    conn: ReadConn, *, seller_id: UUID, cursor: str | None, limit: int
) -> Page[RunView]:
    """The seller's imports, newest first. Raises BadCursor."""
    before = None
    if cursor:
        before = parse_uuid(str(decode_cursor(cursor, size=1)[0]))
        if before is None:
            raise BadCursor
    rows = await store.runs_of(conn, seller_id, before=before, limit=limit + 1)
    return page_of(
        [view_of(row) for row in rows],
        limit=limit,
        cursor_of=lambda row: encode_cursor(str(row.id)),
    )


async def results(
    conn: ReadConn,
    *,
    run_id: UUID,
    seller_id: UUID,
    phase: Phase,
    outcome: Outcome | None,
    cursor: str | None,
    limit: int,
) -> Page[ResultView]:
    """Product by product, in the order of the file. Raises NotFound and BadCursor."""
    await run(conn, run_id=run_id, seller_id=seller_id)
    after = decode_cursor(cursor, size=1)[0] if cursor else -1
    if not isinstance(after, int) or not -1 <= after < 2**31:
        raise BadCursor
    rows = await store.result_rows(
        conn, run_id, phase, outcome=outcome, after=after, limit=limit + 1
    )
    return page_of(
        [msgspec.convert(row, ResultView) for row in rows],
        limit=limit,
        cursor_of=lambda row: encode_cursor(row.position),
    )


stale_runs = store.stale_runs
remembered_columns = store.remembered_columns


class Unfinished(msgspec.Struct, frozen=True, kw_only=True):
    """A product that has landed and still lacks its pictures or its publication."""

    position: int
    rows: list[int]
    listing_id: UUID
    has_pictures: bool
    draft: ProductDraft


async def unfinished(conn: ReadConn, *, run_id: UUID, after: int, limit: int) -> list[Unfinished]:
    """The next of them behind `after`, in the order of the file."""
    rows = await store.unfinished(conn, run_id, after=after, limit=limit)
    return [
        Unfinished(**row, draft=msgspec.json.decode(content, type=ProductDraft))
        for row in rows
        for content in [row.pop("content")]
    ]
