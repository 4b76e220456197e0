"""`/api/v1/downloads`: a member's files, and the signed links that send them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any
from urllib.parse import quote

import structlog
from litestar import HttpMethod, Request, Response, get, route
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from souk.contexts.fulfilment import queries
from souk.contexts.fulfilment.commands import downloads
from souk.contexts.fulfilment.domain.downloads import ByteRange, Grant, Unsatisfiable, parse_range
from souk.contexts.fulfilment.queries import DownloadLink
from souk.kernel.actor import Actor
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.wire import Listed
from souk.platform.settings import Settings
from souk.platform.storage import FileStore

log = structlog.get_logger()
_NO_STORE = "private, no-store, no-transform"


def _headers(grant: Grant, part: ByteRange | None) -> dict[str, str]:
    length = part.length if part else grant.size
    ascii_name = grant.filename.encode("ascii", "replace").decode().replace("?", "_")
    ascii_name = "".join("_" if ch in '"\\' or not ch.isprintable() else ch for ch in ascii_name)
    name = (
        f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(grant.filename, safe='')}"
    )
    headers = {
        "accept-ranges": "bytes",
        "cache-control": _NO_STORE,
        "content-disposition": name,
        "content-length": str(length),
        "etag": grant.etag,
        # A stored file is whatever a seller uploaded; it never runs on our origin.
        "content-security-policy": "default-src 'none'; sandbox",
    }
    if part is not None:
        headers["content-range"] = f"bytes {part.start}-{part.end - 1}/{grant.size}"
    return headers


def _unsatisfiable(size: int) -> Response[bytes]:
    headers = {"content-range": f"bytes */{size}", "cache-control": _NO_STORE}
    return Response(b"", status_code=416, headers=headers)


@get("/api/v1/downloads", access=access.SIGNED_IN)
async def list_downloads(
    db: Database,
    actor: Actor,
    settings: Settings,
    cursor: Annotated[str | None, QueryParameter(max_length=1024)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=100)] = 20,
) -> Listed[DownloadLink]:
    """Everything that the caller may download, newest first, with links that last a day."""
    assert actor.user_id is not None
    async with db.read() as conn:
        page = await queries.library(
            conn, actor.user_id, secret=settings.secret_key, cursor=cursor, limit=limit
        )
    return Listed(page.items, page.next_cursor)


@route(
    "/api/v1/downloads/{token:str}",
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    access=access.HOLDER,
    uncompressed=True,
)
async def download(
    token: FromPath[str],
    request: Request[Any, Any, Any],
    db: Database,
    actor: Actor,
    settings: Settings,
    files: FileStore,
) -> Response[Any]:
    """Send a file, whole or the range that is asked for; a broken download can go on.

    Going on with a download is not counted; beginning one is.
    """
    secret = settings.secret_key
    range_header = request.headers.get("range")
    if_range = request.headers.get("if-range")
    async with db.read() as conn:
        grant = await queries.grant_behind(conn, token=token, secret=secret)
    try:
        if request.method == HttpMethod.HEAD:
            part = parse_range(range_header, size=grant.size)
        else:
            # Before counting: a file that the store has lost must not cost a download.
            await files.info(grant.storage_key)
            begun = await db.transact(
                lambda tx: downloads.begin_download(
                    tx,
                    actor,
                    token=token,
                    secret=secret,
                    range_header=range_header,
                    if_range=if_range,
                )
            )
            part = begun.part
    except Unsatisfiable:
        return _unsatisfiable(grant.size)
    status = 206 if part else 200
    headers = _headers(grant, part)
    if request.method == HttpMethod.HEAD:
        return Response(b"", status_code=status, headers=headers, media_type=grant.content_type)
    return Stream(
        _chunks(files, grant, part or ByteRange(0, grant.size)),
        status_code=status,
        headers=headers,
        media_type=grant.content_type,
    )


async def _chunks(files: FileStore, grant: Grant, part: ByteRange) -> AsyncIterator[bytes]:
    async for chunk in files.stream(grant.storage_key, start=part.start, end=part.end):
        yield chunk


routes: list[Any] = [list_downloads, download]
