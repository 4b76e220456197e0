"""What Souk needs of a search engine. `tests/search/contract.py` is the same for every adapter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable
from uuid import UUID

from souk.contexts.search.domain import SearchDocument, SearchQuery, SearchResult, Suggestion


class Rebuild(Protocol):
    """A new index, built beside the one in use."""

    def index(self, documents: Sequence[SearchDocument]) -> None:
        """Add documents; one listing must not be added twice."""
        ...

    def publish(self) -> None:
        """Put the new index in the place of the old one, at once for every reader."""
        ...

    def discard(self) -> None:
        """Give up and leave the index in use as it is."""
        ...


@runtime_checkable
class SearchEngine(Protocol):
    """All methods block; call long ones in a thread."""

    @property
    def needs_rebuild(self) -> bool:
        """True while the index is new or of another version, so that it lacks the listings."""
        ...

    def index(self, documents: Sequence[SearchDocument]) -> None:
        """Add or replace documents; found after `commit`."""
        ...

    def delete(self, listing_ids: Sequence[UUID]) -> None:
        """Remove documents, absent ones included; gone after `commit`."""
        ...

    def commit(self) -> None:
        """Make the changes since the last commit durable and visible to every process."""
        ...

    def begin_rebuild(self) -> Rebuild:
        """Start an index from nothing while the present one goes on answering."""
        ...

    def refresh(self) -> None:
        """See the newest commit now instead of within a second."""
        ...

    def search(self, query: SearchQuery) -> SearchResult:
        """Hits in order. Raises InvalidInput for a query out of bounds, SearchUnavailable."""
        ...

    def state(self) -> object:
        """What searches see at present: the same object until there is a newer commit."""
        ...

    def answers_at_once(self, query: SearchQuery) -> bool:
        """Whether `search` would take less time than handing it to a thread and back."""
        ...

    def suggest(self, prefix: str, *, limit: int = 8) -> list[Suggestion]:
        """What the beginning of a query may become: queries, then categories, then listings."""
        ...

    def count(self) -> int:
        """How many listings the index holds."""
        ...

    def close(self) -> None:
        """Release the writer's lock; uncommitted changes are dropped."""
        ...
