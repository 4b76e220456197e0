"""What to do with each product of a batch: create, update, leave, refuse. Pure.

An imported listing passes the same checks as one that is typed in; what they refuse becomes a
sentence at the product's row.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from souk.contexts.listings import domain
from souk.contexts.listings.domain import Condition, Kind, Listing, State, Variant
from souk.contexts.listings.importing.drafts import (
    ProductDraft,
    ProductRecord,
    RowProblem,
    Severity,
    VariantDraft,
    content_key,
)
from souk.contexts.listings.importing.runs import Counts, Outcome
from souk.kernel.errors import FieldProblem, InvalidInput
from souk.kernel.ids import human_number, uuid7

_VARIANT_PATH = re.compile(r"^variants\[(\d+)\]")
_SKU_STEM = 12


class Placement(msgspec.Struct, frozen=True):
    """Where the catalogue puts a product, and the attributes that its category knows."""

    category_id: UUID | None = None
    category_path: list[UUID] = msgspec.field(default_factory=list[UUID])
    attributes: dict[str, object] = msgspec.field(default_factory=dict[str, object])


class Known(msgspec.Struct, frozen=True):
    """What an earlier import made of a product. `listing` is None when it is gone."""

    content_hash: bytes
    content: bytes
    listing: Listing | None


class StockChange(msgspec.Struct, frozen=True):
    """The stock that a file gives to a variant; `on_hand` None means not counted."""

    variant_id: UUID
    listing_id: UUID
    on_hand: int | None


class Plan(msgspec.Struct, kw_only=True):
    """The decision on one product. `listing` is what to store; `former` what it was."""

    record: ProductRecord
    outcome: Outcome
    problems: list[RowProblem]
    listing: Listing | None = None
    former: bytes | None = None
    content_hash: bytes = b""
    content: bytes = b""
    stock_new: list[StockChange] = msgspec.field(default_factory=list[StockChange])
    stock_changed: list[StockChange] = msgspec.field(default_factory=list[StockChange])


class Surroundings(msgspec.Struct, frozen=True):
    """What the batch has to know of the database.

    `sku_owner` is the listing that has a SKU of the seller's already; `slugs` those taken.
    """

    seller_id: UUID
    currency: str
    now: datetime
    known: dict[str, Known]
    sku_owner: dict[str, UUID]
    slugs: set[str]


def wanted_slug(draft: ProductDraft) -> str:
    """The address that the title asks for; may be too short to be one."""
    return domain.slugify(draft.title)


def decide(record: ProductRecord, place: Placement, around: Surroundings) -> Plan:
    """The plan for one product; takes its slug and SKUs so that the next one cannot."""
    draft = record.draft
    if draft is None:
        return Plan(record=record, outcome=Outcome.REFUSED, problems=record.problems)
    content = content_key(draft)
    digest = hashlib.sha256(content).digest()
    known = around.known.get(record.external_id)
    listing = known.listing if known is not None else None
    alive = listing is not None and listing.state is not State.ARCHIVED
    if known is not None and alive and known.content_hash == digest:
        return Plan(
            record=record, outcome=Outcome.UNCHANGED, problems=record.problems, listing=listing
        )
    try:
        if known is not None and listing is not None and alive:
            plan = _update(record, draft, listing, known, place, around)
        else:
            plan = _create(record, draft, place, around)
    except InvalidInput as refusal:
        found = [_at_row(problem, draft) for problem in refusal.problems]
        found = found or [RowProblem(draft.rows[0], "", refusal.code, refusal.message)]
        return Plan(record=record, outcome=Outcome.REFUSED, problems=record.problems + found)
    plan.content, plan.content_hash = content, digest
    return plan


def _at_row(problem: FieldProblem, draft: ProductDraft) -> RowProblem:
    match = _VARIANT_PATH.match(problem.path)
    if match and int(match.group(1)) < len(draft.variants):
        row = draft.variants[int(match.group(1))].row
    else:
        row = draft.rows[0]
    field = problem.path.rpartition(".")[2]
    return RowProblem(row, field, problem.code, problem.message, Severity.ERROR)


def _create(
    record: ProductRecord, draft: ProductDraft, place: Placement, around: Surroundings
) -> Plan:
    listing = Listing(
        id=uuid7(),
        seller_id=around.seller_id,
        kind=draft.kind,
        title=draft.title,
        slug=_free_slug(draft, around),
        description_html=draft.description_html,
        category_id=place.category_id,
        category_path=place.category_path,
        attributes=place.attributes,
        tags=draft.tags,
        currency=around.currency,
        condition=Condition(draft.condition) if draft.condition else None,
        seo_title=draft.seo_title,
        seo_description=draft.seo_description,
        created_at=around.now,
        updated_at=around.now,
        version=1,
    )
    listing.variants = [_variant(given, None, listing) for given in draft.variants]
    _check(listing, around)
    stock = [
        StockChange(variant.id, listing.id, _on_hand(given, listing.kind))
        for variant, given in zip(listing.variants, draft.variants, strict=True)
    ]
    return Plan(
        record=record, outcome=Outcome.CREATED, problems=record.problems, listing=listing,
        stock_new=stock,
    )  # fmt: skip


def _update(
    record: ProductRecord,
    draft: ProductDraft,
    listing: Listing,
    known: Known,
    place: Placement,
    around: Surroundings,
) -> Plan:
    """What the file says replaces what was there; pictures, state and address stay."""
    former = msgspec.json.encode(listing)
    changed = msgspec.structs.replace(
        listing,
        title=draft.title,
        description_html=draft.description_html,
        tags=draft.tags,
        condition=Condition(draft.condition) if draft.condition else listing.condition,
        seo_title=draft.seo_title,
        seo_description=draft.seo_description,
    )
    if listing.category_id is None:
        changed.category_id, changed.category_path = place.category_id, place.category_path
        changed.attributes = place.attributes
    by_sku = {variant.sku: variant for variant in listing.variants}
    by_options = {tuple(variant.options.items()): variant for variant in listing.variants}
    made: list[Variant] = []
    fresh: list[StockChange] = []
    restocked: list[StockChange] = []
    before = _former_stock(known.content)
    for given in draft.variants:
        old = by_sku.get(given.sku) or by_options.get(tuple(given.options.items()))
        old = None if old is not None and any(kept.id == old.id for kept in made) else old
        variant = _variant(given, old, listing)
        made.append(variant)
        change = StockChange(variant.id, listing.id, _on_hand(given, listing.kind))
        if old is None:
            fresh.append(change)
        elif change.on_hand is not None and before.get(_key(given), -1) != given.stock:
            restocked.append(change)
    kept = {variant.id for variant in made}
    gone = [v for v in listing.variants if v.id not in kept]
    if made and all(list(v.options) == list(made[0].options) for v in gone):
        made += [msgspec.structs.replace(variant, active=False) for variant in gone]
    changed.variants = made
    _check(changed, around)
    if changed.visible:
        changed.require_ready(in_stock=True)
    return Plan(
        record=record, outcome=Outcome.UPDATED, problems=record.problems, listing=changed,
        former=former, stock_new=fresh, stock_changed=restocked,
    )  # fmt: skip


def _check(listing: Listing, around: Surroundings) -> None:
    """The rules for every listing, then that no other listing has its SKUs. Raises InvalidInput."""
    domain.check_fields(listing)
    domain.check_variants(listing.variants, kind=listing.kind, currency=listing.currency)
    taken = [
        FieldProblem(
            f"variants[{index}].sku",
            "sku_taken",
            f"Another of your listings has the SKU “{variant.sku}”. Change one of the two.",
        )
        for index, variant in enumerate(listing.variants)
        if around.sku_owner.get(variant.sku, listing.id) != listing.id
    ]
    if taken:
        raise InvalidInput("Another listing has these SKUs.", problems=taken)
    around.sku_owner.update({variant.sku: listing.id for variant in listing.variants})


def _variant(given: VariantDraft, old: Variant | None, listing: Listing) -> Variant:
    sku = given.sku or (old.sku if old is not None else _new_sku(listing.title))
    return Variant(
        id=old.id if old is not None else uuid7(),
        options=given.options,
        sku=sku,
        price=given.price.amount if given.price is not None else 0,
        compare_at=given.compare_at.amount if given.compare_at is not None else None,
        weight_g=given.weight_g,
    )


def _new_sku(title: str) -> str:
    stem = domain.slugify(title)[:_SKU_STEM].strip("-").upper() or "ITEM"
    return f"{stem}-{human_number(groups=1, size=8)}"


def _on_hand(given: VariantDraft, kind: Kind) -> int | None:
    """Files are not counted; a second-hand thing of which the file counts none is one."""
    if kind is Kind.DIGITAL:
        return None
    return 1 if kind is Kind.SECONDHAND and given.stock is None else given.stock


def _key(given: VariantDraft) -> str:
    return given.sku or "\0".join(given.options.values())


def _former_stock(content: bytes) -> Mapping[str, int | None]:
    """Stock by variant as the last import gave it: a number that stayed says nothing new."""
    draft = msgspec.json.decode(content, type=ProductDraft)
    return {_key(variant): variant.stock for variant in draft.variants}


def _free_slug(draft: ProductDraft, around: Surroundings) -> str:
    slug = wanted_slug(draft)
    if len(slug) < 3 or slug in domain.RESERVED_SLUGS:
        slug = f"{slug or 'item'}-{human_number(groups=1, size=6).lower()}"
    elif slug in around.slugs:
        slug = f"{slug}-{human_number(groups=1, size=6).lower()}"
    around.slugs.add(slug)
    return slug


def count(plans: list[Plan]) -> Counts:
    """How many of each outcome, and how many problems."""
    found = [problem.severity for plan in plans for problem in plan.problems]
    outcomes = [plan.outcome for plan in plans]
    return Counts(
        created=outcomes.count(Outcome.CREATED),
        updated=outcomes.count(Outcome.UPDATED),
        unchanged=outcomes.count(Outcome.UNCHANGED),
        refused=outcomes.count(Outcome.REFUSED),
        warnings=found.count(Severity.WARNING),
        errors=found.count(Severity.ERROR),
    )
