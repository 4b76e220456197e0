"""The listing editor: what a form says becomes what the flows take, and back again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from souk.contexts.catalog import api as catalog
from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.flows.publish_listing import flow
from souk.kernel.errors import InvalidInput
from souk.platform.database import ReadConn
from souk.platform.http.wire import clean_text
from souk.web.desk import decimal_text, read_int, read_money, read_uuid, refusal

OPTIONS = 3
BLANK_ROWS = 2
_TEXTS = {
    "title": 200,
    "description": 100_000,
    "condition_note": 1_000,
    "location": 120,
    "seo_title": 120,
    "seo_description": 320,
}
_ROW = ("id", "price", "compare_at", "sku", "weight_g", "stock", "value_1", "value_2", "value_3")
Form = Mapping[str, str]


def fingerprint(listing: listings.Listing) -> str:
    """What this form edits, as it is stored; another one means that somebody else changed it."""
    edited = [
        [getattr(listing, name) for name in (
            "title", "slug", "description_html", "category_id", "species_id", "attributes", "tags",
            "condition", "condition_note", "location", "live_plant", "seo_title",
            "seo_description",
        )],
        listing.variants,
    ]  # fmt: skip
    return blake2b(msgspec.json.encode(edited), digest_size=12).hexdigest()


def texts_of(form: Form) -> dict[str, str]:
    """The texts of the form within their bounds. Raises InvalidInput."""
    found: dict[str, str] = {}
    for name, most in _TEXTS.items():
        value = clean_text(form.get(name, ""), path=name)
        if len(value) > most:
            raise refusal(name, f"Shorten this to {most:,} characters.")
        found[name] = value
    return found


def condition_of(form: Form, kind: listings.Kind) -> listings.Condition | None:
    """The grade of a second-hand thing. Raises InvalidInput."""
    given = form.get("condition", "")
    if kind is not listings.Kind.SECONDHAND or not given:
        return None
    try:
        return listings.Condition(given)
    except ValueError as error:
        raise refusal("condition", "Choose a grade from the list.") from error


async def changes_of(
    conn: ReadConn, form: Form, many: Mapping[str, Sequence[str]], listing: listings.Listing
) -> listings.ListingChanges:
    """What the form changes. Raises InvalidInput, NotFound for an unknown species."""
    second_hand = listing.kind is listings.Kind.SECONDHAND
    category_id = read_uuid(form.get("category_id", ""), path="category_id")
    filed: UnsetType | dict[str, object] = UNSET
    if category_id is not None and category_id == listing.category_id:
        assignments = await catalog.attributes_for(conn, category_id)
        filed = attributes_of([each.attribute for each in assignments], form, many)
    texts: dict[str, Any] = dict(texts_of(form))
    if not second_hand:
        texts["condition_note"] = ""
    slug = form.get("slug", "")
    species: UnsetType | Any = UNSET
    if "species" in form:
        name = clean_text(form["species"], path="species")
        species = (await catalog.species(conn, name)).id if name else None
    return listings.ListingChanges(
        **texts,
        slug=slug or UNSET,
        category_id=category_id or UNSET,
        attributes=filed,
        species_id=species,
        tags=[tag.strip() for tag in form.get("tags", "").split(",") if tag.strip()],
        condition=condition_of(form, listing.kind),
        live_plant=form.get("live_plant") == "1",
    )


def attributes_of(
    attributes: Sequence[catalog.Attribute], form: Form, many: Mapping[str, Sequence[str]]
) -> dict[str, object]:
    """Typed values of the category's attributes; empty ones are left out. Raises InvalidInput."""
    found: dict[str, object] = {}
    kinds = catalog.AttributeType
    for attribute in attributes:
        name = f"attributes.{attribute.code}"
        text = form.get(name, "")
        if attribute.type is kinds.MULTI_CHOICE:
            chosen = [value for value in many.get(name, ()) if value]
            if chosen:
                found[attribute.code] = chosen
        elif not text:
            continue
        elif attribute.type is kinds.BOOLEAN:
            found[attribute.code] = text == "yes"
        elif attribute.type is kinds.NUMBER:
            found[attribute.code] = _number(text, name)
        else:
            found[attribute.code] = text
    return found


def _number(text: str, path: str) -> int | float:
    try:
        value = float(text.replace(",", "."))
    except ValueError as error:
        raise refusal(path, "Write a number.") from error
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def rows_of_form(form: Form) -> list[dict[str, str]]:
    """The variant rows as they were sent; `path` is the one that refusals name."""
    rows: list[dict[str, str]] = []
    kept = 0
    for n in range(listings.MAX_VARIANTS + BLANK_ROWS):
        if f"v{n}.price" not in form:
            break
        row = {name: form.get(f"v{n}.{name}", "") for name in _ROW}
        row |= {name: form.get(f"v{n}.{name}", "") for name in ("active", "remove")}
        used = not row["remove"] and (row["id"] or row["price"] or row["value_1"])
        row["path"] = f"variants[{kept}]" if used else ""
        kept += bool(used)
        rows.append(row)
    return rows


def names_of(form: Form) -> list[str]:
    """What the variants differ in, such as size and colour."""
    names = [form.get(f"option_{n}", "") for n in range(1, OPTIONS + 1)]
    return [name for name in names if name]


def variants_of(form: Form, *, currency: str) -> list[flow.VariantStock]:
    """Raises InvalidInput naming the field of the row."""
    names = names_of(form)
    return [_variant(row, names, currency) for row in rows_of_form(form) if row["path"]]


def _variant(row: dict[str, str], names: list[str], currency: str) -> flow.VariantStock:
    path = row["path"]
    if not row["price"]:
        raise refusal(f"{path}.price", "Give every variant a price.")
    compare = row["compare_at"]
    weight = row["weight_g"]
    stock = row["stock"]
    return flow.VariantStock(
        variant=listings.VariantInput(
            id=read_uuid(row["id"], path=f"{path}.id"),
            price=read_money(row["price"], currency=currency, path=f"{path}.price"),
            compare_at=read_money(compare, currency=currency, path=f"{path}.compare_at")
            if compare
            else None,
            sku=row["sku"],
            weight_g=read_int(weight, path=f"{path}.weight_g") if weight else None,
            active=row["active"] == "1" or not row["id"],
            options={name: row[f"value_{n}"] for n, name in enumerate(names, 1)},
        ),
        on_hand=read_int(stock, path=f"{path}.stock") if stock else 0,
    )


def form_of_listing(listing: listings.Listing, species: str) -> dict[str, Any]:
    """The form's values for a listing as it is stored."""
    first = listing.variants[0].options if listing.variants else {}
    form: dict[str, Any] = {
        "title": listing.title,
        "slug": listing.slug,
        "description": listing.description_html,
        "category_id": str(listing.category_id or ""),
        "species": species,
        "tags": ", ".join(listing.tags),
        "condition": listing.condition or "",
        "condition_note": listing.condition_note,
        "location": listing.location,
        "live_plant": "1" if listing.live_plant else "",
        "seo_title": listing.seo_title,
        "seo_description": listing.seo_description,
    }
    form |= {f"option_{n}": name for n, name in enumerate(first, 1)}
    for code, value in listing.attributes.items():
        shown = ("yes" if value else "no") if isinstance(value, bool) else value
        form[f"attributes.{code}"] = shown
    return form


def rows_of_listing(listing: listings.Listing, *, blank: int) -> list[dict[str, str]]:
    """A row per variant, and empty ones for more."""
    rows = [
        {
            "id": str(variant.id),
            "price": decimal_text(variant.price, listing.currency),
            "compare_at": decimal_text(variant.compare_at, listing.currency),
            "sku": variant.sku,
            "weight_g": "" if variant.weight_g is None else str(variant.weight_g),
            "active": "1" if variant.active else "",
            "path": f"variants[{n}]",
            **{f"value_{k}": value for k, value in enumerate(variant.options.values(), 1)},
        }
        for n, variant in enumerate(listing.variants)
    ]
    return rows + [dict.fromkeys((*_ROW, "path"), "") for _ in range(blank)]


async def missing_of(conn: ReadConn, listing: listings.Listing) -> list[dict[str, str]]:
    """Everything that publishing still needs, stock and the category's attributes included."""
    problems = listings.publishing_problems(listing, in_stock=await flow.in_stock(conn, listing))
    if listing.category_id is not None:
        try:
            await catalog.validate_attributes(conn, listing.category_id, listing.attributes)
        except InvalidInput as error:
            problems += error.problems
    return [{"field": problem.path, "text": problem.message} for problem in problems]


async def stock_by_variant(
    conn: ReadConn, listing: listings.Listing
) -> dict[str, inventory.Availability]:
    """What is on hand of each variant, by the id as text."""
    found = await inventory.availability(conn, [variant.id for variant in listing.variants])
    return {str(variant_id): level for variant_id, level in found.items()}


def category_choices(tree: catalog.Tree) -> list[tuple[str, str]]:
    """Every category with its path, in the order of the tree."""
    found: list[tuple[str, str]] = []
    for root in tree.roots:
        for category in tree.subtree(root.id):
            names = [each.name for each in tree.ancestors(category.id)]
            found.append((str(category.id), " › ".join(names)))
    return sorted(found, key=lambda choice: choice[1].casefold())
