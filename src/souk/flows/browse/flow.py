"""Public reading across catalogue, listings and inventory, as bytes that are ready to be sent."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from souk.contexts.catalog import api as catalog
from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.kernel.page import Page
from souk.platform.database import ReadConn

_encode = msgspec.json.Encoder().encode


class VariantStock(msgspec.Struct, frozen=True):
    """How many of a variant can be bought now; null means that it is not counted."""

    variant_id: UUID
    available: int | None


class _Ids(msgspec.Struct):
    id: UUID


class _Variants(msgspec.Struct):
    """The part of a document that stock is asked for by."""

    kind: str
    variants: list[_Ids]


_decode_variants = msgspec.json.Decoder(_Variants).decode


async def category_id_of(conn: ReadConn, key: UUID | str) -> UUID:
    """A category by id (taken as it is) or by slug. Raises NotFound."""
    if isinstance(key, UUID):
        return key
    return (await catalog.category_lately(conn, key)).id


async def detail(conn: ReadConn, key: UUID | str) -> bytes:
    """A visible listing with its stock, in two statements. Raises NotFound."""
    _, document = await listings.detail_bytes(conn, key)
    stock = await _stock(conn, document)
    # The stored document is one JSON object: the stock becomes its last member.
    return b'%s,"stock":%s}' % (document[:-1], _encode(stock))


async def _stock(conn: ReadConn, document: bytes) -> list[VariantStock]:
    shown = _decode_variants(document)
    ids = [variant.id for variant in shown.variants]
    if shown.kind == listings.Kind.DIGITAL:
        return [VariantStock(variant_id, None) for variant_id in ids]
    left = await stock_of(conn, ids)
    return [VariantStock(variant_id, left[variant_id]) for variant_id in ids]


async def stock_of(conn: ReadConn, variant_ids: Sequence[UUID]) -> dict[UUID, int | None]:
    """How many of each variant can be bought now, for pages; None means that it is not counted."""
    known = await inventory.availability(conn, list(variant_ids))
    return {i: known[i].left if i in known else 0 for i in variant_ids}


def listed(page: Page[bytes]) -> bytes:
    """A page of cards as the JSON that lists answer with."""
    cursor = _encode(page.next_cursor)
    return b'{"items":[%s],"next_cursor":%s}' % (b",".join(page.items), cursor)
