"""Listings as Souk's own product CSV, which the import takes back unchanged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from souk.contexts.catalog import api as catalog
from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.contexts.listings.api import importing
from souk.kernel.money import Money
from souk.platform.database import ReadConn
from souk.platform.http.csv import Ready


class Head(msgspec.Struct, frozen=True):
    """What stands at the head of an export: its columns, and the attributes' names by code."""

    columns: list[str]
    names: dict[str, str]

    def cells(self, row: Mapping[str, str]) -> list[object]:
        """A row of `rows_of` in the order of the columns."""
        return [Ready(row.get(column, "")) for column in self.columns]


async def head_of(conn: ReadConn, seller_id: UUID) -> Head:
    """The columns that any listing of the seller needs."""
    codes = await listings.attribute_codes(conn, seller_id)
    names = _names(await catalog.tree(conn))
    called = dict.fromkeys(names.get(code, code) for code in codes)
    return Head(importing.own_columns(list(called)), names)


def _names(tree: catalog.Tree) -> dict[str, str]:
    """What each attribute is called, by its code."""
    return {
        each.attribute.code: each.attribute.name
        for category_id in tree.by_id
        for each in tree.attributes_for(category_id)
    }


async def rows_of(
    conn: ReadConn,
    rows: Sequence[listings.Listing],
    *,
    base_url: str,
    names: Mapping[str, str],
) -> list[dict[str, str]]:
    """The listings with categories, stock and pictures, one row per variant, by column."""
    tree = await catalog.tree(conn)
    ids = [variant.id for listing in rows for variant in listing.variants]
    stock = await inventory.availability(conn, ids)
    return [
        row
        for listing in rows
        for row in importing.own_rows(_draft(listing, tree, stock, base_url, names))
    ]


def _draft(
    listing: listings.Listing,
    tree: catalog.Tree,
    stock: Mapping[UUID, inventory.Availability],
    base_url: str,
    names: Mapping[str, str],
) -> importing.ProductDraft:
    path: list[str] = []
    if listing.category_id is not None and listing.category_id in tree.by_id:
        path = [category.name for category in tree.ancestors(listing.category_id)]
    return importing.ProductDraft(
        external_id=listing.slug,
        title=listing.title,
        description_html=listing.description_html,
        kind=listing.kind,
        category_path=path,
        tags=listing.tags,
        attributes={
            names.get(code, code): _text(value) for code, value in listing.attributes.items()
        },
        variants=[_variant(variant, listing.currency, stock) for variant in listing.variants],
        images=[
            importing.ImageRef(f"{base_url}/media/{image.key}/full.webp", image.alt, n)
            for n, image in enumerate(listing.images, 1)
        ],
        seo_title=listing.seo_title,
        seo_description=listing.seo_description,
        publish=listing.visible,
        condition=listing.condition or "",
    )


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "|".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType]
    return str(value)


def _variant(
    variant: listings.Variant, currency: str, stock: Mapping[UUID, inventory.Availability]
) -> importing.VariantDraft:
    level = stock.get(variant.id)
    former = variant.compare_at
    return importing.VariantDraft(
        sku=variant.sku,
        options=variant.options,
        price=Money(variant.price, currency),
        compare_at=None if former is None else Money(former, currency),
        stock=level.on_hand if level is not None and level.tracked else None,
        weight_g=variant.weight_g,
    )
