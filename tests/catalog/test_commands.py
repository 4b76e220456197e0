from __future__ import annotations

import pytest

from souk.contexts.catalog import api
from souk.kernel.actor import Actor, Permission
from souk.kernel.errors import InvalidInput, NotFound
from souk.kernel.ids import uuid7
from souk.platform import audit
from souk.platform.database import count_statements

OPERATOR = Actor(kind="user", user_id=uuid7(), permissions=frozenset({Permission.CATALOG_MANAGE}))


def unique(stem: str = "cat") -> str:
    return f"{stem}-{uuid7().hex[-10:]}"


async def make(db, name=None, parent=None):
    return await db.transact(
        lambda tx: api.create_category(
            tx, OPERATOR, name=name or unique(), parent_id=parent.id if parent else None
        )
    )


async def tree_of(db):
    async with db.read() as conn:
        return await api.tree(conn)


async def test_the_tree_is_one_statement_until_it_changes(db):
    await make(db)
    await tree_of(db)
    async with count_statements() as count:
        first = await tree_of(db)
    assert count.total == 1
    assert await tree_of(db) is first
    made = await make(db)
    assert made.id in (await tree_of(db)).by_id


async def test_moving_takes_the_subtree_along_and_tells_the_new_paths(db):
    old, new = await make(db), await make(db)
    moved = await make(db, parent=old)
    below = await make(db, parent=moved)
    await db.transact(
        lambda tx: api.move_category(tx, OPERATOR, category_id=moved.id, parent_id=new.id)
    )
    tree = await tree_of(db)
    assert tree.get(below.id).path == [new.id, moved.id, below.id]
    async with db.read() as conn:
        payload = await conn.fetchval(
            "SELECT payload FROM platform.event WHERE name = 'catalog.category_moved.v1'"
            " AND aggregate_id = $1",
            moved.id,
        )
        rows = await audit.recent(conn, subject=f"category:{moved.id}")
    assert {p["category_id"]: p["path"][0] for p in payload["paths"]} == {
        str(moved.id): str(new.id),
        str(below.id): str(new.id),
    }
    assert [row.action for row in rows] == ["catalog.category_moved", "catalog.category_created"]
    assert rows[0].actor == OPERATOR.label()
    with pytest.raises(api.IntoItself):
        await db.transact(
            lambda tx: api.move_category(tx, OPERATOR, category_id=new.id, parent_id=below.id)
        )


async def test_moving_to_the_same_place_changes_nothing(db):
    made = await make(db)
    before = (await tree_of(db)).version
    await db.transact(
        lambda tx: api.move_category(tx, OPERATOR, category_id=made.id, parent_id=None)
    )
    assert (await tree_of(db)).version == before


async def test_merging_moves_children_and_removes_the_category(db):
    source, target = await make(db), await make(db)
    child = await make(db, parent=source)
    await db.transact(
        lambda tx: api.merge_category(tx, OPERATOR, category_id=source.id, into=target.id)
    )
    tree = await tree_of(db)
    assert source.id not in tree.by_id
    assert tree.get(child.id).path == [target.id, child.id]
    with pytest.raises(api.IntoItself):
        await db.transact(
            lambda tx: api.merge_category(tx, OPERATOR, category_id=target.id, into=child.id)
        )


async def test_a_child_can_be_merged_into_its_parent(db):
    parent = await make(db)
    child = await make(db, parent=parent)
    grandchild = await make(db, parent=child)
    await db.transact(
        lambda tx: api.merge_category(tx, OPERATOR, category_id=child.id, into=parent.id)
    )
    assert (await tree_of(db)).get(grandchild.id).path == [parent.id, grandchild.id]


async def test_reordering_names_every_sibling_once(db):
    parent = await make(db)
    a, b, c = [await make(db, parent=parent) for _ in range(3)]
    await db.transact(
        lambda tx: api.reorder_categories(tx, OPERATOR, parent_id=parent.id, ids=[c.id, a.id, b.id])
    )
    assert [x.id for x in (await tree_of(db)).children(parent.id)] == [c.id, a.id, b.id]
    for wrong in ([a.id], [a.id, a.id, b.id], [a.id, b.id, uuid7()]):
        with pytest.raises(InvalidInput):
            await db.transact(
                lambda tx, ids=wrong: api.reorder_categories(
                    tx, OPERATOR, parent_id=parent.id, ids=ids
                )
            )


async def test_renaming_and_taken_addresses(db):
    first, second = await make(db), await make(db)
    await db.transact(
        lambda tx: api.rename_category(tx, OPERATOR, category_id=first.id, name="New name")
    )
    renamed = (await tree_of(db)).get(first.id)
    assert (renamed.name, renamed.slug) == ("New name", first.slug)
    with pytest.raises(api.SlugTaken):
        await db.transact(
            lambda tx: api.rename_category(tx, OPERATOR, category_id=second.id, slug=first.slug)
        )
    with pytest.raises(api.SlugTaken):
        await db.transact(lambda tx: api.create_category(tx, OPERATOR, name="x x", slug=first.slug))
    with pytest.raises(NotFound):
        await db.transact(
            lambda tx: api.rename_category(tx, OPERATOR, category_id=uuid7(), name="x")
        )


async def test_attributes_are_validated_below_the_category_they_are_assigned_to(db):
    parent = await make(db)
    child = await make(db, parent=parent)
    code = f"height_{uuid7().hex[-8:]}"
    height = await db.transact(
        lambda tx: api.create_attribute(
            tx, OPERATOR, code=code, name="Height", type=api.AttributeType.NUMBER, unit="cm"
        )
    )
    await db.transact(
        lambda tx: api.assign_attribute(
            tx, OPERATOR, category_id=parent.id, attribute_id=height.id, required=True, facet=True
        )
    )
    async with db.read() as conn:
        assert await api.validate_attributes(conn, child.id, {code: "30"}) == {code: 30}
        with pytest.raises(InvalidInput):
            await api.validate_attributes(conn, child.id, {})
        (only,) = await api.attributes_for(conn, child.id)
    assert (only.attribute.unit, only.required, only.facet) == ("cm", True, True)
    with pytest.raises(api.CodeTaken):
        await db.transact(
            lambda tx: api.create_attribute(
                tx, OPERATOR, code=code, name="Again", type=api.AttributeType.TEXT
            )
        )
    changed = await db.transact(
        lambda tx: api.update_attribute(
            tx, OPERATOR, attribute_id=height.id, name="Tallness", unit="m"
        )
    )
    assert (changed.code, changed.name, changed.unit) == (code, "Tallness", "m")
    await db.transact(
        lambda tx: api.unassign_attribute(
            tx, OPERATOR, category_id=parent.id, attribute_id=height.id
        )
    )
    async with db.read() as conn:
        assert await api.attributes_for(conn, child.id) == []
    for call in (
        lambda tx: api.unassign_attribute(
            tx, OPERATOR, category_id=parent.id, attribute_id=height.id
        ),
        lambda tx: api.assign_attribute(tx, OPERATOR, category_id=parent.id, attribute_id=uuid7()),
        lambda tx: api.update_attribute(tx, OPERATOR, attribute_id=uuid7(), name="x"),
    ):
        with pytest.raises(NotFound):
            await db.transact(call)


def species_input(**fields):
    word = uuid7().hex[-8:].translate(str.maketrans("0123456789", "ghijklmnop"))
    base = {
        "scientific_name": f"Olea {word}",
        "common_names": [f"Olive {word}", f"oliva {word}"],
        "zone_min": "8",
        "zone_max": "10",
        "care": api.Care(light=["sun"], water="low", height_max_cm=900),
    }
    return api.SpeciesInput(**base | fields)


async def test_species_are_found_by_any_of_their_names(db):
    data = species_input()
    made = await db.transact(lambda tx: api.create_species(tx, OPERATOR, data=data))
    async with db.read() as conn:
        for key in (made.id, made.slug, data.scientific_name.upper()):
            assert (await api.species(conn, key)).zone_max == "10b"
        by_common = await api.search_species(conn, data.common_names[1].upper()[:14])
        by_latin = await api.search_species(conn, data.scientific_name[:11])
        assert await api.search_species(conn, "o") == []
        assert set(await api.species_by_ids(conn, [made.id, uuid7()])) == {made.id}
        with pytest.raises(NotFound):
            await api.species(conn, "nothing-such")
    assert [hit.id for hit in by_common] == [made.id]
    assert made.id in [hit.id for hit in by_latin]
    with pytest.raises(api.SpeciesExists):
        await db.transact(lambda tx: api.create_species(tx, OPERATOR, data=data))


async def test_a_changed_species_is_found_by_its_new_names_only(db):
    data = species_input()
    made = await db.transact(lambda tx: api.create_species(tx, OPERATOR, data=data))
    after = species_input(scientific_name=data.scientific_name, common_names=["Quillberry"])
    await db.transact(lambda tx: api.update_species(tx, OPERATOR, species_id=made.id, data=after))
    async with db.read() as conn:
        assert [h.id for h in await api.search_species(conn, "quillb")] == [made.id]
        assert await api.search_species(conn, data.common_names[0]) == []
    with pytest.raises(NotFound):
        await db.transact(
            lambda tx: api.update_species(tx, OPERATOR, species_id=uuid7(), data=after)
        )


async def test_species_of_a_zone_are_paged(db):
    made = []
    for _ in range(3):
        data = species_input(zone_min="1a", zone_max="1b")
        made.append(
            await db.transact(lambda tx, data=data: api.create_species(tx, OPERATOR, data=data))
        )
    seen, cursor = [], None
    async with db.read() as conn:
        while True:
            page = await api.all_species(conn, zone=3, cursor=cursor, limit=2)
            seen += [each.id for each in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        check = await api.zone_suitability(conn, made[0].id, api.parse_zone("5a"))
    assert sorted(seen) == sorted(each.id for each in made)
    assert check.suitable is False
