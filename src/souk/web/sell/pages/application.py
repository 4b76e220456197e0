"""Applying to sell: the form, what became of it, and asking again."""

from __future__ import annotations

from functools import partial
from typing import Any

from litestar import Response, get, post

from souk.contexts.compliance import api as compliance
from souk.contexts.sellers import api as sellers
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError, FieldProblem, InvalidInput
from souk.platform.database import Database, WriteTx
from souk.platform.http import access
from souk.platform.options import Subject
from souk.platform.settings import Settings
from souk.web.addresses import country_choices
from souk.web.desk import back_to, problem_context, status_of
from souk.web.forms import check, gathered_in
from souk.web.page import Req, form_of, language_of, page, pages_of

_PATH = "/sell/apply"
_AGREEMENT = compliance.DocumentKind.SELLER_AGREEMENT
_AGAIN = {sellers.SellerState.NEEDS_INFO, sellers.SellerState.REJECTED}


async def _account(db: Database, actor: Actor) -> sellers.SellerAccount | None:
    async with db.read() as conn:
        try:
            return await sellers.account(conn, user_id=actor.user_id)
        except sellers.SellerNotFound:
            return None


async def _show(
    request: Req,
    db: Database,
    actor: Actor,
    form: dict[str, str],
    error: DomainError | None = None,
) -> Response[bytes]:
    shop = await _account(db, actor)
    async with db.read() as conn:
        agreement = await compliance.current(conn, _AGREEMENT, locale=language_of(request))
    if shop is not None and not form:
        form = {"name": shop.name, "country": shop.country, "kind": shop.kind, "bio": shop.bio}
    return await page(
        request,
        "sell/apply.html",
        status=status_of(error),
        shop=shop,
        writes=shop is None or shop.state in _AGAIN,
        closed=shop is None
        and not pages_of(request).services.options.is_on(sellers.NEW_SELLERS, Subject.of(actor)),
        verified=actor.email_verified,
        agreement=agreement,
        countries=country_choices(language_of(request)),
        form=form,
        **problem_context(error),
    )


@get(_PATH, access=access.SIGNED_IN, include_in_schema=False)
async def application_page(
    request: Req, db: Database, actor: Actor, settings: Settings
) -> Response[bytes]:
    """The form, or where the application is."""
    shop = await _account(db, actor)
    form = {} if shop else {"country": settings.country, "kind": "business"}
    return await _show(request, db, actor, form)


@post(_PATH, access=access.SIGNED_IN, rate="write", include_in_schema=False)
async def send_application(request: Req, db: Database, actor: Actor) -> Response[bytes]:
    """Apply, or apply again; the seller agreement is accepted with it."""
    form = await form_of(request)
    try:
        _checked(form)
        await db.transact(partial(_apply, actor=actor, form=form))
    except DomainError as error:
        return await _show(request, db, actor, form, error)
    return back_to(request, _PATH, "Your application is on its way. We answer by e-mail.")


def _checked(form: dict[str, str]) -> None:
    """Raises InvalidInput with everything that is wrong at once."""
    problems: list[FieldProblem] = []
    with gathered_in(problems):
        check(form, {"name": (2, 80), "country": (2, 2), "bio": (0, 4_000)})
    if form.get("kind") not in set(sellers.SellerKind):
        problems.append(FieldProblem("kind", "invalid", "Choose one of the two."))
    if form.get("agreed") != "1":
        text = "Read and accept the seller agreement to go on."
        problems.append(FieldProblem("agreed", "required", text))
    if problems:
        raise InvalidInput("Some fields need your attention.", problems=problems)


async def _apply(tx: WriteTx, *, actor: Actor, form: dict[str, str]) -> None:
    assert actor.user_id is not None
    version = form.get("agreement_version", "")
    if version:
        documents = {_AGREEMENT: int(version) if version.isdecimal() else 0}
        await compliance.accept(tx, actor, user_id=actor.user_id, documents=documents)
    application = sellers.Application(
        name=form["name"],
        country=form["country"].upper(),
        kind=sellers.SellerKind(form["kind"]),
        bio=form.get("bio", ""),
    )
    await sellers.apply(tx, actor, application=application)


routes: list[Any] = [application_page, send_application]
