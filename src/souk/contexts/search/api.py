"""The facade of search: what flows, web and the composition root may use."""

from __future__ import annotations

import asyncio
from pathlib import Path

from souk.contexts.search.adapters.embedded.engine import EmbeddedEngine
from souk.contexts.search.commands import (
    ask_for_rebuild,
    mark_indexed,
    mark_rebuilt,
    mark_stale,
    record_queries,
)
from souk.contexts.search.domain import (
    MAX_DEPTH,
    MAX_SIZE,
    MAX_TEXT,
    Bucket,
    Facet,
    Kind,
    NumberRange,
    PriceStats,
    QueryCount,
    SearchDocument,
    SearchQuery,
    SearchResult,
    Sort,
    StaleListing,
    Suggestion,
)
from souk.contexts.search.errors import IndexBusy, IndexReadOnly, SearchUnavailable
from souk.contexts.search.jobs import schedules
from souk.contexts.search.ports import Rebuild, SearchEngine
from souk.contexts.search.queries import IndexLag, index_lag, popular, without_results
from souk.contexts.search.store import rebuild_asked, stale

__all__ = [
    "MAX_DEPTH",
    "MAX_SIZE",
    "MAX_TEXT",
    "Bucket",
    "Facet",
    "IndexBusy",
    "IndexLag",
    "IndexReadOnly",
    "Kind",
    "NumberRange",
    "PriceStats",
    "QueryCount",
    "Rebuild",
    "SearchDocument",
    "SearchEngine",
    "SearchQuery",
    "SearchResult",
    "SearchUnavailable",
    "Sort",
    "StaleListing",
    "Suggestion",
    "ask_for_rebuild",
    "index_lag",
    "mark_indexed",
    "mark_rebuilt",
    "mark_stale",
    "open_engine",
    "popular",
    "rebuild_asked",
    "record_queries",
    "schedules",
    "search",
    "stale",
    "without_results",
]


def open_engine(path: Path | str, *, writer: bool) -> SearchEngine:
    """The embedded engine in folder `path`; one process may hold it as `writer`.

    Raises IndexBusy when another process writes. A missing or outdated index is begun anew by the
    writer (`needs_rebuild`); a reader answers SearchUnavailable until then.
    """
    return EmbeddedEngine(Path(path), writer=writer)


async def search(engine: SearchEngine, query: SearchQuery) -> SearchResult:
    """Search without holding up the event loop for longer than a thread would cost."""
    if engine.answers_at_once(query):
        return engine.search(query)
    return await asyncio.to_thread(engine.search, query)
