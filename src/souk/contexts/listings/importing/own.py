"""Souk's own product CSV. docs/import-formats.md lists the columns.

Rows with one `external_id` are one product: the first describes it, each adds a variant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from souk.contexts.listings.importing.building import (
    MAX_ATTRIBUTES,
    MAX_NAME,
    MAX_OPTION_NAME,
    MAX_OPTION_VALUE,
    FileState,
    Images,
    category_path,
    claim_sku,
    distinct_variants,
    finish,
    read_compare_at,
    read_condition,
    read_price,
    read_stock,
    read_tags,
    read_title,
    read_weight,
)
from souk.contexts.listings.importing.columns import Cells, normalised
from souk.contexts.listings.importing.drafts import (
    FileRef,
    Kind,
    Problems,
    ProductDraft,
    VariantDraft,
)
from souk.contexts.listings.importing.quantities import parse_flag
from souk.contexts.listings.importing.text import clean_text, description_html, plain_text

COLUMNS = (
    "external_id", "title", "description", "kind", "category", "brand", "tags", "condition",
    "sku", "option1_name", "option1_value", "option2_name", "option2_value", "option3_name",
    "option3_value", "price", "compare_at_price", "currency", "stock", "weight", "images",
    "image_alts", "files", "seo_title", "seo_description", "publish",
)  # fmt: skip
_ALIASES = {
    **{name.replace("_", " "): name for name in COLUMNS},
    "handle": "external_id", "id": "external_id", "name": "title", "compare at": "compare_at_price",
    "quantity": "stock", "qty": "stock", "weight g": "weight", "image": "images",
}  # fmt: skip
_VARIANT_FIELDS = ("price", "sku", "option1_value")
_KINDS = {
    "": Kind.GOODS, "goods": Kind.GOODS, "physical": Kind.GOODS, "digital": Kind.DIGITAL,
    "second hand": Kind.SECONDHAND, "secondhand": Kind.SECONDHAND, "used": Kind.SECONDHAND,
}  # fmt: skip


class Own:
    """Reads the rows of one external id into one draft."""

    name = "souk"
    aliases: Mapping[str, str] = _ALIASES

    @staticmethod
    def aliases_of(key: str) -> str:
        """The field of a normalised header under any of its names; empty for none."""
        return _ALIASES.get(key, "")

    def recognises(self, headers: set[str]) -> bool:
        return bool(headers & {"title", "name"}) and "price" in headers

    def dynamic(self, key: str, written: str) -> str | None:
        name = written.partition(":")[2].strip()
        return f"attr:{name[:60]}" if key.startswith(("attr:", "attribute:")) and name else None

    def ignored(self, key: str) -> bool:
        return re.match(r"^(?:notes?|comments?|remarks?)$", key) is not None

    def keys(self, cells: Cells, *, previous: list[str]) -> list[str]:
        for field in ("external_id", "sku", "title"):
            key = clean_text(cells.get(field)).casefold()
            if key:
                return [key]
        return previous

    def product(
        self, rows: list[Cells], state: FileState, problems: Problems
    ) -> ProductDraft | None:
        first = next((cells for cells in rows if cells.get("title")), rows[0])
        title = read_title(first, problems)
        kind = _kind(first, problems)
        condition = read_condition(first, "condition", problems)
        variants = [
            variant
            for cells in rows
            if cells is first or any(cells.get(field) for field in _VARIANT_FIELDS)
            if (variant := _variant(cells, first, state, problems)) is not None
        ]
        images = _images(rows, problems)
        draft = ProductDraft(
            external_id=(self.keys(first, previous=[""]))[0][:MAX_NAME],
            title=title,
            description_html=description_html(first.get("description")),
            kind=kind or Kind.GOODS,
            category_path=category_path(first.get("category")),
            brand=clean_text(first.get("brand"))[:MAX_NAME],
            tags=read_tags(first, "tags", problems, separators=",|"),
            attributes=_attributes(first),
            variants=distinct_variants(variants, problems, column=first.column("option1_value")),
            images=images.ordered(),
            files=_files(rows),
            seo_title=plain_text(first.get("seo_title"))[:300],
            seo_description=plain_text(first.get("seo_description"))[:1_000],
            publish=parse_flag(first.get("publish")) is True,
            condition=condition if kind is Kind.SECONDHAND else "",
            rows=[cells.number for cells in rows],
        )
        return finish(draft, problems, row=first.number) if kind else None


def _kind(first: Cells, problems: Problems) -> Kind | None:
    word = " ".join(first.get("kind").replace("_", " ").replace("-", " ").split()).casefold()
    kind = _KINDS.get(word)
    if kind is None:
        problems.error(
            first.number, first.column("kind"), "kind_unknown",
            f"The kind “{word[:40]}” is not known. Write goods, digital or secondhand.",
        )  # fmt: skip
    return kind


def _attributes(first: Cells) -> dict[str, str]:
    found = {
        field.removeprefix("attr:"): clean_text(first.get(field))[:500]
        for field in first.fields("attr:")
    }
    return {name: value for name, value in list(found.items())[:MAX_ATTRIBUTES] if value}


def _pieces(text: str) -> list[str]:
    """Parts of a cell with several entries: one per line, or divided by a bar."""
    return [part.strip() for part in text.replace("\n", "|").split("|")]


def _images(rows: list[Cells], problems: Problems) -> Images:
    images = Images()
    for cells in rows:
        alts = _pieces(cells.get("image_alts"))
        for place, address in enumerate(_pieces(cells.get("images"))):
            images.add(
                address, alt=alts[place] if place < len(alts) else "", position="",
                row=cells.number, column=cells.column("images"), problems=problems,
            )  # fmt: skip
    return images


def _files(rows: list[Cells]) -> list[FileRef]:
    sources = [part for cells in rows for part in _pieces(cells.get("files")) if part]
    return [
        FileRef(source.rsplit("/", 1)[-1][:200] or "File", source[:2_000])
        for source in dict.fromkeys(sources)
    ][:20]


def _unnamed(cells: Cells, number: int) -> str:
    """An option whose name no cell says: that of a column which the seller mapped, such as Size."""
    field = f"option{number}_value"
    header = plain_text(cells.column(field))[:MAX_OPTION_NAME].strip()
    own = not header or normalised(header) == normalised(field)
    return f"Option {number}" if own else header


def _variant(
    cells: Cells, first: Cells, state: FileState, problems: Problems
) -> VariantDraft | None:
    currency = cells.get("currency").upper()
    if currency and currency != state.currency:
        problems.error(
            cells.number, cells.column("currency"), "price_currency",
            f"The row is in {currency[:8]}, but this shop sells in {state.currency}. "
            f"Convert the prices to {state.currency} first.",
        )  # fmt: skip
        return None
    price = read_price(cells, "price", state, problems)
    stock, stock_ok = read_stock(cells, "stock", problems)
    if price is None or not stock_ok:
        return None
    sku = claim_sku(cells, "sku", state, problems)
    if sku is None:
        return None
    options: dict[str, str] = {}
    for number in (1, 2, 3):
        value = plain_text(cells.get(f"option{number}_value"))[:MAX_OPTION_VALUE].strip()
        name = cells.get(f"option{number}_name") or first.get(f"option{number}_name")
        if value:
            options[plain_text(name)[:MAX_OPTION_NAME].strip() or _unnamed(cells, number)] = value
    return VariantDraft(
        sku=sku,
        options=options,
        price=price,
        compare_at=read_compare_at(cells, "compare_at_price", price, state, problems),
        stock=stock,
        weight_g=read_weight(cells, "weight", problems) or None,
        row=cells.number,
    )
