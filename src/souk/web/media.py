"""Public pictures from the file store, cacheable for ever: a changed picture has another key."""

from __future__ import annotations

import re
from typing import Any

from litestar import Response, get
from litestar.params import FromPath

from souk.kernel.errors import NotFound
from souk.platform.http import access
from souk.platform.storage import FileStore

# Only pictures' folders: files that are for sale lie beside them and are never served here.
_PICTURE = re.compile(r"/?(images/[0-9a-f-]{32,36})/([0-9]{2,4}|full)\.webp")
_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


@get("/media/{key:path}", access=access.PUBLIC, include_in_schema=False)
async def media_file(key: FromPath[str], files: FileStore) -> Response[Any]:
    """A rendition of a picture; the full size where it is not wider than what was asked for."""
    found = _PICTURE.fullmatch(key)
    if found is None:
        raise NotFound("There is no such picture. Reload the page.")
    folder, width = found.groups()
    try:
        content = await files.get(f"{folder}/{width}.webp")
    except NotFound:
        content = await files.get(f"{folder}/full.webp")
    return Response(content, media_type="image/webp", headers=_HEADERS)
