"""What the columns of an uploaded file seem to hold, from its first megabyte."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping

from souk.contexts.listings.api import importing
from souk.platform.database import Database
from souk.platform.storage import FileStore


async def inspect(db: Database, files: FileStore, run: importing.Run) -> importing.Inspection:
    """Suggest a field for every column. Raises NotFound when the file is no longer kept."""
    async with db.read() as conn:
        known = await importing.remembered_columns(conn, run.seller_id)
    head = await _head(files, run)
    if run.mapping is not None:
        known = {**known, **run.mapping}
    return await asyncio.to_thread(_inspect, head, run.currency, known)


async def _head(files: FileStore, run: importing.Run) -> bytes:
    """The first megabyte, up to the end of a line: half a row would look like a wrong one."""
    parts: list[bytes] = []
    size = 0
    async for chunk in files.stream(run.file_key):
        parts.append(chunk)
        size += len(chunk)
        if size >= importing.SAMPLE_BYTES:
            break
    content = b"".join(parts)[: importing.SAMPLE_BYTES]
    end = content.rfind(b"\n")
    return content if run.file_size <= len(content) or end < 0 else content[: end + 1]


def _inspect(head: bytes, currency: str, known: Mapping[str, str]) -> importing.Inspection:
    return importing.inspect(io.BytesIO(head), currency=currency, remembered=known)
