"""Short ways to read a file in tests."""

from __future__ import annotations

import io

from souk.contexts.listings.importing.drafts import ProductDraft, ProductRecord
from souk.contexts.listings.importing.reader import ProductFile, open_products


def opened(content: bytes | str, *, currency: str = "EUR") -> ProductFile:
    data = content.encode() if isinstance(content, str) else content
    return open_products(io.BytesIO(data), currency=currency)


def records(content: bytes | str, *, currency: str = "EUR") -> list[ProductRecord]:
    return list(opened(content, currency=currency).records())


def drafts(content: bytes | str) -> list[ProductDraft]:
    return [record.draft for record in records(content) if record.draft is not None]


def codes(record: ProductRecord) -> list[tuple[int, str]]:
    return [(problem.row, problem.code) for problem in record.problems]
