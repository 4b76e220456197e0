"""Shopify's product CSV, with the column names before and since 2024.

Source: https://help.shopify.com/en/manual/products/import-export/using-csv. The first row of a
handle describes the product; further rows add a variant, a picture, or both.
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
from souk.contexts.listings.importing.columns import Cells
from souk.contexts.listings.importing.drafts import Kind, Problems, ProductDraft, VariantDraft
from souk.contexts.listings.importing.quantities import parse_flag
from souk.contexts.listings.importing.text import clean_text, description_html, plain_text

_ALIASES = {
    "handle": "handle", "url handle": "handle",
    "title": "title",
    "body (html)": "description", "body html": "description", "description": "description",
    "vendor": "brand",
    "product category": "category", "standardized product type": "category", "type": "type",
    "custom product type": "type", "product type": "type",
    "tags": "tags",
    "published": "published", "published on online store": "published", "status": "status",
    "variant sku": "sku", "sku": "sku",
    "variant grams": "grams", "weight value (grams)": "grams",
    "variant inventory qty": "stock", "inventory quantity": "stock",
    "variant price": "price", "price": "price",
    "variant compare at price": "compare_at", "compare-at price": "compare_at",
    "compare at price": "compare_at",
    "variant requires shipping": "ships", "requires shipping": "ships",
    "image src": "image", "product image url": "image", "image position": "image_position",
    "image alt text": "image_alt", "variant image": "variant_image",
    "variant image url": "variant_image",
    "gift card": "gift_card", "seo title": "seo_title", "seo description": "seo_description",
    "google shopping / condition": "condition",
    "google shopping / gender": "attr:Gender",
    "google shopping / age group": "attr:Age group",
    **{f"option{n} {part}": f"option{n}_{part}" for n in (1, 2, 3) for part in ("name", "value")},
}  # fmt: skip
_IGNORED = re.compile(
    r"^(?:(?:variant )?(?:inventory (?:tracker|policy)|fulfillment service|taxable|barcodes?"
    r"|weight unit|tax code|weight unit for display)|charge tax|cost per item"
    r"|continue selling when out of stock|option[123] linked to|google shopping / .*"
    r"|unit price .*|(?:price|compare[- ]at price|included|published) / .*|collection"
    r"|packed product .*|template suffix|id|product id|published scope|variant id)$"
)
_METAFIELD = re.compile(r"^(.{1,60}?) ?\((?:product\.)?metafields?\.", re.IGNORECASE)


class Shopify:
    """Reads one handle's rows into one draft."""

    name = "shopify"
    aliases: Mapping[str, str] = _ALIASES

    def recognises(self, headers: set[str]) -> bool:
        shopify_only = {"body (html)", "variant price", "variant sku", "url handle", "image src",
                        "product image url", "option1 value"}  # fmt: skip
        return bool(headers & {"handle", "url handle"}) and len(headers & shopify_only) >= 1

    def dynamic(self, key: str, written: str) -> str | None:
        match = _METAFIELD.match(written)
        return f"attr:{match.group(1).strip()}" if match else None

    def ignored(self, key: str) -> bool:
        return _IGNORED.match(key) is not None

    def keys(self, cells: Cells, *, previous: list[str]) -> list[str]:
        handle = clean_text(cells.get("handle")).casefold()
        if handle:
            return [handle]
        title = clean_text(cells.get("title")).casefold()
        return [re.sub(r"\W+", "-", title).strip("-") or title] if title else previous

    def product(
        self, rows: list[Cells], state: FileState, problems: Problems
    ) -> ProductDraft | None:
        first = next((cells for cells in rows if cells.get("title")), rows[0])
        if parse_flag(first.get("gift_card")):
            problems.error(
                first.number, first.column("gift_card"), "gift_card",
                "Gift cards cannot be imported. Remove this product from the file.",
            )  # fmt: skip
            return None
        title = read_title(first, problems)
        images = _images(rows, problems)
        variants = _variants(rows, first, state, problems)
        key = self.keys(rows[0], previous=[""])[0]
        condition = read_condition(first, "condition", problems)
        kind = _kind(first, condition, problems)
        draft = ProductDraft(
            external_id=key[:MAX_NAME],
            title=title,
            description_html=description_html(first.get("description")),
            kind=kind,
            category_path=category_path(first.get("category")) or category_path(first.get("type")),
            brand=clean_text(first.get("brand"))[:MAX_NAME],
            tags=read_tags(first, "tags", problems),
            attributes=_attributes(first),
            variants=variants,
            images=images.ordered(),
            seo_title=plain_text(first.get("seo_title"))[:300],
            seo_description=plain_text(first.get("seo_description"))[:1_000],
            publish=_publish(first),
            condition=condition if kind is Kind.SECONDHAND else "",
            rows=[cells.number for cells in rows],
        )
        return finish(draft, problems, row=first.number)


def _publish(first: Cells) -> bool:
    """Live in the shop that exported it: both columns count, and a missing one means yes."""
    status = first.get("status").casefold()
    return status in {"", "active"} and parse_flag(first.get("published")) is not False


def _kind(first: Cells, condition: str, problems: Problems) -> Kind:
    if parse_flag(first.get("ships")) is False:
        problems.warn(
            first.number, first.column("ships"), "digital_without_file",
            "The product is not shipped, so it becomes a digital one. Upload its file before you "
            "publish it.",
        )  # fmt: skip
        return Kind.DIGITAL
    return Kind.SECONDHAND if condition not in {"", "new"} else Kind.GOODS


def _attributes(first: Cells) -> dict[str, str]:
    found = {
        name.removeprefix("attr:"): clean_text(first.get(name).replace("; ", ", "))[:500]
        for name in first.fields("attr:")
    }
    return {name: value for name, value in list(found.items())[:MAX_ATTRIBUTES] if value}


def _images(rows: list[Cells], problems: Problems) -> Images:
    images = Images()
    for field in ("image", "variant_image"):
        for cells in rows:
            images.add(
                cells.get(field),
                alt=cells.get("image_alt") if field == "image" else "",
                position=cells.get("image_position") if field == "image" else "",
                row=cells.number,
                column=cells.column(field),
                problems=problems,
            )
    return images


def _variants(
    rows: list[Cells], first: Cells, state: FileState, problems: Problems
) -> list[VariantDraft]:
    found: list[VariantDraft] = []
    for cells in rows:
        if cells is not first and not any(
            cells.get(field) for field in ("option1_value", "sku", "price")
        ):
            if not (cells.get("image") or cells.get("variant_image")):
                problems.warn(
                    cells.number, "", "row_empty",
                    "This row adds neither a variant nor a picture; nothing was read from it.",
                )  # fmt: skip
            continue
        variant = _variant(cells, first, state, problems)
        if variant is not None:
            found.append(variant)
    return distinct_variants(found, problems, column=first.column("option1_value"))


def _variant(
    cells: Cells, first: Cells, state: FileState, problems: Problems
) -> VariantDraft | None:
    price = read_price(cells, "price", state, problems)
    stock, stock_ok = read_stock(cells, "stock", problems)
    if price is None or not stock_ok:
        return None
    sku = claim_sku(cells, "sku", state, problems)
    if sku is None:
        return None
    return VariantDraft(
        sku=sku,
        options=_options(cells, first),
        price=price,
        compare_at=read_compare_at(cells, "compare_at", price, state, problems),
        stock=stock,
        weight_g=read_weight(cells, "grams", problems) or None,
        row=cells.number,
    )


def _options(cells: Cells, first: Cells) -> dict[str, str]:
    """Option names stand in the product's first row only; `Default Title` means no options."""
    options: dict[str, str] = {}
    for number in (1, 2, 3):
        value = plain_text(cells.get(f"option{number}_value"))[:MAX_OPTION_VALUE].strip()
        name = plain_text(first.get(f"option{number}_name"))[:MAX_OPTION_NAME].strip()
        if value and value.casefold() != "default title":
            options[name or f"Option {number}"] = value
    return options
