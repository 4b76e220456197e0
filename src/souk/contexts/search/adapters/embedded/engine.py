"""The engine: finds the newest commit to read, and writes when it holds the lock."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from threading import RLock
from uuid import UUID

import msgspec
from tantivy import Index, IndexWriter, Order

from souk.contexts.search.adapters.embedded import schema as fields
from souk.contexts.search.adapters.embedded import vocabulary
from souk.contexts.search.adapters.embedded.layout import Layout, WriterLock
from souk.contexts.search.adapters.embedded.snapshot import Snapshot
from souk.contexts.search.domain import (
    SearchDocument,
    SearchQuery,
    SearchResult,
    Suggestion,
    checked,
)
from souk.contexts.search.errors import IndexReadOnly, SearchUnavailable

_CHECK_EVERY_S = 0.5
_SMALL = 20_000
_HEAP, _REBUILD_HEAP = 30_000_000, 120_000_000
# The vocabulary is written anew when so large a part of the index has changed since.
_STALE_SHARE = 0.02
_MAX_SUGGEST, _MAX_PREFIX = 20, 200


class EmbeddedEngine:
    """One process's view of the index in a folder; safe to use from several threads."""

    def __init__(self, path: Path, *, writer: bool) -> None:
        self._layout = Layout(path)
        self._lock = RLock()
        self._snapshot: Snapshot | None = None
        self._opened: tuple[Path, Index] | None = None
        self._stamp: tuple[int, ...] = ()
        self._checked_at = float("-inf")
        self._writer: _Writer | None = _Writer(self._layout) if writer else None

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
        return EmbeddedRebuild(self, self._layout)

    def adopt(self, folder: Path) -> None:
        """Put a finished rebuild in the place of the current generation."""
        with self._lock:
            self._writing().adopt(folder)
            self.refresh()

    def refresh(self) -> None:
        """See the newest commit now instead of within a second."""
        with self._lock:
            self._checked_at = float("-inf")
            self._newest()

    def search(self, query: SearchQuery) -> SearchResult:
        """Hits in order. Raises InvalidInput for a query out of bounds, SearchUnavailable."""
        checked(query)
        started = time.perf_counter()
        snapshot = self._newest()
        result = snapshot.cached(query) or snapshot.search(query)
        took = (time.perf_counter() - started) * 1_000
        return msgspec.structs.replace(result, took_ms=round(took, 3))

    def answers_at_once(self, query: SearchQuery) -> bool:
        """Whether `search` is too short to be worth a thread: answered before, or a small index."""
        snapshot = self._newest()
        return snapshot.searcher.num_docs <= _SMALL or snapshot.cached(query) is not None

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

    def _writing(self) -> _Writer:
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
                index = Index.open(str(folder / "main"))
                index.config_reader(reload_policy="manual")
                self._opened = (folder, index)
            index = self._opened[1]
            index.reload()
            words = folder / "words"
            known = vocabulary.Vocabulary(words) if Index.exists(str(words)) else None
        except (OSError, ValueError) as error:
            # The generation was replaced and swept between two looks at it.
            self._opened = None
            raise SearchUnavailable from error
        return Snapshot(index, known)


class EmbeddedRebuild:
    """A generation under construction."""

    def __init__(self, engine: EmbeddedEngine, layout: Layout) -> None:
        self._engine = engine
        self._layout = layout
        self._folder = layout.create()
        self._writer: IndexWriter | None = _create(self._folder).writer(_REBUILD_HEAP, 1)

    def index(self, documents: Sequence[SearchDocument]) -> None:
        """Add documents; one listing must not be added twice."""
        writer = self._building()
        for document in documents:
            writer.add_document(fields.to_document(document))

    def publish(self) -> None:
        """Finish the new index and put it in the place of the old one."""
        writer = self._building()
        writer.commit()
        writer.wait_merging_threads()
        self._writer = None
        index = Index.open(str(self._folder / "main"))
        index.reload()
        vocabulary.write(self._folder / "words", index.searcher())
        self._layout.mark_complete(self._folder)
        self._engine.adopt(self._folder)

    def discard(self) -> None:
        """Give up and leave the index in use as it is."""
        if self._writer is not None:
            self._writer.rollback()
            self._writer = None

    def _building(self) -> IndexWriter:
        if self._writer is None:
            raise RuntimeError("this rebuild was published or discarded")
        return self._writer


class _Writer:
    """The writing side; exists in one process at a time."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._lock = WriterLock(layout.path)
        folder = layout.current()
        if folder is None:
            folder = layout.create()
            _create(folder)
            layout.publish(folder)
        self.is_new = not layout.is_complete(folder)
        layout.sweep(keep={folder})
        self._changed = 0
        self._use(folder)

    def _use(self, folder: Path) -> None:
        self._folder = folder
        self._index = Index.open(str(folder / "main"))
        self._index.config_reader(reload_policy="manual")
        self._writer = self._index.writer(_HEAP, 1)

    def index(self, documents: Sequence[SearchDocument]) -> None:
        for document in documents:
            self._writer.delete_documents_by_term("id", document.listing_id.hex)
            self._writer.add_document(fields.to_document(document))
        self._changed += len(documents)

    def delete(self, listing_ids: Sequence[UUID]) -> None:
        for listing_id in listing_ids:
            self._writer.delete_documents_by_term("id", listing_id.hex)
        self._changed += len(listing_ids)

    def commit(self) -> None:
        self._writer.commit()
        self._index.reload()
        searcher = self._index.searcher()
        words = self._folder / "words"
        stale = self._changed > searcher.num_docs * _STALE_SHARE
        if stale or not Index.exists(str(words)):
            vocabulary.write(words, searcher)
            self._changed = 0

    def adopt(self, folder: Path) -> None:
        old = self._folder
        self._writer.rollback()
        self._layout.publish(folder)
        self._use(folder)
        self._layout.sweep(keep={folder, old})
        self.is_new = False
        self._changed = 0

    def close(self) -> None:
        self._writer.rollback()
        del self._writer
        self._lock.release()


def _create(folder: Path) -> Index:
    """An empty index, ordered by merit so that equal scores come in that order."""
    return Index(
        fields.build_schema(),
        path=str(folder / "main"),
        sort_by_field="merit",
        sort_order=Order.Desc,
    )
