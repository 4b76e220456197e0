"""The API reference: what the OpenAPI document says, arranged for reading."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, cast

from litestar import Litestar
from markupsafe import Markup, escape

from souk.web.locale import N_

Schema = dict[str, Any]
TITLES = {
    "addresses": N_("Addresses"),
    "admin": N_("Operating the market"),
    "attributes": N_("Attributes"),
    "auth": N_("Signing in"),
    "balance": N_("Balance"),
    "carriers": N_("Carriers"),
    "cart": N_("Cart"),
    "categories": N_("Categories"),
    "checkouts": N_("Checkout"),
    "consents": N_("Consents"),
    "downloads": N_("Downloads"),
    "imports": N_("Imports"),
    "inventory": N_("Stock"),
    "ledger": N_("Ledger"),
    "legal": N_("Legal documents"),
    "licence-keys": N_("Licence keys"),
    "listings": N_("Listings"),
    "notifications": N_("Notifications"),
    "orders": N_("Orders"),
    "other": N_("State of the service"),
    "payments": N_("Payments"),
    "recently-viewed": N_("Recently viewed"),
    "reviews": N_("Reviews"),
    "seller": N_("A seller’s own shop"),
    "sellers": N_("Sellers"),
    "shipments": N_("Shipments"),
    "shipping-methods": N_("Ways of delivery"),
    "species": N_("Species"),
    "users": N_("Users"),
    "wishlist": N_("Wishlist"),
}
"""Titles of groups, to be translated."""
_DEEPEST = 5
_METHODS = ("get", "post", "put", "patch", "delete")
_SAMPLES: dict[str, object] = {
    "uuid": "01a1fdc9-f472-7765-bc68-747c33086c94",
    "date-time": "2026-03-01T09:30:00Z",
    "date": "2026-03-01",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter or a field of a body."""

    name: str
    type: str
    required: bool
    note: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address."""

    id: str
    method: str
    path: str
    summary: str
    description: list[Markup]
    parameters: list[Field]
    body: list[Field]
    sample: str | None
    status: str
    answer: str | None
    errors: list[tuple[str, str]]


@dataclass(slots=True)
class Group:
    """What stands below one word of the addresses, such as `orders`."""

    name: str
    operations: list[Operation] = field(default_factory=list[Operation])

    @property
    def title(self) -> str:
        """For people, to be translated."""
        return TITLES.get(self.name, self.name.replace("-", " ").capitalize())


def groups_of(app: Litestar) -> dict[str, Group]:
    """Every group by name, read off the application's document once."""
    kept: dict[str, Group] | None = app.state.get("api_reference")
    if kept is None:
        kept = arrange(app.openapi_schema.to_schema())
        app.state["api_reference"] = kept
    return kept


def arrange(document: Schema) -> dict[str, Group]:
    """The document's operations by group, in the order of their addresses."""
    schemas = cast("dict[str, Schema]", document.get("components", {}).get("schemas", {}))
    found: dict[str, Group] = {}
    for path, methods in sorted(cast("dict[str, Schema]", document["paths"]).items()):
        for method in _METHODS:
            if method in methods:
                one = cast("Schema", methods[method])
                name = one.get("tags", ["other"])[0]
                operation = _operation(path, method, one, schemas)
                found.setdefault(name, Group(name)).operations.append(operation)
    return dict(sorted(found.items()))


def _operation(path: str, method: str, one: Schema, schemas: dict[str, Schema]) -> Operation:
    body = _content(one.get("requestBody", {}))
    answers = cast("dict[str, Schema]", one["responses"])
    status = min(answers)
    answer = _content(answers[status])
    return Operation(
        id=one["operationId"],
        method=method.upper(),
        path=path,
        summary=_set(one.get("summary", "")),
        description=[_set(part) for part in one.get("description", "").split("\n\n") if part],
        parameters=[_parameter(each, schemas) for each in one.get("parameters", [])],
        body=_fields(_resolved(body, schemas), schemas) if body else [],
        sample=_pretty(sample(body, schemas)) if body else None,
        status=status,
        answer=_pretty(sample(answer, schemas)) if answer else None,
        errors=[
            (code, each.get("description", ""))
            for code, each in sorted(answers.items())
            if code >= "400"
        ],
    )


def _set(text: str) -> Markup:
    """A paragraph with what stands between backticks set as code."""
    parts = (escape(part) for part in text.split("`"))
    return Markup().join(
        Markup("<code>{}</code>").format(part) if n % 2 else part for n, part in enumerate(parts)
    )


def _content(part: Schema) -> Schema | None:
    for media in part.get("content", {}).values():
        return media.get("schema")
    return None


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _resolved(schema: Schema, schemas: dict[str, Schema]) -> Schema:
    """The schema itself instead of a reference to it, without the choice of null."""
    if "$ref" in schema:
        return _resolved(schemas[schema["$ref"].rsplit("/", 1)[1]], schemas)
    choices = [each for each in schema.get("oneOf", []) if each.get("type") != "null"]
    if len(choices) == 1:
        return _resolved({**choices[0], **_bounds(schema)}, schemas)
    return schema


def _bounds(schema: Schema) -> Schema:
    return {k: v for k, v in schema.items() if k not in {"oneOf", "type"}}


def _parameter(each: Schema, schemas: dict[str, Schema]) -> Field:
    schema = _resolved(each.get("schema", {}), schemas)
    return Field(
        each["name"], type_of(schema, schemas), bool(each.get("required")), note_of(schema),
        each["in"],
    )  # fmt: skip


def _fields(schema: Schema, schemas: dict[str, Schema]) -> list[Field]:
    required = set(schema.get("required", ()))
    return [
        Field(name, type_of(inner, schemas), name in required, note_of(inner))
        for name, each in schema.get("properties", {}).items()
        for inner in [_resolved(each, schemas)]
    ]


def type_of(schema: Schema, schemas: dict[str, Schema]) -> str:
    """The type in a few words."""
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {type_of(_resolved(schema.get('items', {}), schemas), schemas)}"
    return str(schema.get("format") or (schema.get("title") if kind == "object" else None) or kind)


def note_of(schema: Schema) -> str:
    """Bounds and default in words."""
    words = {
        "minLength": "at least {} characters",
        "maxLength": "at most {} characters",
        "minimum": "from {}",
        "maximum": "to {}",
        "maxItems": "at most {}",
        "pattern": "like {}",
    }
    found = [text.format(_number(schema[key])) for key, text in words.items() if key in schema]
    if schema.get("default") not in (None, "", []):
        found.append(f"default {json.dumps(schema['default'])}")
    return ", ".join(found)


def _number(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def sample(schema: Schema | None, schemas: dict[str, Schema], depth: int = 0) -> object:
    """A value of the shape that the schema asks for."""
    if schema is None:
        return None
    whole = _resolved(schema, schemas)
    if "enum" in whole or "const" in whole:
        return whole.get("const", whole.get("enum", [None])[0])
    kind = whole.get("type")
    if kind == "object":
        inner = whole.get("properties", {}) if depth < _DEEPEST else {}
        return {name: sample(each, schemas, depth + 1) for name, each in inner.items()}
    if kind == "array":
        item = whole.get("items")
        return [sample(item, schemas, depth + 1)] if item and depth < _DEEPEST else []
    if kind == "string":
        return _SAMPLES.get(whole.get("format", ""), whole.get("default") or "text")
    if kind in {"integer", "number"}:
        return _number(whole.get("default") or max(1, whole.get("minimum", 1)))
    if kind == "boolean":
        return bool(whole.get("default"))
    return None
