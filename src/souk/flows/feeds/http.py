"""`/sitemap.xml`, `/sitemaps/…` and `/feeds/google.xml`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from email.utils import format_datetime
from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.params import PathParameter
from litestar.response import Stream

from souk.flows.feeds import sitemaps
from souk.flows.feeds.build import GOOGLE, Build, build, current
from souk.kernel.errors import NotFound
from souk.platform.http import access
from souk.platform.services import Services
from souk.platform.storage import FileStore

_CACHING = "public, max-age=900"
_XML = "application/xml; charset=utf-8"
_first_build = asyncio.Lock()


async def _built(services: Services) -> Build:
    """The last build; the very first request of a new market makes it."""
    found = await current(services.files)
    if found is None:
        async with _first_build:
            found = await current(services.files) or await build(services)
    return found


@get("/sitemap.xml", access=access.PUBLIC, include_in_schema=False)
async def sitemap(services: Services) -> Response[bytes]:
    """The index of all sitemaps."""
    made = await _built(services)
    content = sitemaps.index(made.parts, base_url=services.settings.base_url)
    return Response(content, media_type=_XML, headers={"Cache-Control": _CACHING})


@get("/sitemaps/{name:str}", access=access.PUBLIC, include_in_schema=False)
async def sitemap_part(
    request: Request[Any, Any, Any],
    services: Services,
    name: Annotated[str, PathParameter(max_length=40)],
) -> Response[bytes] | Stream:
    """A file of the sitemap."""
    made = await _built(services)
    if name not in {part.name for part in made.parts}:
        raise NotFound("There is no such sitemap. The index at /sitemap.xml names them all.")
    return await _file(request, services.files, made, name)


@get("/feeds/google.xml", access=access.PUBLIC, include_in_schema=False)
async def google_feed(
    request: Request[Any, Any, Any], services: Services
) -> Response[bytes] | Stream:
    """Everything on sale, for Google Merchant Center."""
    return await _file(request, services.files, await _built(services), GOOGLE)


async def _file(
    request: Request[Any, Any, Any], files: FileStore, made: Build, name: str
) -> Response[bytes] | Stream:
    tag = f'"{made.id}"'
    headers = {
        "Cache-Control": _CACHING,
        "ETag": tag,
        "Last-Modified": format_datetime(made.made_at, usegmt=True),
    }
    if tag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers, media_type=_XML)
    return Stream(_chunks(files, made.key(name)), media_type=_XML, headers=headers)


async def _chunks(files: FileStore, key: str) -> AsyncIterator[bytes]:
    async for chunk in files.stream(key):
        yield chunk


routes: list[Any] = [sitemap, sitemap_part, google_feed]
