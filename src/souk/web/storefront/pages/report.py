"""Reporting a listing to those who run the marketplace."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from souk.contexts.listings import api as listings
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError, FieldProblem, InvalidInput
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.holder import Holder, hand_over
from souk.platform.http.problems import STATUS
from souk.platform.settings import Settings
from souk.web.forms import check, summary
from souk.web.page import Flash, Req, field_errors, form_of, page, redirect, translate

_PATH = "/listing/{slug:str}/report"


@get(_PATH, access=access.HOLDER, include_in_schema=False)
async def report_page(request: Req, db: Database, slug: FromPath[str]) -> Response[bytes]:
    """Asks what is wrong."""
    async with db.read() as conn:
        document = await listings.detail(conn, slug)
    return await page(
        request, "storefront/report.html", d=document, form={}, errors={}, problems=[], noindex=True
    )


@post(_PATH, access=access.HOLDER, rate="mail", include_in_schema=False)
async def send_report(
    request: Req,
    db: Database,
    actor: Actor,
    holder: Holder,
    settings: Settings,
    slug: FromPath[str],
) -> Response[bytes]:
    """Keep it for the operators; one open report per person and listing."""
    form = await form_of(request)
    async with db.read() as conn:
        document = await listings.detail(conn, slug)
    try:
        check(form, {"reason": (1, 40), "note": (0, 2_000), "email": (0, 254)})
        reason = _reason(form["reason"])
        kept = await db.transact(
            lambda tx: listings.report(
                tx,
                actor,
                listing_id=document.id,
                reporter=holder.label(),
                reason=reason,
                note=form.get("note", ""),
                email=form.get("email", ""),
            )
        )
    except DomainError as error:
        errors = field_errors(error)
        return await page(
            request,
            "storefront/report.html",
            status=STATUS[error.kind],
            d=document,
            form=form,
            errors=errors,
            problems=summary(errors),
            noindex=True,
        )
    text = "Thank you. A person will look at it."
    if not kept:
        text = "You reported this before; a person will look at it."
    flash = Flash("success", translate(request, text))
    return hand_over(redirect(f"/listing/{slug}", flash=flash, settings=settings), holder, settings)


def _reason(value: str) -> listings.ReportReason:
    try:
        return listings.ReportReason(value)
    except ValueError as error:
        text = "Choose what is wrong with it."
        problem = FieldProblem("reason", "unknown", text)
        raise InvalidInput(text, problems=[problem]) from error


routes: list[Any] = [report_page, send_report]
