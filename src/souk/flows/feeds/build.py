"""Building everything anew into the file store, so that a crawler's request costs one read.

Each build has keys of its own and a small object names the current one: whoever is in the middle of
a long file goes on reading that file.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from souk.flows.feeds import google, sitemaps
from souk.kernel.errors import NotFound
from souk.kernel.ids import uuid7
from souk.platform.options import MARKETPLACE_NAME
from souk.platform.services import Services
from souk.platform.storage import FileStore

_CURRENT = "feeds/current.json"
GOOGLE = "google.xml"
PAGES = "pages.xml"


class Build(msgspec.Struct, frozen=True, kw_only=True):
    """What was built when. `names` are the files under the build's folder."""

    id: str
    made_at: datetime
    parts: list[sitemaps.Part]
    names: list[str]
    previous: list[str] = msgspec.field(default_factory=list[str])

    def key(self, name: str) -> str:
        return f"feeds/{self.id}/{name}"


async def current(files: FileStore) -> Build | None:
    """The last build, None before the first one."""
    try:
        return msgspec.json.decode(await files.get(_CURRENT), type=Build)
    except NotFound:
        return None


async def build(services: Services) -> Build:
    """Build sitemaps and feeds anew; what the build before the last one left is removed."""
    db, files, settings = services.db, services.files, services.settings
    before = await current(files)
    made = Build(id=str(uuid7()), made_at=services.clock.now(), parts=[], names=[])
    await files.put(made.key(PAGES), await sitemaps.pages(db, base_url=settings.base_url))
    parts = [sitemaps.Part(PAGES, None)]
    async for part, content in sitemaps.listing_files(db, base_url=settings.base_url):
        await files.put(made.key(part.name), content)
        parts.append(part)
    name = services.options[MARKETPLACE_NAME] or settings.marketplace_name
    await files.put(made.key(GOOGLE), google.feed(db, name=name, base_url=settings.base_url))
    names = [*(part.name for part in parts), GOOGLE]
    previous = [before.key(name) for name in before.names] if before else []
    done = msgspec.structs.replace(made, parts=parts, names=names, previous=previous)
    await files.put(_CURRENT, msgspec.json.encode(done))
    if before:
        await files.delete(*before.previous)
    return done
