"""Souk's own JSON Lines: one product per line. docs/import-formats.md describes the members."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import BinaryIO, Literal

import msgspec

from souk.contexts.listings.importing.building import (
    MAX_ATTRIBUTES,
    MAX_NAME,
    MAX_OPTION_NAME,
    MAX_OPTION_VALUE,
    MAX_OPTIONS,
    MAX_TAG,
    MAX_TAGS,
    MAX_TITLE,
    SKU,
    FileState,
    Images,
    distinct_variants,
    finish,
)
from souk.contexts.listings.importing.drafts import (
    FileRef,
    Kind,
    Problems,
    ProductDraft,
    ProductRecord,
    VariantDraft,
)
from souk.contexts.listings.importing.prices import PriceError, parse_price, price_of_number
from souk.contexts.listings.importing.quantities import (
    MAX_STOCK,
    MAX_WEIGHT_G,
)
from souk.contexts.listings.importing.source import Encoding, read_lines, read_text
from souk.contexts.listings.importing.table import MAX_FIELD
from souk.contexts.listings.importing.text import clean_text, description_html, plain_text
from souk.kernel.money import Money


class _Image(msgspec.Struct):
    source: str
    alt: str = ""


class _File(msgspec.Struct):
    source: str
    name: str = ""


class _Variant(msgspec.Struct):
    price: str | int | float | None = None
    compare_at: str | int | float | None = None
    currency: str = ""
    sku: str = ""
    options: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    stock: int | None = None
    weight_g: int | None = None


class _Product(msgspec.Struct):
    title: str
    external_id: str = ""
    description: str = ""
    kind: Kind = Kind.GOODS
    category: list[str] = msgspec.field(default_factory=list[str])
    brand: str = ""
    tags: list[str] = msgspec.field(default_factory=list[str])
    attributes: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    variants: list[_Variant] = msgspec.field(default_factory=list[_Variant])
    images: list[_Image] = msgspec.field(default_factory=list[_Image])
    files: list[_File] = msgspec.field(default_factory=list[_File])
    seo_title: str = ""
    seo_description: str = ""
    publish: bool = False
    condition: Literal["new", "like_new", "good", "fair", "poor"] | None = None


def read_jsonl(stream: BinaryIO, encoding: Encoding, state: FileState) -> Iterator[ProductRecord]:
    """One record per line that is not empty; `row` is the line. Never raises for content."""
    decoder = msgspec.json.Decoder(_Product, strict=True)
    seen: dict[int, int] = {}
    for number, (line, cut) in enumerate(read_lines(read_text(stream, encoding)), 1):
        text = line.strip().lstrip("\ufeff")
        if not text:
            continue
        problems = Problems()
        product = None if cut else _decode(decoder, text, number, problems)
        if cut:
            problems.error(
                number, "", "line_too_long", "This line is longer than 8 MB. Shorten its texts."
            )
        draft = _draft(product, number, state, problems) if product is not None else None
        key = _key(product) if product is not None else ""
        if draft is not None and (first := seen.setdefault(hash(key), number)) != number:
            problems.error(
                number, "external_id", "product_duplicate",
                f"The product “{key[:80]}” is already in line {first}. Remove one of the two.",
            )  # fmt: skip
            draft = None
        yield ProductRecord(
            external_id=key,
            title=clean_text(product.title)[:MAX_TITLE] if product else "",
            rows=[number],
            draft=draft,
            problems=problems.found,
        )


def _decode(
    decoder: msgspec.json.Decoder[_Product], text: str, number: int, problems: Problems
) -> _Product | None:
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as error:
        reason = str(error).replace("`", "“", 1).replace("`", "”", 1)
        problems.error(
            number, "", "member_wrong", f"This line does not describe a product: {reason[:200]}."
        )
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        problems.error(
            number, "", "json_broken",
            "This line is not JSON. Write one product as one JSON object on one line.",
        )  # fmt: skip
    return None


def _key(product: _Product) -> str:
    sku = product.variants[0].sku if product.variants else ""
    for text in (product.external_id, sku, product.title):
        key = clean_text(text).casefold()[:MAX_NAME]
        if key:
            return key
    return ""


def _draft(
    product: _Product, number: int, state: FileState, problems: Problems
) -> ProductDraft | None:
    title = plain_text(product.title)
    if not title or len(title) > MAX_TITLE:
        problems.error(
            number, "title", "title_missing" if not title else "title_too_long",
            f"The title is empty or longer than {MAX_TITLE} characters. Write a shorter one.",
        )  # fmt: skip
        return None
    if len(product.description) > MAX_FIELD:
        problems.error(
            number, "description", "field_too_large",
            "The description is larger than 1 MB. Shorten it.",
        )  # fmt: skip
        return None
    images = Images()
    for image in product.images:
        images.add(
            image.source, alt=image.alt, position="", row=number, column="images",
            problems=problems,
        )  # fmt: skip
    variants = [
        made
        for variant in product.variants
        if (made := _variant(variant, number, state, problems)) is not None
    ]
    draft = ProductDraft(
        external_id=_key(product),
        title=title,
        description_html=description_html(product.description),
        kind=product.kind,
        category_path=[clean_text(name)[:MAX_NAME] for name in product.category[:8]],
        brand=clean_text(product.brand)[:MAX_NAME],
        tags=[tag[:MAX_TAG].strip() for raw in product.tags if (tag := clean_text(raw))][:MAX_TAGS],
        attributes={
            clean_text(name)[:60]: clean_text(value)[:500]
            for name, value in list(product.attributes.items())[:MAX_ATTRIBUTES]
        },
        variants=distinct_variants(variants, problems, column="variants"),
        images=images.ordered(),
        files=[FileRef(file.name[:200] or "File", file.source[:2_000]) for file in product.files],
        seo_title=plain_text(product.seo_title)[:300],
        seo_description=plain_text(product.seo_description)[:1_000],
        publish=product.publish,
        condition=_condition(product),
        rows=[number],
    )
    return finish(draft, problems, row=number)


def _condition(product: _Product) -> str:
    return product.condition or "" if product.kind is Kind.SECONDHAND else ""


def _variant(
    variant: _Variant, number: int, state: FileState, problems: Problems
) -> VariantDraft | None:
    price = _price(variant, variant.price, number, state, problems)
    if price is None:
        return None
    out_of_range = (
        variant.stock is not None and not 0 <= variant.stock <= MAX_STOCK,
        variant.weight_g is not None and not 0 <= variant.weight_g <= MAX_WEIGHT_G,
    )
    if any(out_of_range):
        problems.error(
            number, "stock" if out_of_range[0] else "weight_g", "number_out_of_range",
            f"Stock goes from 0 to {MAX_STOCK} and weight from 0 to {MAX_WEIGHT_G} grams.",
        )  # fmt: skip
        return None
    sku = clean_text(variant.sku)
    if sku and not SKU.fullmatch(sku):
        problems.error(
            number, "sku", "sku_unusable",
            f"The SKU “{sku[:80]}” cannot be used. Write up to 64 letters, digits and . _ / -",
        )  # fmt: skip
        return None
    if (holder := state.claim_sku(sku, row=number)) is not None:
        problems.error(
            number, "sku", "sku_duplicate",
            f"The SKU “{sku}” is already used in line {holder}. Give every variant its own.",
        )  # fmt: skip
        return None
    compare_at = None
    if variant.compare_at is not None:
        compare_at = _price(variant, variant.compare_at, number, state, problems)
    return VariantDraft(
        sku=sku,
        options={
            clean_text(name)[:MAX_OPTION_NAME].strip(): clean_text(value)[:MAX_OPTION_VALUE].strip()
            for name, value in list(variant.options.items())[:MAX_OPTIONS]
            if clean_text(name) and clean_text(value)
        },
        price=price,
        compare_at=compare_at if compare_at is not None and compare_at > price else None,
        stock=variant.stock,
        weight_g=variant.weight_g,
        row=number,
    )


def _price(
    variant: _Variant,
    value: str | float | None,
    number: int,
    state: FileState,
    problems: Problems,
) -> Money | None:
    if value is None or value == "":
        problems.error(number, "price", "price_missing", "There is no price. Write one.")
        return None
    if variant.currency and variant.currency.upper() != state.currency:
        problems.error(
            number, "currency", "price_currency",
            f"The price is in {variant.currency[:8]}, but this shop sells in {state.currency}.",
        )  # fmt: skip
        return None
    try:
        if isinstance(value, str):
            parsed = parse_price(value, currency=state.currency)
        else:
            # The shortest text of a float is what the file says: 12.1, not 12.0999999.
            parsed = price_of_number(Decimal(str(value)), currency=state.currency)
    except PriceError as problem:
        problems.error(number, "price", problem.code, problem.message)
        return None
    if parsed.warning:
        problems.warn(number, "price", "price_notation", parsed.warning)
    return parsed.money
