from __future__ import annotations

import pytest

from souk.contexts.catalog.domain import (
    Assignment,
    Attribute,
    AttributeType,
    Category,
    Tree,
    check_attribute,
    check_names,
    validate_values,
)
from souk.contexts.catalog.errors import IntoItself, TooDeep
from souk.contexts.catalog.species import (
    Care,
    Species,
    check_species,
    format_zone,
    parse_zone,
    suitability,
)
from souk.kernel.errors import InvalidInput, NotFound
from souk.kernel.ids import uuid7


def category(name, parent=None, position=1):
    return Category(
        id=uuid7(),
        parent_id=parent.id if parent else None,
        name=name,
        slug=name.lower(),
        description="",
        position=position,
    )


def attribute(type, **fields):
    code = fields.pop("code", "field")
    return Attribute(id=uuid7(), code=code, name=code.title(), type=type, **fields)


def assignment(on, what, *, required=False, facet=False):
    return Assignment(category_id=on.id, attribute=what, required=required, facet=facet, position=0)


def problems_of(error) -> set[tuple[str, str]]:
    return {(p.path, p.code) for p in error.value.problems}


def test_the_tree_knows_paths_children_and_subtrees():
    plants = category("Plants", position=2)
    books = category("Books", position=1)
    ferns = category("Ferns", plants)
    staghorn = category("Staghorn", ferns)
    tree = Tree(uuid7(), [staghorn, ferns, plants, books], [])
    assert [node.name for node in tree.roots] == ["Books", "Plants"]
    assert [c.name for c in tree.ancestors(staghorn.id)] == ["Plants", "Ferns", "Staghorn"]
    assert [c.name for c in tree.subtree(plants.id)] == ["Plants", "Ferns", "Staghorn"]
    assert tree.get("ferns").path == [plants.id, ferns.id]
    with pytest.raises(NotFound):
        tree.get("nothing")
    with pytest.raises(IntoItself):
        tree.check_move(plants.id, staghorn.id)
    with pytest.raises(IntoItself):
        tree.check_move(plants.id, plants.id)
    tree.check_move(ferns.id, None)


def test_the_tree_has_eight_levels_at_most():
    chain = [category("L1")]
    for level in range(2, 9):
        chain.append(category(f"L{level}", chain[-1]))
    other = category("Other")
    tree = Tree(uuid7(), [*chain, other], [])
    with pytest.raises(TooDeep):
        tree.check_move(other.id, chain[-1].id)
    with pytest.raises(TooDeep):
        tree.check_move(chain[0].id, other.id)
    tree.check_move(other.id, chain[-2].id)


def test_attributes_are_inherited_and_the_nearest_assignment_counts():
    plants = category("Plants")
    ferns = category("Ferns", plants)
    size = attribute(AttributeType.NUMBER, code="size")
    light = attribute(AttributeType.TEXT, code="light")
    tree = Tree(
        uuid7(),
        [plants, ferns],
        [
            assignment(plants, size),
            assignment(ferns, size, required=True),
            assignment(ferns, light),
        ],
    )
    assert [(a.attribute.code, a.required) for a in tree.attributes_for(plants.id)] == [
        ("size", False)
    ]
    assert [(a.attribute.code, a.required) for a in tree.attributes_for(ferns.id)] == [
        ("size", True),
        ("light", False),
    ]


@pytest.mark.parametrize(
    ("type", "given", "stored"),
    [
        (AttributeType.TEXT, "  a  b ", "a b"),
        (AttributeType.NUMBER, "12.50", 12.5),
        (AttributeType.NUMBER, 3.0, 3),
        (AttributeType.CHOICE, "red", "red"),
        (AttributeType.MULTI_CHOICE, ["blue", "red"], ["red", "blue"]),
        (AttributeType.MULTI_CHOICE, "blue", ["blue"]),
        (AttributeType.BOOLEAN, True, True),
        (AttributeType.BOOLEAN, "No", False),
        (AttributeType.DATE, "2026-04-30", "2026-04-30"),
    ],
)
def test_values_come_into_one_notation(type, given, stored):
    choices = ["red", "blue"] if "choice" in type else []
    rules = [assignment(category("C"), attribute(type, choices=choices))]
    assert validate_values(rules, {"field": given}) == {"field": stored}


@pytest.mark.parametrize(
    ("type", "given"),
    [
        (AttributeType.TEXT, 5),
        (AttributeType.TEXT, "a\x00b"),
        (AttributeType.TEXT, "a" * 501),
        (AttributeType.NUMBER, "many"),
        (AttributeType.NUMBER, True),
        (AttributeType.NUMBER, "nan"),
        (AttributeType.NUMBER, 1e300),
        (AttributeType.NUMBER, [1]),
        (AttributeType.CHOICE, "green"),
        (AttributeType.CHOICE, ["red"]),
        (AttributeType.MULTI_CHOICE, ["red", "green"]),
        (AttributeType.BOOLEAN, "perhaps"),
        (AttributeType.BOOLEAN, 1),
        (AttributeType.DATE, "30.4.2026"),
        (AttributeType.DATE, {}),
    ],
)
def test_wrong_values_are_named_with_their_path(type, given):
    choices = ["red", "blue"] if "choice" in type else []
    rules = [assignment(category("C"), attribute(type, choices=choices, unit=""))]
    with pytest.raises(InvalidInput) as error:
        validate_values(rules, {"field": given})
    assert problems_of(error) == {("attributes.field", "wrong_value")}


def test_required_and_unknown_attributes():
    rules = [assignment(category("C"), attribute(AttributeType.TEXT), required=True)]
    with pytest.raises(InvalidInput) as error:
        validate_values(rules, {"other": 1, "field": ""})
    assert problems_of(error) == {("attributes.other", "unknown"), ("attributes.field", "missing")}
    assert validate_values(rules, {}, complete=False) == {}


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"code": "Bad"}, "code"),
        ({"type": AttributeType.TEXT, "unit": "cm"}, "unit"),
        ({"type": AttributeType.CHOICE}, "choices"),
        ({"type": AttributeType.CHOICE, "choices": ["a", "a"]}, "choices"),
        ({"type": AttributeType.TEXT, "choices": ["a"]}, "choices"),
        ({"name": ""}, "name"),
    ],
)
def test_attributes_that_make_no_sense(fields, path):
    base = {"id": uuid7(), "code": "ok", "name": "Ok", "type": AttributeType.TEXT}
    with pytest.raises(InvalidInput) as error:
        check_attribute(Attribute(**base | fields))
    assert {p.path for p in error.value.problems} == {path}


def test_category_names():
    check_names(name="Ferns", slug="ferns-2")
    with pytest.raises(InvalidInput) as error:
        check_names(name="", slug="Ferns!")
    assert problems_of(error) == {("name", "length"), ("slug", "bad_slug")}


@pytest.mark.parametrize(
    ("text", "upper", "steps"), [("1", False, 2), ("9", True, 19), ("13B", False, 27)]
)
def test_zones(text, upper, steps):
    assert parse_zone(text, upper=upper) == steps
    assert parse_zone(format_zone(steps)) == steps


@pytest.mark.parametrize("text", ["", "0", "14", "9c", "09", "-1", "9 b"])
def test_wrong_zones(text):
    with pytest.raises(InvalidInput):
        parse_zone(text)


def species(**fields):
    base = {
        "id": uuid7(),
        "slug": "x",
        "scientific_name": "Olea europaea",
        "common_names": ["Olive"],
        "family": "",
        "plant_type": "",
        "zone_min": parse_zone("8a"),
        "zone_max": parse_zone("10b"),
        "care": Care(),
        "notes": "",
        "source": "",
    }
    return Species(**base | fields)


def test_where_a_species_grows():
    olive = species()
    assert suitability(olive, parse_zone("9b")).suitable is True
    cold = suitability(olive, parse_zone("7b"))
    assert cold.suitable is False
    assert "too cold" in cold.message
    assert "too warm" in suitability(olive, parse_zone("11a")).message
    assert suitability(species(zone_min=None, zone_max=None), 10).suitable is None


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"scientific_name": "olea"}, "scientific_name"),
        ({"common_names": ["x" * 81]}, "common_names"),
        ({"zone_min": None}, "zone_max"),
        ({"zone_min": 25}, "zone_max"),
        ({"care": Care(light=["sun", "sun"])}, "care.light"),
        ({"care": Care(height_min_cm=-1)}, "care.height_min_cm"),
        ({"care": Care(height_min_cm=9, height_max_cm=3)}, "care.height_max_cm"),
        ({"care": Care(wildlife=["a\x00"])}, "care.wildlife"),
    ],
)
def test_species_that_cannot_be(fields, path):
    with pytest.raises(InvalidInput) as error:
        check_species(species(**fields))
    assert {p.path for p in error.value.problems} == {path}
