"""Listings to and from rows; every FOR UPDATE of the context, listings in id order.

A listing is saved whole, in one statement per sort of row that changed, together with its rendered
public JSON and its place in the lists of every category above it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from asyncpg import exceptions as pg

from souk.contexts.listings.domain import Listing, SellerFacts, State
from souk.contexts.listings.errors import SkuTaken, SlugTaken
from souk.contexts.listings.rendering import render
from souk.platform.database import ReadConn, Record, WriteTx

_COLUMNS = (
    "id", "seller_id", "kind", "state", "title", "slug", "description_html", "category_id",
    "category_path", "species_id", "attributes", "tags", "currency", "condition",
    "condition_note", "location", "live_plant", "seo_title", "seo_description", "review_note",
    "reviewed", "rating_sum", "rating_count", "suspended_from", "relook_at", "version",
    "created_at", "updated_at", "published_at",
)  # fmt: skip
_DERIVED = ("price_min", "price_max", "image_key", "card", "document")
ALL_COLUMNS = (*_COLUMNS, *_DERIVED)
_SELECT = f"""
SELECT {", ".join("l." + name for name in _COLUMNS)}, s.name AS seller_name, s.slug AS seller_slug,
  coalesce(s.trusted, false) AS trusted, coalesce(s.suspended, false) AS suspended,
  (SELECT json_agg(json_build_object('id', v.id, 'options', v.options, 'sku', v.sku,
      'price', v.price, 'compare_at', v.compare_at, 'weight_g', v.weight_g, 'active', v.active)
      ORDER BY v.position) FROM listings.variant v WHERE v.listing_id = l.id) AS variants,
  (SELECT json_agg(json_build_object('id', i.id, 'key', i.key, 'alt', i.alt, 'width', i.width,
      'height', i.height, 'size', i.size) ORDER BY i.position)
      FROM listings.image i WHERE i.listing_id = l.id) AS images,
  (SELECT json_agg(json_build_object('id', f.id, 'key', f.key, 'filename', f.filename,
      'media_type', f.media_type, 'size', f.size, 'sha256', encode(f.sha256, 'hex'),
      'version', f.version, 'current', f.current, 'created_at', f.created_at)
      ORDER BY f.filename, f.version)
      FROM listings.digital_file f WHERE f.listing_id = l.id) AS files
FROM listings.listing l LEFT JOIN listings.seller s ON s.id = l.seller_id
"""


def listing_of(row: Record) -> tuple[Listing, SellerFacts]:
    """The entity and its seller's facts in one row of `_SELECT`."""
    fields: dict[str, Any] = {name: row[name] for name in _COLUMNS}
    for name in ("variants", "images", "files"):
        fields[name] = row[name] or []
    listing = msgspec.convert(fields, Listing)
    return listing, SellerFacts(
        id=row["seller_id"],
        name=row["seller_name"] or "",
        slug=row["seller_slug"] or "",
        trusted=row["trusted"],
        suspended=row["suspended"],
    )


async def lock(
    tx: WriteTx, listing_id: UUID, *, seller_id: UUID | None
) -> tuple[Listing, SellerFacts] | None:
    """The listing locked for a change; with `seller_id`, only if it is that seller's.

    It is read after it is locked, in a second statement: a statement that had to wait for the lock
    would still see pictures and variants as they were before it waited, and they would be lost.
    """
    locked = await tx.fetchval(
        "SELECT id FROM listings.listing WHERE id = $1 AND ($2::uuid IS NULL OR seller_id = $2)"
        " FOR UPDATE",
        listing_id,
        seller_id,
    )
    return await find(tx, listing_id, seller_id=seller_id) if locked else None


async def lock_many(tx: WriteTx, ids: Sequence[UUID]) -> list[tuple[Listing, SellerFacts]]:
    """Several listings locked, in id order, and read after that."""
    await tx.fetch(
        "SELECT id FROM listings.listing WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE",
        list(ids),
    )
    rows = await tx.fetch(f"{_SELECT} WHERE l.id = ANY($1::uuid[]) ORDER BY l.id", list(ids))
    return [listing_of(row) for row in rows]


async def find(
    conn: ReadConn, listing_id: UUID, *, seller_id: UUID | None
) -> tuple[Listing, SellerFacts] | None:
    """The listing as it is; with `seller_id`, only if it is that seller's."""
    row = await conn.fetchrow(
        f"{_SELECT} WHERE l.id = $1 AND ($2::uuid IS NULL OR l.seller_id = $2)",
        listing_id,
        seller_id,
    )
    return listing_of(row) if row else None


async def find_many(conn: ReadConn, ids: Sequence[UUID], *, seller_id: UUID) -> list[Listing]:
    """Several listings of a seller as they are, in the order of `ids`."""
    rows = await conn.fetch(
        f"{_SELECT} WHERE l.id = ANY($1::uuid[]) AND l.seller_id = $2"
        " ORDER BY array_position($1::uuid[], l.id)",
        list(ids),
        seller_id,
    )
    return [listing_of(row)[0] for row in rows]


async def seller_facts(conn: ReadConn, seller_id: UUID) -> SellerFacts:
    row = await conn.fetchrow(
        "SELECT name, slug, trusted, suspended FROM listings.seller WHERE id = $1", seller_id
    )
    if row is None:
        return SellerFacts(id=seller_id, name="", slug="")
    return SellerFacts(id=seller_id, **dict(row))


async def slug_taken(conn: ReadConn, slug: str) -> bool:
    return await conn.fetchval("SELECT EXISTS (SELECT FROM listings.listing WHERE slug = $1)", slug)


def row_of(listing: Listing, seller: SellerFacts) -> list[object]:
    """The values of `ALL_COLUMNS`, the rendered JSON included."""
    prices = listing.prices or (None, None)
    card, document = render(listing, seller)
    image_key = listing.images[0].key if listing.images else None
    return [*(getattr(listing, name) for name in _COLUMNS), *prices, image_key, card, document]


_INSERT = (
    f"INSERT INTO listings.listing ({', '.join(ALL_COLUMNS)})"
    f" VALUES ({', '.join(f'${n}' for n in range(1, len(ALL_COLUMNS) + 1))})"
)
_UPDATE = (
    "UPDATE listings.listing SET "
    + ", ".join(
        f"{name} = ${n}"
        for n, name in enumerate(ALL_COLUMNS, start=1)
        if name not in {"id", "seller_id"}
    )
    + " WHERE id = $1 AND seller_id = $2"
)


async def insert(tx: WriteTx, listing: Listing, seller: SellerFacts) -> None:
    """Raises SlugTaken and SkuTaken."""
    try:
        await tx.execute(_INSERT, *row_of(listing, seller))
    except pg.UniqueViolationError as error:
        raise SlugTaken from error
    if listing.variants:
        await _save_variants(tx, listing)


_INSERT_VARIANT = """
INSERT INTO listings.variant (id, listing_id, seller_id, position, options, sku, price, compare_at,
  weight_g, active) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""


async def insert_many(tx: WriteTx, listings: Sequence[Listing], seller: SellerFacts) -> None:
    """New listings of one seller with their variants, in two round trips.

    Raises UniqueViolationError when somebody took a slug or SKU since it was looked up.
    """
    await tx.executemany(_INSERT, [row_of(listing, seller) for listing in listings])
    variants = [
        (
            variant.id,
            listing.id,
            listing.seller_id,
            position,
            variant.options,
            variant.sku,
            variant.price,
            variant.compare_at,
            variant.weight_g,
            variant.active,
        )
        for listing in listings
        for position, variant in enumerate(listing.variants)
    ]
    await tx.executemany(_INSERT_VARIANT, variants)


async def save(
    tx: WriteTx,
    listing: Listing,
    seller: SellerFacts,
    *,
    variants: bool = False,
    images: bool = False,
    files: bool = False,
    placed: bool = False,
) -> None:
    """Write the listing and the named sorts of its rows. Raises SlugTaken and SkuTaken.

    `placed` says that its state, category or date of publication may have changed.
    """
    listing.version += 1
    listing.updated_at = tx.clock.now()
    try:
        await tx.execute(_UPDATE, *row_of(listing, seller))
    except pg.UniqueViolationError as error:
        raise SlugTaken from error
    if variants:
        await _save_variants(tx, listing)
    if images:
        await _save_images(tx, listing)
    if files:
        await _save_files(tx, listing)
    if placed:
        await _place(tx, listing)


_VARIANTS = """
INSERT INTO listings.variant (id, listing_id, seller_id, position, options, sku, price, compare_at,
  weight_g, active)
SELECT r.id, $1, $2, r.position, r.options, r.sku, r.price, r.compare_at, r.weight_g, r.active
FROM json_to_recordset($3::json) AS r (id uuid, position smallint, options json, sku text,
  price bigint, compare_at bigint, weight_g integer, active boolean)
ON CONFLICT (id) DO UPDATE SET position = excluded.position, options = excluded.options,
  sku = excluded.sku, price = excluded.price, compare_at = excluded.compare_at,
  weight_g = excluded.weight_g, active = excluded.active
"""


async def _save_variants(tx: WriteTx, listing: Listing) -> None:
    await tx.execute(
        "DELETE FROM listings.variant WHERE listing_id = $1 AND id <> ALL($2::uuid[])",
        listing.id,
        [variant.id for variant in listing.variants],
    )
    rows = [
        msgspec.structs.asdict(variant) | {"position": position}
        for position, variant in enumerate(listing.variants)
    ]
    try:
        await tx.execute(_VARIANTS, listing.id, listing.seller_id, rows)
    except pg.UniqueViolationError as error:
        raise SkuTaken from error


_IMAGES = """
INSERT INTO listings.image (id, listing_id, position, key, alt, width, height, size)
SELECT r.id, $1, r.position, r.key, r.alt, r.width, r.height, r.size
FROM json_to_recordset($2::json) AS r (id uuid, position smallint, key text, alt text,
  width integer, height integer, size bigint)
ON CONFLICT (id) DO UPDATE SET position = excluded.position, alt = excluded.alt
"""


async def _save_images(tx: WriteTx, listing: Listing) -> None:
    await tx.execute(
        "DELETE FROM listings.image WHERE listing_id = $1 AND id <> ALL($2::uuid[])",
        listing.id,
        [image.id for image in listing.images],
    )
    rows = [
        msgspec.structs.asdict(image) | {"position": position}
        for position, image in enumerate(listing.images)
    ]
    await tx.execute(_IMAGES, listing.id, rows)


_FILES = """
INSERT INTO listings.digital_file (id, listing_id, key, filename, media_type, size, sha256,
  version, current, created_at)
SELECT r.id, $1, r.key, r.filename, r.media_type, r.size, decode(r.sha256, 'hex'), r.version,
  r.current, r.created_at
FROM json_to_recordset($2::json) AS r (id uuid, key text, filename text, media_type text,
  size bigint, sha256 text, version integer, current boolean, created_at timestamptz)
ON CONFLICT (id) DO UPDATE SET current = excluded.current
"""


async def _save_files(tx: WriteTx, listing: Listing) -> None:
    # Rows of files are never deleted: earlier buyers keep what they bought.
    await tx.execute(_FILES, listing.id, [msgspec.structs.asdict(f) for f in listing.files])


async def _place(tx: WriteTx, listing: Listing) -> None:
    path = listing.category_path if listing.state is State.ACTIVE else []
    await tx.execute(
        "DELETE FROM listings.placement WHERE listing_id = $1 AND category_id <> ALL($2::uuid[])",
        listing.id,
        path,
    )
    if path:
        await tx.execute(
            "INSERT INTO listings.placement (category_id, listing_id, published_at)"
            " SELECT unnest($2::uuid[]), $1, $3 ON CONFLICT DO NOTHING",
            listing.id,
            path,
            listing.published_at,
        )


async def save_rating(tx: WriteTx, listing: Listing, seller: SellerFacts) -> None:
    """Write what the reviews come to. The version stays: what the seller edits did not change."""
    await tx.execute(
        "UPDATE listings.listing SET rating_sum = $2, rating_count = $3 WHERE id = $1",
        listing.id,
        listing.rating_sum,
        listing.rating_count,
    )
    await render_again(tx, [(listing, seller)])


async def render_again(tx: WriteTx, listings: Sequence[tuple[Listing, SellerFacts]]) -> set[UUID]:
    """Store the public JSON anew, in one statement, where it is another; returns those listings."""
    rendered = [render(listing, seller) for listing, seller in listings]
    rows = await tx.fetch(
        "UPDATE listings.listing l SET card = r.card, document = r.document"
        " FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) AS r (id, card, document)"
        " WHERE l.id = r.id AND (l.card <> r.card OR l.document <> r.document) RETURNING l.id",
        [listing.id for listing, _ in listings],
        [card for card, _ in rendered],
        [document for _, document in rendered],
    )
    return {row["id"] for row in rows}


async def ids_of_seller(conn: ReadConn, seller_id: UUID, *, after: UUID, limit: int) -> list[UUID]:
    """The seller's listings by id, from after `after`."""
    rows = await conn.fetch(
        "SELECT id FROM listings.listing WHERE seller_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        seller_id,
        after,
        limit,
    )
    return [row["id"] for row in rows]


async def save_place(tx: WriteTx, category_id: UUID, *, under: UUID, path: Sequence[UUID]) -> None:
    """Keep where the listings of a category belong."""
    await tx.execute(
        "INSERT INTO listings.category_place (category_id, under, path) VALUES ($1, $2, $3)"
        " ON CONFLICT (category_id) DO UPDATE SET under = excluded.under, path = excluded.path",
        category_id,
        under,
        list(path),
    )


async def place_of(conn: ReadConn, category_id: UUID) -> tuple[UUID, list[UUID]] | None:
    row = await conn.fetchrow(
        "SELECT under, path FROM listings.category_place WHERE category_id = $1", category_id
    )
    return (row["under"], row["path"]) if row else None


async def ids_elsewhere(
    conn: ReadConn, category_id: UUID, *, under: UUID, path: Sequence[UUID], limit: int
) -> list[UUID]:
    """Listings of a category that are not filed under this category and path."""
    rows = await conn.fetch(
        "SELECT id FROM listings.listing WHERE category_id = $1"
        " AND ($1 <> $2 OR category_path <> $3) ORDER BY id LIMIT $4",
        category_id,
        under,
        list(path),
        limit,
    )
    return [row["id"] for row in rows]


async def save_seller(
    tx: WriteTx,
    facts: SellerFacts,
    *,
    suspended: bool | None = None,
    trusted: bool | None = None,
) -> None:
    """Keep a seller's name and address; None leaves the other two as they are."""
    await tx.execute(
        "INSERT INTO listings.seller AS s (id, name, slug, suspended, trusted)"
        " VALUES ($1, $2, $3, coalesce($4, false), coalesce($5, false)) ON CONFLICT (id) DO UPDATE"
        " SET name = excluded.name, slug = excluded.slug,"
        " suspended = coalesce($4, s.suspended), trusted = coalesce($5, s.trusted)",
        facts.id,
        facts.name,
        facts.slug,
        suspended,
        trusted,
    )


async def save_absence(
    tx: WriteTx, seller_id: UUID, *, away_from: datetime | None, away_until: datetime | None
) -> None:
    await tx.execute(
        "UPDATE listings.seller SET away_from = $2, away_until = $3 WHERE id = $1",
        seller_id,
        away_from,
        away_until,
    )


async def set_suspended(tx: WriteTx, seller_id: UUID, *, suspended: bool) -> None:
    await tx.execute(
        "UPDATE listings.seller SET suspended = $2 WHERE id = $1", seller_id, suspended
    )
