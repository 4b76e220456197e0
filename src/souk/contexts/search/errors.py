"""What can go wrong with a search."""

from __future__ import annotations

from souk.kernel.errors import DomainError, ErrorKind


class SearchUnavailable(DomainError):
    """There is no index that this program can read: not built yet, or of another version."""

    code = "search_unavailable"
    kind = ErrorKind.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("Search is being prepared. Browse the categories, or try again shortly.")


class IndexBusy(DomainError):
    """Another process writes to this index already."""

    code = "search_index_busy"
    kind = ErrorKind.UNAVAILABLE

    def __init__(self, path: str) -> None:
        super().__init__(
            f"Another process already writes to the search index in {path}. Run one worker only,"
            " or stop the other one first."
        )


class IndexReadOnly(DomainError):
    """A change was asked of an engine that was opened for reading."""

    code = "search_index_read_only"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("This search engine was opened for reading. Let the worker change it.")
