"""Sitemaps: files of at most 50,000 addresses with dates and pictures, and their index.

The protocol (sitemaps.org) allows 50 MB and 50,000 addresses a file; pictures follow Google's
extension of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from urllib.parse import quote
from uuid import UUID

import msgspec

from souk.contexts.catalog import api as catalog
from souk.contexts.listings import api as listings
from souk.flows.feeds.xml import HEAD, element, w3c
from souk.platform.database import Database

MOST = 50_000
MOST_BYTES = 45_000_000
"""Below the 50 MB of the protocol by more than one entry."""
PICTURES = 3
_BATCH = 2_000
_OPEN = (
    HEAD + '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    ' xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">\n'
)
_CLOSE = "</urlset>\n"
_FIRST = UUID(int=0)


class Part(msgspec.Struct, frozen=True):
    """A file of the sitemap; `changed` is that of its latest entry, None when unknown."""

    name: str
    changed: datetime | None


async def pages(db: Database, *, base_url: str) -> bytes:
    """The home page, the list of sellers and every category."""
    async with db.read() as conn:
        tree = await catalog.tree(conn)
    paths = ["/", "/sellers", *(f"/c/{quote(each.slug)}" for each in tree.by_id.values())]
    urls = [f"<url>{element('loc', base_url + path)}</url>\n" for path in paths]
    return (_OPEN + "".join(urls) + _CLOSE).encode()


async def listing_files(
    db: Database, *, base_url: str, most: int = MOST
) -> AsyncIterator[tuple[Part, bytes]]:
    """Every visible listing, file by file; reads the table in batches and holds one file."""
    entries: list[str] = []
    size = number = 0
    changed: datetime | None = None
    async for row in _rows(db):
        entry = _entry(row, base_url)
        if entries and (len(entries) >= most or size + len(entry) > MOST_BYTES):
            number += 1
            yield _file(number, entries, changed)
            entries, size, changed = [], 0, None
        entries.append(entry)
        size += len(entry.encode())
        changed = max(changed, row.updated_at) if changed else row.updated_at
    if entries:
        yield _file(number + 1, entries, changed)


async def _rows(db: Database) -> AsyncIterator[listings.MapRow]:
    after = _FIRST
    while True:
        async with db.read() as conn:
            rows = await listings.map_rows(conn, after=after, images=PICTURES, limit=_BATCH)
        for row in rows:
            yield row
        if len(rows) < _BATCH:
            return
        after = rows[-1].id


def _entry(row: listings.MapRow, base_url: str) -> str:
    pictures = "".join(
        f"<image:image>{element('image:loc', f'{base_url}/media/{key}/full.webp')}</image:image>"
        for key in row.image_keys
    )
    place = element("loc", f"{base_url}/listing/{quote(row.slug)}")
    return f"<url>{place}{element('lastmod', w3c(row.updated_at))}{pictures}</url>\n"


def _file(number: int, entries: list[str], changed: datetime | None) -> tuple[Part, bytes]:
    part = Part(f"listings-{number}.xml", changed)
    return part, (_OPEN + "".join(entries) + _CLOSE).encode()


def index(parts: list[Part], *, base_url: str) -> bytes:
    """The file that names the others."""
    entries = "".join(
        f"<sitemap>{element('loc', f'{base_url}/sitemaps/{part.name}')}"
        f"{element('lastmod', w3c(part.changed)) if part.changed else ''}</sitemap>\n"
        for part in parts
    )
    space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    return f"{HEAD}<sitemapindex {space}>\n{entries}</sitemapindex>\n".encode()
