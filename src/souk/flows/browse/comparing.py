"""Listings side by side: what each says of the same thing, and where they differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, cast
from uuid import UUID

import msgspec

from souk.contexts.catalog import api as catalog
from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.kernel.ids import parse_uuid
from souk.platform.database import ReadConn
from souk.platform.http.wire import MoneyWire

FEWEST, MOST = 2, 4

Type = Literal["text", "number", "choice", "multi_choice", "boolean", "date", "care"]
Value = str | int | float | bool | list[str]

_OF_SPECIES = {"light", "water", "soil", "bloom", "zone", "wildlife"}
"""Attributes that the care of a species says too: shown once, as care."""


class ComparedListing(msgspec.Struct, frozen=True, kw_only=True):
    """One column. `available` is how many can be bought now over all kinds of it; null means that
    nobody counts them. `options` are what its kinds differ by."""

    id: UUID
    slug: str
    title: str
    kind: str
    seller: listings.SellerRef
    price: MoneyWire | None
    price_max: MoneyWire | None
    image: listings.ImageView | None
    rating: float | None
    rating_count: int
    condition: str | None
    in_stock: bool
    available: int | None
    options: dict[str, list[str]]


class ComparedRow(msgspec.Struct, frozen=True, kw_only=True):
    """One attribute; `values` are in the order of the listings, null where one says nothing.

    The type `care` is for what a plant's species needs, in the catalogue's own codes.
    """

    code: str
    label: str
    unit: str
    type: Type
    values: list[Value | None]
    differs: bool


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Listings in the order in which they were asked for; `left_out` names what is not for sale."""

    listings: list[ComparedListing]
    rows: list[ComparedRow]
    left_out: list[str]


async def compare(conn: ReadConn, keys: Sequence[str]) -> Comparison:
    """Visible listings by slug or id, each once. At most four statements for any number."""
    found = await listings.documents(conn, [parse_uuid(key) or key for key in keys])
    documents: dict[UUID, listings.ListingDocument] = {}
    left_out: list[str] = []
    for key in keys:
        document = found.get(parse_uuid(key) or key)
        if document is None:
            left_out.append(key)
        else:
            documents[document.id] = document
    if not documents:
        return Comparison(listings=[], rows=[], left_out=left_out)
    shown = list(documents.values())
    stock = await inventory.availability(conn, [v.id for each in shown for v in each.variants])
    tree = await catalog.tree(conn)
    wanted = [each.species_id for each in shown if each.species_id is not None]
    species = await catalog.species_by_ids(conn, wanted) if wanted else {}
    plants = [species.get(each.species_id) if each.species_id else None for each in shown]
    return Comparison(
        listings=[_column(each, stock) for each in shown],
        rows=[*_attributes(tree, shown, plants), *_care(plants)],
        left_out=left_out,
    )


def _column(
    document: listings.ListingDocument, stock: dict[UUID, inventory.Availability]
) -> ComparedListing:
    known = [stock[variant.id].left for variant in document.variants if variant.id in stock]
    counted = [left for left in known if left is not None]
    endless = document.kind == listings.Kind.DIGITAL or len(counted) < len(known)
    available = None if endless else sum(counted)
    options: dict[str, list[str]] = {}
    for variant in document.variants:
        for name, value in variant.options.items():
            values = options.setdefault(name, [])
            if value not in values:
                values.append(value)
    return ComparedListing(
        id=document.id,
        slug=document.slug,
        title=document.title,
        kind=document.kind,
        seller=document.seller,
        price=document.price,
        price_max=document.price_max,
        image=document.images[0] if document.images else None,
        rating=document.rating,
        rating_count=document.rating_count,
        condition=document.condition,
        in_stock=document.state == listings.State.ACTIVE and available != 0,
        available=available,
        options=options,
    )


def differ(values: Sequence[object]) -> bool:
    """Whether one of them says something else than the first, or nothing where it says something.

    The order of several values says nothing; a number is the same however it is written; yes is
    not the same as one.
    """
    return len({_alike(value) for value in values}) > 1


def _alike(value: object) -> tuple[bool, object]:
    if isinstance(value, list):
        return False, frozenset(cast("list[object]", value))
    return isinstance(value, bool), value


def _attributes(
    tree: catalog.Tree,
    shown: Sequence[listings.ListingDocument],
    plants: Sequence[catalog.SpeciesView | None],
) -> list[ComparedRow]:
    """The attributes of the listings' categories in their order, then what is left of older ones.

    What the species says is left out where each listing that says it has one.
    """
    known: dict[str, catalog.Attribute] = {}
    for document in shown:
        if document.category_id is not None and document.category_id in tree.by_id:
            for assignment in tree.attributes_for(document.category_id):
                known.setdefault(assignment.attribute.code, assignment.attribute)
    codes = dict.fromkeys([*known, *(code for each in shown for code in each.attributes)])
    rows: list[ComparedRow] = []
    for code in codes:
        values = [_value(each.attributes.get(code)) for each in shown]
        saying = [plant for plant, value in zip(plants, values, strict=True) if value is not None]
        if not saying or (code in _OF_SPECIES and None not in saying):
            continue
        attribute = known.get(code)
        rows.append(
            ComparedRow(
                code=code,
                label=attribute.name if attribute else code.replace("_", " ").capitalize(),
                unit=attribute.unit if attribute else "",
                type=attribute.type.value if attribute else "text",
                values=values,
                differs=differ(values),
            )
        )
    return rows


def _value(value: object) -> Value | None:
    """As it is stored; what says nothing is None."""
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, list):
        return [str(each) for each in cast("list[object]", value)] or None
    return str(value) if value else None


def _zones(plant: catalog.SpeciesView) -> Value | None:
    if not plant.zone_min or not plant.zone_max:
        return None
    return f"{plant.zone_min}–{plant.zone_max}"


def _height(plant: catalog.SpeciesView) -> Value | None:
    care = plant.care
    return f"{care.height_min_cm or 0}–{care.height_max_cm}" if care.height_max_cm else None


def _words(values: Sequence[str]) -> Value | None:
    return list(values) or None


_CARE: list[tuple[str, str, str, Callable[[catalog.SpeciesView], Value | None]]] = [
    ("care.species", "Botanical name", "", lambda s: s.scientific_name),
    ("care.family", "Family", "", lambda s: s.family or None),
    ("care.light", "Sun or shade", "", lambda s: _words(s.care.light)),
    ("care.water", "Water", "", lambda s: s.care.water),
    ("care.zones", "Hardy in zones", "", _zones),
    ("care.height", "Height", "cm", _height),
    ("care.soil", "Soil", "", lambda s: _words(s.care.soil)),
    ("care.bloom", "In bloom", "", lambda s: _words(s.care.bloom)),
    ("care.wildlife", "Good for", "", lambda s: _words(s.care.wildlife)),
]


def _care(plants: Sequence[catalog.SpeciesView | None]) -> list[ComparedRow]:
    rows: list[ComparedRow] = []
    for code, label, unit, read in _CARE:
        values = [None if plant is None else read(plant) for plant in plants]
        if any(value is not None for value in values):
            rows.append(
                ComparedRow(
                    code=code,
                    label=label,
                    unit=unit,
                    type="care",
                    values=values,
                    differs=differ(values),
                )
            )
    return rows
