"""Goods of the demo shops: the eShop, Spree, Saleor and Packt catalogues.

Spree's prices are in euros; the figures of the others, in dollars, are taken as euros.
"""

from __future__ import annotations

import csv
import random
import re
from decimal import Decimal

import msgspec

from souk.contexts.listings.importing.drafts import (
    ImageRef,
    ProductDraft,
    VariantDraft,
)
from souk.contexts.listings.importing.quantities import parse_weight
from souk.contexts.listings.importing.reader import open_products
from souk.contexts.listings.importing.text import description_html
from souk.demo.model import AttributeValue, ListingSpec, PhotoSpec
from souk.demo.plants import DATA
from souk.demo.taxonomy import ESHOP, slug_of
from souk.kernel.money import Money, round_half_even

CURRENCY = "EUR"
_FIRST_NUMBER = re.compile(r"\d+")
_COLOURS = re.compile(
    r"\b(black|blue|navy|green|red|orange|yellow|white|grey|gray|silver|purple|brown|pink|teal|"
    r"beige|gold|turquoise)\b",
    re.IGNORECASE,
)
_VELO = {"cycling", "bags", "footwear", "navigation"}
_SHOE_SIZES = ("39", "40", "41", "42", "43", "44")
_APPAREL_SIZES = ("S", "M", "L", "XL")


def euros(amount: str | float | Decimal) -> Money:
    """An amount in euros from a plain decimal."""
    return Money(round_half_even(Decimal(str(amount)) * 100), CURRENCY)


class _EshopItem(msgspec.Struct, rename="pascal"):
    id: int
    type: str
    brand: str
    name: str
    description: str
    price: Decimal


def eshop(rng: random.Random) -> list[ListingSpec]:
    """The 101 outdoor products with their photographs, shared by two shops."""
    items = msgspec.json.decode((DATA / "eshop/catalog.json").read_bytes(), type=list[_EshopItem])
    return [_eshop_listing(item, rng) for item in items]


def _eshop_listing(item: _EshopItem, rng: random.Random) -> ListingSpec:
    category = ESHOP[item.type]
    code = f"{item.brand[:3].upper().replace('&', '')}-{item.id:03}"
    price = euros(item.price)
    compare_at = price.share(12_000) if item.id % 9 == 0 else None
    weight = {"footwear": 1100, "bags": 900, "jackets": 700, "ski-and-board": 2600}.get(
        category, 450
    )
    sizes: dict[str, tuple[str, ...]] = {
        "footwear": _SHOE_SIZES, "jackets": _APPAREL_SIZES,
    }  # fmt: skip
    variants = [
        VariantDraft(
            f"{code}-{size}" if size else code,
            {"Size": size} if size else {},
            price,
            compare_at,
            rng.randrange(2, 40),
            weight,
        )
        for size in sizes.get(category, ("",))
    ]
    colour = _COLOURS.search(f"{item.name} {item.description}")
    attributes: dict[str, AttributeValue] = {"brand": item.brand}
    if colour:
        attributes["colour"] = colour.group(1).casefold().replace("gray", "grey")
    image = DATA / f"eshop/images/{item.id}.webp"
    draft = ProductDraft(
        external_id=f"eshop-{item.id}",
        title=item.name,
        description_html=description_html(item.description),
        category_path=["Outdoor", item.type],
        brand=item.brand,
        tags=[item.type.casefold(), item.brand.casefold()],
        variants=variants,
        images=[ImageRef(image.name, item.name, 1)],
        publish=True,
    )
    photo = PhotoSpec(
        image.name, item.name, image, author=".NET Foundation", licence="MIT",
        source="https://github.com/dotnet/eShop",
    )  # fmt: skip
    seller = "velo-republic" if category in _VELO else "alpenglow"
    return ListingSpec(draft, category, seller, [photo], attributes)


def spree() -> list[ListingSpec]:
    """Appliances with a colour and a price per variant; the parent rows carry the text."""
    with (DATA / "spree/products.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    families: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        families.setdefault(row["slug"], []).append(row)
    return [_spree_listing(slug, family) for slug, family in families.items()]


def _spree_listing(slug: str, family: list[dict[str, str]]) -> ListingSpec:
    parent = next(row for row in family if row["name"])
    # Each colour has a row in dollars and one in euros.
    priced: dict[str, dict[str, str]] = {}
    for row in sorted(family, key=lambda row: row["currency"] != CURRENCY):
        if Decimal(row["price"] or "0") > 0 and row["option1_value"]:
            priced.setdefault(row["option1_value"], row)
    area, _, name = parent["category1"].partition(" -> ")
    seller = "casa-moderna" if area == "Kitchen" else "klarluft"
    variants = [
        VariantDraft(
            row["sku"][:60],
            {"Color": colour},
            euros(row["price"]),
            None,
            12 + 3 * place,
            parse_weight(row["weight"], unit=row["weight_unit"] or "lb"),
        )
        for place, (colour, row) in enumerate(priced.items())
    ]
    draft = ProductDraft(
        external_id=f"spree-{slug}",
        title=parent["name"],
        description_html=description_html(parent["description"]),
        category_path=[area, name],
        tags=[tag.strip() for tag in parent["tags"].split(",") if tag.strip()],
        variants=variants,
        publish=True,
    )
    return ListingSpec(draft, slug_of(name), seller, attributes=_spree_attributes(parent))


def _spree_attributes(parent: dict[str, str]) -> dict[str, AttributeValue]:
    found: dict[str, AttributeValue] = {}
    for code in ("wattage", "warranty", "runtime"):
        number = _FIRST_NUMBER.search(parent[f"custom_field.custom.{code}"])
        if number:
            found[code] = int(number.group())
    texts = {
        "voltage": "voltage", "capacity": "capacity", "coverage": "room_coverage",
        "connectivity": "connectivity",
    }  # fmt: skip
    for code, column in texts.items():
        if parent[f"custom_field.custom.{column}"]:
            found[code] = parent[f"custom_field.custom.{column}"]
    return found


class _Fixture(msgspec.Struct):
    model: str
    pk: int | str
    fields: msgspec.Raw


class _Category(msgspec.Struct):
    name: str


class _Product(msgspec.Struct):
    name: str
    slug: str
    description_plaintext: str
    category: int
    seo_title: str = ""


class _Variant(msgspec.Struct):
    name: str
    product: int
    sku: str | None = None


class _Price(msgspec.Struct):
    variant: int
    currency: str
    price_amount: Decimal | None


class _Assigned(msgspec.Struct):
    value: int
    product: int


class _Value(msgspec.Struct):
    name: str
    attribute: int


class SaleorCatalogue(msgspec.Struct, frozen=True):
    """The parts of Saleor's fixture that a shop needs, joined."""

    products: dict[int, _Product]
    categories: dict[int, _Category]
    variants: dict[int, list[tuple[int, _Variant]]]
    prices: dict[int, Decimal]
    values: dict[int, list[_Value]]


def saleor_catalogue() -> SaleorCatalogue:
    """Read the fixture; prices are those of the dollar channel."""
    rows = msgspec.json.decode(
        (DATA / "saleor/populatedb_data.json").read_bytes(), type=list[_Fixture]
    )

    def of(model: str) -> list[tuple[int, msgspec.Raw]]:
        return [(int(row.pk), row.fields) for row in rows if row.model == model]

    variants: dict[int, list[tuple[int, _Variant]]] = {}
    for pk, raw in of("product.productvariant"):
        variant = msgspec.json.decode(raw, type=_Variant)
        variants.setdefault(variant.product, []).append((pk, variant))
    prices: dict[int, Decimal] = {}
    for _, raw in of("product.productvariantchannellisting"):
        price = msgspec.json.decode(raw, type=_Price)
        if price.currency == "USD" and price.price_amount is not None:
            prices[price.variant] = price.price_amount
    known = {
        pk: msgspec.json.decode(raw, type=_Value) for pk, raw in of("attribute.attributevalue")
    }
    values: dict[int, list[_Value]] = {}
    for _, raw in of("attribute.assignedproductattributevalue"):
        assigned = msgspec.json.decode(raw, type=_Assigned)
        values.setdefault(assigned.product, []).append(known[assigned.value])
    return SaleorCatalogue(
        {pk: msgspec.json.decode(raw, type=_Product) for pk, raw in of("product.product")},
        {pk: msgspec.json.decode(raw, type=_Category) for pk, raw in of("product.category")},
        variants, prices, values,
    )  # fmt: skip


_MATERIAL, _FLAVOUR = 36, 40
_NOT_GOODS = {"Audiobooks", "Gift cards"}
_SALEOR_TEXT = {
    "Grey Hoodie": "A hooded sweatshirt in mid grey with a kangaroo pocket and ribbed cuffs.",
    "Blue Hoodie": "A hooded sweatshirt in deep blue with a kangaroo pocket and ribbed cuffs.",
    "White Hoodie": "A hooded sweatshirt in white with a kangaroo pocket and ribbed cuffs.",
    "Pirate's Beanie": "A knitted beanie with a small skull at the brim. Stretches to fit most.",
    "Neck Warmer": "A knitted tube scarf without ends that come loose on a bicycle.",
    "DRY Sunglasses": "Sunglasses with black frames and a message for tidy programmers.",
    "Monokai Dimmed Sunnies": "Sunglasses in the colours of a well-known editor theme.",
}


def saleor(rng: random.Random) -> list[ListingSpec]:
    """Apparel, homewares and juices; audiobooks and gift cards are not goods."""
    catalogue = saleor_catalogue()
    return [
        _saleor_listing(pk, product, catalogue, rng)
        for pk, product in catalogue.products.items()
        if catalogue.categories[product.category].name not in _NOT_GOODS
    ]


def _saleor_listing(
    pk: int, product: _Product, catalogue: SaleorCatalogue, rng: random.Random
) -> ListingSpec:
    category = catalogue.categories[product.category].name
    option = "EU size" if category == "Sneakers" else "Size"
    variants: list[VariantDraft] = []
    for variant_pk, variant in catalogue.variants[pk]:
        sized = variant.sku is not None
        variants.append(
            VariantDraft(
                sku=variant.sku or f"SAL-{variant_pk}",
                options={option: variant.name} if sized else {},
                price=euros(catalogue.prices[variant_pk]),
                stock=rng.randrange(0, 60),
                weight_g={"Sneakers": 900, "Juices": 780}.get(category, 320),
            )
        )
    attributes: dict[str, AttributeValue] = {}
    for value in catalogue.values.get(pk, []):
        if value.attribute == _MATERIAL:
            attributes["material"] = [value.name]
        elif value.attribute == _FLAVOUR:
            attributes["flavour"] = value.name
    if category == "Juices":
        attributes["volume"] = 700
    if category == "Homewares":
        attributes.pop("material", None)
    text = product.description_plaintext or _SALEOR_TEXT.get(product.name, product.name)
    draft = ProductDraft(
        external_id=f"saleor-{product.slug}",
        title=product.name,
        description_html=description_html(text),
        category_path=[category],
        tags=[category.casefold()],
        variants=variants,
        publish=True,
    )
    return ListingSpec(draft, slug_of(category), "loom-and-sole", attributes=attributes)


def packt() -> list[ListingSpec]:
    """The Shopify export, read by the importer itself; its filler texts are replaced."""
    with (DATA / "shopify/packt-products.csv").open("rb") as stream:
        drafts = [
            record.draft
            for record in open_products(stream, currency=CURRENCY).records()
            if record.draft is not None
        ]
    return [_packt_listing(draft) for draft in drafts]


def _packt_listing(draft: ProductDraft) -> ListingSpec:
    category = "indoor" if draft.category_path == ["Indoor"] else "garden"
    text = draft.description_html
    if "lorem ipsum" in text.casefold():
        made_of = " and ".join(tag.casefold() for tag in draft.tags)
        text = description_html(f"{draft.title}: {made_of}. Made for Casa y Huerto.")
    # Pictures of the export lie on a server that the demo must not depend on.
    return ListingSpec(
        msgspec.structs.replace(draft, description_html=text, images=[], publish=True),
        category,
        "casa-y-huerto",
    )
