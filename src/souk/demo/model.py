"""What the demo marketplace consists of, before any of it is stored."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import msgspec

from souk.contexts.listings.importing.drafts import ProductDraft

AttributeValue: TypeAlias = str | int | bool | list[str]


class AttributeSpec(msgspec.Struct, frozen=True):
    """A typed attribute of a category: `type` is text, number, choice, multi_choice or boolean."""

    code: str
    name: str
    type: str
    options: list[str] = []
    unit: str = ""
    required: bool = False


class CategorySpec(msgspec.Struct, frozen=True):
    """A node of the tree; parents come before their children."""

    slug: str
    name: str
    parent: str | None = None
    description: str = ""
    attributes: list[AttributeSpec] = []


class SpeciesSpec(msgspec.Struct, frozen=True):
    """A plant species with what the sources say about growing it.

    Zones are USDA hardiness zones; heights are centimetres at maturity, 0 for unknown. `source`
    names the data set.
    """

    scientific_name: str
    common_names: list[str]
    family: str
    plant_type: str
    zone_min: int
    zone_max: int
    water: str = ""
    light: list[str] = []
    bloom: list[str] = []
    flower_colours: list[str] = []
    height_min_cm: int = 0
    height_max_cm: int = 0
    soil: list[str] = []
    wildlife: list[str] = []
    notes: str = ""
    source: str = ""


class PhotoSpec(msgspec.Struct, frozen=True):
    """A picture: a real photograph among the data files, or a drawing as SVG.

    Photographs are to be credited where they are shown. Exactly one of `path` and `svg` is set.
    """

    name: str
    alt: str
    path: Path | None = None
    svg: str = ""
    author: str = ""
    licence: str = ""
    source: str = ""


class DigitalFile(msgspec.Struct, frozen=True):
    """A file to be sold, with its bytes."""

    name: str
    media_type: str
    content: bytes


class SellerSpec(msgspec.Struct, frozen=True):
    """A shop, or a private person who sells a few things."""

    slug: str
    name: str
    owner: str
    email: str
    country: str
    city: str
    postal_code: str
    street: str
    region: str
    bio: str
    shipping_policy: str
    return_policy: str
    private: bool = False


class BuyerSpec(msgspec.Struct, frozen=True):
    """A customer with an address that is valid in its country. Mail goes nowhere: example.com."""

    name: str
    email: str
    country: str
    city: str
    postal_code: str
    street: str
    region: str


class ListingSpec(msgspec.Struct, frozen=True):
    """One listing: the draft, where it belongs, and what a product file cannot carry.

    `attributes` are keyed by attribute code and typed as the category wants them; `species` is a
    scientific name. `location` and `note` are for second-hand goods.
    """

    draft: ProductDraft
    category: str
    seller: str
    photos: list[PhotoSpec] = []
    attributes: dict[str, AttributeValue] = {}
    species: str = ""
    files: list[DigitalFile] = []
    licence_keys: bool = False
    location: str = ""
    note: str = ""


class Demo(msgspec.Struct, frozen=True):
    """The whole demo marketplace."""

    categories: list[CategorySpec]
    species: list[SpeciesSpec]
    sellers: list[SellerSpec]
    buyers: list[BuyerSpec]
    listings: list[ListingSpec]
