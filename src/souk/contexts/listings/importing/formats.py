"""What a delimited format has to say about itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from souk.contexts.listings.importing.building import FileState
from souk.contexts.listings.importing.columns import Cells
from souk.contexts.listings.importing.drafts import Problems, ProductDraft


class Format(Protocol):
    """One shop system's product table."""

    @property
    def name(self) -> str:
        """Stable name, part of an imported product's identity: `shopify`, `woocommerce`, `souk`."""
        ...

    @property
    def aliases(self) -> Mapping[str, str]:
        """Normalised header → field."""
        ...

    def recognises(self, headers: set[str]) -> bool:
        """Whether these normalised headers are this format's."""
        ...

    def dynamic(self, key: str, written: str) -> str | None:
        """The field of a header that belongs to a numbered or named family."""
        ...

    def ignored(self, key: str) -> bool:
        """Headers that are known and not needed."""
        ...

    def keys(self, cells: Cells, *, previous: list[str]) -> list[str]:
        """The names of the product that the row belongs to; empty when it names none."""
        ...

    def product(
        self, rows: list[Cells], state: FileState, problems: Problems
    ) -> ProductDraft | None:
        """One product from all its rows, or None after at least one error."""
        ...
