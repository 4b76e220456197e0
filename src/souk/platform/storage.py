"""Files by key in a folder, S3 / R2, GCS or Azure, chosen by `SOUK_FILES_URL`.

Keys are made by Souk and never by a caller: `images/<uuid>/640.webp`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import obstore
from obstore.store import LocalStore, from_url

from souk.kernel.errors import NotFound
from souk.platform.settings import Settings

_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class FileInfo:
    """`size` in bytes; `etag` as the store gives it."""

    key: str
    size: int
    etag: str | None
    modified: datetime


class FileStore:
    """Async reads and writes of whole objects, ranges and streams."""

    def __init__(self, store: Any) -> None:
        self._store = store

    @classmethod
    def open(cls, settings: Settings) -> FileStore:
        if settings.files_url:
            return cls(from_url(settings.files_url))
        folder = (settings.data_dir / "files").resolve()
        folder.mkdir(parents=True, exist_ok=True)
        return cls(LocalStore(prefix=str(folder)))

    @classmethod
    def in_folder(cls, folder: Path) -> FileStore:
        folder.mkdir(parents=True, exist_ok=True)
        return cls(LocalStore(prefix=str(folder.resolve())))

    async def put(self, key: str, content: bytes | AsyncIterator[bytes] | Path) -> None:
        """Write the whole object; a reader sees the old or the new content, never a part."""
        await obstore.put_async(self._store, key, cast("Any", content))

    async def get(self, key: str) -> bytes:
        try:
            result = await obstore.get_async(self._store, key)
        except FileNotFoundError as error:
            raise _absent() from error
        return bytes(await result.bytes_async())

    async def get_range(self, key: str, *, start: int, end: int) -> bytes:
        """Bytes from `start` up to and not including `end`."""
        try:
            return bytes(await obstore.get_range_async(self._store, key, start=start, end=end))
        except FileNotFoundError as error:
            raise _absent() from error

    async def stream(
        self, key: str, *, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        """The object in chunks of at most 256 KiB, from `start` up to and not including `end`."""
        stop = (await self.info(key)).size if end is None else end
        position = start
        while position < stop:
            upto = min(position + _CHUNK, stop)
            yield await self.get_range(key, start=position, end=upto)
            position = upto

    async def info(self, key: str) -> FileInfo:
        try:
            meta = await obstore.head_async(self._store, key)
        except FileNotFoundError as error:
            raise _absent() from error
        return FileInfo(key, meta["size"], meta.get("e_tag"), meta["last_modified"])

    async def delete(self, *keys: str) -> None:
        """Remove objects; absent ones are fine."""
        for key in keys:
            try:
                await obstore.delete_async(self._store, key)
            except FileNotFoundError:
                continue


def _absent() -> NotFound:
    return NotFound("This file is no longer here. Ask the seller or support for a new copy.")
