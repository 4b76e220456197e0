"""The API reference, for developers."""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.params import FromPath

from souk.kernel.errors import NotFound
from souk.platform.http import access
from souk.platform.settings import Settings
from souk.web.page import Req, cached_page
from souk.web.reference import groups_of


@get("/api-docs", access=access.PUBLIC, include_in_schema=False)
async def api_docs(request: Req, settings: Settings) -> Response[bytes]:
    """How to begin, and every operation in one list."""

    async def build() -> dict[str, Any]:
        return {"groups": groups_of(request.app), "base_url": settings.base_url}

    return await cached_page(request, "storefront/api_docs.html", key=(), build=build)


@get("/api-docs/{group:str}", access=access.PUBLIC, include_in_schema=False)
async def api_group(request: Req, settings: Settings, group: FromPath[str]) -> Response[bytes]:
    """The operations of one group, with what they take and answer."""
    groups = groups_of(request.app)
    if group not in groups:
        raise NotFound("The API has no such part. The list of all parts is at /api-docs.")

    async def build() -> dict[str, Any]:
        return {"groups": groups, "group": groups[group], "base_url": settings.base_url}

    return await cached_page(request, "storefront/api_group.html", key=(), build=build)


routes: list[Any] = [api_docs, api_group]
