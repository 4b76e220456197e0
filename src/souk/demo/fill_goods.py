"""Categories, attributes, species, and every listing with its pictures, files and stock."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from souk.contexts.catalog import api as catalog
from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.listings import api as listings
from souk.demo.fill_world import Person, World
from souk.demo.model import CategorySpec, ListingSpec, PhotoSpec, SpeciesSpec
from souk.demo.pictures import read_picture
from souk.flows.publish_listing import flow as publish
from souk.kernel.actor import Actor
from souk.platform.database import WriteTx

_FACET_TEXTS = frozenset({"brand", "colour", "flavour"})
_BRANCH = 40
_KEYS = 60
_AT_ONCE = 4
_DRAWING = asyncio.Lock()
"""Drawing opens libvips' SVG loader for its own moment only: one at a time."""


class Made(msgspec.Struct, frozen=True):
    """A listing that is for sale."""

    spec: ListingSpec
    listing_id: UUID
    variant_ids: list[UUID]


async def goods(world: World) -> list[Made]:
    """Everything that is for sale; what exists is left as it is."""
    codes = await _categories(world)
    species = await _species(world)
    return await _listings(world, codes, species)


# -- the tree


async def _categories(world: World) -> dict[tuple[str, str], str]:
    """The tree; answers (category of the demo, its code) → the marketplace's attribute code."""
    admin = world.people["admin@example.com"].actor()
    async with world.db.read() as conn:
        known = set((await catalog.tree(conn)).by_slug)
    specs = world.demo.categories
    names = _codes(specs)
    if any(spec.slug not in known for spec in specs):
        await world.db.transact(lambda tx: _plant_tree(tx, admin, specs, names, known))
    return names


def _codes(specs: Sequence[CategorySpec]) -> dict[tuple[str, str], str]:
    """A code means one type everywhere: a second type of the same name gets its own."""
    types: dict[str, str] = {}
    found: dict[tuple[str, str], str] = {}
    by_slug = {spec.slug: spec for spec in specs}
    for spec in specs:
        if spec.parent is not None:
            found |= {
                (spec.slug, code): name
                for (owner, code), name in list(found.items())
                if owner == by_slug[spec.parent].slug
            }
        for attribute in spec.attributes:
            first = types.setdefault(attribute.code, attribute.type)
            own = attribute.code if first == attribute.type else f"{spec.slug}_{attribute.code}"
            found[spec.slug, attribute.code] = own
    return found


async def _plant_tree(
    tx: WriteTx,
    admin: Actor,
    specs: Sequence[CategorySpec],
    names: Mapping[tuple[str, str], str],
    known: set[str],
) -> None:
    tree = await catalog.tree(tx)
    ids = {slug: tree.get(slug).id for slug in known}
    attributes: dict[str, UUID] = {}
    for spec in specs:
        if spec.slug in ids:
            continue
        parent_id = ids[spec.parent] if spec.parent else None
        made = await catalog.create_category(
            tx, admin, name=spec.name, slug=spec.slug, parent_id=parent_id,
            description=spec.description,
        )  # fmt: skip
        ids[spec.slug] = made.id
        for position, attribute in enumerate(spec.attributes, 1):
            code = names[spec.slug, attribute.code]
            if code not in attributes:
                created = await catalog.create_attribute(
                    tx, admin, code=code, name=attribute.name,
                    type=catalog.AttributeType(attribute.type), unit=attribute.unit,
                    choices=attribute.options,
                )  # fmt: skip
                attributes[code] = created.id
            await catalog.assign_attribute(
                tx,
                admin,
                category_id=made.id,
                attribute_id=attributes[code],
                required=attribute.required,
                facet=attribute.type != "text" or attribute.code in _FACET_TEXTS,
                position=position,
            )


# -- species


async def _species(world: World) -> dict[str, UUID]:
    known = await _known_species(world)
    missing = [spec for spec in world.demo.species if spec.scientific_name not in known]
    admin = world.people["admin@example.com"].actor()
    total = len(world.demo.species)
    for start in range(0, len(missing), _BRANCH):
        world.report("species", total - len(missing) + start, total)
        batch = missing[start : start + _BRANCH]

        async def add(tx: WriteTx, batch: Sequence[SpeciesSpec] = batch) -> None:
            for spec in batch:
                await catalog.create_species(tx, admin, data=_species_input(spec))

        await world.db.transact(add)
    world.report("species", total, total)
    return await _known_species(world) if missing else known


async def _known_species(world: World) -> dict[str, UUID]:
    found: dict[str, UUID] = {}
    cursor: str | None = None
    async with world.db.read() as conn:
        while True:
            page = await catalog.all_species(conn, cursor=cursor, limit=100)
            found |= {each.scientific_name: each.id for each in page.items}
            cursor = page.next_cursor
            if cursor is None:
                return found


def _species_input(spec: SpeciesSpec) -> catalog.SpeciesInput:
    care: dict[str, object] = {
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
        common_names=spec.common_names,
        family=spec.family,
        plant_type=spec.plant_type,
        zone_min=str(spec.zone_min) if spec.zone_min else "",
        zone_max=str(spec.zone_max) if spec.zone_max else "",
        care=msgspec.convert(care, catalog.Care),
        notes=spec.notes,
        source=spec.source,
    )


# -- listings


def slugs(specs: Sequence[ListingSpec]) -> list[str]:
    """An address for each listing, the same on every run; it tells whether one exists."""
    found: list[str] = []
    for spec in specs:
        ascii_title = unicodedata.normalize("NFKD", spec.draft.title).encode("ascii", "ignore")
        slug = "-".join(re.findall(r"[a-z0-9]+", ascii_title.decode().casefold()))[:70].strip("-")
        taken = slug in found
        found.append(f"{slug}-{spec.seller}"[:80].strip("-") if taken else slug)
    return found


async def _listings(
    world: World, codes: Mapping[tuple[str, str], str], species: Mapping[str, UUID]
) -> list[Made]:
    specs = world.demo.listings
    known = await _known_listings(world)
    named = list(zip(slugs(specs), specs, strict=True))
    async with world.db.read() as conn:
        tree = await catalog.tree(conn)
    done = len(known)
    gate = asyncio.Semaphore(_AT_ONCE)

    async def list_one(slug: str, spec: ListingSpec) -> None:
        nonlocal done
        async with gate:
            images = [await _store_photo(world, photo) for photo in spec.photos]
            world.clock.advance(timedelta(minutes=5))
            data = _new_listing(slug, spec, tree, codes, species)
            await _list_one(world, spec, data, images)
            done += 1
            world.report("listings", done, len(specs))

    async with asyncio.TaskGroup() as group:
        for slug, spec in named:
            if slug not in known:
                group.create_task(list_one(slug, spec))
    known = await _known_listings(world)
    world.report("listings", len(specs), len(specs))
    return [
        Made(spec, known[slug].id, known[slug].variant_ids) for slug, spec in named if slug in known
    ]


async def _known_listings(world: World) -> dict[str, listings.SellerListingRow]:
    found: dict[str, listings.SellerListingRow] = {}
    async with world.db.read() as conn:
        for shop in world.shops.values():
            assert shop.seller_id is not None
            cursor: str | None = None
            while True:
                page = await listings.of_seller(conn, shop.seller_id, cursor=cursor, limit=100)
                found |= {row.slug: row for row in page.items}
                cursor = page.next_cursor
                if cursor is None:
                    break
    return found


async def _store_photo(world: World, photo: PhotoSpec) -> tuple[listings.StoredImage, str]:
    if photo.svg:
        async with _DRAWING:
            content = await asyncio.to_thread(read_picture, photo)
    else:
        content = await asyncio.to_thread(read_picture, photo)
    credit = f" Photo: {photo.author}, {photo.licence}." if photo.author else ""
    stored = await listings.store_image(world.services.files, content)
    return stored, f"{photo.alt}.{credit}" if credit else photo.alt


def _new_listing(
    slug: str,
    spec: ListingSpec,
    tree: catalog.Tree,
    codes: Mapping[tuple[str, str], str],
    species: Mapping[str, UUID],
) -> listings.NewListing:
    draft = spec.draft
    return listings.NewListing(
        kind=listings.Kind(draft.kind),
        title=draft.title,
        currency="EUR",
        slug=slug,
        description=draft.description_html,
        category_id=tree.get(spec.category).id,
        species_id=species.get(spec.species),
        attributes={
            codes[spec.category, code]: value
            for code, value in spec.attributes.items()
            if (spec.category, code) in codes
        },
        tags=[tag[:40] for tag in draft.tags][:20],
        condition=listings.Condition(draft.condition) if draft.condition else None,
        condition_note=spec.note,
        location=spec.location,
        live_plant=bool(spec.species),
        seo_title=draft.seo_title,
        seo_description=draft.seo_description,
    )


async def _list_one(
    world: World,
    spec: ListingSpec,
    data: listings.NewListing,
    images: Sequence[tuple[listings.StoredImage, str]],
) -> None:
    """A listing from draft to shop window in one transaction, so that none is left half made."""
    owner = world.shops[spec.seller]
    seller_id, actor = _shop(owner)
    moderator = world.people["moderator@example.com"].actor()
    files = [
        await listings.store_file(
            world.services.files, _chunks(file.content), filename=file.name,
            media_type=file.media_type,
        )
        for file in spec.files
    ]  # fmt: skip

    async def make(tx: WriteTx) -> None:
        made = await publish.create(
            tx, actor, seller_id=seller_id, data=data, variants=_variants(spec)
        )
        for image, alt in images:
            await listings.add_image(
                tx, actor, seller_id=seller_id, listing_id=made.id, image=image, alt=alt
            )
        for file in files:
            await listings.attach_file(
                tx, actor, seller_id=seller_id, listing_id=made.id, file=file
            )
        if spec.licence_keys:
            await fulfilment.add_licence_keys(
                tx, actor, variant_id=made.variants[0].id, keys=_keys(spec)
            )
        after = await publish.submit(tx, actor, seller_id=seller_id, listing_id=made.id)
        if after.state is listings.State.IN_REVIEW:
            await publish.approve(tx, moderator, listing_id=made.id)

    await world.db.transact(make)


def _shop(owner: Person) -> tuple[UUID, Actor]:
    assert owner.seller_id is not None, "the shop was opened"
    return owner.seller_id, owner.actor()


async def _chunks(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _variants(spec: ListingSpec) -> list[publish.VariantStock]:
    made: list[publish.VariantStock] = []
    counted = [variant.stock or 0 for variant in spec.draft.variants]
    for place, variant in enumerate(spec.draft.variants):
        assert variant.price is not None, f"{spec.draft.title} has prices"
        stock = variant.stock
        if stock is not None and not sum(counted) and place == 0:
            stock = 3  # a listing without anything to sell cannot be published
        made.append(
            publish.VariantStock(
                variant=listings.VariantInput(
                    price=variant.price.amount,
                    options=variant.options,
                    sku=variant.sku,
                    compare_at=variant.compare_at.amount if variant.compare_at else None,
                    weight_g=variant.weight_g,
                ),
                on_hand=stock,
            )
        )
    return made


def _keys(spec: ListingSpec) -> list[str]:
    """Licence keys that look like keys and open nothing."""
    stem = re.sub(r"[^A-Z0-9]", "", spec.draft.external_id.upper())[:6]
    return [f"{stem}-{number * 7919 % 100_000:05d}-{number:04d}" for number in range(1, _KEYS + 1)]
