"""The writing side: one process at a time, kept so by a lock."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

from tantivy import Index, IndexWriter, Order

from souk.contexts.search.adapters.embedded import schema as fields
from souk.contexts.search.adapters.embedded import vocabulary
from souk.contexts.search.adapters.embedded.layout import Layout, WriterLock
from souk.contexts.search.domain import SearchDocument

# The engine's least for one thread is 15 MB.
_HEAP, _REBUILD_HEAP = 15_000_000, 120_000_000
_SAMPLE_HEAP = 15_000_000
# The vocabulary is written anew by a commit when so large a part of the index has changed since,
# but not at every commit of a long import: that would cost more than the commits.
_STALE_SHARE, _WORDS_REST_S = 0.02, 10.0


class _Pair:
    """The writers of a generation: all listings, and the sample of them."""

    def __init__(self, folder: Path, *, heap: int) -> None:
        self.folder = folder
        self._main = open_part(folder, "main")
        self._main_writer: IndexWriter = self._main.writer(heap, 1)
        self._sample_writer: IndexWriter = open_part(folder, "sample").writer(_SAMPLE_HEAP, 1)

    def add(self, documents: Sequence[SearchDocument]) -> None:
        for document in documents:
            made = fields.to_document(document)
            self._main_writer.add_document(made)
            if fields.is_sampled(document.listing_id):
                self._sample_writer.add_document(made)

    def delete(self, listing_id: UUID) -> None:
        self._main_writer.delete_documents_by_term("id", listing_id.hex)
        if fields.is_sampled(listing_id):
            self._sample_writer.delete_documents_by_term("id", listing_id.hex)

    def commit(self) -> None:
        """The sample goes first: readers notice a commit by the main part."""
        self._sample_writer.commit()
        self._main_writer.commit()
        self._main.reload()

    def has_vocabulary(self) -> bool:
        return Index.exists(str(self.folder / "words"))

    def documents(self) -> int:
        """How many documents the last commit holds."""
        return self._main.searcher().num_docs

    def write_vocabulary(self) -> None:
        vocabulary.write(self.folder / "words", self._main.searcher())

    def finish(self) -> None:
        """Commit for the last time and wait for the segments to be merged."""
        self._sample_writer.commit()
        self._main_writer.commit()
        self._sample_writer.wait_merging_threads()
        self._main_writer.wait_merging_threads()
        self._main.reload()
        self.write_vocabulary()

    def abandon(self) -> None:
        self._main_writer.rollback()
        self._sample_writer.rollback()
        del self._main_writer, self._sample_writer


class Writer:
    """Changes the generation in use."""

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
        self._words_at = float("-inf")
        self._pair = _Pair(folder, heap=_HEAP)

    def index(self, documents: Sequence[SearchDocument]) -> None:
        for document in documents:
            self._pair.delete(document.listing_id)
        self._pair.add(documents)
        self._changed += len(documents)

    def delete(self, listing_ids: Sequence[UUID]) -> None:
        for listing_id in listing_ids:
            self._pair.delete(listing_id)
        self._changed += len(listing_ids)

    def commit(self) -> None:
        self._pair.commit()
        stale = self._changed > self._pair.documents() * _STALE_SHARE
        rested = time.monotonic() - self._words_at >= _WORDS_REST_S
        if (stale and rested) or not self._pair.has_vocabulary():
            self._pair.write_vocabulary()
            self._words_at = time.monotonic()
            self._changed = 0

    def begin_rebuild(self, published: Callable[[Path], None]) -> EmbeddedRebuild:
        return EmbeddedRebuild(self._layout, published)

    def adopt(self, folder: Path) -> None:
        """Go over to a finished rebuild; the generation before it stays for slow readers."""
        old = self._pair.folder
        self._pair.abandon()
        self._layout.publish(folder)
        self._pair = _Pair(folder, heap=_HEAP)
        self._layout.sweep(keep={folder, old})
        self.is_new = False
        self._changed = 0

    def close(self) -> None:
        self._pair.abandon()
        self._lock.release()


class EmbeddedRebuild:
    """A generation under construction."""

    def __init__(self, layout: Layout, published: Callable[[Path], None]) -> None:
        self._layout = layout
        self._published = published
        folder = layout.create()
        _create(folder)
        self._pair: _Pair | None = _Pair(folder, heap=_REBUILD_HEAP)

    def index(self, documents: Sequence[SearchDocument]) -> None:
        """Add documents; one listing must not be added twice."""
        self._building().add(documents)

    def publish(self) -> None:
        """Finish the new index and put it in the place of the old one."""
        pair = self._building()
        pair.finish()
        self._pair = None
        self._layout.mark_complete(pair.folder)
        self._published(pair.folder)

    def discard(self) -> None:
        """Give up and leave the index in use as it is."""
        if self._pair is not None:
            self._pair.abandon()
            self._pair = None

    def _building(self) -> _Pair:
        if self._pair is None:
            raise RuntimeError("this rebuild was published or discarded")
        return self._pair


def open_part(folder: Path, part: str) -> Index:
    """The index of one part of a generation, which is reloaded only when asked to."""
    index = Index.open(str(folder / part))
    index.config_reader(reload_policy="manual")
    return index


def _create(folder: Path) -> None:
    """Empty indexes, ordered by merit so that equal scores come in that order."""
    for part in ("main", "sample"):
        Index(
            fields.build_schema(),
            path=str(folder / part),
            sort_by_field="by_merit",
            sort_order=Order.Desc,
        )
