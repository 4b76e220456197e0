"""Static files, read once, fingerprinted, served compressed and cacheable for ever."""

from __future__ import annotations

import gzip
import mimetypes
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Annotated

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.params import HeaderParameter

from souk.kernel.errors import NotFound
from souk.platform.http import access

FOLDER = Path(__file__).parent / "static"
_TEXT = {".css", ".js", ".svg", ".json", ".webmanifest", ".txt"}
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its bytes, its compressed bytes if that is worth it, its type, its fingerprint."""

    content: bytes
    gzipped: bytes | None
    media_type: str
    fingerprint: str


class Assets:
    """Every file below `static`, by its relative name; files of `vendor` go by their base name."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files: dict[str, Asset] = {}
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                name = path.relative_to(folder).as_posix().removeprefix("vendor/")
                self._files[name] = _read(path)
        self._urls = {
            name: f"/static/{asset.fingerprint}/{name}" for name, asset in self._files.items()
        }

    def url(self, name: str) -> str:
        """The address of a file. An unknown name is a mistake in a template: KeyError."""
        return self._urls[name]

    def find(self, name: str) -> Asset | None:
        return self._files.get(name)


def _read(path: Path) -> Asset:
    content = path.read_bytes()
    worth = path.suffix in _TEXT and len(content) > 600
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if path.suffix == ".js":
        media_type = "text/javascript"
    return Asset(
        content,
        gzip.compress(content, 9, mtime=0) if worth else None,
        media_type,
        blake2b(content, digest_size=6).hexdigest(),
    )


@get(
    "/static/{tag:str}/{name:path}",
    access=access.PUBLIC,
    include_in_schema=False,
    sync_to_thread=False,
    uncompressed=True,
)
def static_file(
    request: Request[object, object, State],
    tag: str,
    name: str,
    encodings: Annotated[str, HeaderParameter(name="accept-encoding")] = "",
) -> Response[bytes]:
    """A static file; the tag in its address changes with its content."""
    assets: Assets = request.app.state["assets"]
    asset = assets.find(name.lstrip("/"))
    if asset is None or asset.fingerprint != tag:
        raise NotFound("This file is not here. Reload the page.")
    headers = {
        "Cache-Control": _FOREVER,
        "Vary": "Accept-Encoding",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if asset.gzipped is not None and "gzip" in encodings:
        headers["Content-Encoding"] = "gzip"
        return Response(asset.gzipped, media_type=asset.media_type, headers=headers)
    return Response(asset.content, media_type=asset.media_type, headers=headers)
