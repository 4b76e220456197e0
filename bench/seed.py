"""Fills a database with a marketplace of any size, the same each time.

Categories and attributes are made by the real commands. Listings are real entities, rendered by the
functions that the commands use, and written with COPY. The index is built by the real indexer.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec

from souk.contexts.catalog import api as catalog
from souk.contexts.listings import store
from souk.contexts.listings.domain import (
    DigitalFile,
    Image,
    Kind,
    Listing,
    SellerFacts,
    State,
    Variant,
)
from souk.contexts.search import api as search
from souk.flows.index_listings.indexer import Indexer
from souk.kernel.actor import system
from souk.platform.database import Database, WriteTx

ACTOR = system("bench")
START = datetime(2025, 1, 1, tzinfo=UTC)
BATCH = 5_000
ON_HAND = 1_000_000
_GOODS_TEXT = (
    "monstera fern orchid rose lily cactus palm ivy maple basil mint sage thyme tomato pepper"
    " lamp chair table mug bowl vase jacket backpack tent lantern kettle blanket cushion clock"
    " poster print pattern brush font icon template guide workbook recipe atlas compass camera"
)
_ADJECTIVES_TEXT = (
    "fresh organic live potted garden indoor outdoor hardy evergreen rare variegated mature rooted"
    " handmade vintage large small medium compact blue red green white yellow purple oak linen"
    " wool copper enamel ceramic folding portable printable editable illustrated annotated"
)
_GOODS, _ADJECTIVES = _GOODS_TEXT.split(), _ADJECTIVES_TEXT.split()
_SHOPS = ["Nursery", "Studio", "Workshop", "Press", "Outfitters", "Goods", "Garden", "Archive"]
_ATTRIBUTES = {"colour": 12, "size": 6, "light": 4, "material": 10}
Report = Callable[[str, int, int], None]


@dataclass(slots=True)
class Market:
    """What a run of load needs to know of what is for sale."""

    listings: int
    slugs: list[str]
    ids: list[UUID]
    variants: list[tuple[UUID, UUID]]
    """Counted variants with plenty in stock, each with its seller."""
    categories: list[str]
    words: list[str]
    past_orders: int = 0
    fill_seconds: float = 0.0
    migrate_seconds: float = 0.0

    def by_seller(self) -> list[list[UUID]]:
        """The variants of each seller."""
        found: dict[UUID, list[UUID]] = {}
        for variant, seller in self.variants:
            found.setdefault(seller, []).append(variant)
        return list(found.values())


def _uuid(chance: random.Random, at: datetime) -> UUID:
    """A version 7 id (RFC 9562) of that moment: real keys arrive in order of time."""
    value = int(at.timestamp() * 1000) << 80 | chance.getrandbits(80)
    return UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62)


def sellers(count: int, chance: random.Random) -> list[SellerFacts]:
    """Shops to sell `count` listings."""
    return [
        SellerFacts(
            id=_uuid(chance, START), name=f"{chance.choice(_SHOPS)} {number}", slug=f"shop-{number}"
        )
        for number in range(min(max(count // 100, 20), 5_000))
    ]


def _variants(chance: random.Random, kind: Kind, number: int, at: datetime) -> list[Variant]:
    sizes = ["S", "M", "L"] if kind is Kind.GOODS and number % 5 == 0 else [""]
    price = max(int(chance.lognormvariate(7.5, 0.8)), 100)
    return [
        Variant(
            id=_uuid(chance, at),
            options={"Size": size} if size else {},
            sku=f"SKU-{number}{size and '-'}{size}",
            price=price + 150 * place,
            weight_g=None if kind is Kind.DIGITAL else chance.randrange(100, 5_000),
        )
        for place, size in enumerate(sizes)
    ]


def listings(
    count: int, shops: Sequence[SellerFacts], paths: Sequence[list[UUID]]
) -> Iterator[tuple[Listing, SellerFacts]]:
    """`count` active listings, oldest first."""
    chance = random.Random(20260105)
    for number in range(count):
        at = START + timedelta(seconds=10 * number)
        kind = chance.choice([Kind.GOODS, Kind.GOODS, Kind.GOODS, Kind.DIGITAL, Kind.SECONDHAND])
        shop = shops[int(len(shops) * chance.random() ** 1.5)]
        path = paths[int(len(paths) * chance.random() ** 1.5)]
        words = [*chance.choices(_ADJECTIVES, k=2), chance.choice(_GOODS)]
        picture = _uuid(chance, at)
        listing = Listing(
            id=_uuid(chance, at),
            seller_id=shop.id,
            kind=kind,
            state=State.ACTIVE,
            title=" ".join(words).capitalize(),
            slug=f"{'-'.join(words)}-{number}",
            description_html=f"<p>{' '.join(chance.choices(_ADJECTIVES + _GOODS, k=60))}.</p>",
            category_id=path[-1],
            category_path=path,
            attributes={
                code: f"{code} {chance.randrange(kinds)}" for code, kinds in _ATTRIBUTES.items()
            },
            tags=chance.choices(_ADJECTIVES, k=2),
            currency="EUR",
            location="Berlin",
            reviewed=True,
            version=1,
            created_at=at,
            updated_at=at,
            published_at=at,
            images=[
                Image(
                    id=picture, key=f"images/{picture}", alt=words[-1], width=1200, height=900,
                    size=90_000,
                )
            ],
        )  # fmt: skip
        listing.variants = _variants(chance, kind, number, at)
        if kind is Kind.DIGITAL:
            listing.files = [_file(chance, at, words[-1])]
        yield listing, shop


def _file(chance: random.Random, at: datetime, name: str) -> DigitalFile:
    return DigitalFile(
        id=_uuid(chance, at), key=f"files/{name}", filename=f"{name}.pdf",
        media_type="application/pdf", size=1_000, sha256="00" * 32, version=1, current=True,
        created_at=at,
    )  # fmt: skip


async def tree(tx: WriteTx) -> list[list[UUID]]:
    """Ten categories with twenty below each, and their attributes; returns the leaves' paths."""
    attributes = [
        await catalog.create_attribute(
            tx, ACTOR, code=code, name=code.capitalize(), type=catalog.AttributeType.CHOICE,
            choices=[f"{code} {place}" for place in range(kinds)],
        )
        for code, kinds in _ATTRIBUTES.items()
    ]  # fmt: skip
    paths: list[list[UUID]] = []
    for top in range(10):
        family = await catalog.create_category(tx, ACTOR, name=f"Family {top}")
        for attribute in attributes:
            await catalog.assign_attribute(
                tx, ACTOR, category_id=family.id, attribute_id=attribute.id, facet=True
            )
        for leaf in range(20):
            group = await catalog.create_category(
                tx, ACTOR, name=f"Group {top} {leaf}", parent_id=family.id
            )
            paths.append([family.id, group.id])
    return paths


async def fill(
    db: Database, url: str, engine: search.SearchEngine, *, count: int, report: Report
) -> Market:
    """Make the marketplace and its index in an empty migrated database."""
    paths = await db.transact(tree)
    shops = sellers(count, random.Random(7))
    raw = await asyncpg.connect(url)
    groups = [f"group-{n // 20}-{n % 20}" for n in range(200)]
    market = Market(count, [], [], [], groups, list(_GOODS))
    keep_every = max(count // 2_000, 1)
    try:
        await _copy_sellers(raw, shops)
        batch: list[tuple[Listing, SellerFacts]] = []
        for number, (listing, shop) in enumerate(listings(count, shops, paths), start=1):
            batch.append((listing, shop))
            if number % keep_every == 0:
                _keep(market, listing)
            if len(batch) == BATCH or number == count:
                await _copy_listings(raw, batch)
                batch.clear()
                report("listings", number, count)
        await raw.execute("ANALYZE")
    finally:
        await raw.close()
    await Indexer(db, engine).rebuild(progress=lambda done: report("search index", done, count))
    return market


def _keep(market: Market, listing: Listing) -> None:
    market.slugs.append(listing.slug)
    market.ids.append(listing.id)
    if listing.kind is not Kind.DIGITAL:
        market.variants.extend((variant.id, listing.seller_id) for variant in listing.variants)


async def _copy(
    raw: asyncpg.Connection[asyncpg.Record],
    table: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
) -> None:
    schema, _, name = table.partition(".")
    await raw.copy_records_to_table(name, schema_name=schema, columns=columns, records=rows)


async def _copy_sellers(
    raw: asyncpg.Connection[asyncpg.Record], shops: Sequence[SellerFacts]
) -> None:
    rows = [(shop.id, shop.name, shop.slug) for shop in shops]
    await _copy(raw, "listings.seller", ["id", "name", "slug"], rows)
    columns = ["id", "user_id", "slug", "name", "kind", "country", "state", "tier", "bio"]
    await _copy(
        raw,
        "sellers.seller",
        [*columns, "applied_at", "approved_at"],
        [
            (shop.id, shop.id, shop.slug, shop.name, "business", "DE", "approved", "standard", "",
             START, START)
            for shop in shops
        ],
    )  # fmt: skip


_STOCK = ["variant_id", "listing_id", "seller_id", "on_hand", "tracked"]
_VARIANT = [
    "id", "listing_id", "seller_id", "position", "options", "sku", "price", "compare_at",
    "weight_g", "active",
]  # fmt: skip
_FILE = [
    "id", "listing_id", "key", "filename", "media_type", "size", "sha256", "version", "current",
    "created_at",
]  # fmt: skip
_IMAGE = ["id", "listing_id", "position", "key", "alt", "width", "height", "size"]


async def _copy_listings(
    raw: asyncpg.Connection[asyncpg.Record], batch: Sequence[tuple[Listing, SellerFacts]]
) -> None:
    at = store.ALL_COLUMNS.index("attributes")
    rows: list[list[object]] = []
    for listing, shop in batch:
        row = store.row_of(listing, shop)
        row[at] = _json(row[at])
        rows.append(row)
    await _copy(raw, "listings.listing", store.ALL_COLUMNS, rows)
    every = [listing for listing, _ in batch]
    await _copy(
        raw,
        "listings.placement",
        ["category_id", "listing_id", "published_at"],
        [(one, each.id, each.published_at) for each in every for one in each.category_path],
    )
    await _copy_parts(raw, every)


async def _copy_parts(raw: asyncpg.Connection[asyncpg.Record], every: Sequence[Listing]) -> None:
    variants = [(each, place, one) for each in every for place, one in enumerate(each.variants)]
    await _copy(
        raw,
        "listings.variant",
        _VARIANT,
        [
            (one.id, each.id, each.seller_id, place, _json(one.options), one.sku, one.price,
             one.compare_at, one.weight_g, one.active)
            for each, place, one in variants
        ],
    )  # fmt: skip
    await _copy(
        raw,
        "listings.image",
        _IMAGE,
        [
            (one.id, each.id, place, one.key, one.alt, one.width, one.height, one.size)
            for each in every
            for place, one in enumerate(each.images)
        ],
    )
    await _copy(
        raw,
        "listings.digital_file",
        _FILE,
        [
            (one.id, each.id, one.key, one.filename, one.media_type, one.size,
             bytes.fromhex(one.sha256), one.version, one.current, one.created_at)
            for each in every
            for one in each.files
        ],
    )  # fmt: skip
    counted = [(each, one) for each, _, one in variants if each.kind is not Kind.DIGITAL]
    stock = [(one.id, each.id, each.seller_id, ON_HAND, True) for each, one in counted]
    await _copy(raw, "inventory.stock", _STOCK, stock)
    await _copy(
        raw,
        "inventory.movement",
        ["variant_id", "delta", "balance", "reason", "actor", "at"],
        [(one.id, ON_HAND, ON_HAND, "initial", ACTOR.label(), START) for _, one in counted],
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
