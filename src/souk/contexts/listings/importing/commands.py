"""What moves an import on. Each runs inside the caller's transaction, which is one batch.

Stock belongs to inventory: a batch returns what the file says about it, and the flow that called
hands it over in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from souk.contexts.listings.domain import Listing, State
from souk.contexts.listings.importing import store
from souk.contexts.listings.importing.drafts import ProductRecord, RowProblem
from souk.contexts.listings.importing.errors import EmptyUpload, FileTooLarge, run_not_found
from souk.contexts.listings.importing.mapping import check_mapping
from souk.contexts.listings.importing.planning import (
    Placement,
    Plan,
    StockChange,
    Surroundings,
    count,
    decide,
    wanted_slug,
)
from souk.contexts.listings.importing.runs import (
    MAX_FILE_SIZE,
    Counts,
    Outcome,
    Phase,
    Run,
    RunState,
)
from souk.contexts.listings.importing.text import clean_text
from souk.kernel.actor import Actor
from souk.kernel.ids import human_number
from souk.platform import audit, outbox
from souk.platform.database import WriteTx
from souk.published import listings as events


class Batch(msgspec.Struct, frozen=True):
    """What a batch leaves to others: stock of new variants, and stock that the file changed."""

    run: Run
    stock_new: list[StockChange] = msgspec.field(default_factory=list[StockChange])
    stock_changed: list[StockChange] = msgspec.field(default_factory=list[StockChange])


class UndoneBatch(msgspec.Struct, frozen=True):
    """`emptied` are variants of listings that were put away: nothing of them is for sale."""

    run: Run
    emptied: list[UUID] = msgspec.field(default_factory=list[UUID])
    finished: bool = False


async def create_run(
    tx: WriteTx,
    actor: Actor,
    *,
    run_id: UUID,
    seller_id: UUID,
    filename: str,
    file_key: str,
    file_size: int,
    currency: str,
) -> Run:
    """Register an uploaded file. Raises EmptyUpload and FileTooLarge."""
    if file_size <= 0:
        raise EmptyUpload
    if file_size > MAX_FILE_SIZE:
        raise FileTooLarge(limit=MAX_FILE_SIZE)
    now = tx.clock.now()
    run = Run(
        id=run_id,
        seller_id=seller_id,
        actor=actor.label(),
        filename=clean_text(filename)[:200] or "products",
        file_key=file_key,
        file_size=file_size,
        currency=currency,
        created_at=now,
        updated_at=now,
    )
    await store.insert_run(tx, run)
    return run


async def _own(tx: WriteTx, run_id: UUID, seller_id: UUID | None) -> Run:
    run = await store.lock_run(tx, run_id, seller_id=seller_id)
    if run is None:
        raise run_not_found()
    return run


async def set_mapping(
    tx: WriteTx, *, run_id: UUID, seller_id: UUID, columns: Mapping[str, str]
) -> Run:
    """Say which field each column is, by its header; it is remembered for the seller's next file.

    A preview of the former reading is void. Raises NotFound, InvalidInput, IllegalTransition.
    """
    mapping = check_mapping(columns)
    run = await _own(tx, run_id, seller_id)
    run.remap(mapping, now=tx.clock.now())
    await store.save_run(tx, run)
    await store.clear_results(tx, run.id, Phase.PREVIEW)
    await store.remember_columns(tx, seller_id, mapping)
    return run


async def begin(
    tx: WriteTx, actor: Actor, *, run_id: UUID, seller_id: UUID, wanted: RunState
) -> Run:
    """Set a run to work: previewing, running or undoing.

    Asking again for what it does already, or has done, changes nothing. Raises NotFound,
    ImportBusy, IllegalTransition.
    """
    run = await _own(tx, run_id, seller_id)
    if run.state is wanted or run.state is _END_OF[wanted]:
        return run
    run.move_to(wanted, now=tx.clock.now())
    if wanted is not RunState.UNDOING:
        phase = Phase.PREVIEW if wanted is RunState.PREVIEWING else Phase.IMPORT
        await store.clear_results(tx, run.id, phase)
    await store.save_run(tx, run)
    await audit.record(tx, actor, f"listings.import_{wanted}", f"import:{run.id}")
    return run


_END_OF = {
    RunState.PREVIEWING: RunState.PREVIEWED,
    RunState.RUNNING: RunState.DONE,
    RunState.UNDOING: RunState.UNDONE,
}


async def note_file(
    tx: WriteTx, *, run_id: UUID, file_format: str, source: str, problems: list[RowProblem]
) -> Run:
    """Keep what the reader found out about the file as a whole."""
    run = await _own(tx, run_id, None)
    run.format, run.source, run.problems = file_format, source, problems
    run.updated_at = tx.clock.now()
    await store.save_run(tx, run)
    return run


async def fail(
    tx: WriteTx, *, run_id: UUID, reason: str, problems: list[RowProblem] | None = None
) -> Run:
    """End a run whose file cannot be read at all, or that nobody can carry on."""
    run = await _own(tx, run_id, None)
    if run.at_work:
        run.problems = run.problems if problems is None else problems
        run.fail(reason, now=tx.clock.now())
        await store.save_run(tx, run)
    return run


async def note_completed(
    tx: WriteTx, *, run_id: UUID, position: int, problems: Sequence[RowProblem]
) -> None:
    """A product's pictures were fetched, or the reasons why not are among its problems."""
    await store.complete(tx, run_id, position, problems)
    await store.refresh_version(tx, run_id, position)


async def finish(tx: WriteTx, *, run_id: UUID) -> Run:
    """Everything is worked off: the run reaches the end of its phase."""
    run = await _own(tx, run_id, None)
    if run.at_work:
        run.total = run.position if run.state is not RunState.UNDOING else run.total
        run.move_to(_END_OF[run.state], now=tx.clock.now())
        await store.save_run(tx, run)
    return run


async def work_off(
    tx: WriteTx,
    actor: Actor,
    *,
    run_id: UUID,
    position: int,
    records: Sequence[ProductRecord],
    places: Sequence[Placement],
) -> Batch | None:
    """Preview or import one batch that begins at `position`, with its checkpoint.

    None when the run is not at work there any more: another worker was faster, and this one has to
    stop.
    """
    run = await store.lock_run(tx, run_id, seller_id=None)
    if run is None or run.position != position:
        return None
    if run.state not in {RunState.PREVIEWING, RunState.RUNNING}:
        return None
    phase = Phase.PREVIEW if run.state is RunState.PREVIEWING else Phase.IMPORT
    around = await _surroundings(tx, run, records)
    plans = [decide(record, place, around) for record, place in zip(records, places, strict=True)]
    if phase is Phase.IMPORT:
        await store.save_listings(tx, plans, seller_id=run.seller_id)
        await store.save_links(tx, run, plans)
        _tell(tx, actor, plans)
    await store.save_results(tx, run, phase, plans)
    run.advance(by=len(plans), counts=count(plans), now=tx.clock.now())
    await store.save_run(tx, run)
    if phase is Phase.PREVIEW:
        return Batch(run)
    return Batch(
        run,
        stock_new=[change for plan in plans for change in plan.stock_new],
        stock_changed=[change for plan in plans for change in plan.stock_changed],
    )


async def _surroundings(tx: WriteTx, run: Run, records: Sequence[ProductRecord]) -> Surroundings:
    drafts = [record.draft for record in records if record.draft is not None]
    skus = [variant.sku for draft in drafts for variant in draft.variants if variant.sku]
    return Surroundings(
        seller_id=run.seller_id,
        currency=run.currency,
        now=tx.clock.now(),
        known=await store.links(
            tx,
            seller_id=run.seller_id,
            source=run.source,
            external_ids=[draft.external_id for draft in drafts],
        ),
        sku_owner=await store.sku_owners(tx, seller_id=run.seller_id, skus=skus),
        slugs=await store.taken_slugs(tx, [wanted_slug(draft) for draft in drafts]),
    )


def _tell(tx: WriteTx, actor: Actor, plans: Sequence[Plan]) -> None:
    """Buyers see the change of a visible listing; a new one is a draft, which nobody sees."""
    for plan in plans:
        listing = plan.listing
        if plan.outcome is Outcome.UPDATED and listing is not None and listing.visible:
            outbox.add(
                tx,
                events.ListingUpdated(listing_id=listing.id, seller_id=listing.seller_id),
                actor=actor,
            )


async def undo_some(
    tx: WriteTx, actor: Actor, *, run_id: UUID, sold: frozenset[UUID], limit: int
) -> UndoneBatch:
    """Undo up to `limit` products of a run that is undoing.

    A created listing is archived and its SKUs are freed; an updated one gets its former values
    back. `sold` are listings that orders name: they stay, and so does what was changed by hand
    after the import.
    """
    run = await _own(tx, run_id, None)
    if run.state is not RunState.UNDOING:
        return UndoneBatch(run, finished=True)
    waiting = await store.to_undo(tx, run_id, limit=limit)
    if not waiting:
        return UndoneBatch(run, finished=True)
    locked = await store.lock_listings(tx, [done.listing_id for done in waiting])
    notes: list[tuple[int, str, str]] = []
    emptied: list[UUID] = []
    undone: list[str] = []
    for done in waiting:
        found = locked.get(done.listing_id)
        note = _kept_because(done, found[0] if found else None, sold=sold)
        if note or found is None:
            notes.append((done.position, "kept", note))
            continue
        listing, seller = found
        if done.outcome is Outcome.CREATED:
            free = _put_away(listing, tx)
            emptied += [variant.id for variant in listing.variants]
            outbox.add(
                tx,
                events.ListingArchived(listing_id=listing.id, seller_id=listing.seller_id),
                actor=actor,
            )
        else:
            free = {}
            _put_back(listing, done)
            _tell_changed(tx, actor, listing)
        await store.save_undone(tx, listing, seller, free_skus=free)
        undone.append(done.external_id)
        notes.append((done.position, "undone", ""))
    await store.mark_undone(tx, run_id, notes)
    await store.drop_links(tx, run, undone)
    run.advance(
        by=len(waiting),
        counts=Counts(undone=len(undone), kept=len(waiting) - len(undone)),
        now=tx.clock.now(),
    )
    await store.save_run(tx, run)
    return UndoneBatch(run, emptied=emptied)


async def listings_to_undo(tx: WriteTx, *, run_id: UUID, limit: int) -> list[UUID]:
    """The listings that the next call of `undo_some` would touch."""
    return [done.listing_id for done in await store.to_undo(tx, run_id, limit=limit)]


def _kept_because(done: store.Done, listing: Listing | None, *, sold: frozenset[UUID]) -> str:
    """Why a product cannot be undone; empty when it can."""
    if listing is None:
        return "The listing is no longer there."
    if listing.state is State.ARCHIVED:
        return "The listing was archived already."
    if done.outcome is Outcome.CREATED and listing.id in sold:
        return "It has been ordered. Archive it by hand when the orders are closed."
    if done.outcome is Outcome.UPDATED and (listing.version != done.version or not done.former):
        return "It was changed after the import. Correct it by hand."
    return ""


def _put_away(listing: Listing, tx: WriteTx) -> dict[UUID, str]:
    """Archive it; returns SKUs that leave the old ones free for the next import."""
    listing.move_to(State.ARCHIVED, now=tx.clock.now())
    return {
        variant.id: f"{variant.sku[:50]}.{human_number(groups=1, size=8)}"
        for variant in listing.variants
    }


def _put_back(listing: Listing, done: store.Done) -> None:
    """What the update replaced comes back; variants that it added can no longer be bought."""
    former = msgspec.json.decode(done.former or b"", type=Listing)
    kept = {variant.id for variant in former.variants}
    added = [
        msgspec.structs.replace(variant, active=False)
        for variant in listing.variants
        if variant.id not in kept
    ]
    for name in (
        "title", "description_html", "tags", "condition", "seo_title", "seo_description",
        "category_id", "category_path", "attributes",
    ):  # fmt: skip
        setattr(listing, name, getattr(former, name))
    listing.variants = [*former.variants, *added]


def _tell_changed(tx: WriteTx, actor: Actor, listing: Listing) -> None:
    if listing.visible:
        outbox.add(
            tx,
            events.ListingUpdated(listing_id=listing.id, seller_id=listing.seller_id),
            actor=actor,
        )
