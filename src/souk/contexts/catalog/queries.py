"""Reading the catalogue. The tree is kept in the process and checked against its version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from souk.contexts.catalog import store
from souk.contexts.catalog.domain import Assignment, Attribute, Category, Tree, validate_values
from souk.contexts.catalog.errors import species_not_found
from souk.contexts.catalog.species import Care, Species, Suitability, format_zone, suitability
from souk.kernel.errors import NotFound
from souk.kernel.page import Page, decode_cursor, encode_cursor, page_of
from souk.platform.database import ReadConn

_cache: dict[str, Tree] = {}


class SpeciesView(msgspec.Struct, frozen=True, kw_only=True):
    """A species; zones in the notation `9b`."""

    id: UUID
    slug: str
    scientific_name: str
    common_names: list[str]
    family: str
    plant_type: str
    zone_min: str | None
    zone_max: str | None
    care: Care
    notes: str
    source: str

    @classmethod
    def of(cls, species: Species) -> SpeciesView:
        fields = msgspec.structs.asdict(species)
        for name in ("zone_min", "zone_max"):
            fields[name] = None if fields[name] is None else format_zone(fields[name])
        return cls(**fields)


class SpeciesHit(msgspec.Struct, frozen=True):
    """A completion: `matched` is the name, in small letters, that begins as asked."""

    id: UUID
    slug: str
    scientific_name: str
    common_name: str
    matched: str


async def tree(conn: ReadConn) -> Tree:
    """All categories, in one cheap statement while nothing has changed.

    The version is unique over databases, so that one process may serve several.
    """
    return await _tree_of(conn, await store.tree_version(conn))


async def _tree_of(conn: ReadConn, version: UUID) -> Tree:
    cached = _cache.get("tree")
    if cached is None or cached.version != version:
        cached = await store.load_tree(conn, version)
        _cache["tree"] = cached
    return cached


async def category(conn: ReadConn, key: UUID | str) -> Category:
    """By id or slug. Raises NotFound."""
    return (await tree(conn)).get(key)


async def category_lately(conn: ReadConn, key: UUID | str) -> Category:
    """As `category`, in a tree that may be a second old: for lists that everybody sees alike.

    A category that is not in it is looked for in the tree of this moment.
    """
    try:
        return (await _tree_of(conn, await store.tree_version_lately(conn))).get(key)
    except NotFound:
        return await category(conn, key)


async def ancestors(conn: ReadConn, category_id: UUID) -> list[Category]:
    """Breadcrumbs from the root down to the category itself. Raises NotFound."""
    return (await tree(conn)).ancestors(category_id)


async def attributes_for(conn: ReadConn, category_id: UUID) -> list[Assignment]:
    """What listings of the category may or must say, inherited ones first. Raises NotFound."""
    return (await tree(conn)).attributes_for(category_id)


async def all_attributes(conn: ReadConn) -> list[Attribute]:
    """Every attribute by name, also those that no category has."""
    return [
        store.attribute_of(row)
        for row in await conn.fetch("SELECT * FROM catalog.attribute ORDER BY name, id")
    ]


async def validate_attributes(
    conn: ReadConn, category_id: UUID, values: Mapping[str, object], *, complete: bool = True
) -> dict[str, object]:
    """`values` checked and in one notation. Raises NotFound, InvalidInput with paths.

    `complete` False lets a draft leave required ones out.
    """
    assignments = await attributes_for(conn, category_id)
    return validate_values(assignments, values, complete=complete)


async def find_species(conn: ReadConn, key: UUID | str) -> Species:
    """By id, slug or scientific name. Raises NotFound."""
    condition = (
        "s.id = $1" if isinstance(key, UUID) else "s.slug = $1 OR lower(s.scientific_name) = $2"
    )
    args: Sequence[object] = [key] if isinstance(key, UUID) else [key, key.lower()]
    row = await conn.fetchrow(f"{store.SELECT_SPECIES} WHERE {condition} LIMIT 1", *args)
    if row is None:
        raise species_not_found()
    return store.species_of(row)


async def species(conn: ReadConn, key: UUID | str) -> SpeciesView:
    """By id, slug or scientific name, as it is shown. Raises NotFound."""
    return SpeciesView.of(await find_species(conn, key))


async def species_by_ids(conn: ReadConn, ids: Sequence[UUID]) -> dict[UUID, SpeciesView]:
    """Several species in one statement; unknown ones are absent."""
    rows = await conn.fetch(f"{store.SELECT_SPECIES} WHERE s.id = ANY($1::uuid[])", list(ids))
    return {row["id"]: SpeciesView.of(store.species_of(row)) for row in rows}


async def all_species(
    conn: ReadConn, *, zone: int | None = None, cursor: str | None = None, limit: int = 20
) -> Page[SpeciesView]:
    """By scientific name; with `zone` (half-steps), those that grow there. Raises BadCursor."""
    after = str(decode_cursor(cursor, size=1)[0]) if cursor else ""
    rows = await conn.fetch(
        f"{store.SELECT_SPECIES} WHERE lower(s.scientific_name) > $1"
        " AND ($2::smallint IS NULL OR $2 BETWEEN s.zone_min AND s.zone_max)"
        " ORDER BY lower(s.scientific_name) LIMIT $3",
        after,
        zone,
        limit + 1,
    )
    found = [SpeciesView.of(store.species_of(row)) for row in rows]
    return page_of(
        found, limit=limit, cursor_of=lambda each: encode_cursor(each.scientific_name.lower())
    )


async def search_species(conn: ReadConn, prefix: str, *, limit: int = 10) -> list[SpeciesHit]:
    """Species of which a scientific or common name begins with `prefix`, scientific first."""
    folded = " ".join(prefix.casefold().split())
    if len(folded) < 2:
        return []
    rows = await conn.fetch(
        "SELECT * FROM (SELECT DISTINCT ON (s.id) s.id, s.slug, s.scientific_name,"
        " coalesce(s.common_names[1], '') AS common_name, n.name AS matched, n.scientific"
        " FROM catalog.species_name n JOIN catalog.species s ON s.id = n.species_id"
        " WHERE n.name >= $1 AND n.name < $2 ORDER BY s.id, n.scientific DESC, n.name) AS hit"
        " ORDER BY scientific DESC, matched LIMIT $3",
        folded,
        # The last code point that UTF-8 has: everything that begins with `folded` sorts below.
        folded + "\U0010ffff",
        limit,
    )
    return [SpeciesHit(*list(row.values())[:5]) for row in rows]


async def zone_suitability(conn: ReadConn, key: UUID | str, zone: int) -> Suitability:
    """Whether a species grows outdoors in `zone` (half-steps). Raises NotFound."""
    return suitability(await find_species(conn, key), zone)
