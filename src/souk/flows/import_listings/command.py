"""`souk import`: a file from this machine into a shop, with progress."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

from souk.contexts.listings.api import importing
from souk.contexts.sellers import api as sellers
from souk.flows.import_listings import flow, jobs
from souk.flows.import_listings.work import Report, receive, work
from souk.kernel.actor import system
from souk.kernel.errors import DomainError, ErrorKind
from souk.platform.services import Services


class NothingImported(DomainError):
    """The file as a whole is not one that can be imported."""

    code = "nothing_imported"
    kind = ErrorKind.INVALID

    def __init__(self, reason: str) -> None:
        super().__init__(f"Nothing was imported: {reason}")


_ACTOR = system("cli")
_CHUNK = 1 << 20
_SHOWN = 20


async def run_file(
    services: Services, file: Path, *, seller_slug: str, preview: bool, report: Report
) -> str:
    """Import or preview `file`; returns what became of its products, as text for a terminal.

    Raises SellerNotFound for a shop that is unknown or not open, ImportBusy, FileTooLarge,
    EmptyUpload, and NothingImported when the file is not one that can be read.
    """
    async with services.db.read() as conn:
        seller_id = (await sellers.by_slug(conn, seller_slug)).id
    run_id, key, size = await receive(services, _chunks(file))
    await services.db.transact(
        partial(
            importing.create_run,
            actor=_ACTOR,
            run_id=run_id,
            seller_id=seller_id,
            filename=file.name,
            file_key=key,
            file_size=size,
            currency=services.settings.currency,
        )
    )
    wanted = importing.RunState.PREVIEWING if preview else importing.RunState.RUNNING
    await services.db.transact(
        partial(flow.begin, actor=_ACTOR, run_id=run_id, seller_id=seller_id, wanted=wanted)
    )
    await work(services, run_id, report=report)
    async with services.db.read() as conn:
        run = await importing.run(conn, run_id=run_id, seller_id=seller_id)
    if run.state is importing.RunState.FAILED:
        raise NothingImported(run.failure or "")
    if not preview:
        await services.db.transact(partial(jobs.enqueue_pictures, run_id=run_id))
    phase = importing.Phase.PREVIEW if preview else importing.Phase.IMPORT
    return await _summary(services, run, phase)


async def _chunks(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


async def _summary(services: Services, run: importing.Run, phase: importing.Phase) -> str:
    counts = run.counts
    would = "would be " if phase is importing.Phase.PREVIEW else ""
    changes = f"{counts.created} {would}created, {counts.updated} {would}updated"
    lines = [
        f"{run.filename}: {run.total} products ({run.format}).",
        f"{changes}, {counts.unchanged} unchanged, {counts.refused} refused.",
        *(problem.message for problem in run.problems),
    ]
    async with services.db.read() as conn:
        refused = await importing.results(
            conn, run_id=run.id, seller_id=run.seller_id, phase=phase,
            outcome=importing.Outcome.REFUSED, cursor=None, limit=_SHOWN,
        )  # fmt: skip
    for result in refused.items:
        lines += [f"Row {problem.row}: {problem.message}" for problem in result.problems[:3]]
    if refused.next_cursor:
        lines.append(f"… and {counts.refused - _SHOWN} more refused products.")
    lines.append(f"Import {run.id}")
    return "\n".join(lines)
