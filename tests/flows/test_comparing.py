"""Listings side by side, in the API."""

from __future__ import annotations

import pytest

from souk.contexts.catalog import api as catalog
from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.flows.browse import http
from souk.flows.browse.comparing import differ
from souk.kernel.actor import Actor, Permission
from souk.kernel.ids import uuid7
from souk.platform.database import count_statements
from tests.listings import factories

OPERATOR = Actor(kind="user", user_id=uuid7(), permissions=frozenset({Permission.CATALOG_MANAGE}))
COMPARE = "/api/v1/listings/compare"


@pytest.fixture
def client(make_client):
    return make_client(http.routes)


@pytest.fixture
async def shelf(db):
    """A category whose listings say their height, colours and whether they are evergreen."""
    mark = uuid7().hex[-6:]

    async def work(tx):
        made = await catalog.create_category(tx, OPERATOR, name="Shrubs", slug=f"shrubs-{mark}")
        for code, kind, unit, choices in (
            ("height", "number", "cm", []),
            ("colours", "multi_choice", "", ["red", "white", "blue"]),
            ("evergreen", "boolean", "", []),
            ("light", "choice", "", ["sun", "shade"]),
        ):
            attribute = await catalog.create_attribute(
                tx, OPERATOR, code=code if code == "light" else f"{code}_{mark}",
                name=code.capitalize(), type=catalog.AttributeType(kind), unit=unit,
                choices=choices,
            )  # fmt: skip
            await catalog.assign_attribute(
                tx, OPERATOR, category_id=made.id, attribute_id=attribute.id
            )
        return made

    made = await db.transact(work)
    yield made, mark
    # The next test gives the same code to an attribute of its own.
    await db.transact(
        lambda tx: tx.execute(
            "UPDATE catalog.attribute SET code = $1 WHERE code = 'light'", f"light_{mark}"
        )
    )


async def shrub(db, shelf, **more):
    """A published shrub; other words are its attributes."""
    category, mark = shelf
    species_id = more.pop("species_id", None)
    attributes = {
        code if code == "light" else f"{code}_{mark}": value for code, value in more.items()
    }
    return await factories.active(
        db,
        factories.seller_actor(),
        category_id=category.id,
        category_path=category.path,
        attributes=attributes,
        species_id=species_id,
    )


async def rows_of(client, *made):
    answer = await client.get(COMPARE, params={"listing": [each.slug for each in made]})
    assert answer.status_code == 200, answer.text
    return {row["label"]: row for row in answer.json()["rows"]}


async def test_each_row_has_a_value_for_each_listing_and_says_where_they_differ(client, db, shelf):
    one = await shrub(db, shelf, height=40, colours=["red", "white"], evergreen=True)
    two = await shrub(db, shelf, height=62.5, colours=["red", "white"])
    rows = await rows_of(client, one, two)
    assert list(rows) == ["Colours", "Evergreen", "Height"]
    height = rows["Height"]
    assert (height["unit"], height["type"], height["values"]) == ("cm", "number", [40, 62.5])
    assert height["differs"] and not rows["Colours"]["differs"]
    assert rows["Colours"]["values"] == [["red", "white"]] * 2
    # Who says nothing differs from who says something.
    assert rows["Evergreen"]["values"] == [True, None] and rows["Evergreen"]["differs"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([40, 40.0], False),
        ([True, 1], True),
        ([["red", "white"], ["white", "red"]], False),
        ([["red"], "red"], True),
        ([None, None], False),
        (["sun", None, "sun"], True),
        (["sun", "sun", "shade"], True),
    ],
)
def test_what_counts_as_different(values, expected):
    assert differ(values) is expected


async def test_the_care_of_species_takes_the_place_of_what_the_listing_says_of_it(
    client, db, shelf
):
    care = catalog.Care(light=["sun"], water="low", height_min_cm=100, height_max_cm=900)
    facts = catalog.SpeciesInput(
        scientific_name=f"Myrtus {uuid7().hex[-5:]}", zone_min="9a", zone_max="11b", care=care
    )
    species = await db.transact(lambda tx: catalog.create_species(tx, OPERATOR, data=facts))
    plant = await shrub(db, shelf, light="sun", species_id=species.id)
    twin = await shrub(db, shelf, light="shade", species_id=species.id)
    unknown = await shrub(db, shelf, light="shade")
    rows = await rows_of(client, plant, twin)
    assert "Light" not in rows
    assert rows["Sun or shade"]["values"] == [["sun"], ["sun"]]
    assert rows["Hardy in zones"]["values"] == ["9a–11b"] * 2
    assert not any(row["differs"] for row in rows.values())
    # One whose species nobody knows says it itself: then all are shown with what they say.
    rows = await rows_of(client, plant, unknown)
    assert rows["Light"]["values"] == ["sun", "shade"]
    assert rows["Height"] == {
        "code": "care.height", "label": "Height", "unit": "cm", "type": "care",
        "values": ["100–900", None], "differs": True,
    }  # fmt: skip


async def test_what_is_not_for_sale_is_only_named(client, db, shelf):
    one, two = await shrub(db, shelf, height=1), await shrub(db, shelf, height=2)
    seller = factories.seller_actor()
    draft = await factories.create(db, seller, title="Not yet shown to anybody")
    paused = await shrub(db, shelf, height=99)
    owner = factories.seller_actor(paused.seller_id)
    await db.transact(
        lambda tx: listings.pause(tx, owner, seller_id=paused.seller_id, listing_id=paused.id)
    )
    keys = [draft.slug, str(one.id), str(paused.id), two.slug]
    answer = await client.get(COMPARE, params={"listing": keys})
    found = answer.json()
    assert [each["slug"] for each in found["listings"]] == [one.slug, two.slug]
    assert found["left_out"] == [draft.slug, str(paused.id)]
    assert [row["values"] for row in found["rows"]] == [[1, 2]]
    assert "Not yet shown" not in answer.text
    assert all(99 not in row["values"] for row in found["rows"])


async def test_stock_is_that_of_this_moment(client, db, shelf):
    one, two = await shrub(db, shelf), await shrub(db, shelf)
    [variant] = one.variants
    item = inventory.StockSetUp(variant.id, one.id, one.seller_id, 3)
    await db.transact(lambda tx: inventory.set_up(tx, OPERATOR, items=[item]))
    answer = await client.get(COMPARE, params={"listing": [one.slug, two.slug]})
    stock = [(each["in_stock"], each["available"]) for each in answer.json()["listings"]]
    assert stock == [(True, 3), (False, 0)]


@pytest.mark.parametrize(
    "keys", [[], ["one"], ["one", "one"], ["1", "2", "3", "4", "5"], ["a", "b\x00"], ["a", ""]]
)
async def test_fewer_than_two_and_more_than_four_are_refused(client, keys):
    answer = await client.get(COMPARE, params={"listing": keys})
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = answer.json()
    assert problem["code"] and problem["detail"]


async def test_four_cost_no_more_statements_than_two(client, db, shelf):
    made = [await shrub(db, shelf, height=n) for n in range(4)]
    await rows_of(client, *made)
    counted: list[int] = []
    for some in (made[:2], made):
        async with count_statements() as count:
            await rows_of(client, *some)
        counted.append(count.total)
    assert counted[0] == counted[1] <= 3
