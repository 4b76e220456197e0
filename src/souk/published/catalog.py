"""What the catalogue tells the others."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

import msgspec

from souk.platform.events import Event


class CategoryPath(msgspec.Struct, frozen=True):
    """`path` runs from the root down to the category itself."""

    category_id: UUID
    path: list[UUID]


class CategoryChanged(Event, frozen=True, kw_only=True):
    """A category was created or renamed."""

    name: ClassVar[str] = "catalog.category_changed.v1"
    key: ClassVar[str] = "category_id"

    category_id: UUID


class CategoryMoved(Event, frozen=True, kw_only=True):
    """A category hangs elsewhere; `paths` are the new ones of it and everything below it."""

    name: ClassVar[str] = "catalog.category_moved.v1"
    key: ClassVar[str] = "category_id"

    category_id: UUID
    paths: list[CategoryPath]


class CategoryMerged(Event, frozen=True, kw_only=True):
    """A category went into another. What was filed under it belongs to `target` now."""

    name: ClassVar[str] = "catalog.category_merged.v1"
    key: ClassVar[str] = "category_id"

    category_id: UUID
    target: CategoryPath
    paths: list[CategoryPath]
