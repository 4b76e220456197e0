"""The listing editor: what a form says becomes what the flows take, and back again."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from souk.web.desk import read_uuid, refusal

SHOWN = 155
"""How many characters of a description a search engine shows."""
_TEXTS = {
    "title": 200,
    "description": 100_000,
    "condition_note": 1_000,
    "location": 120,
    "seo_title": 120,
    "seo_description": 320,
}
_PARAGRAPHS = re.compile(r"(?:<p>(?:[^<>]|<br>)*</p>)+")
Form = Mapping[str, str]
Many = Mapping[str, Sequence[str]]


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
    conn: ReadConn, form: Form, many: Many, listing: listings.Listing
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
    attributes: Sequence[catalog.Attribute], form: Form, many: Many
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


def form_of_listing(listing: listings.Listing, species: str) -> dict[str, Any]:
    """The form's values for a listing as it is stored."""
    first = listing.variants[0].options if listing.variants else {}
    form: dict[str, Any] = {
        "title": listing.title,
        "slug": listing.slug,
        "description": as_typed(listing.description_html),
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


def as_typed(description: str) -> str:
    """Plain paragraphs as the lines that they were typed in; anything richer stays HTML."""
    if not _PARAGRAPHS.fullmatch(description):
        return description
    parts = description.removeprefix("<p>").removesuffix("</p>").split("</p><p>")
    text = "\n\n".join(html.unescape(part.replace("<br>", "\n")) for part in parts)
    return text if listings.description_html(text) == description else description


async def missing_of(conn: ReadConn, listing: listings.Listing) -> list[dict[str, str]]:
    """Everything that publishing still needs, stock and the category's attributes included."""
    problems = listings.publishing_problems(listing, in_stock=await flow.in_stock(conn, listing))
    if listing.category_id is not None:
        try:
            await catalog.validate_attributes(conn, listing.category_id, listing.attributes)
        except InvalidInput as error:
            problems += error.problems
    return [{"field": problem.path, "text": problem.message} for problem in problems]


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the checklist: `field` is where it is done; `text` what is missing, or empty."""

    name: str
    field: str
    text: str


_STEPS = {
    "title": "A title",
    "category_id": "A category",
    "description": "A description",
    "variants": "A price",
    "stock": "Something in stock",
    "images": "A picture",
    "files": "A file to download",
    "condition": "Its condition",
}


def checklist(listing: listings.Listing, missing: Sequence[Mapping[str, str]]) -> list[Step]:
    """Everything that publishing needs, done or not, in the order of the page."""
    kinds = listings.Kind
    unneeded = {
        kinds.GOODS: {"files", "condition"},
        kinds.DIGITAL: {"images", "stock", "condition"},
        kinds.SECONDHAND: {"files"},
    }[listing.kind]
    said = {problem["field"]: problem["text"] for problem in missing}
    steps = [
        Step(name, _place_of(field), said.pop(field, ""))
        for field, name in _STEPS.items()
        if field not in unneeded
    ]
    return steps + [Step("", f"f-{field}", text) for field, text in said.items()]


def _place_of(field: str) -> str:
    """The id of the element in which a step is done."""
    if field in {"images", "files"}:
        return field
    return {"variants": "f-variants[0].price", "stock": "f-variants[0].stock"}.get(
        field, f"f-{field}"
    )


def summary_of(listing: listings.Listing) -> str:
    """The first words of the description, as search engines show them."""
    text = listings.plain_text(listing.description_html.replace("</p>", " "))
    return text if len(text) <= SHOWN else text[:SHOWN].rsplit(" ", 1)[0] + "…"


async def stock_by_variant(
    conn: ReadConn, listing: listings.Listing
) -> dict[str, inventory.Availability]:
    """What is on hand of each variant, by the id as text."""
    found = await inventory.availability(conn, [variant.id for variant in listing.variants])
    return {str(variant_id): level for variant_id, level in found.items()}
