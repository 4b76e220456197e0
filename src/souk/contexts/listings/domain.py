"""Listings: states, prices, variants and what a listing needs before it may be shown. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import msgspec

from souk.contexts.listings.errors import ListingArchived, StaleListing
from souk.kernel.errors import FieldProblem, IllegalTransition, InvalidInput
from souk.kernel.money import exponent

MAX_VARIANTS = 100
MAX_OPTIONS = 3
MAX_IMAGES = 10
MAX_FILES = 20
MAX_TAGS = 20
MAX_TITLE = 200
MAX_DESCRIPTION = 50_000
MIN_PRICE = Decimal("0.50")
MAX_PRICE = Decimal(1_000_000)
MAX_WEIGHT_G = 1_000_000
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_SKU = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/ -]{0,63}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
RESERVED_SLUGS = frozenset({"new", "search", "edit", "import", "export", "mine", "review"})


class Kind(StrEnum):
    """Which of the marketplace's three sorts of goods a listing is."""

    GOODS = "goods"
    DIGITAL = "digital"
    SECONDHAND = "secondhand"


class State(StrEnum):
    """Where a listing is in its life."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    ACTIVE = "active"
    PAUSED = "paused"
    SOLD_OUT = "sold_out"
    FLAGGED = "flagged"
    ARCHIVED = "archived"


class Condition(StrEnum):
    """How worn a second-hand thing is."""

    NEW = "new"
    LIKE_NEW = "like_new"
    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.DRAFT: frozenset({State.IN_REVIEW, State.ACTIVE, State.ARCHIVED}),
    State.IN_REVIEW: frozenset({State.ACTIVE, State.DRAFT, State.ARCHIVED}),
    State.ACTIVE: frozenset({State.PAUSED, State.SOLD_OUT, State.FLAGGED, State.ARCHIVED}),
    State.PAUSED: frozenset({State.ACTIVE, State.FLAGGED, State.ARCHIVED}),
    State.SOLD_OUT: frozenset({State.ACTIVE, State.PAUSED, State.FLAGGED, State.ARCHIVED}),
    State.FLAGGED: frozenset({State.ACTIVE, State.DRAFT, State.ARCHIVED}),
    State.ARCHIVED: frozenset(),
}
VISIBLE = frozenset({State.ACTIVE, State.SOLD_OUT})
"""States in which anyone may see the listing."""


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be put into a cart. Prices are minor units of the listing's currency."""

    id: UUID
    options: dict[str, str]
    sku: str
    price: int
    compare_at: int | None = None
    weight_g: int | None = None
    active: bool = True

    @property
    def title(self) -> str:
        """What tells this variant from its siblings: `Red / 5 l`, empty for an only one."""
        return " / ".join(self.options.values())


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """A stored picture: `key` is the folder of its renditions; size in bytes, sides in pixels."""

    id: UUID
    key: str
    alt: str
    width: int
    height: int
    size: int


class DigitalFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that buyers download. A newer upload of the same name is the next version."""

    id: UUID
    key: str
    filename: str
    media_type: str
    size: int
    sha256: str
    version: int
    current: bool
    created_at: datetime


class SellerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a listing shows of its seller, and what is known of the shop.

    What a `trusted` seller changes needs no second look.
    """

    id: UUID
    name: str
    slug: str
    trusted: bool = False
    suspended: bool = False


class Listing(msgspec.Struct, kw_only=True):
    """One listing with everything that belongs to it."""

    id: UUID
    seller_id: UUID
    kind: Kind
    state: State = State.DRAFT
    title: str
    slug: str
    description_html: str = ""
    category_id: UUID | None = None
    category_path: list[UUID] = msgspec.field(default_factory=list[UUID])
    species_id: UUID | None = None
    attributes: dict[str, object] = msgspec.field(default_factory=dict[str, object])
    tags: list[str] = msgspec.field(default_factory=list[str])
    currency: str
    condition: Condition | None = None
    condition_note: str = ""
    location: str = ""
    live_plant: bool = False
    seo_title: str = ""
    seo_description: str = ""
    review_note: str = ""
    reviewed: bool = False
    rating_sum: int = 0
    rating_count: int = 0
    suspended_from: State | None = None
    relook_at: datetime | None = None
    version: int = 0
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None = None
    variants: list[Variant] = msgspec.field(default_factory=list[Variant])
    images: list[Image] = msgspec.field(default_factory=list[Image])
    files: list[DigitalFile] = msgspec.field(default_factory=list[DigitalFile])

    @property
    def visible(self) -> bool:
        return self.state in VISIBLE

    @property
    def prices(self) -> tuple[int, int] | None:
        """Lowest and highest price of the active variants; None without one."""
        prices = [variant.price for variant in self.variants if variant.active]
        return (min(prices), max(prices)) if prices else None

    @property
    def rating(self) -> float | None:
        """The average of its reviews, 1 to 5; None without one."""
        return round(self.rating_sum / self.rating_count, 2) if self.rating_count else None

    @property
    def current_files(self) -> list[DigitalFile]:
        return [file for file in self.files if file.current]

    def move_to(self, wanted: State, *, now: datetime) -> None:
        """The one place where the state changes. Raises IllegalTransition."""
        if wanted not in TRANSITIONS[self.state]:
            raise IllegalTransition(subject="listing", current=self.state, wanted=wanted)
        self.state = wanted
        if wanted is State.ACTIVE:
            self.reviewed = True
            self.published_at = self.published_at or now

    @property
    def content(self) -> tuple[object, ...]:
        """What a moderator looks at: the words and the pictures, not prices and stock."""
        return (
            self.title,
            self.description_html,
            self.category_id,
            self.attributes,
            self.tags,
            self.condition_note,
            self.location,
            self.seo_title,
            self.seo_description,
            [(image.id, image.alt) for image in self.images],
            [file.id for file in self.current_files],
        )

    def note_content(self, before: tuple[object, ...], *, trusted: bool, now: datetime) -> None:
        """Ask for another look when a listing that was let through shows something else.

        It stays as it is meanwhile; the first change since the last look counts.
        """
        passed = self.visible or self.state is State.PAUSED
        if passed and not trusted and self.content != before:
            self.relook_at = self.relook_at or now

    def follow_shop(self, *, suspended: bool) -> None:
        """Go out of sight with a suspended shop, and come back with it as it was."""
        if suspended and self.visible:
            self.suspended_from, self.state = self.state, State.PAUSED
        elif not suspended and self.suspended_from is not None:
            if self.state is State.PAUSED:
                self.state = self.suspended_from
            self.suspended_from = None

    def note_stock(self, *, in_stock: bool) -> None:
        """What is in stock decides as what a listing of a suspended shop comes back."""
        if self.suspended_from is not None and self.kind is not Kind.DIGITAL:
            self.suspended_from = State.ACTIVE if in_stock else State.SOLD_OUT

    def check_editable(self, version: int | None) -> None:
        """Raises ListingArchived, and StaleListing when somebody else changed it meanwhile."""
        if self.state is State.ARCHIVED:
            raise ListingArchived
        if version is not None and version != self.version:
            raise StaleListing(current=self.version)

    def publish(self, *, in_stock: bool, trusted: bool, now: datetime) -> None:
        """Show it, or hand it to the moderators unless it or its seller is trusted.

        Raises InvalidInput that names everything that is missing, and IllegalTransition.
        """
        wanted = State.ACTIVE if trusted or self.reviewed else State.IN_REVIEW
        if self.state is not State.DRAFT:
            raise IllegalTransition(subject="listing", current=self.state, wanted=wanted)
        self.require_ready(in_stock=in_stock)
        self.review_note = ""
        self.move_to(wanted, now=now)

    def require_ready(self, *, in_stock: bool) -> None:
        """Raises InvalidInput unless everything that publishing needs is there."""
        problems = publishing_problems(self, in_stock=in_stock)
        if problems:
            raise InvalidInput(
                "This listing is not ready to be shown. Add what is missing and try again.",
                problems=problems,
            )


def publishing_problems(listing: Listing, *, in_stock: bool) -> list[FieldProblem]:
    """Everything that still stands between a draft and the buyers."""
    found: list[FieldProblem] = []

    def missing(path: str, message: str) -> None:
        found.append(FieldProblem(path, "missing", message))

    if len(listing.title.strip()) < 3:
        missing("title", "Give it a title of at least 3 characters.")
    if not listing.description_html.strip():
        missing("description", "Describe what you sell.")
    if listing.category_id is None:
        missing("category_id", "Choose a category.")
    if listing.prices is None:
        missing("variants", "Add at least one variant with a price.")
    if listing.kind is not Kind.DIGITAL and not listing.images:
        missing("images", "Add at least one picture.")
    if listing.kind is Kind.DIGITAL and not listing.current_files:
        missing("files", "Upload the file that buyers will download.")
    if listing.kind is Kind.SECONDHAND and listing.condition is None:
        missing("condition", "Say what condition it is in.")
    if listing.kind is not Kind.DIGITAL and not in_stock:
        missing("stock", "Put at least one piece in stock.")
    return found


def check_fields(listing: Listing) -> None:
    """Raises InvalidInput naming every field that is out of bounds."""
    found: list[FieldProblem] = []
    if not 1 <= len(listing.title) <= MAX_TITLE:
        found.append(FieldProblem("title", "length", f"Use 1 to {MAX_TITLE} characters."))
    if len(listing.description_html) > MAX_DESCRIPTION:
        message = f"Shorten the description to {MAX_DESCRIPTION:,} characters."
        found.append(FieldProblem("description", "too_long", message))
    found.extend(_slug_problems(listing.slug))
    if listing.kind is not Kind.SECONDHAND and (listing.condition or listing.condition_note):
        message = "Only second-hand listings have a condition."
        found.append(FieldProblem("condition", "not_allowed", message))
    if listing.kind is not Kind.GOODS and listing.live_plant:
        message = "Only goods can be live plants."
        found.append(FieldProblem("live_plant", "not_allowed", message))
    if len(listing.tags) > MAX_TAGS or any(not 1 <= len(tag) <= 40 for tag in listing.tags):
        message = f"Use at most {MAX_TAGS} tags of 1 to 40 characters."
        found.append(FieldProblem("tags", "out_of_range", message))
    if found:
        raise InvalidInput(
            "The listing could not be saved. Correct the fields named.", problems=found
        )


def _slug_problems(slug: str) -> list[FieldProblem]:
    if not 3 <= len(slug) <= 80 or not _SLUG.fullmatch(slug):
        message = "Use 3 to 80 small letters, digits and single hyphens between them."
        return [FieldProblem("slug", "bad_slug", message)]
    if slug in RESERVED_SLUGS or _UUID.fullmatch(slug):
        return [FieldProblem("slug", "reserved", "This address is reserved. Choose another.")]
    return []


def price_bounds(currency: str) -> tuple[int, int]:
    """Least and greatest price in minor units of the currency; never below one minor unit."""
    digits = exponent(currency)
    return max(1, int(MIN_PRICE.scaleb(digits))), int(MAX_PRICE.scaleb(digits))


def check_variants(variants: list[Variant], *, kind: Kind, currency: str) -> None:
    """Raises InvalidInput naming every variant that breaks a rule of prices, options or SKUs."""
    found: list[FieldProblem] = []
    if len(variants) > MAX_VARIANTS:
        found.append(FieldProblem("variants", "too_many", f"Use at most {MAX_VARIANTS} variants."))
    if kind is Kind.SECONDHAND and len(variants) > 1:
        message = "A second-hand listing is one single thing: keep one variant."
        found.append(FieldProblem("variants", "too_many", message))
    names = list(variants[0].options) if variants else []
    seen_options: set[tuple[str, ...]] = set()
    seen_skus: set[str] = set()
    for index, variant in enumerate(variants):
        path = f"variants[{index}]"
        found.extend(_price_problems(variant, path=path, currency=currency))
        found.extend(_option_problems(variant, path=path, names=names))
        combination = tuple(variant.options.get(name, "").casefold() for name in names)
        if combination in seen_options:
            message = "Another variant has the same options. Change or remove one."
            found.append(FieldProblem(f"{path}.options", "duplicate", message))
        seen_options.add(combination)
        if not _SKU.fullmatch(variant.sku):
            message = "Use up to 64 letters, digits and . _ / - for the SKU."
            found.append(FieldProblem(f"{path}.sku", "bad_sku", message))
        elif variant.sku in seen_skus:
            message = "Another variant has this SKU. Give each its own."
            found.append(FieldProblem(f"{path}.sku", "duplicate", message))
        seen_skus.add(variant.sku)
    if found:
        raise InvalidInput(
            "The variants could not be saved. Correct the fields named.", problems=found
        )


def _price_problems(variant: Variant, *, path: str, currency: str) -> list[FieldProblem]:
    least, most = price_bounds(currency)
    found: list[FieldProblem] = []
    if not least <= variant.price <= most:
        digits = exponent(currency)
        low, high = Decimal(least).scaleb(-digits), Decimal(most).scaleb(-digits)
        message = f"Set a price between {low:,.{digits}f} and {high:,.{digits}f} {currency}."
        found.append(FieldProblem(f"{path}.price", "out_of_range", message))
    if variant.compare_at is not None and not variant.price < variant.compare_at <= most:
        message = "The price before must be higher than the price now. Raise it or leave it out."
        found.append(FieldProblem(f"{path}.compare_at", "not_higher", message))
    if variant.weight_g is not None and not 0 <= variant.weight_g <= MAX_WEIGHT_G:
        message = f"Give the weight in grams, 0 to {MAX_WEIGHT_G:,}."
        found.append(FieldProblem(f"{path}.weight_g", "out_of_range", message))
    return found


def _option_problems(variant: Variant, *, path: str, names: list[str]) -> list[FieldProblem]:
    path = f"{path}.options"
    if len(variant.options) > MAX_OPTIONS:
        return [FieldProblem(path, "too_many", f"Use at most {MAX_OPTIONS} options.")]
    if list(variant.options) != names:
        message = f"Give every variant the same options in the same order: {', '.join(names)}."
        return [FieldProblem(path, "uneven", message)]
    if any(
        not 1 <= len(text) <= limit or text != text.strip()
        for name, value in variant.options.items()
        for text, limit in ((name, 40), (value, 80))
    ):
        message = "Name every option in up to 40 and its value in up to 80 characters."
        return [FieldProblem(path, "length", message)]
    return []


def slugify(text: str) -> str:
    """`text` as an address: `Crème brûlée, 5 l` becomes `creme-brulee-5-l`. May be empty."""
    plain = unicodedata.normalize("NFKD", text[:500].replace("ß", "ss")).encode("ascii", "ignore")
    return "-".join(re.findall(r"[a-z0-9]+", plain.decode().lower()))[:70].strip("-")


def reorder(images: list[Image], ids: list[UUID]) -> list[Image]:
    """`images` in the order of `ids`, which must name each of them once. Raises InvalidInput."""
    by_id = {image.id: image for image in images}
    if len(ids) != len(by_id) or set(ids) != set(by_id):
        message = "Name every picture of the listing exactly once."
        raise InvalidInput(message, problems=[FieldProblem("ids", "incomplete", message)])
    return [by_id[image_id] for image_id in ids]
