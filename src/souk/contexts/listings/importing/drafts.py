"""What a product file says, in one shape for every format.

A reader turns rows into `ProductRecord`s: a draft with the problems found on the way, or no draft
and the reasons. The sentences are for the seller who reads the preview.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from souk.contexts.listings.domain import Kind
from souk.kernel.money import Money


class Severity(StrEnum):
    """An error refuses its row (or, with row 0, the file); a warning only tells."""

    ERROR = "error"
    WARNING = "warning"


class RowProblem(msgspec.Struct, frozen=True):
    """One thing the seller should know about one row.

    `row` counts as a spreadsheet does: the header is row 1; 0 means the file as a whole. `column`
    is the header as written in the file, or empty.
    """

    row: int
    column: str
    code: str
    message: str
    severity: Severity = Severity.ERROR


class ImageRef(msgspec.Struct, frozen=True):
    """A picture named by the file: an http(s) address, or the name of an uploaded file."""

    source: str
    alt: str = ""
    position: int = 0


class FileRef(msgspec.Struct, frozen=True):
    """A digital file named by the product file."""

    name: str
    source: str


class VariantDraft(msgspec.Struct, frozen=True):
    """One thing that can be put into a cart.

    `stock` None means that the file does not count it; `weight_g` is grams.
    """

    sku: str
    options: dict[str, str]
    price: Money | None = None
    compare_at: Money | None = None
    stock: int | None = None
    weight_g: int | None = None
    row: int = 0


class ProductDraft(msgspec.Struct, frozen=True):
    """A product as a file describes it, cleaned but not yet judged by the listing rules.

    `external_id` is stable for one product over several exports of the same shop (handle, SKU or
    id). `category_path` is a hint, outermost name first. `description_html` is already sanitised.
    """

    external_id: str
    title: str
    description_html: str = ""
    kind: Kind = Kind.GOODS
    category_path: list[str] = msgspec.field(default_factory=list[str])
    brand: str = ""
    tags: list[str] = msgspec.field(default_factory=list[str])
    attributes: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    variants: list[VariantDraft] = msgspec.field(default_factory=list[VariantDraft])
    images: list[ImageRef] = msgspec.field(default_factory=list[ImageRef])
    files: list[FileRef] = msgspec.field(default_factory=list[FileRef])
    seo_title: str = ""
    seo_description: str = ""
    publish: bool = False
    condition: str = ""
    rows: list[int] = msgspec.field(default_factory=list[int])


class ProductRecord(msgspec.Struct, frozen=True):
    """The outcome of reading one product: `draft` is None when it is refused.

    A draft may still come with errors: those of variants that were left out.
    """

    external_id: str
    title: str
    rows: list[int]
    draft: ProductDraft | None
    problems: list[RowProblem] = msgspec.field(default_factory=list[RowProblem])

    @property
    def refused(self) -> bool:
        return self.draft is None


class Problems:
    """Collects the problems of one product while its rows are read."""

    def __init__(self) -> None:
        self.found: list[RowProblem] = []

    def error(self, row: int, column: str, code: str, message: str) -> None:
        self.found.append(RowProblem(row, column, code, message, Severity.ERROR))

    def warn(self, row: int, column: str, code: str, message: str) -> None:
        self.found.append(RowProblem(row, column, code, message, Severity.WARNING))

    @property
    def errors(self) -> int:
        return sum(1 for problem in self.found if problem.severity is Severity.ERROR)


def content_key(draft: ProductDraft) -> bytes:
    """The draft without its row numbers, in one canonical form: equal means nothing to update."""
    still = msgspec.structs.replace(
        draft,
        rows=[],
        variants=[msgspec.structs.replace(variant, row=0) for variant in draft.variants],
    )
    return msgspec.json.encode(still, order="deterministic")
