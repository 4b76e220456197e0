"""Imports in PostgreSQL: runs, results, links, and the listings of a whole batch at once.

The run's row is locked first in every transaction of a run, so that two workers that were given
the same run take turns, and the second sees the checkpoint of the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from asyncpg import exceptions as pg

from souk.contexts.listings import store as listings
from souk.contexts.listings.domain import Listing, SellerFacts
from souk.contexts.listings.importing.drafts import RowProblem
from souk.contexts.listings.importing.errors import ImportBusy
from souk.contexts.listings.importing.planning import Known, Plan
from souk.contexts.listings.importing.runs import Outcome, Phase, Run
from souk.platform.database import ReadConn, Record, WriteTx

_COLUMNS = (
    "id", "seller_id", "actor", "filename", "file_key", "file_size", "currency", "state", "format",
    "source", "mapping", "problems", "failure", "position", "total", "counts", "created_at",
    "updated_at", "finished_at",
)  # fmt: skip
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM listings.import_run"
_INSERT = (
    f"INSERT INTO listings.import_run ({', '.join(_COLUMNS)})"
    f" VALUES ({', '.join(f'${n}' for n in range(1, len(_COLUMNS) + 1))})"
)
_UPDATE = (
    "UPDATE listings.import_run SET "
    + ", ".join(
        f"{name} = ${n}"
        for n, name in enumerate(_COLUMNS, start=1)
        if name not in {"id", "seller_id"}
    )
    + " WHERE id = $1 AND seller_id = $2"
)


def _run(row: Record) -> Run:
    return msgspec.convert(dict(row), Run)


def _values(run: Run) -> list[object]:
    return [getattr(run, name) for name in _COLUMNS]


async def insert_run(tx: WriteTx, run: Run) -> None:
    await tx.execute(_INSERT, *_values(run))


async def lock_run(tx: WriteTx, run_id: UUID, *, seller_id: UUID | None) -> Run | None:
    """The run locked for a change; with `seller_id`, only if it is that seller's."""
    row = await tx.fetchrow(
        f"{_SELECT} WHERE id = $1 AND ($2::uuid IS NULL OR seller_id = $2) FOR UPDATE",
        run_id,
        seller_id,
    )
    return _run(row) if row else None


async def find_run(conn: ReadConn, run_id: UUID, *, seller_id: UUID | None) -> Run | None:
    row = await conn.fetchrow(
        f"{_SELECT} WHERE id = $1 AND ($2::uuid IS NULL OR seller_id = $2)", run_id, seller_id
    )
    return _run(row) if row else None


async def runs_of(conn: ReadConn, seller_id: UUID, *, before: UUID | None, limit: int) -> list[Run]:
    """The seller's runs, newest first."""
    rows = await conn.fetch(
        f"{_SELECT} WHERE seller_id = $1 AND ($2::uuid IS NULL OR id < $2)"
        " ORDER BY id DESC LIMIT $3",
        seller_id,
        before,
        limit,
    )
    return [_run(row) for row in rows]


async def stale_runs(conn: ReadConn, *, before: datetime, limit: int) -> list[UUID]:
    """Runs at work of which nothing was heard since `before`: their worker died."""
    rows = await conn.fetch(
        "SELECT id FROM listings.import_run WHERE state IN ('previewing', 'running', 'undoing')"
        " AND updated_at < $1 ORDER BY updated_at LIMIT $2",
        before,
        limit,
    )
    return [row["id"] for row in rows]


async def save_run(tx: WriteTx, run: Run) -> None:
    """Raises ImportBusy when another run of the seller is at work."""
    try:
        await tx.execute(_UPDATE, *_values(run))
    except pg.UniqueViolationError as error:
        raise ImportBusy from error


async def remember_columns(tx: WriteTx, seller_id: UUID, mapping: Mapping[str, str]) -> None:
    """Keep what the seller's columns mean, for the next file that has them."""
    await tx.execute(
        "INSERT INTO listings.import_column (seller_id, header, field, updated_at)"
        " SELECT $1, m.header, m.field, $4 FROM unnest($2::text[], $3::text[]) AS m (header, field)"
        " ON CONFLICT (seller_id, header)"
        " DO UPDATE SET field = excluded.field, updated_at = excluded.updated_at",
        seller_id,
        list(mapping),
        list(mapping.values()),
        tx.clock.now(),
    )


async def remembered_columns(conn: ReadConn, seller_id: UUID) -> dict[str, str]:
    """The fields that the seller gave to headers, the newest thousand of them."""
    rows = await conn.fetch(
        "SELECT header, field FROM listings.import_column WHERE seller_id = $1"
        " ORDER BY updated_at DESC, header LIMIT 1000",
        seller_id,
    )
    return {row["header"]: row["field"] for row in rows}


async def clear_results(tx: WriteTx, run_id: UUID, phase: Phase) -> None:
    await tx.execute(
        "DELETE FROM listings.import_result WHERE run_id = $1 AND phase = $2", run_id, phase
    )


async def links(
    tx: WriteTx, *, seller_id: UUID, source: str, external_ids: Sequence[str]
) -> dict[str, Known]:
    """What is known of these products, their listings locked in id order."""
    rows = await tx.fetch(
        "SELECT external_id, listing_id, content_hash, content FROM listings.import_link"
        " WHERE seller_id = $1 AND source = $2 AND external_id = ANY($3::text[])",
        seller_id,
        source,
        list(external_ids),
    )
    if not rows:
        return {}
    locked = await listings.lock_many(tx, sorted({row["listing_id"] for row in rows}))
    by_id = {listing.id: listing for listing, _ in locked}
    return {
        row["external_id"]: Known(row["content_hash"], row["content"], by_id.get(row["listing_id"]))
        for row in rows
    }


async def sku_owners(tx: WriteTx, *, seller_id: UUID, skus: Sequence[str]) -> dict[str, UUID]:
    """Which listing of the seller has each of these SKUs."""
    rows = await tx.fetch(
        "SELECT sku, listing_id FROM listings.variant"
        " WHERE seller_id = $1 AND sku = ANY($2::text[])",
        seller_id,
        list(skus),
    )
    return {row["sku"]: row["listing_id"] for row in rows}


async def taken_slugs(tx: WriteTx, slugs: Sequence[str]) -> set[str]:
    rows = await tx.fetch(
        "SELECT slug FROM listings.listing WHERE slug = ANY($1::text[])", list(slugs)
    )
    return {row["slug"] for row in rows}


async def save_listings(tx: WriteTx, plans: Sequence[Plan], *, seller_id: UUID) -> None:
    """New listings in one go; changed ones each with its variants and place in the lists."""
    seller = await listings.seller_facts(tx, seller_id)
    made = [plan.listing for plan in plans if plan.outcome is Outcome.CREATED and plan.listing]
    if made:
        await listings.insert_many(tx, made, seller)
    for plan in plans:
        if plan.outcome is Outcome.UPDATED and plan.listing is not None:
            await listings.save(tx, plan.listing, seller, variants=True, placed=True)


_LINK = """
INSERT INTO listings.import_link
  (seller_id, source, external_id, listing_id, run_id, content_hash, content)
SELECT $1, $2, r.external_id, r.listing_id, $3, r.content_hash, r.content
FROM unnest($4::text[], $5::uuid[], $6::bytea[], $7::bytea[])
  AS r (external_id, listing_id, content_hash, content)
ON CONFLICT (seller_id, source, external_id) DO UPDATE SET listing_id = excluded.listing_id,
  run_id = excluded.run_id, content_hash = excluded.content_hash, content = excluded.content
"""


async def save_links(tx: WriteTx, run: Run, plans: Sequence[Plan]) -> None:
    """Remember which listing each created or updated product is."""
    kept = [
        (plan.record.external_id, plan.listing.id, plan.content_hash, plan.content)
        for plan in plans
        if plan.listing is not None and plan.content
    ]
    if kept:
        columns = [list(column) for column in zip(*kept, strict=True)]
        await tx.execute(_LINK, run.seller_id, run.source, run.id, *columns)


_RESULT = """
INSERT INTO listings.import_result (run_id, phase, position, outcome, external_id, title, rows,
  problems, listing_id, former, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""


async def save_results(tx: WriteTx, run: Run, phase: Phase, plans: Sequence[Plan]) -> None:
    """One row per product, numbered on from the run's position."""
    kept = phase is Phase.IMPORT
    rows = [
        (
            run.id,
            phase.value,
            run.position + index,
            plan.outcome.value,
            plan.record.external_id,
            plan.record.title,
            plan.record.rows,
            plan.problems,
            plan.listing.id if plan.listing is not None and _stored(plan, kept=kept) else None,
            plan.former if kept else None,
            plan.listing.version if plan.listing is not None and kept else None,
        )
        for index, plan in enumerate(plans)
    ]
    await tx.executemany(_RESULT, rows)


def _stored(plan: Plan, *, kept: bool) -> bool:
    """A preview's new listing does not exist; everything else that a plan names does."""
    return kept or plan.outcome is not Outcome.CREATED


class Done(msgspec.Struct, frozen=True):
    """One product of a finished import, for undoing it."""

    position: int
    outcome: Outcome
    external_id: str
    title: str
    listing_id: UUID
    former: bytes | None
    version: int


async def to_undo(tx: WriteTx, run_id: UUID, *, limit: int) -> list[Done]:
    """Products that the run created or updated and that are not undone, last first."""
    rows = await tx.fetch(
        "SELECT position, outcome, external_id, title, listing_id, former, version"
        " FROM listings.import_result WHERE run_id = $1 AND phase = 'import'"
        " AND outcome IN ('created', 'updated') AND undo IS NULL ORDER BY position DESC LIMIT $2",
        run_id,
        limit,
    )
    return [msgspec.convert(dict(row), Done) for row in rows]


async def lock_listings(
    tx: WriteTx, ids: Sequence[UUID]
) -> dict[UUID, tuple[Listing, SellerFacts]]:
    return {found[0].id: found for found in await listings.lock_many(tx, sorted(ids))}


async def save_undone(
    tx: WriteTx, listing: Listing, seller: SellerFacts, *, free_skus: Mapping[UUID, str]
) -> None:
    """Store a listing that was put back or away; `free_skus` are new SKUs by variant."""
    listing.variants = [
        msgspec.structs.replace(variant, sku=free_skus.get(variant.id, variant.sku))
        for variant in listing.variants
    ]
    await listings.save(tx, listing, seller, variants=True, placed=True)


async def mark_undone(tx: WriteTx, run_id: UUID, outcomes: Sequence[tuple[int, str, str]]) -> None:
    """(position, `undone` or `kept`, note) of each product."""
    positions, undo, notes = zip(*outcomes, strict=True)
    await tx.execute(
        "UPDATE listings.import_result t SET undo = r.undo, undo_note = r.note"
        " FROM unnest($2::integer[], $3::text[], $4::text[]) AS r (position, undo, note)"
        " WHERE t.run_id = $1 AND t.phase = 'import' AND t.position = r.position",
        run_id,
        list(positions),
        list(undo),
        list(notes),
    )


async def drop_links(tx: WriteTx, run: Run, external_ids: Sequence[str]) -> None:
    """Forget products, so that the next import takes them for new or changed."""
    await tx.execute(
        "DELETE FROM listings.import_link WHERE seller_id = $1 AND source = $2"
        " AND external_id = ANY($3::text[]) AND run_id = $4",
        run.seller_id,
        run.source,
        list(external_ids),
        run.id,
    )


async def result_rows(
    conn: ReadConn,
    run_id: UUID,
    phase: Phase,
    *,
    outcome: Outcome | None,
    after: int,
    limit: int,
) -> list[dict[str, Any]]:
    rows = await conn.fetch(
        "SELECT position, outcome, external_id, title, rows, problems, listing_id, undo, undo_note"
        " FROM listings.import_result WHERE run_id = $1 AND phase = $2 AND position > $3"
        " AND ($4::text IS NULL OR outcome = $4) ORDER BY position LIMIT $5",
        run_id,
        phase.value,
        after,
        outcome.value if outcome else None,
        limit,
    )
    return [dict(row) for row in rows]


async def unfinished(
    conn: ReadConn, run_id: UUID, *, after: int, limit: int
) -> list[dict[str, Any]]:
    """Products whose listing is a draft and whose pictures were not looked at yet."""
    rows = await conn.fetch(
        "SELECT t.position, t.rows, t.listing_id, k.content,"
        " l.image_key IS NOT NULL AS has_pictures"
        " FROM listings.import_result t"
        " JOIN listings.import_link k ON k.listing_id = t.listing_id AND k.run_id = t.run_id"
        " JOIN listings.listing l ON l.id = t.listing_id"
        " WHERE t.run_id = $1 AND t.phase = 'import' AND t.position > $2 AND NOT t.completed"
        " AND t.outcome IN ('created', 'updated') AND l.state = 'draft'"
        " ORDER BY t.position LIMIT $3",
        run_id,
        after,
        limit,
    )
    return [dict(row) for row in rows]


async def complete(
    tx: WriteTx, run_id: UUID, position: int, problems: Sequence[RowProblem]
) -> None:
    await tx.execute(
        "UPDATE listings.import_result SET completed = true, problems = problems || $3::jsonb"
        " WHERE run_id = $1 AND phase = 'import' AND position = $2 AND NOT completed",
        run_id,
        position,
        problems,
    )


async def refresh_version(tx: WriteTx, run_id: UUID, position: int) -> None:
    """Pictures and publication came from the import too: they are no change by hand."""
    await tx.execute(
        "UPDATE listings.import_result t SET version = l.version FROM listings.listing l"
        " WHERE l.id = t.listing_id AND t.run_id = $1 AND t.phase = 'import' AND t.position = $2",
        run_id,
        position,
    )
