"""`/api/v1/legal` and `/api/v1/consents`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, delete, get, post, put
from litestar.params import FromPath, QueryParameter

from souk.contexts.compliance import commands, queries
from souk.contexts.compliance.domain import MAX_MARKDOWN, ConsentPurpose, DocumentKind
from souk.contexts.compliance.errors import DocumentNotFound
from souk.contexts.compliance.queries import (
    AcceptanceView,
    ConsentView,
    DocumentTitle,
    DocumentView,
)
from souk.kernel.actor import Actor, Permission
from souk.kernel.errors import NotSignedIn
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.holder import Holder, hand_over
from souk.platform.settings import Settings

_MANAGE = access.operator(Permission.LEGAL_MANAGE)
LocaleParameter = Annotated[
    str, QueryParameter(pattern="^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)
]
VersionParameter = Annotated[int | None, QueryParameter(ge=1, le=1_000_000)]


class Documents(msgspec.Struct, frozen=True):
    """The documents in force."""

    items: list[DocumentTitle]


class Versions(msgspec.Struct, frozen=True):
    """Every version of one document in every language, newest first."""

    items: list[DocumentView]


class Acceptances(msgspec.Struct, frozen=True):
    """What the caller accepted, and which documents they have not accepted as they are now."""

    items: list[AcceptanceView]
    missing: list[DocumentKind]


class Accept(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The version that was read."""

    version: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class Draft(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One language of the next version; `markdown` may hold HTML, which is made safe."""

    locale: Annotated[str, msgspec.Meta(pattern="^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    markdown: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_MARKDOWN)]


class Publish(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Null means from now on."""

    effective_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    requires_acceptance: bool = True


class DraftVersion(msgspec.Struct, frozen=True):
    """The number that the version has or will have."""

    kind: DocumentKind
    version: int


class Consents(msgspec.Struct, frozen=True):
    """The latest answer to every question."""

    items: list[ConsentView]


class Answers(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Questions that are left out keep their answer."""

    analytics: bool | None = None
    marketing_mail: bool | None = None
    personalisation: bool | None = None


@get("/api/v1/legal", access=access.PUBLIC)
async def list_documents(db: Database, locale: LocaleParameter = "en") -> Documents:
    """The documents in force, for footers and lists."""
    async with db.read() as conn:
        return Documents(await queries.titles(conn, locale=locale))


@get("/api/v1/legal/{kind:str}", access=access.PUBLIC)
async def read_document(
    kind: FromPath[DocumentKind],
    db: Database,
    locale: LocaleParameter = "en",
    version: VersionParameter = None,
) -> DocumentView:
    """The version in force, or an older one by its number."""
    async with db.read() as conn:
        if version is not None:
            return await queries.version(conn, kind, number=version, locale=locale)
        found = await queries.current(conn, kind, locale=locale)
    if found is None:
        raise DocumentNotFound
    return found


@get("/api/v1/legal/acceptances", access=access.SIGNED_IN)
async def list_acceptances(db: Database, actor: Actor) -> Acceptances:
    """What the caller accepted so far, and what waits for them."""
    if actor.user_id is None:
        raise NotSignedIn("Log in to go on.")
    required = [DocumentKind.TERMS, DocumentKind.PRIVACY]
    if actor.seller_id is not None:
        required.append(DocumentKind.SELLER_AGREEMENT)
    async with db.read() as conn:
        return Acceptances(
            items=await queries.acceptances(conn, actor.user_id),
            missing=await queries.missing_acceptances(conn, actor.user_id, required),
        )


@post("/api/v1/legal/{kind:str}/acceptances", access=access.SIGNED_IN, status_code=204)
async def accept_document(
    kind: FromPath[DocumentKind], data: Accept, db: Database, actor: Actor
) -> None:
    """Accept the version in force."""
    user_id = actor.user_id
    if user_id is None:
        raise NotSignedIn("Log in to go on.")
    await db.transact(
        lambda tx: commands.accept(tx, actor, user_id=user_id, documents={kind: data.version})
    )


@get("/api/v1/legal/{kind:str}/versions", access=_MANAGE)
async def list_versions(kind: FromPath[DocumentKind], db: Database) -> Versions:
    """Drafts, coming, present and old versions."""
    async with db.read() as conn:
        return Versions(await queries.all_versions(conn, kind))


@put("/api/v1/legal/{kind:str}/draft", access=_MANAGE)
async def save_draft(
    kind: FromPath[DocumentKind], data: Draft, db: Database, actor: Actor
) -> DraftVersion:
    """Write one language of the next version."""
    version = await db.transact(
        lambda tx: commands.save_draft(
            tx, actor, kind=kind, locale=data.locale, title=data.title, markdown=data.markdown
        )
    )
    return DraftVersion(kind, version)


@delete("/api/v1/legal/{kind:str}/draft", access=_MANAGE)
async def discard_draft(kind: FromPath[DocumentKind], db: Database, actor: Actor) -> None:
    """Throw the draft away in all its languages."""
    await db.transact(lambda tx: commands.discard_draft(tx, actor, kind=kind))


@post("/api/v1/legal/{kind:str}/publish", access=_MANAGE, idempotent=True, status_code=200)
async def publish(
    kind: FromPath[DocumentKind], data: Publish, db: Database, actor: Actor
) -> DraftVersion:
    """Publish the draft in all its languages."""
    version = await db.transact(
        lambda tx: commands.publish(
            tx,
            actor,
            kind=kind,
            effective_at=data.effective_at,
            requires_acceptance=data.requires_acceptance,
        )
    )
    return DraftVersion(kind, version)


@get("/api/v1/consents", access=access.HOLDER)
async def read_consents(db: Database, holder: Holder) -> Consents:
    """What the caller allowed."""
    async with db.read() as conn:
        return Consents(await queries.consents(conn, subject=holder.label()))


@put("/api/v1/consents", access=access.HOLDER, rate="write")
async def record_consents(
    data: Answers, db: Database, actor: Actor, holder: Holder, settings: Settings
) -> Response[Consents]:
    """Allow or refuse."""
    answers = {
        purpose: granted
        for purpose in ConsentPurpose
        if (granted := getattr(data, purpose)) is not None
    }
    subject = holder.label()
    await db.transact(
        lambda tx: commands.record_consents(tx, actor, subject=subject, answers=answers)
    )
    async with db.read() as conn:
        found = Consents(await queries.consents(conn, subject=subject))
    return hand_over(Response(found), holder, settings)


routes: list[Any] = [
    list_documents,
    read_document,
    list_acceptances,
    accept_document,
    list_versions,
    save_draft,
    discard_draft,
    publish,
    read_consents,
    record_consents,
]
