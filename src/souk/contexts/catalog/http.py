"""Categories, attributes and species over the API."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import delete, get, patch, post, put
from litestar.params import FromPath, FromQuery, PathParameter, QueryParameter
from msgspec import Meta

from souk.contexts.catalog import commands, queries
from souk.contexts.catalog.commands import SpeciesInput
from souk.contexts.catalog.domain import Assignment, Attribute, AttributeType, CategoryNode, Tree
from souk.contexts.catalog.queries import SpeciesHit, SpeciesView
from souk.contexts.catalog.species import Suitability, parse_zone
from souk.kernel.actor import Actor, Permission
from souk.kernel.ids import parse_uuid
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.wire import Limit, Listed, Text, clean_text

_MANAGE = access.operator(Permission.CATALOG_MANAGE)
_Cursor = Annotated[str | None, QueryParameter(max_length=1024)]
_Key = Annotated[str, PathParameter(max_length=120)]
_Zone = Annotated[str, QueryParameter(max_length=4)]
_Slug = Annotated[str, Meta(max_length=80)]
_Long = Annotated[str, Meta(max_length=5_000)]
_Choices = Annotated[list[Annotated[str, Meta(max_length=80)]], Meta(max_length=200)]


class Crumb(msgspec.Struct, frozen=True):
    """One step of the path from the root."""

    id: UUID
    name: str
    slug: str


class AttributeView(msgspec.Struct, frozen=True, kw_only=True):
    """What listings of a category may say; `required` ones they must."""

    id: UUID
    code: str
    name: str
    type: str
    unit: str
    choices: list[str]
    required: bool
    facet: bool


class CategoryView(msgspec.Struct, frozen=True, kw_only=True):
    """A category with its place, its children and its attributes, inherited ones included."""

    id: UUID
    name: str
    slug: str
    description: str
    breadcrumbs: list[Crumb]
    children: list[Crumb]
    attributes: list[AttributeView]


class CategoryTree(msgspec.Struct, frozen=True):
    """The whole tree."""

    items: list[CategoryNode]


class CreateCategory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Text
    slug: _Slug = ""
    parent_id: UUID | None = None
    description: _Long = ""


class RenameCategory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Text | None = None
    slug: _Slug | None = None
    description: _Long | None = None


class MoveCategory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`parent_id` null makes it a root."""

    parent_id: UUID | None


class MergeCategory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    into: UUID


class ReorderCategories(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All categories right below `parent_id` (null: the roots), in the wanted order."""

    ids: Annotated[list[UUID], Meta(max_length=1_000)]
    parent_id: UUID | None = None


class CreateAttribute(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: Text
    name: Text
    type: AttributeType
    unit: Annotated[str, Meta(max_length=20)] = ""
    choices: _Choices = msgspec.field(default_factory=list[Any])


class ChangeAttribute(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Text
    unit: Annotated[str, Meta(max_length=20)] = ""
    choices: _Choices = msgspec.field(default_factory=list[Any])


class AssignAttribute(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    required: bool = False
    facet: bool = False
    position: Annotated[int, Meta(ge=0, le=10_000)] = 0


def view_of(tree: Tree, key: UUID | str) -> CategoryView:
    """The category as the API shows it. Raises NotFound."""
    category = tree.get(key)
    return CategoryView(
        id=category.id,
        name=category.name,
        slug=category.slug,
        description=category.description,
        breadcrumbs=[Crumb(c.id, c.name, c.slug) for c in tree.ancestors(category.id)],
        children=[Crumb(c.id, c.name, c.slug) for c in tree.children(category.id)],
        attributes=[_attribute_view(each) for each in tree.attributes_for(category.id)],
    )


def _attribute_view(assignment: Assignment) -> AttributeView:
    fields = msgspec.structs.asdict(assignment.attribute)
    return AttributeView(**fields, required=assignment.required, facet=assignment.facet)


async def _shown(db: Database, key: UUID | str) -> CategoryView:
    async with db.read() as conn:
        return view_of(await queries.tree(conn), key)


@get("/api/v1/categories", access=access.PUBLIC, shared=1.0)
async def list_categories(db: Database) -> CategoryTree:
    """The tree of all categories, in the operator's order."""
    async with db.read() as conn:
        return CategoryTree((await queries.tree(conn)).roots)


@get("/api/v1/categories/{key:str}", access=access.PUBLIC, shared=1.0)
async def read_category(db: Database, key: _Key) -> CategoryView:
    """One category by id or slug, with breadcrumbs, children and attributes."""
    return await _shown(db, parse_uuid(key) or key)


@post("/api/v1/categories", access=_MANAGE, rate="write")
async def create_category(data: CreateCategory, db: Database, actor: Actor) -> CategoryView:
    """Add a category."""
    made = await db.transact(
        lambda tx: commands.create_category(
            tx,
            actor,
            name=clean_text(data.name, path="name"),
            slug=data.slug,
            parent_id=data.parent_id,
            description=clean_text(data.description, path="description"),
        )
    )
    return await _shown(db, made.id)


@patch("/api/v1/categories/{category_id:uuid}", access=_MANAGE, rate="write")
async def rename_category(
    data: RenameCategory, db: Database, actor: Actor, category_id: FromPath[UUID]
) -> CategoryView:
    """Change name, address or description."""
    name = None if data.name is None else clean_text(data.name, path="name")
    description = (
        None if data.description is None else clean_text(data.description, path="description")
    )
    await db.transact(
        lambda tx: commands.rename_category(
            tx,
            actor,
            category_id=category_id,
            name=name,
            slug=data.slug,
            description=description,
        )
    )
    return await _shown(db, category_id)


@post("/api/v1/categories/{category_id:uuid}/move", access=_MANAGE, rate="write", status_code=200)
async def move_category(
    data: MoveCategory, db: Database, actor: Actor, category_id: FromPath[UUID]
) -> CategoryView:
    """Hang a category and everything below it elsewhere."""
    await db.transact(
        lambda tx: commands.move_category(
            tx, actor, category_id=category_id, parent_id=data.parent_id
        )
    )
    return await _shown(db, category_id)


@post("/api/v1/categories/{category_id:uuid}/merge", access=_MANAGE, rate="write", status_code=200)
async def merge_category(
    data: MergeCategory, db: Database, actor: Actor, category_id: FromPath[UUID]
) -> CategoryView:
    """Put everything of a category into another and remove it; answers with the other."""
    await db.transact(
        lambda tx: commands.merge_category(tx, actor, category_id=category_id, into=data.into)
    )
    return await _shown(db, data.into)


@put("/api/v1/categories/order", access=_MANAGE, rate="write")
async def reorder_categories(data: ReorderCategories, db: Database, actor: Actor) -> CategoryTree:
    """Set the order of one level."""
    await db.transact(
        lambda tx: commands.reorder_categories(tx, actor, parent_id=data.parent_id, ids=data.ids)
    )
    async with db.read() as conn:
        return CategoryTree((await queries.tree(conn)).roots)


@post("/api/v1/attributes", access=_MANAGE, rate="write")
async def create_attribute(data: CreateAttribute, db: Database, actor: Actor) -> Attribute:
    """Define an attribute; assign it to a category to use it."""
    return await db.transact(
        lambda tx: commands.create_attribute(
            tx,
            actor,
            code=data.code,
            name=clean_text(data.name, path="name"),
            type=data.type,
            unit=clean_text(data.unit, path="unit"),
            choices=[clean_text(choice, path="choices") for choice in data.choices],
        )
    )


@patch("/api/v1/attributes/{attribute_id:uuid}", access=_MANAGE, rate="write")
async def change_attribute(
    data: ChangeAttribute, db: Database, actor: Actor, attribute_id: FromPath[UUID]
) -> Attribute:
    """Change name, unit and choices. Code and type stay as they are."""
    return await db.transact(
        lambda tx: commands.update_attribute(
            tx,
            actor,
            attribute_id=attribute_id,
            name=clean_text(data.name, path="name"),
            unit=clean_text(data.unit, path="unit"),
            choices=[clean_text(choice, path="choices") for choice in data.choices],
        )
    )


@put(
    "/api/v1/categories/{category_id:uuid}/attributes/{attribute_id:uuid}",
    access=_MANAGE,
    rate="write",
)
async def assign_attribute(
    data: AssignAttribute,
    db: Database,
    actor: Actor,
    category_id: FromPath[UUID],
    attribute_id: FromPath[UUID],
) -> CategoryView:
    """Give a category, and all below it, an attribute; or change its flags."""
    await db.transact(
        lambda tx: commands.assign_attribute(
            tx,
            actor,
            category_id=category_id,
            attribute_id=attribute_id,
            required=data.required,
            facet=data.facet,
            position=data.position,
        )
    )
    return await _shown(db, category_id)


@delete(
    "/api/v1/categories/{category_id:uuid}/attributes/{attribute_id:uuid}",
    access=_MANAGE,
    rate="write",
)
async def unassign_attribute(
    db: Database, actor: Actor, category_id: FromPath[UUID], attribute_id: FromPath[UUID]
) -> None:
    """Take an attribute from a category."""
    await db.transact(
        lambda tx: commands.unassign_attribute(
            tx, actor, category_id=category_id, attribute_id=attribute_id
        )
    )


@get("/api/v1/species", access=access.PUBLIC)
async def list_species(
    db: Database, zone: _Zone = "", cursor: _Cursor = None, limit: FromQuery[Limit] = 20
) -> Listed[SpeciesView]:
    """Species by scientific name; `zone` (such as `9b`) keeps those that grow there outdoors."""
    wanted = parse_zone(zone) if zone else None
    async with db.read() as conn:
        return Listed.of(await queries.all_species(conn, zone=wanted, cursor=cursor, limit=limit))


@get("/api/v1/species/suggest", access=access.PUBLIC, rate="search")
async def suggest_species(
    db: Database, prefix: Annotated[str, QueryParameter(max_length=80)]
) -> list[SpeciesHit]:
    """Species whose scientific or common name begins with at least two characters."""
    async with db.read() as conn:
        return await queries.search_species(conn, clean_text(prefix, path="prefix"))


@get("/api/v1/species/{key:str}", access=access.PUBLIC)
async def read_species(db: Database, key: _Key) -> SpeciesView:
    """One species by id, slug or scientific name."""
    async with db.read() as conn:
        return await queries.species(conn, parse_uuid(key) or clean_text(key, path="key"))


@get("/api/v1/species/{key:str}/suitability", access=access.PUBLIC)
async def check_suitability(db: Database, key: _Key, zone: _Zone) -> Suitability:
    """Whether a species grows outdoors in a USDA hardiness zone."""
    wanted = parse_zone(zone)
    async with db.read() as conn:
        found = parse_uuid(key) or clean_text(key, path="key")
        return await queries.zone_suitability(conn, found, wanted)


@post("/api/v1/species", access=_MANAGE, rate="write")
async def create_species(data: SpeciesInput, db: Database, actor: Actor) -> SpeciesView:
    """Add a species."""
    made = await db.transact(lambda tx: commands.create_species(tx, actor, data=data))
    return SpeciesView.of(made)


@put("/api/v1/species/{species_id:uuid}", access=_MANAGE, rate="write")
async def update_species(
    data: SpeciesInput, db: Database, actor: Actor, species_id: FromPath[UUID]
) -> SpeciesView:
    """Replace a species' facts."""
    made = await db.transact(
        lambda tx: commands.update_species(tx, actor, species_id=species_id, data=data)
    )
    return SpeciesView.of(made)


routes = [
    list_categories,
    read_category,
    create_category,
    rename_category,
    move_category,
    merge_category,
    reorder_categories,
    create_attribute,
    change_attribute,
    assign_attribute,
    unassign_attribute,
    list_species,
    suggest_species,
    read_species,
    check_suitability,
    create_species,
    update_species,
]
