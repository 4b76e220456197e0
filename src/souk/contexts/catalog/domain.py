"""The tree of categories, typed attributes and their values. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from math import isfinite
from typing import cast
from uuid import UUID

import msgspec

from souk.contexts.catalog.errors import IntoItself, TooDeep, category_not_found
from souk.kernel.errors import FieldProblem, InvalidInput

MAX_DEPTH = 8
MAX_CHOICES = 200
MAX_TEXT = 500
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")


class AttributeType(StrEnum):
    """What a value of an attribute looks like."""

    TEXT = "text"
    NUMBER = "number"
    CHOICE = "choice"
    MULTI_CHOICE = "multi_choice"
    BOOLEAN = "boolean"
    DATE = "date"


_WITH_CHOICES = {AttributeType.CHOICE, AttributeType.MULTI_CHOICE}


class Attribute(msgspec.Struct, frozen=True, kw_only=True):
    """A property that listings of some categories have. `unit` is for numbers only."""

    id: UUID
    code: str
    name: str
    type: AttributeType
    unit: str = ""
    choices: list[str] = msgspec.field(default_factory=list[str])


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """An attribute on a category; it holds for the whole subtree unless a lower one overrides."""

    category_id: UUID
    attribute: Attribute
    required: bool
    facet: bool
    position: int


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """A node. `path` runs from the root down to this category's own id."""

    id: UUID
    parent_id: UUID | None
    name: str
    slug: str
    description: str
    position: int
    path: list[UUID] = msgspec.field(default_factory=list[UUID])


class CategoryNode(msgspec.Struct, frozen=True, kw_only=True):
    """A category with everything below it."""

    id: UUID
    name: str
    slug: str
    description: str
    children: list[CategoryNode]


class Tree:
    """All categories and assignments, immutable: shared by every request until the next change."""

    def __init__(
        self, version: UUID, categories: Sequence[Category], assignments: Sequence[Assignment]
    ) -> None:
        self.version = version
        self._by_parent: dict[UUID | None, list[Category]] = {}
        for category in sorted(categories, key=lambda c: (c.position, c.name, c.id)):
            self._by_parent.setdefault(category.parent_id, []).append(category)
        self.by_id: dict[UUID, Category] = {}
        self._place(None, [])
        self.by_slug = {category.slug: category for category in self.by_id.values()}
        self._assigned: dict[UUID, list[Assignment]] = {}
        for assignment in sorted(assignments, key=lambda a: (a.position, a.attribute.name)):
            self._assigned.setdefault(assignment.category_id, []).append(assignment)
        self.roots = [self._node(category) for category in self.children(None)]

    def _place(self, parent_id: UUID | None, above: list[UUID]) -> None:
        for category in self._by_parent.get(parent_id, []):
            path = [*above, category.id]
            self.by_id[category.id] = msgspec.structs.replace(category, path=path)
            self._place(category.id, path)

    def _node(self, category: Category) -> CategoryNode:
        return CategoryNode(
            id=category.id,
            name=category.name,
            slug=category.slug,
            description=category.description,
            children=[self._node(child) for child in self.children(category.id)],
        )

    def children(self, parent_id: UUID | None) -> list[Category]:
        """The categories right below one, in their order; None asks for the roots."""
        return [self.by_id[category.id] for category in self._by_parent.get(parent_id, [])]

    def get(self, key: UUID | str) -> Category:
        """By id or slug. Raises NotFound."""
        found = self.by_id.get(key) if isinstance(key, UUID) else self.by_slug.get(key)
        if found is None:
            raise category_not_found()
        return found

    def ancestors(self, category_id: UUID) -> list[Category]:
        """Breadcrumbs: from the root down to the category itself. Raises NotFound."""
        return [self.by_id[each] for each in self.get(category_id).path]

    def subtree(self, category_id: UUID) -> list[Category]:
        """The category and everything below it, parents first. Raises NotFound."""
        found = [self.get(category_id)]
        for category in found:
            found.extend(self.children(category.id))
        return found

    def attributes_for(self, category_id: UUID) -> list[Assignment]:
        """Inherited ones first; the nearest assignment of an attribute counts. Raises NotFound."""
        effective: dict[UUID, Assignment] = {}
        for each in self.get(category_id).path:
            for assignment in self._assigned.get(each, []):
                effective[assignment.attribute.id] = assignment
        return list(effective.values())

    def assigned_to(self, attribute_id: UUID) -> list[tuple[Category, Assignment]]:
        """Where an attribute is assigned, in no lower category again."""
        return [
            (self.by_id[category_id], assignment)
            for category_id, assignments in self._assigned.items()
            for assignment in assignments
            if assignment.attribute.id == attribute_id
        ]

    def check_move(self, category_id: UUID, parent_id: UUID | None) -> None:
        """Raises IntoItself or TooDeep when the category cannot hang below `parent_id`."""
        moved = self.subtree(category_id)
        above = self.get(parent_id).path if parent_id is not None else []
        if category_id in above:
            raise IntoItself
        own_depth = len(self.get(category_id).path)
        height = max(len(category.path) for category in moved) - own_depth + 1
        self.check_depth(len(above) + height)

    @staticmethod
    def check_depth(depth: int) -> None:
        if depth > MAX_DEPTH:
            raise TooDeep(most=MAX_DEPTH)


def check_names(*, name: str, slug: str) -> None:
    """Raises InvalidInput for a name or an address that a category cannot have."""
    found: list[FieldProblem] = []
    if not 1 <= len(name) <= 80:
        found.append(FieldProblem("name", "length", "Use 1 to 80 characters."))
    if not 2 <= len(slug) <= 80 or not _SLUG.fullmatch(slug):
        message = "Use 2 to 80 small letters, digits and single hyphens between them."
        found.append(FieldProblem("slug", "bad_slug", message))
    if found:
        raise InvalidInput(
            "The category could not be saved. Correct the fields named.", problems=found
        )


def check_attribute(attribute: Attribute) -> None:
    """Raises InvalidInput for a definition that cannot be used."""
    found: list[FieldProblem] = []
    if not _CODE.fullmatch(attribute.code):
        message = "Start with a small letter; then up to 39 small letters, digits and underscores."
        found.append(FieldProblem("code", "bad_code", message))
    if not 1 <= len(attribute.name) <= 80:
        found.append(FieldProblem("name", "length", "Use 1 to 80 characters."))
    if attribute.unit and attribute.type is not AttributeType.NUMBER:
        found.append(FieldProblem("unit", "not_allowed", "Only numbers have a unit."))
    if attribute.type in _WITH_CHOICES:
        if not 1 <= len(attribute.choices) <= MAX_CHOICES:
            message = f"List 1 to {MAX_CHOICES} choices."
            found.append(FieldProblem("choices", "out_of_range", message))
        elif len(set(attribute.choices)) < len(attribute.choices) or any(
            not 1 <= len(choice) <= 80 for choice in attribute.choices
        ):
            message = "Every choice is different and has 1 to 80 characters."
            found.append(FieldProblem("choices", "bad_choice", message))
    elif attribute.choices:
        message = "Only choice and multi_choice have choices."
        found.append(FieldProblem("choices", "not_allowed", message))
    if found:
        raise InvalidInput(
            "The attribute could not be saved. Correct the fields named.", problems=found
        )


class _WrongValueError(Exception):
    """A value that does not fit; the text says what would."""


def validate_values(
    assignments: Sequence[Assignment], values: Mapping[str, object], *, complete: bool = True
) -> dict[str, object]:
    """`values` by attribute code, checked and in one notation, in the attributes' order.

    None and empty values count as absent. `complete` asks for the required ones too. Raises
    InvalidInput with a path such as `attributes.height` for each problem.
    """
    found: list[FieldProblem] = []
    known = {assignment.attribute.code for assignment in assignments}
    for code in values:
        if code not in known:
            message = "This category has no such attribute. Remove it or choose another category."
            found.append(FieldProblem(f"attributes.{code}", "unknown", message))
    normal: dict[str, object] = {}
    for assignment in assignments:
        attribute = assignment.attribute
        path = f"attributes.{attribute.code}"
        value = values.get(attribute.code)
        if value is None or value in ("", []):
            if assignment.required and complete:
                found.append(FieldProblem(path, "missing", f"Fill in: {attribute.name}."))
            continue
        try:
            normal[attribute.code] = _READERS[attribute.type](attribute, value)
        except _WrongValueError as error:
            found.append(FieldProblem(path, "wrong_value", str(error)))
    if found:
        raise InvalidInput(
            "Some attributes are missing or wrong. Correct the fields named.", problems=found
        )
    return normal


def _text(_attribute: Attribute, value: object) -> object:
    if not isinstance(value, str) or "\x00" in value or len(value) > MAX_TEXT:
        raise _WrongValueError(f"Write up to {MAX_TEXT} characters.")
    return " ".join(value.split())


def _number(attribute: Attribute, value: object) -> object:
    unit = f" in {attribute.unit}" if attribute.unit else ""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError as error:
            raise _WrongValueError(f"Give a number{unit}, such as 12.5.") from error
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _WrongValueError(f"Give a number{unit}, such as 12.5.")
    if not isfinite(value) or abs(value) > 1e12:
        raise _WrongValueError(f"Give a number{unit} of ordinary size.")
    return int(value) if float(value).is_integer() else value


def _choice(attribute: Attribute, value: object) -> object:
    if value not in attribute.choices:
        raise _WrongValueError(f"Choose one of: {', '.join(attribute.choices[:20])}.")
    return value


def _multi_choice(attribute: Attribute, value: object) -> object:
    wanted = cast("list[object]", value) if isinstance(value, list) else [value]
    if any(each not in attribute.choices for each in wanted):
        raise _WrongValueError(f"Choose among: {', '.join(attribute.choices[:20])}.")
    return [choice for choice in attribute.choices if choice in wanted]


def _boolean(_attribute: Attribute, value: object) -> object:
    if isinstance(value, bool):
        return value
    answers = {"true": True, "yes": True, "on": True, "1": True,
               "false": False, "no": False, "off": False, "0": False}  # fmt: skip
    if not isinstance(value, str) or value.casefold() not in answers:
        raise _WrongValueError("Answer true or false.")
    return answers[value.casefold()]


def _date(_attribute: Attribute, value: object) -> object:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError as error:
        raise _WrongValueError("Give a date as year-month-day, such as 2026-04-30.") from error


_READERS = {
    AttributeType.TEXT: _text,
    AttributeType.NUMBER: _number,
    AttributeType.CHOICE: _choice,
    AttributeType.MULTI_CHOICE: _multi_choice,
    AttributeType.BOOLEAN: _boolean,
    AttributeType.DATE: _date,
}
