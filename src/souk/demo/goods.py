"""Puts the demo's categories, species and listings into a marketplace by the real commands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from souk.contexts.catalog import api as catalog
from souk.contexts.listings import api as listings
from souk.demo.model import AttributeSpec, Demo, DigitalFile, ListingSpec, SpeciesSpec
from souk.demo.pictures import read_picture
from souk.flows.publish_listing import flow as publishing
from souk.kernel.actor import Actor
from souk.platform.database import WriteTx
from souk.platform.services import Services

Report = Callable[[str, int, int | None], None]
_LANES = 4
_PLAIN_FACETS = {"brand", "colour"}


class Shop(msgspec.Struct, frozen=True):
    """An open shop: its account and somebody who may sell in its name."""

    seller_id: UUID
    actor: Actor


async def fill_goods(
    services: Services, demo: Demo, shops: Mapping[str, Shop], *, admin: Actor, report: Report
) -> dict[str, UUID]:
    """Create everything that is for sale; `shops` by the sellers' slugs.

    Returns the listings by external id. Listings of shops that are not trusted yet are approved by
    `admin`. To be run once, on a marketplace without these categories.
    """
    categories = await fill_categories(services, demo, admin=admin)
    species = await _species(services, demo.species, admin=admin, report=report)
    done: dict[str, UUID] = {}
    lanes = asyncio.Semaphore(_LANES)

    async def one(spec: ListingSpec) -> None:
        async with lanes:
            done[spec.draft.external_id] = await _listing(
                services, spec, shops[spec.seller], categories, species, admin=admin
            )
        report("Listings", len(done), len(demo.listings))

    async with asyncio.TaskGroup() as group:
        for spec in demo.listings:
            group.create_task(one(spec))
    return done


async def fill_categories(services: Services, demo: Demo, *, admin: Actor) -> dict[str, UUID]:
    """The tree with its typed attributes; returns category ids by slug."""

    async def fill(tx: WriteTx) -> dict[str, UUID]:
        ids: dict[str, UUID] = {}
        attributes: dict[str, UUID] = {}
        for spec in demo.categories:
            made = await catalog.create_category(
                tx,
                admin,
                name=spec.name,
                slug=spec.slug,
                parent_id=ids[spec.parent] if spec.parent else None,
                description=spec.description,
            )
            ids[spec.slug] = made.id
            for position, attribute in enumerate(spec.attributes):
                if attribute.code not in attributes:
                    attributes[attribute.code] = await _attribute(tx, attribute, admin=admin)
                await catalog.assign_attribute(
                    tx,
                    admin,
                    category_id=made.id,
                    attribute_id=attributes[attribute.code],
                    required=attribute.required,
                    facet=attribute.type != "text" or attribute.code in _PLAIN_FACETS,
                    position=position,
                )
        return ids

    return await services.db.transact(fill)


async def _attribute(tx: WriteTx, spec: AttributeSpec, *, admin: Actor) -> UUID:
    made = await catalog.create_attribute(
        tx,
        admin,
        code=spec.code,
        name=spec.name,
        type=catalog.AttributeType(spec.type),
        unit=spec.unit,
        choices=spec.options,
    )
    return made.id


async def _species(
    services: Services, specs: list[SpeciesSpec], *, admin: Actor, report: Report
) -> dict[str, UUID]:
    ids: dict[str, UUID] = {}
    for start in range(0, len(specs), 50):
        part = specs[start : start + 50]

        async def fill(tx: WriteTx, part: list[SpeciesSpec] = part) -> dict[str, UUID]:
            return {
                spec.scientific_name: (
                    await catalog.create_species(tx, admin, data=species_input(spec))
                ).id
                for spec in part
            }

        ids |= await services.db.transact(fill)
        report("Species", len(ids), len(specs))
    return ids


def species_input(spec: SpeciesSpec) -> catalog.SpeciesInput:
    """The species in the catalogue's notation."""
    care: dict[str, Any] = {
        "light": [light.replace(" ", "_") for light in spec.light],
        "water": spec.water or None,
        "soil": spec.soil,
        "bloom": spec.bloom,
        "flower_colours": spec.flower_colours,
        "height_min_cm": spec.height_min_cm or None,
        "height_max_cm": spec.height_max_cm or None,
        "wildlife": spec.wildlife,
    }
    return catalog.SpeciesInput(
        scientific_name=spec.scientific_name,
        common_names=[name[:80] for name in spec.common_names[:30]],
        family=spec.family,
        plant_type=spec.plant_type,
        zone_min=str(spec.zone_min),
        zone_max=str(spec.zone_max),
        care=msgspec.convert(care, catalog.Care),
        notes=spec.notes,
        source=spec.source,
    )


def listing_input(
    spec: ListingSpec, *, category_id: UUID, species_id: UUID | None
) -> tuple[listings.NewListing, list[publishing.VariantStock]]:
    """The listing and its variants as a seller would send them."""
    draft = spec.draft
    data = listings.NewListing(
        kind=listings.Kind(draft.kind),
        title=draft.title,
        currency="EUR",
        description=draft.description_html,
        category_id=category_id,
        species_id=species_id,
        attributes=dict(spec.attributes),
        tags=[tag[:40] for tag in draft.tags[:20]],
        condition=listings.Condition(draft.condition) if draft.condition else None,
        condition_note=spec.note,
        location=spec.location,
        live_plant=bool(spec.species),
        seo_title=draft.seo_title,
        seo_description=draft.seo_description,
    )
    stock = [
        publishing.VariantStock(
            variant=listings.VariantInput(
                price=variant.price.amount if variant.price else 0,
                options=variant.options,
                sku=variant.sku,
                compare_at=variant.compare_at.amount if variant.compare_at else None,
                weight_g=variant.weight_g,
            ),
            on_hand=variant.stock,
        )
        for variant in draft.variants
    ]
    return data, stock


async def _listing(
    services: Services,
    spec: ListingSpec,
    shop: Shop,
    categories: Mapping[str, UUID],
    species: Mapping[str, UUID],
    *,
    admin: Actor,
) -> UUID:
    """One listing with its pictures and files, on sale."""
    data, variants = listing_input(
        spec, category_id=categories[spec.category], species_id=species.get(spec.species)
    )
    by_seller = {"actor": shop.actor, "seller_id": shop.seller_id}
    listing = await services.db.transact(
        partial(publishing.create, **by_seller, data=data, variants=variants)
    )
    for photo in spec.photos:
        content = await asyncio.to_thread(read_picture, photo)
        image = await listings.store_image(services.files, content)
        await services.db.transact(
            partial(
                listings.add_image, **by_seller, listing_id=listing.id, image=image, alt=photo.alt
            )
        )
    for file in spec.files:
        stored = await listings.store_file(
            services.files, _whole(file), filename=file.name, media_type=file.media_type
        )
        await services.db.transact(
            partial(listings.attach_file, **by_seller, listing_id=listing.id, file=stored)
        )
    shown = await services.db.transact(
        partial(publishing.submit, **by_seller, listing_id=listing.id)
    )
    if shown.state is listings.State.IN_REVIEW:
        await services.db.transact(partial(publishing.approve, actor=admin, listing_id=listing.id))
    return listing.id


async def _whole(file: DigitalFile) -> AsyncIterator[bytes]:
    yield file.content
