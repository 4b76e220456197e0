"""Drafting and publishing documents, accepting them, allowing and refusing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from souk.contexts.compliance import queries, store
from souk.contexts.compliance.domain import (
    FALLBACK_LOCALE,
    ConsentPurpose,
    DocumentKind,
    clean_locale,
    clean_markdown,
    clean_title,
    render,
)
from souk.contexts.compliance.errors import DocumentNotFound, NotEffectiveYet
from souk.kernel.actor import Actor, Permission, system
from souk.kernel.errors import Forbidden
from souk.platform import audit, outbox
from souk.platform.database import WriteTx
from souk.published.compliance import DocumentPublished

_TEXTS = Path(__file__).parent / "texts"
# A form that was opened a moment before the present counts as now.
_TOLERANCE = timedelta(minutes=5)
_FARTHEST = timedelta(days=3 * 366)


def _require(actor: Actor) -> None:
    if not actor.may(Permission.LEGAL_MANAGE):
        raise Forbidden("Your account may not edit documents. Ask an administrator for the right.")


def _subject(kind: DocumentKind) -> str:
    return f"document:{kind}"


async def save_draft(
    tx: WriteTx, actor: Actor, *, kind: DocumentKind, locale: str, title: str, markdown: str
) -> int:
    """Write one language of the next version; the number of that version.

    Raises Forbidden, InvalidInput.
    """
    _require(actor)
    body = clean_markdown(markdown)
    await store.lock_kind(tx, kind)
    version = await _next_version(tx, kind)
    await store.save_draft(
        tx,
        kind=kind,
        version=version,
        locale=clean_locale(locale),
        title=clean_title(title),
        markdown=body,
        html=render(body),
    )
    await audit.record(tx, actor, "compliance.draft_saved", _subject(kind), version=version)
    return version


async def _next_version(tx: WriteTx, kind: DocumentKind) -> int:
    draft = await store.draft_version(tx, kind)
    if draft is not None:
        return draft
    last = await store.last_published(tx, kind)
    return last["version"] + 1 if last else 1


async def discard_draft(tx: WriteTx, actor: Actor, *, kind: DocumentKind) -> None:
    """Throw the draft away in all its languages. Raises Forbidden, DocumentNotFound."""
    _require(actor)
    await store.lock_kind(tx, kind)
    if not await store.discard_draft(tx, kind):
        raise DocumentNotFound
    await audit.record(tx, actor, "compliance.draft_discarded", _subject(kind))


async def publish(
    tx: WriteTx,
    actor: Actor,
    *,
    kind: DocumentKind,
    effective_at: datetime | None = None,
    requires_acceptance: bool = True,
) -> int:
    """Publish the draft in all its languages, from now or a coming day; its version.

    Whoever accepted an older version is asked again once it counts, unless `requires_acceptance` is
    False, which is for corrections that change no right or duty.
    Raises Forbidden, DocumentNotFound without a draft, NotEffectiveYet.
    """
    _require(actor)
    await store.lock_kind(tx, kind)
    version = await store.draft_version(tx, kind)
    if version is None:
        raise DocumentNotFound
    now = tx.clock.now()
    begins = now if effective_at is None else effective_at
    last = await store.last_published(tx, kind)
    if not now - _TOLERANCE <= begins <= now + _FARTHEST:
        raise NotEffectiveYet
    if last is not None and begins < last["effective_at"]:
        raise NotEffectiveYet
    rows = await store.publish(
        tx,
        kind=kind,
        version=version,
        effective_at=begins,
        requires_acceptance=requires_acceptance,
    )
    event = DocumentPublished(
        document_id=rows[0]["id"],
        kind=kind.value,
        version=version,
        locales=[row["locale"] for row in rows],
        effective_at=begins,
        requires_acceptance=requires_acceptance,
    )
    outbox.add(tx, event, actor=actor)
    await audit.record(
        tx,
        actor,
        "compliance.document_published",
        _subject(kind),
        version=version,
        effective_at=begins.isoformat(),
    )
    return version


async def install_defaults(tx: WriteTx, *, marketplace: str) -> list[DocumentKind]:
    """Publish the texts that Souk brings for every document that has no version at all.

    They are true of what the program does with its default settings; the operator has them checked
    and completes them. Running it again changes nothing. Returns what was published.
    """
    actor = system("compliance.defaults")
    made: list[DocumentKind] = []
    for kind in DocumentKind:
        await store.lock_kind(tx, kind)
        if await _next_version(tx, kind) != 1 or await store.draft_version(tx, kind):
            continue
        title, markdown = default_text(kind, marketplace=marketplace)
        await save_draft(
            tx, actor, kind=kind, locale=FALLBACK_LOCALE, title=title, markdown=markdown
        )
        await publish(tx, actor, kind=kind)
        made.append(kind)
    return made


def default_text(kind: DocumentKind, *, marketplace: str) -> tuple[str, str]:
    """Title and Markdown of a document that Souk brings; its first line is the title."""
    text = (_TEXTS / FALLBACK_LOCALE / f"{kind}.md").read_text(encoding="utf-8")
    heading, _, body = text.replace("{{marketplace}}", marketplace).partition("\n")
    return heading.removeprefix("# "), body.strip()


async def accept(
    tx: WriteTx,
    actor: Actor,
    *,
    user_id: UUID,
    documents: Mapping[DocumentKind, int | None],
    locale: str = FALLBACK_LOCALE,
) -> None:
    """Record that a person accepted the version in force of each document.

    A number says which version was shown. Raises as `queries.to_accept`.
    """
    accepted = await queries.to_accept(tx, documents, locale=locale)
    await store.add_acceptances(
        tx,
        user_id=user_id,
        documents=[(document.id, document.kind, document.version) for document in accepted],
        ip=actor.ip,
    )
    await audit.record(
        tx,
        actor,
        "compliance.accepted",
        f"user:{user_id}",
        documents={document.kind: document.version for document in accepted},
    )


async def record_consents(
    tx: WriteTx, actor: Actor, *, subject: str, answers: Mapping[ConsentPurpose, bool]
) -> None:
    """Keep the answers of a person (`user:<id>`) or guest (`guest:<hash>`); the last one counts.

    Earlier answers stay: the operator must be able to show them (GDPR, article 7 (1)).
    """
    for purpose, granted in answers.items():
        await store.add_consent(tx, subject=subject, purpose=purpose, granted=granted, ip=actor.ip)
