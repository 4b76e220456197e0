"""Legal documents: versions, a draft, publishing it."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from souk.contexts.compliance import api as compliance
from souk.kernel.actor import Actor, Permission
from souk.kernel.errors import DomainError, NotFound
from souk.platform.database import Database
from souk.platform.http import access
from souk.web.admin.diff import differences
from souk.web.desk import Ask, answer, ask, back_to, problem_context, read_date, status_of
from souk.web.locale import LANGUAGES
from souk.web.page import LEGAL_TITLES, Req, form_of, page

_MAY = access.operator(Permission.LEGAL_MANAGE)
_ROOT = "/admin/legal"
_ONE = _ROOT + "/{slug:str}"
_Locale = Annotated[str, QueryParameter(max_length=5)]


def _kind(slug: str) -> compliance.DocumentKind:
    name = slug.replace("-", "_")
    if name not in set(compliance.DocumentKind):
        raise NotFound("There is no such document. Look at the list.")
    return compliance.DocumentKind(name)


@get(_ROOT, access=_MAY, include_in_schema=False)
async def documents_page(request: Req, db: Database) -> Response[bytes]:
    """The five documents and what is in force of each."""
    async with db.read() as conn:
        titles = await compliance.titles(conn)
    present = {title.kind: title for title in titles}
    rows = [
        {"kind": kind, "title": title, "slug": kind.replace("_", "-"), "now": present.get(kind)}
        for kind, title in LEGAL_TITLES.items()
    ]
    return await page(request, "admin/legal.html", rows=rows)


async def _show(
    request: Req,
    db: Database,
    slug: str,
    *,
    locale: str,
    form: dict[str, str] | None = None,
    error: DomainError | None = None,
) -> Response[bytes]:
    kind = _kind(slug)
    async with db.read() as conn:
        versions = await compliance.all_versions(conn, kind)
    drafts = [one for one in versions if one.state == "draft"]
    base = next((one for one in [*drafts, *versions] if one.locale == locale), None)
    stored = {"title": base.title, "markdown": base.markdown} if base else {}
    draft = next((one for one in drafts if one.locale == locale), None)
    present = next((one for one in versions if one.locale == locale and one != draft), None)
    return await page(
        request,
        "admin/legal_document.html",
        status=status_of(error),
        slug=slug,
        name=LEGAL_TITLES[kind],
        versions=versions,
        drafts=drafts,
        locale_shown=locale,
        all_languages=list(LANGUAGES.items()),
        form=stored if form is None else form,
        draft=draft,
        present=present,
        changes=differences(present.markdown, draft.markdown) if draft and present else None,
        **problem_context(error),
    )


@get(_ONE, access=_MAY, include_in_schema=False)
async def document_page(
    request: Req, db: Database, slug: FromPath[str], locale: _Locale = "en"
) -> Response[bytes]:
    """One document: the draft in a language, and all versions."""
    return await _show(request, db, slug, locale=locale)


@post(_ONE, access=_MAY, rate="write", include_in_schema=False)
async def save_draft(
    request: Req, db: Database, actor: Actor, slug: FromPath[str]
) -> Response[bytes]:
    """Write one language of the next version."""
    kind = _kind(slug)
    form = await form_of(request)
    locale = form.get("locale", "en")
    try:
        await db.transact(
            lambda tx: compliance.save_draft(
                tx,
                actor,
                kind=kind,
                locale=locale,
                title=form.get("title", ""),
                markdown=form.get("markdown", ""),
            )
        )
    except DomainError as error:
        return await _show(request, db, slug, locale=locale, form=form, error=error)
    to = f"{_ROOT}/{slug}?locale={locale if locale in LANGUAGES else 'en'}"
    return back_to(request, to, "The draft is saved. Nobody sees it before you publish it.")


@get(_ONE + "/versions/{number:int}", access=_MAY, include_in_schema=False)
async def version_page(
    request: Req,
    db: Database,
    slug: FromPath[str],
    number: FromPath[int],
    locale: _Locale = "en",
) -> Response[bytes]:
    """One version as it was, and what it changed in the one before."""
    kind = _kind(slug)
    async with db.read() as conn:
        versions = [
            one for one in await compliance.all_versions(conn, kind) if one.locale == locale
        ]
    shown = next((one for one in versions if one.version == number), None)
    if shown is None:
        raise NotFound("There is no such version. Look at the list of versions.")
    older = max((one for one in versions if one.version < number), key=_number, default=None)
    return await page(
        request,
        "admin/legal_version.html",
        slug=slug,
        name=LEGAL_TITLES[kind],
        shown=shown,
        older=older,
        changes=differences(older.markdown, shown.markdown) if older else None,
    )


def _number(document: compliance.DocumentView) -> int:
    return document.version


_QUESTIONS: dict[str, dict[str, Any]] = {
    "publish": {
        "title": "Publish the draft?",
        "text": "It replaces the version in force, in all languages of the draft.",
        "consequences": [
            "Everybody who accepted the version before is asked to accept this one.",
            "Old versions stay readable and cannot be changed.",
        ],
        "confirm": "Publish",
        "danger": False,
        "done": "The new version is in force, or will be on its day.",
        "template": "admin/legal_publish.html",
    },
    "discard": {
        "title": "Throw the draft away?",
        "text": "It goes in all its languages. The version in force stays.",
        "confirm": "Throw it away",
        "done": "The draft is gone.",
    },
}


def _question(slug: str, what: str) -> Ask:
    _kind(slug)
    if what not in _QUESTIONS:
        raise NotFound("There is nothing at this address. Look at the list of documents.")
    own = f"{_ROOT}/{slug}"
    return Ask(**_QUESTIONS[what], action=f"{own}/{what}", back=own)


@get(_ONE + "/{what:str}", access=_MAY, include_in_schema=False)
async def question_page(request: Req, slug: FromPath[str], what: FromPath[str]) -> Response[bytes]:
    """Ask first."""
    return await ask(request, _question(slug, what), form={"requires_acceptance": "1"})


@post(_ONE + "/{what:str}", access=_MAY, rate="write", include_in_schema=False)
async def decide(
    request: Req, db: Database, actor: Actor, slug: FromPath[str], what: FromPath[str]
) -> Response[bytes]:
    """Publish or discard the draft."""
    kind = _kind(slug)
    form = await form_of(request)

    async def work(tx: Any, _: str) -> None:
        if what == "discard":
            await compliance.discard_draft(tx, actor, kind=kind)
            return
        await compliance.publish(
            tx,
            actor,
            kind=kind,
            effective_at=read_date(form.get("effective_at", ""), path="effective_at"),
            requires_acceptance=form.get("requires_acceptance") == "1",
        )

    return await answer(request, db, _question(slug, what), work)


routes: list[Any] = [documents_page, document_page, save_draft, version_page, question_page, decide]
