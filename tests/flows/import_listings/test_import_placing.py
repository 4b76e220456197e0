"""Categories and attributes of a file, matched to the marketplace's own."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from souk.contexts.catalog import api as catalog
from souk.contexts.listings import api as listings
from souk.flows.import_listings.placing import places
from souk.kernel.actor import system
from souk.kernel.ids import uuid7
from souk.platform.services import Services
from tests.flows.import_listings.steps import import_file, seller_actor
from tests.listings.importing.reading import records

_ADMIN = system("tests")


async def category(services: Services, name: str, parent_id: UUID | None = None) -> UUID:
    made = await services.db.transact(
        partial(
            catalog.create_category, actor=_ADMIN, name=name, parent_id=parent_id,
            slug=f"c-{uuid7().hex[-12:]}",
        )
    )  # fmt: skip
    return made.id


async def attribute(services: Services, category_id: UUID, name: str, **spec: object) -> str:
    code = f"a_{uuid7().hex[-10:]}"
    made = await services.db.transact(
        partial(catalog.create_attribute, actor=_ADMIN, code=code, name=name, **spec)
    )
    await services.db.transact(
        partial(
            catalog.assign_attribute, actor=_ADMIN, category_id=category_id, attribute_id=made.id
        )
    )
    return code


async def test_the_deepest_known_name_decides_and_the_names_above_tell_twins_apart(
    services: Services,
) -> None:
    key = uuid7().hex[-6:]
    plants = await category(services, f"Plants {key}")
    tools = await category(services, f"Tools {key}")
    indoor = await category(services, f"Small {key}", plants)
    small_tools = await category(services, f"Small {key}", tools)
    paths = {
        f"Plants {key} > Small {key}": indoor,
        f"TOOLS {key} > small-{key}": small_tools,
        f"Small {key}": None,
        f"Plants {key} > Unheard of": plants,
        "Nowhere": None,
        "": None,
    }
    file = "title,price,category\n" + "".join(f"T{n},1,{p}\n" for n, p in enumerate(paths))
    async with services.db.read() as conn:
        found = await places(conn, records(file))
    assert [place.category_id for place in found] == list(paths.values())
    assert found[0].category_path == [plants, indoor]


async def test_attributes_become_typed_values_and_what_does_not_fit_is_left_out(
    services: Services,
) -> None:
    key = uuid7().hex[-6:]
    ferns = await category(services, f"Ferns {key}")
    kind = catalog.AttributeType
    height = await attribute(services, ferns, "Height", type=kind.NUMBER, unit="cm")
    water = await attribute(services, ferns, "Water", type=kind.CHOICE, choices=["low", "high"])
    light = await attribute(
        services, ferns, "Light", type=kind.MULTI_CHOICE, choices=["sun", "shade"]
    )
    evergreen = await attribute(services, ferns, "Evergreen", type=kind.BOOLEAN)
    await attribute(services, ferns, "Width", type=kind.NUMBER, unit="cm")
    text = (
        "title,price,category,attr:height,attr:Water,attr:Light,attr:Evergreen,attr:Width,attr:Moon\n"
        f'Fern,5,Ferns {key},"12,5 cm",LOW,Sun | mist; shade,Yes,3 inch,full\n'
    )
    actor = seller_actor()
    await import_file(services, actor, text)
    async with services.db.read() as conn:
        (row,) = (await listings.of_seller(conn, actor.seller_id)).items
        listing = await listings.own(conn, seller_id=actor.seller_id, listing_id=row.id)
    assert listing.category_id == ferns
    assert listing.attributes == {
        height: 12.5, water: "low", light: ["sun", "shade"], evergreen: True,
    }  # fmt: skip
