"""What the categories and species of a batch of listings are called."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from souk.contexts.catalog import api as catalog
from souk.flows.index_listings.documents import CatalogueNames, SpeciesNames
from souk.kernel.errors import NotFound
from souk.platform.database import ReadConn


async def names_of(
    conn: ReadConn, *, categories: Iterable[UUID], species: Iterable[UUID]
) -> CatalogueNames:
    """Two statements for the whole batch. A category that is gone has no path."""
    tree = await catalog.tree(conn)
    paths: dict[UUID, list[tuple[UUID, str]]] = {}
    for category_id in set(categories):
        try:
            paths[category_id] = [(one.id, one.name) for one in tree.ancestors(category_id)]
        except NotFound:
            # Merged away a moment ago: the event that moves its listings is on its way.
            paths[category_id] = []
    wanted = list(set(species))
    found = await catalog.species_by_ids(conn, wanted) if wanted else {}
    return CatalogueNames(
        paths,
        {
            key: SpeciesNames(one.scientific_name, list(one.common_names))
            for key, one in found.items()
        },
    )
