"""The catalogue to and from rows. Every change of the tree first locks its one version row."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec
from asyncpg import exceptions as pg

from souk.contexts.catalog.domain import Assignment, Attribute, AttributeType, Category, Tree
from souk.contexts.catalog.errors import CodeTaken, SlugTaken, SpeciesExists
from souk.contexts.catalog.species import Species
from souk.kernel.ids import uuid7
from souk.platform.database import ReadConn, Record, WriteTx
from souk.platform.glance import Glance

_VERSION = "SELECT version FROM catalog.tree"
_version_lately = Glance(_VERSION)


async def tree_version(conn: ReadConn) -> UUID:
    return await conn.fetchval(_VERSION)


async def tree_version_lately(conn: ReadConn) -> UUID:
    """As of at most a second ago."""
    return await _version_lately.value(conn)


async def lock_tree(tx: WriteTx) -> Tree:
    """The tree as it is, which nobody else can change before this transaction ends."""
    version = await tx.fetchval("SELECT version FROM catalog.tree FOR UPDATE")
    return await load_tree(tx, version)


async def touch_tree(tx: WriteTx) -> None:
    """Every process reads the tree anew after the commit."""
    await tx.execute("UPDATE catalog.tree SET version = $1", uuid7())


async def load_tree(conn: ReadConn, version: UUID) -> Tree:
    categories = await conn.fetch(
        "SELECT id, parent_id, name, slug, description, position FROM catalog.category"
    )
    assignments = await conn.fetch(
        "SELECT ca.category_id, ca.required, ca.facet, ca.position, a.id, a.code, a.name, a.type,"
        " a.unit, a.choices FROM catalog.category_attribute ca"
        " JOIN catalog.attribute a ON a.id = ca.attribute_id"
    )
    return Tree(
        version,
        [Category(**dict(row)) for row in categories],
        [
            Assignment(
                category_id=row["category_id"],
                attribute=attribute_of(row),
                required=row["required"],
                facet=row["facet"],
                position=row["position"],
            )
            for row in assignments
        ],
    )


def attribute_of(row: Record) -> Attribute:
    return Attribute(
        id=row["id"],
        code=row["code"],
        name=row["name"],
        type=AttributeType(row["type"]),
        unit=row["unit"],
        choices=row["choices"],
    )


async def insert_category(tx: WriteTx, category: Category) -> None:
    """Raises SlugTaken."""
    try:
        await tx.execute(
            "INSERT INTO catalog.category (id, parent_id, name, slug, description, position)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            category.id,
            category.parent_id,
            category.name,
            category.slug,
            category.description,
            category.position,
        )
    except pg.UniqueViolationError as error:
        raise SlugTaken from error


async def update_category(
    tx: WriteTx, category_id: UUID, *, name: str, slug: str, description: str
) -> None:
    """Raises SlugTaken."""
    try:
        await tx.execute(
            "UPDATE catalog.category SET name = $2, slug = $3, description = $4 WHERE id = $1",
            category_id,
            name,
            slug,
            description,
        )
    except pg.UniqueViolationError as error:
        raise SlugTaken from error


async def place(tx: WriteTx, parent_id: UUID | None, ids: Sequence[UUID]) -> None:
    """Hang `ids` below `parent_id` in this order."""
    await tx.execute(
        "UPDATE catalog.category c SET parent_id = $1, position = wanted.place"
        " FROM unnest($2::uuid[]) WITH ORDINALITY AS wanted (id, place) WHERE c.id = wanted.id",
        parent_id,
        list(ids),
    )


async def delete_category(tx: WriteTx, category_id: UUID) -> None:
    await tx.execute("DELETE FROM catalog.category_attribute WHERE category_id = $1", category_id)
    await tx.execute("DELETE FROM catalog.category WHERE id = $1", category_id)


async def insert_attribute(tx: WriteTx, attribute: Attribute) -> None:
    """Raises CodeTaken."""
    try:
        await tx.execute(
            "INSERT INTO catalog.attribute (id, code, name, type, unit, choices)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            attribute.id,
            attribute.code,
            attribute.name,
            attribute.type,
            attribute.unit,
            attribute.choices,
        )
    except pg.UniqueViolationError as error:
        raise CodeTaken from error


async def find_attribute(conn: ReadConn, key: UUID | str) -> Attribute | None:
    """By id or code."""
    by = "id" if isinstance(key, UUID) else "code"
    row = await conn.fetchrow(f"SELECT * FROM catalog.attribute WHERE {by} = $1", key)
    return attribute_of(row) if row else None


async def update_attribute(tx: WriteTx, attribute: Attribute) -> None:
    await tx.execute(
        "UPDATE catalog.attribute SET name = $2, unit = $3, choices = $4 WHERE id = $1",
        attribute.id,
        attribute.name,
        attribute.unit,
        attribute.choices,
    )


async def assign(tx: WriteTx, assignment: Assignment) -> None:
    await tx.execute(
        "INSERT INTO catalog.category_attribute"
        " (category_id, attribute_id, required, facet, position) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (category_id, attribute_id) DO UPDATE SET required = excluded.required,"
        " facet = excluded.facet, position = excluded.position",
        assignment.category_id,
        assignment.attribute.id,
        assignment.required,
        assignment.facet,
        assignment.position,
    )


async def unassign(tx: WriteTx, category_id: UUID, attribute_id: UUID) -> bool:
    """False when it was not assigned there."""
    tag = await tx.execute(
        "DELETE FROM catalog.category_attribute WHERE category_id = $1 AND attribute_id = $2",
        category_id,
        attribute_id,
    )
    return tag != "DELETE 0"


_SPECIES = (
    "id", "slug", "scientific_name", "common_names", "family", "plant_type", "zone_min",
    "zone_max", "care", "notes", "source",
)  # fmt: skip
SELECT_SPECIES = f"SELECT {', '.join('s.' + name for name in _SPECIES)} FROM catalog.species s"


def species_of(row: Record) -> Species:
    return msgspec.convert({name: row[name] for name in _SPECIES}, Species)


async def lock_species(tx: WriteTx, species_id: UUID) -> Species | None:
    row = await tx.fetchrow(f"{SELECT_SPECIES} WHERE s.id = $1 FOR UPDATE", species_id)
    return species_of(row) if row else None


async def save_species(tx: WriteTx, species: Species) -> None:
    """Insert or replace. Raises SpeciesExists."""
    columns = ", ".join(_SPECIES)
    values = ", ".join(f"${n}" for n in range(1, len(_SPECIES) + 1))
    changes = ", ".join(f"{name} = excluded.{name}" for name in _SPECIES if name != "id")
    try:
        await tx.execute(
            f"INSERT INTO catalog.species ({columns}) VALUES ({values})"
            f" ON CONFLICT (id) DO UPDATE SET {changes}",
            *(getattr(species, name) for name in _SPECIES),
        )
    except pg.UniqueViolationError as error:
        raise SpeciesExists from error
    await tx.execute("DELETE FROM catalog.species_name WHERE species_id = $1", species.id)
    names = {name.casefold() for name in species.common_names}
    names.discard(species.scientific_name.casefold())
    await tx.execute(
        "INSERT INTO catalog.species_name (name, species_id, scientific)"
        " SELECT name, $1, name = $3 FROM unnest($2::text[]) AS name",
        species.id,
        [species.scientific_name.casefold(), *sorted(names)],
        species.scientific_name.casefold(),
    )
