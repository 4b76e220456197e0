"""Where imported products go in the category tree, and which of their attributes it knows.

A file's category is a hint: the deepest name on its path that the tree has decides. What does not
fit a typed attribute is left out, since a draft may lack attributes and a wrong one would be
shown to buyers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from souk.contexts.catalog import api as catalog
from souk.contexts.listings.api import importing
from souk.kernel.errors import InvalidInput
from souk.platform.database import ReadConn

_NUMBER = re.compile(r"^([+-]?\d+(?:[.,]\d+)?)\s*(.*)$")
_SEVERAL = re.compile(r"[,;|]")
_FLAGS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


async def places(
    conn: ReadConn, records: Sequence[importing.ProductRecord]
) -> list[importing.Placement]:
    """One placement per record, in their order; an empty one where nothing fits."""
    tree = await catalog.tree(conn)
    by_name: dict[str, list[catalog.Category]] = {}
    for category in tree.by_id.values():
        by_name.setdefault(_folded(category.name), []).append(category)
    found: list[importing.Placement] = []
    for record in records:
        draft = record.draft
        category = _category(tree, by_name, draft.category_path) if draft is not None else None
        if draft is None or category is None:
            found.append(importing.Placement())
            continue
        attributes = await _attributes(conn, tree, category, draft.attributes)
        found.append(importing.Placement(category.id, category.path, attributes))
    return found


def _folded(name: str) -> str:
    return " ".join(name.replace("_", " ").replace("-", " ").split()).casefold()


def _category(
    tree: catalog.Tree, by_name: Mapping[str, list[catalog.Category]], path: Sequence[str]
) -> catalog.Category | None:
    """The category that the path means: its last known name, told apart by the names above it."""
    names = [_folded(name) for name in path]
    for depth in range(len(names), 0, -1):
        candidates = by_name.get(names[depth - 1], [])
        above = set(names[: depth - 1])
        ranked = sorted(
            (
                (sum(_folded(a.name) in above for a in tree.ancestors(each.id)), each)
                for each in candidates
            ),
            key=lambda pair: pair[0],
            reverse=True,
        )
        if len(ranked) == 1 or (len(ranked) > 1 and ranked[0][0] > ranked[1][0]):
            return ranked[0][1]
    return None


async def _attributes(
    conn: ReadConn, tree: catalog.Tree, category: catalog.Category, given: Mapping[str, str]
) -> dict[str, object]:
    if not given:
        return {}
    texts = {_folded(name): text for name, text in given.items()}
    values: dict[str, object] = {}
    for assignment in tree.attributes_for(category.id):
        attribute = assignment.attribute
        text = texts.get(_folded(attribute.name)) or texts.get(_folded(attribute.code))
        value = _value(attribute, text) if text else None
        if value is not None:
            values[attribute.code] = value
    if not values:
        return {}
    try:
        return await catalog.validate_attributes(conn, category.id, values, complete=False)
    except InvalidInput as refusal:
        wrong = {problem.path.removeprefix("attributes.") for problem in refusal.problems}
        kept = {code: value for code, value in values.items() if code not in wrong}
        return await catalog.validate_attributes(conn, category.id, kept, complete=False)


def _value(attribute: catalog.Attribute, text: str) -> object:
    """The typed value that `text` means, or None."""
    known = {choice.casefold(): choice for choice in attribute.choices}
    match attribute.type:
        case catalog.AttributeType.NUMBER:
            number = _NUMBER.match(text.strip())
            unit = number.group(2).casefold() if number else ""
            if number is None or unit not in {"", attribute.unit.casefold()}:
                return None
            return float(number.group(1).replace(",", "."))
        case catalog.AttributeType.CHOICE:
            return known.get(text.strip().casefold())
        case catalog.AttributeType.MULTI_CHOICE:
            parts = [known.get(part.strip().casefold()) for part in _SEVERAL.split(text)]
            return list(dict.fromkeys(part for part in parts if part)) or None
        case catalog.AttributeType.BOOLEAN:
            return _FLAGS.get(text.strip().casefold())
        case _:
            return text
