"""A listing as search sees it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from souk.contexts.listings.api import SearchFields
from souk.contexts.search.api import SearchDocument

_CODE = re.compile(r"[a-z0-9_-]{1,80}")
IN_STOCK = "active"
Value = str | float | bool | list[str]


@dataclass(frozen=True, slots=True)
class SpeciesNames:
    """What a species is called."""

    scientific_name: str
    common_names: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class CatalogueNames:
    """The category paths, root first, and species names that a batch of listings refers to."""

    paths: Mapping[UUID, list[tuple[UUID, str]]]
    species: Mapping[UUID, SpeciesNames]


def compose(fields: SearchFields, names: CatalogueNames, *, language: str) -> SearchDocument:
    """The document of one listing. A category or species without names is left out."""
    path = [] if fields.category_id is None else names.paths.get(fields.category_id, [])
    species = None if fields.species_id is None else names.species.get(fields.species_id)
    attributes = {
        code: value
        for code, given in fields.attributes.items()
        if _CODE.fullmatch(code) and (value := _searchable(given)) is not None
    }
    brand = attributes.get("brand")
    return SearchDocument(
        listing_id=fields.listing_id,
        seller_id=fields.seller_id,
        seller_name=fields.seller_name,
        seller_slug=fields.seller_slug,
        title=fields.title,
        description_text=fields.description_text,
        category_ids=[one for one, _ in path],
        category_names=[name for _, name in path],
        kind=fields.kind,
        price=fields.price,
        currency=fields.currency,
        published_at=fields.published_at,
        in_stock=fields.state == IN_STOCK,
        rating=fields.rating_sum / fields.rating_count if fields.rating_count else None,
        rating_count=fields.rating_count,
        attributes=attributes,
        keywords=fields.tags,
        brand=brand if isinstance(brand, str) else None,
        scientific_name=None if species is None else species.scientific_name,
        common_names=[] if species is None else species.common_names,
        language=language,
    )


def _searchable(value: object) -> Value | None:
    """An attribute's value in a form that can be filtered by; None when it has none."""
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, list):
        texts = [one for one in value if isinstance(one, str)]
        return texts or None
    return None
