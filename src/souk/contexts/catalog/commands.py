"""What operators change in the catalogue. Each act is written to the audit log."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import msgspec

from souk.contexts.catalog import store
from souk.contexts.catalog.domain import (
    Assignment,
    Attribute,
    AttributeType,
    Category,
    Tree,
    check_attribute,
    check_names,
)
from souk.contexts.catalog.errors import IntoItself, attribute_not_found, species_not_found
from souk.contexts.catalog.species import Care, Species, check_species, parse_zone
from souk.kernel.actor import Actor
from souk.kernel.errors import FieldProblem, InvalidInput
from souk.kernel.ids import uuid7
from souk.platform import audit, outbox
from souk.platform.database import WriteTx
from souk.published.catalog import CategoryChanged, CategoryMerged, CategoryMoved, CategoryPath

_Line = Annotated[str, msgspec.Meta(max_length=200)]


class SpeciesInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A species as it is written down; zones as `7` or `9b`, empty for unknown."""

    scientific_name: _Line
    common_names: Annotated[list[_Line], msgspec.Meta(max_length=30)] = msgspec.field(
        default_factory=list[str]
    )
    family: _Line = ""
    plant_type: _Line = ""
    zone_min: Annotated[str, msgspec.Meta(max_length=4)] = ""
    zone_max: Annotated[str, msgspec.Meta(max_length=4)] = ""
    care: Care = msgspec.field(default_factory=Care)
    notes: Annotated[str, msgspec.Meta(max_length=5_000)] = ""
    source: _Line = ""


def _slugify(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text[:500]).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain))[:80].strip("-")


async def create_category(
    tx: WriteTx,
    actor: Actor,
    *,
    name: str,
    slug: str = "",
    parent_id: UUID | None = None,
    description: str = "",
) -> Category:
    """A new category, last of its level. Raises NotFound, InvalidInput, SlugTaken, TooDeep."""
    tree = await store.lock_tree(tx)
    above = tree.get(parent_id).path if parent_id is not None else []
    tree.check_depth(len(above) + 1)
    siblings = tree.children(parent_id)
    category_id = uuid7()
    made = Category(
        id=category_id,
        parent_id=parent_id,
        name=name.strip(),
        slug=slug or _slugify(name),
        description=description.strip(),
        position=max((sibling.position for sibling in siblings), default=0) + 1,
        path=[*above, category_id],
    )
    check_names(name=made.name, slug=made.slug)
    await store.insert_category(tx, made)
    await _changed(tx, actor, "created", made.id, name=made.name)
    outbox.add(tx, CategoryChanged(category_id=made.id), actor=actor)
    return made


async def rename_category(
    tx: WriteTx,
    actor: Actor,
    *,
    category_id: UUID,
    name: str | None = None,
    slug: str | None = None,
    description: str | None = None,
) -> None:
    """Change a category's texts; None leaves one. Raises NotFound, InvalidInput, SlugTaken."""
    tree = await store.lock_tree(tx)
    before = tree.get(category_id)
    name = before.name if name is None else name.strip()
    slug = before.slug if slug is None else slug
    description = before.description if description is None else description.strip()
    check_names(name=name, slug=slug)
    await store.update_category(tx, category_id, name=name, slug=slug, description=description)
    await _changed(tx, actor, "renamed", category_id, before=before.name, after=name)
    outbox.add(tx, CategoryChanged(category_id=category_id), actor=actor)


async def move_category(
    tx: WriteTx, actor: Actor, *, category_id: UUID, parent_id: UUID | None
) -> None:
    """Hang a category and all below it elsewhere, last among its new siblings.

    Raises NotFound, IntoItself, TooDeep.
    """
    tree = await store.lock_tree(tx)
    moved = tree.get(category_id)
    if moved.parent_id == parent_id:
        return
    tree.check_move(category_id, parent_id)
    siblings = [sibling.id for sibling in tree.children(parent_id)]
    await store.place(tx, parent_id, [*siblings, category_id])
    await _changed(tx, actor, "moved", category_id, parent=str(parent_id or ""))
    above = tree.get(parent_id).path if parent_id is not None else []
    paths = _paths_below(tree, category_id, above=above)
    outbox.add(tx, CategoryMoved(category_id=category_id, paths=paths), actor=actor)


def _paths_below(tree: Tree, category_id: UUID, *, above: Sequence[UUID]) -> list[CategoryPath]:
    """New paths of a subtree that hangs below `above` from now on."""
    cut = len(tree.get(category_id).path) - 1
    return [
        CategoryPath(category.id, [*above, *category.path[cut:]])
        for category in tree.subtree(category_id)
    ]


async def merge_category(tx: WriteTx, actor: Actor, *, category_id: UUID, into: UUID) -> None:
    """Put everything of a category into another and remove it. Its subtrees move along.

    Raises NotFound, IntoItself, TooDeep.
    """
    tree = await store.lock_tree(tx)
    source, target = tree.get(category_id), tree.get(into)
    if source.id in target.path:
        raise IntoItself
    children = tree.children(source.id)
    for child in children:
        tree.check_move(child.id, target.id)
    kept = [child.id for child in tree.children(target.id) if child.id != source.id]
    await store.place(tx, target.id, [*kept, *(child.id for child in children)])
    await store.delete_category(tx, source.id)
    await _changed(tx, actor, "merged", source.id, into=str(target.id))
    merged = CategoryMerged(
        category_id=source.id,
        target=CategoryPath(target.id, target.path),
        paths=[
            path for child in children for path in _paths_below(tree, child.id, above=target.path)
        ],
    )
    outbox.add(tx, merged, actor=actor)


async def reorder_categories(
    tx: WriteTx, actor: Actor, *, parent_id: UUID | None, ids: Sequence[UUID]
) -> None:
    """Set the order of all categories right below one. Raises NotFound, InvalidInput."""
    tree = await store.lock_tree(tx)
    if parent_id is not None:
        tree.get(parent_id)
    present = {category.id for category in tree.children(parent_id)}
    if len(ids) != len(present) or set(ids) != present:
        message = "Name every category of this level exactly once."
        raise InvalidInput(message, problems=[FieldProblem("ids", "incomplete", message)])
    await store.place(tx, parent_id, ids)
    await _changed(tx, actor, "reordered", parent_id)


async def _changed(
    tx: WriteTx, actor: Actor, verb: str, category_id: UUID | None, **detail: object
) -> None:
    await store.touch_tree(tx)
    subject = f"category:{category_id or 'root'}"
    await audit.record(tx, actor, f"catalog.category_{verb}", subject, **detail)


async def create_attribute(
    tx: WriteTx,
    actor: Actor,
    *,
    code: str,
    name: str,
    type: AttributeType,
    unit: str = "",
    choices: Sequence[str] = (),
) -> Attribute:
    """Define an attribute. Raises InvalidInput, CodeTaken."""
    made = Attribute(
        id=uuid7(), code=code, name=name.strip(), type=type, unit=unit.strip(), choices=[*choices]
    )
    check_attribute(made)
    await store.insert_attribute(tx, made)
    await audit.record(tx, actor, "catalog.attribute_created", f"attribute:{made.id}", code=code)
    return made


async def update_attribute(
    tx: WriteTx,
    actor: Actor,
    *,
    attribute_id: UUID,
    name: str,
    unit: str = "",
    choices: Sequence[str] = (),
) -> Attribute:
    """Change texts and choices; code and type stay. Raises NotFound, InvalidInput."""
    await store.lock_tree(tx)
    before = await store.find_attribute(tx, attribute_id)
    if before is None:
        raise attribute_not_found()
    after = msgspec.structs.replace(
        before, name=name.strip(), unit=unit.strip(), choices=[*choices]
    )
    check_attribute(after)
    await store.update_attribute(tx, after)
    await store.touch_tree(tx)
    await audit.record(tx, actor, "catalog.attribute_changed", f"attribute:{after.id}")
    return after


async def assign_attribute(
    tx: WriteTx,
    actor: Actor,
    *,
    category_id: UUID,
    attribute_id: UUID,
    required: bool = False,
    facet: bool = False,
    position: int = 0,
) -> None:
    """Give a category and all below it an attribute, or change its flags. Raises NotFound."""
    tree = await store.lock_tree(tx)
    tree.get(category_id)
    attribute = await store.find_attribute(tx, attribute_id)
    if attribute is None:
        raise attribute_not_found()
    assignment = Assignment(
        category_id=category_id,
        attribute=attribute,
        required=required,
        facet=facet,
        position=position,
    )
    await store.assign(tx, assignment)
    await _changed(tx, actor, "attribute_assigned", category_id, attribute=attribute.code)


async def unassign_attribute(
    tx: WriteTx, actor: Actor, *, category_id: UUID, attribute_id: UUID
) -> None:
    """Take an attribute from a category. Raises NotFound when it is not assigned right there."""
    await store.lock_tree(tx)
    if not await store.unassign(tx, category_id, attribute_id):
        raise attribute_not_found()
    await _changed(tx, actor, "attribute_unassigned", category_id, attribute=str(attribute_id))


async def create_species(tx: WriteTx, actor: Actor, *, data: SpeciesInput) -> Species:
    """Add a species. Raises InvalidInput, SpeciesExists."""
    made = _species(uuid7(), data)
    await store.save_species(tx, made)
    await audit.record(
        tx, actor, "catalog.species_created", f"species:{made.id}", name=made.scientific_name
    )
    return made


async def update_species(
    tx: WriteTx, actor: Actor, *, species_id: UUID, data: SpeciesInput
) -> Species:
    """Replace a species' facts. Raises NotFound, InvalidInput, SpeciesExists."""
    if await store.lock_species(tx, species_id) is None:
        raise species_not_found()
    after = _species(species_id, data)
    await store.save_species(tx, after)
    await audit.record(
        tx, actor, "catalog.species_changed", f"species:{species_id}", name=after.scientific_name
    )
    return after


def _line(text: str, path: str) -> str:
    if "\x00" in text:
        message = "Remove the invisible NUL character."
        raise InvalidInput(message, problems=[FieldProblem(path, "bad_character", message)])
    return " ".join(text.split())


def _species(species_id: UUID, data: SpeciesInput) -> Species:
    name = _line(data.scientific_name, "scientific_name")
    made = Species(
        id=species_id,
        slug=_slugify(name) or species_id.hex,
        scientific_name=name,
        common_names=list(dict.fromkeys(_line(each, "common_names") for each in data.common_names)),
        family=_line(data.family, "family"),
        plant_type=_line(data.plant_type, "plant_type"),
        zone_min=parse_zone(data.zone_min, path="zone_min") if data.zone_min else None,
        zone_max=parse_zone(data.zone_max, path="zone_max", upper=True) if data.zone_max else None,
        care=data.care,
        notes=_line(data.notes, "notes"),
        source=_line(data.source, "source"),
    )
    check_species(made)
    return made
