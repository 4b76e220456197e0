"""Drafts as Souk's own CSV: what is exported can be imported again unchanged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from souk.contexts.listings.importing.drafts import ProductDraft, VariantDraft
from souk.contexts.listings.importing.own import COLUMNS
from souk.contexts.listings.importing.text import neutralise_formula


def own_columns(attributes: Sequence[str]) -> list[str]:
    """The head of such a file, for products with these attributes."""
    return [*COLUMNS, *(f"attr:{name}" for name in attributes)]


def own_rows(draft: ProductDraft) -> Iterator[dict[str, str]]:
    """A product as rows, one per variant, each cell by its column."""
    for place, variant in enumerate(draft.variants):
        row = _variant_row(draft, variant)
        if place == 0:
            row |= _product_row(draft)
            row |= {f"attr:{name}": value for name, value in draft.attributes.items()}
        yield {column: neutralise_formula(cell) for column, cell in row.items()}


def _product_row(draft: ProductDraft) -> dict[str, str]:
    return {
        "title": draft.title,
        "description": draft.description_html,
        "kind": draft.kind.value,
        "category": " > ".join(draft.category_path),
        "brand": draft.brand,
        "tags": "|".join(draft.tags),
        "condition": draft.condition,
        "images": "|".join(image.source for image in draft.images),
        "image_alts": "|".join(image.alt.replace("|", "/") for image in draft.images),
        "files": "|".join(file.source for file in draft.files),
        "seo_title": draft.seo_title,
        "seo_description": draft.seo_description,
        "publish": "yes" if draft.publish else "no",
    }


def _variant_row(draft: ProductDraft, variant: VariantDraft) -> dict[str, str]:
    row = {
        "external_id": draft.external_id,
        "sku": variant.sku,
        "stock": "" if variant.stock is None else str(variant.stock),
        "weight": "" if variant.weight_g is None else f"{variant.weight_g} g",
    }
    if variant.price is not None:
        row |= {"price": str(variant.price.decimal()), "currency": variant.price.currency}
    if variant.compare_at is not None:
        row["compare_at_price"] = str(variant.compare_at.decimal())
    for number, (name, value) in enumerate(variant.options.items(), 1):
        row |= {f"option{number}_name": name, f"option{number}_value": value}
    return row
