"""Pages to read: legal documents, help, and what machines ask for."""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.params import FromPath

from souk.contexts.compliance import api as compliance
from souk.contexts.orders import api as orders
from souk.kernel.errors import NotFound
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.settings import Settings
from souk.web.page import Req, language_of, page

_PRIVATE = (
    "/account", "/cart", "/checkout", "/sell$", "/sell/", "/admin", "/search", "/login",
    "/register", "/wishlist", "/recently-viewed", "/compare",
)  # fmt: skip
"""Prefixes, but for the desk, whose name begins that of `/sellers`."""


@get("/legal/{kind:str}", access=access.PUBLIC, include_in_schema=False)
async def legal_page(request: Req, db: Database, kind: FromPath[str]) -> Response[bytes]:
    """A document as it is in force."""
    known = {str(each): each for each in compliance.DocumentKind}
    found = known.get(kind.replace("-", "_"))
    if found is None:
        raise NotFound("There is no such document. The list is at the foot of every page.")
    async with db.read() as conn:
        document = await compliance.current(conn, found, locale=language_of(request))
    if document is None:
        raise NotFound("This document is not published yet. Ask the marketplace for it.")
    return await page(request, "storefront/legal.html", document=document)


@get("/help", access=access.PUBLIC, include_in_schema=False)
async def help_page(request: Req) -> Response[bytes]:
    """How buying works."""
    return await page(request, "storefront/help.html", arrives_within=orders.ARRIVES_WITHIN.days)


@get("/help/selling", access=access.PUBLIC, include_in_schema=False)
async def selling_page(request: Req) -> Response[bytes]:
    """How selling works."""
    return await page(
        request, "storefront/help_selling.html", arrives_within=orders.ARRIVES_WITHIN.days
    )


@get("/robots.txt", access=access.PUBLIC, include_in_schema=False)
async def robots(settings: Settings) -> Response[str]:
    """Which pages are for people only."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in _PRIVATE)]
    text = "\n".join([*lines, f"Sitemap: {settings.base_url}/sitemap.xml", ""])
    return Response(text, media_type="text/plain")


routes: list[Any] = [legal_page, help_page, selling_page, robots]
