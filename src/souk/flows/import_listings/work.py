"""Works off a run from its checkpoint: preview, import, or undo."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from uuid import UUID

import structlog

from souk.contexts.inventory import api as inventory
from souk.contexts.listings.api import importing
from souk.contexts.orders import api as orders
from souk.flows.import_listings import placing
from souk.kernel.actor import system
from souk.kernel.ids import uuid7
from souk.platform.database import WriteTx
from souk.platform.services import Services

log = structlog.get_logger()
Report = Callable[[str, int, int | None], None]
BATCH = 250
UNDO_BATCH = 50
_ACTOR = system("listings.import")
_LABELS = {
    importing.RunState.PREVIEWING: "Looking at products",
    importing.RunState.RUNNING: "Importing products",
    importing.RunState.UNDOING: "Undoing products",
}


async def receive(services: Services, chunks: AsyncIterator[bytes]) -> tuple[UUID, str, int]:
    """Store an uploaded file; returns the new run's id, the file's key and its size in bytes.

    Raises FileTooLarge as soon as it is, and EmptyUpload.
    """
    run_id = uuid7()
    size = 0
    with tempfile.NamedTemporaryFile(prefix="souk-import-") as kept:
        async for chunk in chunks:
            size += len(chunk)
            if size > importing.MAX_FILE_SIZE:
                raise importing.FileTooLarge(limit=importing.MAX_FILE_SIZE)
            kept.write(chunk)
        if size == 0:
            raise importing.EmptyUpload
        kept.flush()
        key = f"imports/{run_id}"
        await services.files.put(key, Path(kept.name))
    return run_id, key, size


async def work(services: Services, run_id: UUID, *, report: Report | None = None) -> None:
    """Carry a run to the end of its phase, from wherever it is. Safe to call twice."""
    async with services.db.read() as conn:
        run = await importing.run(conn, run_id=run_id, seller_id=None)
    if not run.at_work:
        return
    if run.state is importing.RunState.UNDOING:
        await _undo(services, run, report)
        return
    with tempfile.TemporaryFile(prefix="souk-import-") as copy:
        async for chunk in services.files.stream(run.file_key):
            copy.write(chunk)
        copy.seek(0)
        file = await asyncio.to_thread(
            importing.open_mapped, copy, currency=run.currency, mapping=run.mapping
        )
        fatal = [p for p in file.problems if p.severity is importing.Severity.ERROR]
        if fatal:
            await services.db.transact(
                partial(
                    importing.fail,
                    run_id=run.id,
                    reason=fatal[0].message,
                    problems=file.problems,
                )
            )
            return
        run = await services.db.transact(
            partial(
                importing.note_file,
                run_id=run.id,
                file_format=file.format or "",
                source=file.source,
                problems=file.problems,
            )
        )
        await _work_off(services, run, file.records(), report)


def _take(records: Iterator[importing.ProductRecord], count: int) -> list[importing.ProductRecord]:
    return list(islice(records, count))


async def _work_off(
    services: Services,
    run: importing.Run,
    records: Iterator[importing.ProductRecord],
    report: Report | None,
) -> None:
    position = run.position
    # The order of a file never changes, so the checkpoint is a number of products to pass over.
    await asyncio.to_thread(_take, records, position)
    while True:
        batch = await asyncio.to_thread(_take, records, BATCH)
        if not batch:
            await services.db.transact(partial(importing.finish, run_id=run.id))
            return
        advanced = await services.db.transact(
            partial(_one_batch, run_id=run.id, position=position, records=batch)
        )
        if advanced is None:
            log.info("import_taken_over", run=str(run.id), position=position)
            return
        position = advanced.position
        if report is not None:
            report(_LABELS[run.state], position, run.total)


async def _one_batch(
    tx: WriteTx,
    *,
    run_id: UUID,
    position: int,
    records: Sequence[importing.ProductRecord],
) -> importing.Run | None:
    places = await placing.places(tx, records)
    batch = await importing.work_off(
        tx, _ACTOR, run_id=run_id, position=position, records=records, places=places
    )
    if batch is None:
        return None
    await _stock(tx, batch)
    return batch.run


async def _stock(tx: WriteTx, batch: importing.Batch) -> None:
    seller_id = batch.run.seller_id
    await inventory.set_up(
        tx,
        _ACTOR,
        items=[
            inventory.StockSetUp(
                variant_id=change.variant_id,
                listing_id=change.listing_id,
                seller_id=seller_id,
                on_hand=change.on_hand or 0,
                tracked=change.on_hand is not None,
            )
            for change in batch.stock_new
        ],
    )
    for change in sorted(batch.stock_changed, key=lambda each: each.variant_id):
        await _set_stock(
            tx, seller_id, change.variant_id, change.on_hand or 0, reference=str(batch.run.id)
        )


async def _set_stock(
    tx: WriteTx, seller_id: UUID, variant_id: UUID, on_hand: int, *, reference: str
) -> None:
    """Bring a variant to a number on hand, as far as what is reserved allows."""
    try:
        await inventory.adjust(
            tx,
            _ACTOR,
            seller_id=seller_id,
            variant_id=variant_id,
            absolute=on_hand,
            reason=inventory.Reason.IMPORT,
            reference=reference,
        )
    except (inventory.StockTooLow, inventory.StockNotCounted) as refusal:
        # Somebody is paying for these units, or the seller stopped counting: that goes before.
        log.info("import_stock_kept", variant=str(variant_id), reason=refusal.code)


async def _undo(services: Services, run: importing.Run, report: Report | None) -> None:
    while True:
        batch = await services.db.transact(partial(_undo_batch, run=run))
        if batch.finished:
            await services.db.transact(partial(importing.finish, run_id=run.id))
            return
        if report is not None:
            report(_LABELS[run.state], batch.run.position, batch.run.total)


async def _undo_batch(tx: WriteTx, *, run: importing.Run) -> importing.UndoneBatch:
    concerned = await importing.listings_to_undo(tx, run_id=run.id, limit=UNDO_BATCH)
    sold = await orders.ordered_listings(tx, concerned)
    batch = await importing.undo_some(tx, _ACTOR, run_id=run.id, sold=sold, limit=UNDO_BATCH)
    for variant_id in sorted(batch.emptied):
        await _set_stock(tx, run.seller_id, variant_id, 0, reference=str(run.id))
    return batch
