"""Loads, locks and saves documents, acceptances and consents."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from souk.contexts.compliance.domain import ConsentPurpose, DocumentKind
from souk.kernel.ids import uuid7
from souk.platform.database import Record, WriteTx


async def lock_kind(tx: WriteTx, kind: DocumentKind) -> None:
    """One writer per document: versions are numbered without gaps."""
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('compliance.' || $1, 14))", kind.value
    )


async def draft_version(tx: WriteTx, kind: DocumentKind) -> int | None:
    return await tx.fetchval(
        "SELECT max(version) FROM compliance.document WHERE kind = $1 AND state = 'draft'", kind
    )


async def last_published(tx: WriteTx, kind: DocumentKind) -> Record | None:
    """Version and effective date of the newest published version."""
    return await tx.fetchrow(
        "SELECT version, effective_at FROM compliance.document"
        " WHERE kind = $1 AND state = 'published' ORDER BY version DESC LIMIT 1",
        kind,
    )


async def save_draft(
    tx: WriteTx,
    *,
    kind: DocumentKind,
    version: int,
    locale: str,
    title: str,
    markdown: str,
    html: str,
) -> UUID:
    """Write the draft of one language."""
    return await tx.fetchval(
        "INSERT INTO compliance.document (id, kind, version, locale, state, title, markdown, html,"
        " created_at, updated_at) VALUES ($1, $2, $3, $4, 'draft', $5, $6, $7, $8, $8)"
        " ON CONFLICT (kind, version, locale) DO UPDATE SET title = excluded.title,"
        " markdown = excluded.markdown, html = excluded.html, updated_at = excluded.updated_at"
        " RETURNING id",
        uuid7(),
        kind,
        version,
        locale,
        title,
        markdown,
        html,
        tx.clock.now(),
    )


async def discard_draft(tx: WriteTx, kind: DocumentKind) -> int:
    """Remove the draft in all its languages; returns how many there were."""
    tag = await tx.execute(
        "DELETE FROM compliance.document WHERE kind = $1 AND state = 'draft'", kind
    )
    return int(tag.rsplit(" ", 1)[1])


async def publish(
    tx: WriteTx,
    *,
    kind: DocumentKind,
    version: int,
    effective_at: datetime,
    requires_acceptance: bool,
) -> list[Record]:
    """Publish a draft in all its languages: their ids and locales, by locale."""
    rows = await tx.fetch(
        "UPDATE compliance.document SET state = 'published', effective_at = $3,"
        " requires_acceptance = $4, published_at = $5, updated_at = $5"
        " WHERE kind = $1 AND version = $2 RETURNING id, locale",
        kind,
        version,
        effective_at,
        requires_acceptance,
        tx.clock.now(),
    )
    return sorted(rows, key=lambda row: row["locale"])


async def add_acceptances(
    tx: WriteTx, *, user_id: UUID, documents: list[tuple[UUID, str, int]], ip: str | None
) -> None:
    """Record (document id, kind, version) as accepted; repeating it changes nothing."""
    await tx.executemany(
        "INSERT INTO compliance.acceptance (id, user_id, document_id, kind, version, accepted_at,"
        " ip) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (user_id, kind, version) DO NOTHING",
        [
            (uuid7(), user_id, document_id, kind, version, tx.clock.now(), ip)
            for document_id, kind, version in documents
        ],
    )


async def add_consent(
    tx: WriteTx, *, subject: str, purpose: ConsentPurpose, granted: bool, ip: str | None
) -> None:
    await tx.execute(
        "INSERT INTO compliance.consent (id, subject, purpose, granted, recorded_at, ip)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        uuid7(),
        subject,
        purpose,
        granted,
        tx.clock.now(),
        ip,
    )


async def forget_addresses_of_acceptances(tx: WriteTx, before: datetime, limit: int) -> int:
    """Forget from where documents were accepted before; returns how many."""
    tag = await tx.execute(
        "UPDATE compliance.acceptance SET ip = NULL WHERE id IN (SELECT id"
        " FROM compliance.acceptance WHERE ip IS NOT NULL AND accepted_at < $1"
        " ORDER BY accepted_at LIMIT $2)",
        before,
        limit,
    )
    return int(tag.rsplit(" ", 1)[1])


async def forget_addresses_of_consents(tx: WriteTx, before: datetime, limit: int) -> int:
    """Forget from where consents were given or taken back before; returns how many."""
    tag = await tx.execute(
        "UPDATE compliance.consent SET ip = NULL WHERE id IN (SELECT id FROM compliance.consent"
        " WHERE ip IS NOT NULL AND recorded_at < $1 ORDER BY recorded_at LIMIT $2)",
        before,
        limit,
    )
    return int(tag.rsplit(" ", 1)[1])
