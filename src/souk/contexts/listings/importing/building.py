"""What every format does with cells: prices, stock, weights, pictures, with one sentence each."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from souk.contexts.listings.importing.columns import Cells
from souk.contexts.listings.importing.drafts import (
    ImageRef,
    Problems,
    ProductDraft,
    VariantDraft,
)
from souk.contexts.listings.importing.prices import PriceError, parse_price
from souk.contexts.listings.importing.quantities import (
    QuantityError,
    parse_stock,
    parse_weight,
)
from souk.contexts.listings.importing.text import clean_text, plain_text
from souk.kernel.money import Money

MAX_IMAGES = 10
MAX_TAGS = 20
MAX_TAG = 40
MAX_TITLE = 200
MAX_VARIANTS = 100
MAX_OPTIONS = 3
MAX_ATTRIBUTES = 60
MAX_NAME = 120
MAX_OPTION_NAME = 40
MAX_OPTION_VALUE = 80
SKU = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/ -]{0,63}")
_URL = re.compile(r"^https?://[^\s<>\"\\^`{|}]+$", re.IGNORECASE)
_UPLOADED = re.compile(r"^[^/\\:*?\"<>|\x00-\x1f]{1,200}\.(?:jpe?g|png|webp|gif|avif)$", re.I)
_CONDITIONS = {
    "": "", "new": "new", "like new": "like_new", "mint": "like_new", "refurbished": "like_new",
    "very good": "good", "good": "good", "used": "good", "acceptable": "fair", "fair": "fair",
    "poor": "poor", "for parts": "poor",
}  # fmt: skip


class FileState:
    """What has to be known across the products of one file: the currency, and SKUs seen."""

    def __init__(self, *, currency: str) -> None:
        self.currency = currency
        self._sku_rows: dict[int, int] = {}

    def claim_sku(self, sku: str, *, row: int) -> int | None:
        """Take a SKU for `row`; the row that has it already, or None when it was free."""
        if not sku:
            return None
        holder = self._sku_rows.setdefault(hash(sku.casefold()), row)
        return None if holder == row else holder


def read_title(cells: Cells, problems: Problems) -> str:
    """The product's title, or an empty string after an error."""
    title = plain_text(cells.get("title"))
    if not title:
        problems.error(
            cells.number, cells.column("title") or "Title", "title_missing",
            "The product has no title. Write one.",
        )  # fmt: skip
    elif len(title) > MAX_TITLE:
        problems.error(
            cells.number, cells.column("title"), "title_too_long",
            f"The title has {len(title)} characters; {MAX_TITLE} are allowed. Shorten it.",
        )  # fmt: skip
        return ""
    return title


def read_price(cells: Cells, field: str, state: FileState, problems: Problems) -> Money | None:
    """A price that has to be there; None after an error."""
    text = cells.get(field)
    if not text:
        problems.error(
            cells.number, cells.column(field) or "Price", "price_missing",
            "There is no price. Write one, such as 12.50.",
        )  # fmt: skip
        return None
    try:
        parsed = parse_price(text, currency=state.currency)
    except PriceError as problem:
        problems.error(cells.number, cells.column(field), problem.code, problem.message)
        return None
    if parsed.warning:
        problems.warn(cells.number, cells.column(field), "price_notation", parsed.warning)
    return parsed.money


def read_optional_price(
    cells: Cells, field: str, state: FileState, problems: Problems
) -> Money | None:
    """A price that may be left out: one that cannot be read costs a warning, not the row."""
    text = cells.get(field)
    if not text:
        return None
    try:
        parsed = parse_price(text, currency=state.currency)
    except PriceError as problem:
        problems.warn(
            cells.number, cells.column(field), problem.code, f"{problem.message} It was left out."
        )
        return None
    if parsed.warning:
        problems.warn(cells.number, cells.column(field), "price_notation", parsed.warning)
    return parsed.money if parsed.money else None


def read_compare_at(
    cells: Cells, field: str, price: Money, state: FileState, problems: Problems
) -> Money | None:
    """The former price, only when it is above the price."""
    former = read_optional_price(cells, field, state, problems)
    if former is None or former > price:
        return former
    if former < price:
        problems.warn(
            cells.number, cells.column(field), "compare_at_below",
            f"The former price {former} is below the price {price}; it was left out.",
        )  # fmt: skip
    return None


def read_stock(cells: Cells, field: str, problems: Problems) -> tuple[int | None, bool]:
    """Units in stock, and whether the cell was usable."""
    try:
        return parse_stock(cells.get(field)), True
    except QuantityError as problem:
        problems.error(cells.number, cells.column(field), problem.code, problem.message)
        return None, False


def read_weight(cells: Cells, field: str, problems: Problems, *, unit: str = "g") -> int | None:
    """Grams; a weight that cannot be read is left out with a warning."""
    try:
        return parse_weight(cells.get(field), unit=unit)
    except QuantityError as problem:
        problems.warn(
            cells.number, cells.column(field), problem.code, f"{problem.message} It was left out."
        )
        return None


def claim_sku(cells: Cells, field: str, state: FileState, problems: Problems) -> str | None:
    """The row's SKU (perhaps empty); None after an error."""
    sku = clean_text(cells.get(field))
    if sku and not SKU.fullmatch(sku):
        problems.error(
            cells.number, cells.column(field), "sku_unusable",
            f"The SKU “{sku[:80]}” cannot be used. Write up to 64 letters, digits and . _ / -",
        )  # fmt: skip
        return None
    holder = state.claim_sku(sku, row=cells.number)
    if holder is not None:
        problems.error(
            cells.number, cells.column(field), "sku_duplicate",
            f"The SKU “{sku}” is already used in row {holder}. Give every variant its own.",
        )  # fmt: skip
        return None
    return sku


def split_list(text: str, separators: str = ",") -> list[str]:
    """Cleaned, distinct, non-empty parts; a backslash keeps a separator (WooCommerce's escape)."""
    parts: list[str] = [""]
    escaped = False
    for char in text:
        if char == "\\" and not escaped:
            escaped = True
            continue
        if escaped and char not in separators:
            parts[-1] += "\\"
        if char in separators and not escaped:
            parts.append("")
        else:
            parts[-1] += char
        escaped = False
    return list(dict.fromkeys(part for raw in parts if (part := clean_text(raw))))


def read_tags(cells: Cells, field: str, problems: Problems, *, separators: str = ",") -> list[str]:
    """Tags, cut to MAX_TAGS with a warning."""
    tags = [tag[:MAX_TAG].strip() for tag in split_list(cells.get(field), separators)]
    if len(tags) > MAX_TAGS:
        problems.warn(
            cells.number, cells.column(field), "tags_too_many",
            f"The product has {len(tags)} tags; the first {MAX_TAGS} are kept.",
        )  # fmt: skip
    return tags[:MAX_TAGS]


def category_path(text: str) -> list[str]:
    """`A > B > C` (also `->`, `/` is a name's own) as names, outermost first."""
    names = [clean_text(name)[:MAX_NAME] for name in text.replace("->", ">").split(">")]
    return [name for name in names if name][:8]


def read_condition(cells: Cells, field: str, problems: Problems) -> str:
    """A condition grade; unknown words are left out with a warning."""
    word = " ".join(cells.get(field).replace("_", " ").replace("-", " ").split()).casefold()
    if word not in _CONDITIONS:
        problems.warn(
            cells.number, cells.column(field), "condition_unknown",
            f"The condition “{word[:40]}” is not known and was left out. Use new, like new, "
            "good, fair or poor.",
        )  # fmt: skip
    return _CONDITIONS.get(word, "")


class Images:
    """The pictures of one product, in order, without repeats, at most MAX_IMAGES."""

    def __init__(self) -> None:
        self._found: dict[str, ImageRef] = {}
        self._refused = 0

    def add(
        self, source: str, *, alt: str, position: str, row: int, column: str, problems: Problems
    ) -> None:
        address = source.strip()
        if not address or address in self._found:
            return
        if not (_URL.match(address) or _UPLOADED.match(address)) or len(address) > 2_000:
            problems.warn(
                row, column, "image_address",
                f"“{address[:80]}” is not the address of a picture; it was left out. Use one that "
                "starts with https://.",
            )  # fmt: skip
            return
        if len(self._found) >= MAX_IMAGES:
            self._refused += 1
            if self._refused == 1:
                problems.warn(
                    row, column, "images_too_many",
                    f"The product has more than {MAX_IMAGES} pictures; the first {MAX_IMAGES} "
                    "are kept.",
                )  # fmt: skip
            return
        place = int(position) if position.isascii() and position.isdigit() else 0
        self._found[address] = ImageRef(address, clean_text(alt)[:500], min(place, 10_000))

    def ordered(self) -> list[ImageRef]:
        """By the file's positions where it has them, renumbered from 1."""
        indexed = sorted(
            enumerate(self._found.values(), 1), key=lambda pair: pair[1].position or pair[0]
        )
        return [
            msgspec.structs.replace(image, position=place)
            for place, (_, image) in enumerate(indexed, 1)
        ]


def distinct_variants(
    variants: Iterable[VariantDraft], problems: Problems, *, column: str
) -> list[VariantDraft]:
    """Variants with the same options in the same order, no two alike.

    An option that a variant leaves out becomes `Any`, as WooCommerce means it. A repeat and
    everything past MAX_VARIANTS are errors.
    """
    found = list(variants)
    names: dict[str, str] = {}
    for variant in found:
        for name in variant.options:
            names.setdefault(name.casefold(), name)
    kept: dict[tuple[str, ...], VariantDraft] = {}
    for variant in found:
        given = {name.casefold(): value for name, value in variant.options.items()}
        options = {name: given.get(key, "Any") for key, name in names.items()}
        key = tuple(value.casefold() for value in options.values())
        earlier = kept.get(key)
        if earlier is not None:
            shown = ", ".join(variant.options.values()) or "without options"
            problems.error(
                variant.row, column, "variant_duplicate",
                f"The variant “{shown[:80]}” is already in row {earlier.row}. "
                "Give each variant its own options.",
            )  # fmt: skip
        elif len(kept) >= MAX_VARIANTS:
            problems.error(
                variant.row, "", "variants_too_many",
                f"A product may have {MAX_VARIANTS} variants. Split it into two products.",
            )  # fmt: skip
        else:
            kept[key] = msgspec.structs.replace(variant, options=options)
    return list(kept.values())


def finish(draft: ProductDraft, problems: Problems, *, row: int) -> ProductDraft | None:
    """The draft when something of it can be sold; else None after an error that says why."""
    if draft.title and draft.variants:
        return draft
    if not problems.errors:
        problems.error(
            row, "", "nothing_to_sell",
            "No row of this product can be sold: none has a price. Add a row with a price.",
        )  # fmt: skip
    return None
