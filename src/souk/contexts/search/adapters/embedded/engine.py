"""The engine: finds the newest commit to read, and writes when it holds the lock."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from threading import RLock
from uuid import UUID

import msgspec
from tantivy import Index

from souk.contexts.search.adapters.embedded import vocabulary
from souk.contexts.search.adapters.embedded.layout import Layout
from souk.contexts.search.adapters.embedded.snapshot import Snapshot
from souk.contexts.search.adapters.embedded.writer import EmbeddedRebuild, Writer, open_part
from souk.contexts.search.domain import (
    SearchDocument,
    SearchQuery,
    SearchResult,
    Suggestion,
    checked,
)
from souk.contexts.search.errors import IndexReadOnly, SearchUnavailable

_CHECK_EVERY_S = 0.5
# Up to so many listings a search takes a millisecond or two.
_SMALL = 20_000
_MAX_SUGGEST, _MAX_PREFIX = 20, 200


class EmbeddedEngine:
    """One process's view of the index in a folder; safe to use from several threads."""

    def __init__(self, path: Path, *, writer: bool) -> None:
        self._layout = Layout(path)
        self._lock = RLock()
        self._snapshot: Snapshot | None = None
        self._opened: tuple[Path, Index, Index] | None = None
        self._stamp: tuple[int, ...] = ()
        self._checked_at = float("-inf")
        self._writer: Writer | None = Writer(self._layout) if writer else None

    @property
    def needs_rebuild(self) -> bool:
        """True while the index is missing, new or of another version."""
        if self._writer is not None:
            return self._writer.is_new
        folder = self._layout.current()
        return folder is None or not self._layout.is_complete(folder)

    def index(self, documents: Sequence[SearchDocument]) -> None:
        """Add or replace documents; found after `commit`."""
        with self._lock:
            self._writing().index(documents)

    def delete(self, listing_ids: Sequence[UUID]) -> None:
        """Remove documents, absent ones included; gone after `commit`."""
        with self._lock:
            self._writing().delete(listing_ids)

    def commit(self) -> None:
        """Make the changes since the last commit durable and visible."""
        with self._lock:
            self._writing().commit()
            self.refresh()

    def begin_rebuild(self) -> EmbeddedRebuild:
        """Start an index from nothing while the present one goes on answering."""
        with self._lock:
            return self._writing().begin_rebuild(self._adopt)

    def refresh(self) -> None:
        """See the newest commit now instead of within a second."""
        with self._lock:
            self._checked_at = float("-inf")
            self._newest()

    def search(self, query: SearchQuery) -> SearchResult:
        """Hits in order. Raises InvalidInput for a query out of bounds, SearchUnavailable."""
        started = time.perf_counter()
        query = checked(query)
        snapshot = self._newest()
        result = snapshot.cached(query) or snapshot.search(query)
        took = (time.perf_counter() - started) * 1_000
        return msgspec.structs.replace(result, took_ms=round(took, 3))

    def state(self) -> object:
        """The same object until there is a newer commit. Raises SearchUnavailable."""
        return self._newest()

    def answers_at_once(self, query: SearchQuery) -> bool:
        """Whether `search` is too short to be worth a thread: answered before, or a small index."""
        snapshot = self._newest()
        return snapshot.searcher.num_docs <= _SMALL or snapshot.cached(checked(query)) is not None

    def suggest(self, prefix: str, *, limit: int = 8) -> list[Suggestion]:
        """What the beginning of a query may become; nothing for a text too long to be one."""
        if len(prefix) > _MAX_PREFIX:
            return []
        return self._newest().suggest(prefix, limit=min(limit, _MAX_SUGGEST))

    def count(self) -> int:
        """How many listings the index holds."""
        return self._newest().searcher.num_docs

    def close(self) -> None:
        """Release the writer's lock; uncommitted changes are dropped."""
        with self._lock:
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    def _adopt(self, folder: Path) -> None:
        with self._lock:
            self._writing().adopt(folder)
            self.refresh()

    def _writing(self) -> Writer:
        if self._writer is None:
            raise IndexReadOnly
        return self._writer

    def _newest(self) -> Snapshot:
        """The newest commit's snapshot; looks for one at most every half second."""
        now = time.monotonic()
        if self._snapshot is not None and now - self._checked_at < _CHECK_EVERY_S:
            return self._snapshot
        with self._lock:
            stamp = self._layout.stamp()
            if self._snapshot is None or stamp != self._stamp:
                self._snapshot = self._open()
                self._stamp = stamp
            self._checked_at = now
            return self._snapshot

    def _open(self) -> Snapshot:
        folder = self._layout.current()
        if folder is None:
            raise SearchUnavailable
        try:
            if self._opened is None or self._opened[0] != folder:
                self._opened = (folder, open_part(folder, "main"), open_part(folder, "sample"))
            _, main, sample = self._opened
            main.reload()
            sample.reload()
            words = folder / "words"
            known = vocabulary.Vocabulary(words) if Index.exists(str(words)) else None
        except (OSError, ValueError) as error:
            # The generation was replaced and swept between two looks at it.
            self._opened = None
            raise SearchUnavailable from error
        return Snapshot(main, sample, known)
