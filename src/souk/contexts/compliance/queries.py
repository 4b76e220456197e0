"""What is in force, what was accepted, what was allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from souk.contexts.compliance.domain import ConsentPurpose, DocumentKind, preferred
from souk.contexts.compliance.errors import DocumentChanged, DocumentNotFound
from souk.platform.database import ReadConn


class DocumentView(msgspec.Struct, frozen=True):
    """A version of a document in one language; `html` is safe to show as it is."""

    id: UUID
    kind: str
    version: int
    locale: str
    state: str
    title: str
    markdown: str
    html: str
    requires_acceptance: bool
    effective_at: datetime | None
    updated_at: datetime


class DocumentTitle(msgspec.Struct, frozen=True):
    """A document in force, without its text: for footers and lists."""

    kind: str
    version: int
    locale: str
    title: str
    effective_at: datetime


class AcceptanceView(msgspec.Struct, frozen=True):
    """That a person accepted a version, and when."""

    kind: str
    version: int
    accepted_at: datetime


class ConsentView(msgspec.Struct, frozen=True):
    """The latest answer to one question. Never asked means not granted."""

    purpose: str
    granted: bool
    recorded_at: datetime | None


_COLUMNS = (
    "id, kind, version, locale, state, title, markdown, html, requires_acceptance, effective_at,"
    " updated_at"
)


async def current(conn: ReadConn, kind: DocumentKind, *, locale: str = "en") -> DocumentView | None:
    """The version in force, in the language that suits best; None before the first is published."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM compliance.document WHERE kind = $1 AND state = 'published'"
        " AND version = (SELECT max(version) FROM compliance.document WHERE kind = $1"
        "   AND state = 'published' AND effective_at <= $2) ORDER BY locale",
        kind,
        conn.clock.now(),
    )
    if not rows:
        return None
    best = preferred([row["locale"] for row in rows], locale)
    return next(DocumentView(*row.values()) for row in rows if row["locale"] == best)


async def to_accept(
    conn: ReadConn, documents: Mapping[DocumentKind, int | None], *, locale: str = "en"
) -> list[DocumentView]:
    """The documents in force that an acceptance is about; a number says which version was shown.

    Raises DocumentChanged when another version is in force by now, DocumentNotFound when none is.
    """
    found: list[DocumentView] = []
    for kind, shown in documents.items():
        present = await current(conn, kind, locale=locale)
        if present is None:
            raise DocumentNotFound
        if shown is not None and shown != present.version:
            raise DocumentChanged(document=kind, current=present.version)
        found.append(present)
    return found


async def titles(conn: ReadConn, *, locale: str = "en") -> list[DocumentTitle]:
    """Every document in force, in the fixed order of the kinds."""
    rows = await conn.fetch(
        "SELECT d.kind, d.version, d.locale, d.title, d.effective_at FROM compliance.document d"
        " WHERE d.state = 'published' AND d.version = (SELECT max(o.version)"
        "   FROM compliance.document o WHERE o.kind = d.kind AND o.state = 'published'"
        "   AND o.effective_at <= $1) ORDER BY d.locale",
        conn.clock.now(),
    )
    found: list[DocumentTitle] = []
    for kind in DocumentKind:
        of_kind = [row for row in rows if row["kind"] == kind]
        if of_kind:
            best = preferred([row["locale"] for row in of_kind], locale)
            found.extend(DocumentTitle(*r.values()) for r in of_kind if r["locale"] == best)
    return found


async def version(
    conn: ReadConn, kind: DocumentKind, *, number: int, locale: str = "en"
) -> DocumentView:
    """A published version, also an old one. Raises DocumentNotFound."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM compliance.document WHERE kind = $1 AND version = $2"
        " AND state = 'published' AND effective_at <= $3 ORDER BY locale",
        kind,
        number,
        conn.clock.now(),
    )
    if not rows:
        raise DocumentNotFound
    best = preferred([row["locale"] for row in rows], locale)
    return next(DocumentView(*row.values()) for row in rows if row["locale"] == best)


async def all_versions(conn: ReadConn, kind: DocumentKind) -> list[DocumentView]:
    """Drafts, coming, present and old versions in every language, newest first; for operators."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM compliance.document WHERE kind = $1"
        " ORDER BY version DESC, locale LIMIT 200",
        kind,
    )
    return [DocumentView(*row.values()) for row in rows]


async def missing_acceptances(
    conn: ReadConn, user_id: UUID, required: Iterable[DocumentKind]
) -> list[DocumentKind]:
    """Of the required documents, those whose version in force the person has not accepted.

    A version that was published as not needing acceptance asks nobody again.
    """
    rows = await conn.fetch(
        "SELECT DISTINCT d.kind FROM compliance.document d"
        " WHERE d.kind = ANY($2::text[]) AND d.state = 'published' AND d.requires_acceptance"
        " AND d.effective_at <= $3 AND NOT EXISTS (SELECT FROM compliance.acceptance a"
        "   WHERE a.user_id = $1 AND a.kind = d.kind AND a.version >= d.version)",
        user_id,
        list(required),
        conn.clock.now(),
    )
    wanted = {row["kind"] for row in rows}
    return [kind for kind in DocumentKind if kind in wanted]


async def acceptances(conn: ReadConn, user_id: UUID) -> list[AcceptanceView]:
    """Everything that a person accepted, newest first."""
    rows = await conn.fetch(
        "SELECT kind, version, accepted_at FROM compliance.acceptance WHERE user_id = $1"
        " ORDER BY id DESC",
        user_id,
    )
    return [AcceptanceView(*row.values()) for row in rows]


async def consents(conn: ReadConn, *, subject: str) -> list[ConsentView]:
    """The latest answer of a person or guest to every question."""
    rows = await conn.fetch(
        "SELECT DISTINCT ON (purpose) purpose, granted, recorded_at FROM compliance.consent"
        " WHERE subject = $1 ORDER BY purpose, id DESC",
        subject,
    )
    known = {row["purpose"]: ConsentView(*row.values()) for row in rows}
    return [
        known.get(purpose, ConsentView(purpose, granted=False, recorded_at=None))
        for purpose in ConsentPurpose
    ]


async def consented(
    conn: ReadConn, subjects: Sequence[str], *, purpose: ConsentPurpose
) -> set[str]:
    """Which of `subjects` said yes to a purpose and did not take it back. One statement."""
    rows = await conn.fetch(
        "SELECT subject FROM (SELECT DISTINCT ON (subject) subject, granted"
        " FROM compliance.consent WHERE purpose = $1 AND subject = ANY($2::text[])"
        " ORDER BY subject, id DESC) AS latest WHERE granted",
        purpose,
        list(subjects),
    )
    return {row["subject"] for row in rows}
