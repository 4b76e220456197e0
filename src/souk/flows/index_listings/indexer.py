"""Drains the notes of stale listings into the index, in the one process that may write it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID

import structlog

from souk.contexts.listings import api as listings
from souk.contexts.search import api as search
from souk.flows.index_listings.documents import compose
from souk.flows.index_listings.names import names_of
from souk.platform.database import Database, ReadConn

log = structlog.get_logger()
BATCH = 500
_FIRST = UUID(int=0)
Progress = Callable[[int], None]


class Indexer:
    """`language` is the ISO 639-1 code of the language that sellers write in."""

    def __init__(
        self,
        db: Database,
        engine: search.SearchEngine,
        *,
        language: str = "en",
        pause: float = 0.5,
    ) -> None:
        self._db = db
        self._engine = engine
        self._language = language
        self._pause = pause

    async def run(self, stop: asyncio.Event) -> None:
        """Index until `stop` is set; what fails is tried again."""
        while not stop.is_set():
            try:
                indexed = await self.drain_once()
            except Exception:
                log.exception("indexing_failed")
                indexed = 0
            if not indexed:
                try:
                    await asyncio.wait_for(stop.wait(), timeout=self._pause)
                except TimeoutError:
                    continue

    async def drain(self) -> int:
        """Index everything that is stale now; for tests and the command line."""
        total = 0
        while done := await self.drain_once():
            total += done
        return total

    async def drain_once(self) -> int:
        """One batch, or the whole index when it is new or a rebuild was asked for."""
        async with self._db.read() as conn:
            asked_at = await search.rebuild_asked(conn)
        if asked_at is not None or self._engine.needs_rebuild:
            done = await self.rebuild()
            if asked_at is not None:
                await self._db.transact(lambda tx: search.mark_rebuilt(tx, asked_at=asked_at))
            return max(done, 1)
        async with self._db.read() as conn:
            batch = await search.stale(conn, limit=BATCH)
            if not batch:
                return 0
            wanted = [one.listing_id for one in batch]
            documents = await self._documents(conn, wanted)
        found = {document.listing_id for document in documents}
        gone = [one for one in wanted if one not in found]
        await asyncio.to_thread(self._apply, documents, gone)
        await self._db.transact(lambda tx: search.mark_indexed(tx, batch))
        return len(batch)

    async def rebuild(self, *, progress: Progress | None = None) -> int:
        """Build the index anew from every visible listing; returns how many there are.

        Buyers search the old one until it is done. Listings that change meanwhile are noted as
        stale and follow. `progress` is called with the number done so far.
        """
        build = await asyncio.to_thread(self._engine.begin_rebuild)
        done, after = 0, _FIRST
        try:
            while True:
                async with self._db.read() as conn:
                    page = await listings.visible_ids(conn, after=after, limit=BATCH)
                    documents = await self._documents(conn, page)
                if not page:
                    break
                await asyncio.to_thread(build.index, documents)
                done, after = done + len(documents), page[-1]
                if progress is not None:
                    progress(done)
            await asyncio.to_thread(build.publish)
        except BaseException:
            await asyncio.to_thread(build.discard)
            raise
        log.info("index_rebuilt", listings=done)
        return done

    def _apply(self, documents: list[search.SearchDocument], gone: list[UUID]) -> None:
        self._engine.index(documents)
        self._engine.delete(gone)
        self._engine.commit()

    async def _documents(
        self, conn: ReadConn, listing_ids: Sequence[UUID]
    ) -> list[search.SearchDocument]:
        rows = await listings.search_documents(conn, listing_ids)
        names = await names_of(
            conn,
            categories=(row.category_id for row in rows if row.category_id is not None),
            species=(row.species_id for row in rows if row.species_id is not None),
        )
        return [compose(row, names, language=self._language) for row in rows]
