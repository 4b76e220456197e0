"""Reads of fulfilment."""

from __future__ import annotations

import secrets
from datetime import date, datetime
from uuid import UUID

import msgspec

from souk.contexts.fulfilment.domain.address import Address
from souk.contexts.fulfilment.domain.carriers import carrier_name, tracking_url
from souk.contexts.fulfilment.domain.downloads import (
    LINK_LIFE,
    Grant,
    LicenceKey,
    Link,
    open_link,
    sign,
)
from souk.contexts.fulfilment.domain.shipment import ShipLine
from souk.contexts.fulfilment.domain.shipping import (
    Bracket,
    DeliveryOption,
    GroupToShip,
    Method,
    Rate,
    options,
)
from souk.contexts.fulfilment.errors import LinkNotValid
from souk.contexts.fulfilment.store.downloads import COLUMNS, grant_of
from souk.kernel.ids import parse_uuid
from souk.kernel.page import BadCursor, Page, decode_cursor, encode_cursor, page_of
from souk.platform.database import ReadConn, Record

# --- addresses ---------------------------------------------------------------------------------


class SavedAddress(msgspec.Struct, frozen=True):
    """An address that a person keeps for the next purchase."""

    id: UUID
    label: str
    is_default: bool
    address: Address


async def saved_addresses(conn: ReadConn, user_id: UUID) -> list[SavedAddress]:
    """A person's addresses, the default first."""
    rows = await conn.fetch(
        "SELECT id, label, is_default, name, company, line1, line2, city, region, postal_code,"
        " country, phone FROM fulfilment.address WHERE user_id = $1 ORDER BY is_default DESC, id",
        user_id,
    )
    return [
        SavedAddress(
            row["id"],
            row["label"],
            row["is_default"],
            Address(**{name: row[name] for name in Address.__struct_fields__}),
        )
        for row in rows
    ]


# --- shipping methods --------------------------------------------------------------------------


def _rate(row: Record) -> Rate:
    return Rate(
        countries=row["countries"],
        amount=row["amount"],
        brackets=[
            Bracket(up_to_g, amount)
            for up_to_g, amount in zip(row["bracket_g"], row["bracket_amount"], strict=True)
        ],
        free_over=row["free_over"],
        min_days=row["min_days"],
        max_days=row["max_days"],
    )


def _method(row: Record, rates: list[Rate]) -> Method:
    return Method(
        id=row["id"],
        name=row["name"],
        kind=row["kind"],
        currency=row["currency"],
        pickup_note=row["pickup_note"],
        position=row["position"],
        active=row["active"],
        rates=rates,
    )


async def methods_of(conn: ReadConn, seller_id: UUID) -> list[Method]:
    """A seller's own methods with every rate, in the seller's order."""
    rows = await conn.fetch(
        "SELECT m.id, m.name, m.kind, m.currency, m.pickup_note, m.position, m.active,"
        " r.countries, r.amount, r.free_over, r.bracket_g, r.bracket_amount, r.min_days,"
        " r.max_days FROM fulfilment.shipping_method m"
        " JOIN fulfilment.shipping_rate r ON r.method_id = m.id"
        " WHERE m.seller_id = $1 ORDER BY m.position, m.id, r.position",
        seller_id,
    )
    found: dict[UUID, Method] = {}
    for row in rows:
        found.setdefault(row["id"], _method(row, [])).rates.append(_rate(row))
    return list(found.values())


_FOR_COUNTRY = """
SELECT m.seller_id, m.id, m.name, m.kind, m.currency, m.pickup_note, m.position, m.active,
       r.countries, r.amount, r.free_over, r.bracket_g, r.bracket_amount, r.min_days, r.max_days
FROM fulfilment.shipping_method m
LEFT JOIN LATERAL (
  SELECT * FROM fulfilment.shipping_rate r
  WHERE r.method_id = m.id AND ($2 = ANY (r.countries) OR cardinality(r.countries) = 0)
  ORDER BY cardinality(r.countries) = 0 LIMIT 1
) r ON true
WHERE m.seller_id = ANY ($1) AND m.active
ORDER BY m.seller_id, m.position, m.id
"""


async def quote(
    conn: ReadConn, *, country: str, groups: list[GroupToShip]
) -> dict[UUID, list[DeliveryOption]]:
    """How each seller's goods can get to `country` (ISO 3166), and for how much. One statement.

    An empty list means that there is nothing to send or that the seller does not go there.
    """
    rows = await conn.fetch(_FOR_COUNTRY, [group.seller_id for group in groups], country.upper())
    offered: dict[UUID, list[tuple[Method, Rate | None]]] = {}
    for row in rows:
        rate = _rate(row) if row["countries"] is not None else None
        offered.setdefault(row["seller_id"], []).append((_method(row, []), rate))
    return {group.seller_id: options(group, offered.get(group.seller_id, [])) for group in groups}


# --- shipments ---------------------------------------------------------------------------------


class ShipmentStep(msgspec.Struct, frozen=True):
    """One row of a parcel's timeline."""

    at: datetime
    state: str
    note: str


class ShipmentView(msgspec.Struct, frozen=True):
    """A parcel as buyer and seller see it."""

    id: UUID
    seller_order_id: UUID
    state: str
    carrier: str
    carrier_name: str
    tracking_number: str
    tracking_url: str
    shipped_at: datetime | None
    delivered_at: datetime | None
    estimate_from: date | None
    estimate_to: date | None
    lines: list[ShipLine]
    timeline: list[ShipmentStep]


_SHIPMENTS = """
SELECT s.id, s.seller_order_id, s.state, s.carrier, s.tracking_number, s.shipped_at,
       s.delivered_at, s.estimate_from, s.estimate_to,
       (SELECT jsonb_agg(jsonb_build_object('order_line_id', l.order_line_id,
          'quantity', l.quantity) ORDER BY l.order_line_id)
        FROM fulfilment.shipment_line l WHERE l.shipment_id = s.id) AS lines,
       (SELECT jsonb_agg(jsonb_build_object('at', t.at, 'state', t.state, 'note', t.note)
          ORDER BY t.number)
        FROM fulfilment.shipment_step t WHERE t.shipment_id = s.id) AS timeline
FROM fulfilment.shipment s
"""


def _shipment(row: Record) -> ShipmentView:
    return ShipmentView(
        id=row["id"],
        seller_order_id=row["seller_order_id"],
        state=row["state"],
        carrier=row["carrier"],
        carrier_name=carrier_name(row["carrier"]),
        tracking_number=row["tracking_number"],
        tracking_url=tracking_url(row["carrier"], row["tracking_number"]),
        shipped_at=row["shipped_at"],
        delivered_at=row["delivered_at"],
        estimate_from=row["estimate_from"],
        estimate_to=row["estimate_to"],
        lines=msgspec.convert(row["lines"] or [], list[ShipLine]),
        timeline=msgspec.convert(row["timeline"] or [], list[ShipmentStep]),
    )


async def of_orders(conn: ReadConn, seller_order_ids: list[UUID]) -> dict[UUID, list[ShipmentView]]:
    """The parcels of each seller order, oldest first. One statement."""
    rows = await conn.fetch(
        _SHIPMENTS + " WHERE s.seller_order_id = ANY ($1) ORDER BY s.id", seller_order_ids
    )
    found: dict[UUID, list[ShipmentView]] = {}
    for row in rows:
        found.setdefault(row["seller_order_id"], []).append(_shipment(row))
    return found


async def of_seller(
    conn: ReadConn, seller_id: UUID, *, cursor: str | None = None, limit: int = 20
) -> Page[ShipmentView]:
    """A seller's parcels, newest first."""
    before = _uuid_cursor(cursor)
    rows = await conn.fetch(
        _SHIPMENTS + " WHERE s.seller_id = $1 AND ($2::uuid IS NULL OR s.id < $2)"
        " ORDER BY s.id DESC LIMIT $3",
        seller_id,
        before,
        limit + 1,
    )
    views = [_shipment(row) for row in rows]
    return page_of(views, limit=limit, cursor_of=lambda view: encode_cursor(str(view.id)))


def _uuid_cursor(cursor: str | None) -> UUID | None:
    if cursor is None:
        return None
    found = parse_uuid(str(decode_cursor(cursor, size=1)[0]))
    if found is None:
        raise BadCursor
    return found


# --- downloads ---------------------------------------------------------------------------------


class DownloadLink(msgspec.Struct, frozen=True):
    """A file that a buyer may download. `url` is empty unless `state` is `ready`.

    A link ends after a day; the grant lasts until `expires_at`. `size` in bytes.
    """

    grant_id: UUID
    order_line_id: UUID
    seller_order_id: UUID
    filename: str
    content_type: str
    size: int
    state: str
    url: str
    link_expires_at: datetime
    expires_at: datetime
    downloads_left: int


_GRANTS = f"SELECT {COLUMNS} FROM fulfilment.download_grant"


def _link(row: Record, *, secret: str, now: datetime) -> DownloadLink:
    grant = grant_of(row)
    state = grant.state(now)
    ends = min(now + LINK_LIFE, grant.expires_at)
    text = sign(Link(grant.id, ends, secrets.token_bytes(8)), secret=secret)
    return DownloadLink(
        grant_id=grant.id,
        order_line_id=grant.order_line_id,
        seller_order_id=grant.seller_order_id,
        filename=grant.filename,
        content_type=grant.content_type,
        size=grant.size,
        state=state,
        url=f"/api/v1/downloads/{text}" if state == "ready" else "",
        link_expires_at=ends,
        expires_at=grant.expires_at,
        downloads_left=grant.max_downloads - grant.downloads,
    )


async def grant_behind(conn: ReadConn, *, token: str, secret: str) -> Grant:
    """The open grant of a link, without counting. Raises LinkNotValid, DownloadRevoked."""
    now = conn.clock.now()
    link = open_link(token, secret=secret, now=now)
    row = await conn.fetchrow(_GRANTS + " WHERE id = $1", link.grant_id)
    if row is None:
        raise LinkNotValid
    grant = grant_of(row)
    grant.check_open(now)
    return grant


async def links(
    conn: ReadConn, *, seller_order_ids: list[UUID], secret: str
) -> dict[UUID, list[DownloadLink]]:
    """Fresh links to every file of these seller orders, by seller order. One statement.

    The caller has checked that the reader is the buyer: a link works for whoever holds it.
    """
    rows = await conn.fetch(
        _GRANTS + " WHERE seller_order_id = ANY ($1) ORDER BY id", seller_order_ids
    )
    now = conn.clock.now()
    found: dict[UUID, list[DownloadLink]] = {}
    for row in rows:
        link = _link(row, secret=secret, now=now)
        found.setdefault(link.seller_order_id, []).append(link)
    return found


async def library(
    conn: ReadConn, buyer_id: UUID, *, secret: str, cursor: str | None = None, limit: int = 20
) -> Page[DownloadLink]:
    """Everything that a member may download, newest first."""
    rows = await conn.fetch(
        _GRANTS
        + " WHERE buyer_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
        buyer_id,
        _uuid_cursor(cursor),
        limit + 1,
    )
    now = conn.clock.now()
    views = [_link(row, secret=secret, now=now) for row in rows]
    return page_of(views, limit=limit, cursor_of=lambda view: encode_cursor(str(view.grant_id)))


class LicenceKeys(msgspec.Struct, frozen=True):
    """The keys of one order line; `missing` are still owed by the seller."""

    order_line_id: UUID
    keys: list[LicenceKey]
    missing: int
    revoked: bool


async def licence_keys(conn: ReadConn, *, seller_order_ids: list[UUID]) -> dict[UUID, LicenceKeys]:
    """The keys that these seller orders brought, by order line; none of a revoked line."""
    rows = await conn.fetch(
        "SELECT c.order_line_id, c.quantity - c.assigned AS missing,"
        " c.revoked_at IS NOT NULL AS revoked, coalesce(array_agg(k.content ORDER BY k.id)"
        "   FILTER (WHERE k.id IS NOT NULL AND c.revoked_at IS NULL), '{}') AS keys"
        " FROM fulfilment.licence_claim c"
        " LEFT JOIN fulfilment.licence_key k ON k.order_line_id = c.order_line_id"
        " WHERE c.seller_order_id = ANY ($1) GROUP BY c.order_line_id",
        seller_order_ids,
    )
    return {
        row["order_line_id"]: LicenceKeys(
            row["order_line_id"],
            [LicenceKey(row["order_line_id"], content) for content in row["keys"]],
            row["missing"],
            row["revoked"],
        )
        for row in rows
    }


async def keys_owed(conn: ReadConn, seller_order_id: UUID) -> int:
    """How many licence keys a seller order still waits for."""
    return await conn.fetchval(
        "SELECT coalesce(sum(quantity - assigned), 0)::integer FROM fulfilment.licence_claim"
        " WHERE seller_order_id = $1 AND revoked_at IS NULL",
        seller_order_id,
    )


class KeyPool(msgspec.Struct, frozen=True):
    """How many licence keys of a variant are free, given out, and owed to buyers."""

    variant_id: UUID
    free: int
    assigned: int
    owed: int


async def key_pool(conn: ReadConn, *, seller_id: UUID, variant_id: UUID) -> KeyPool:
    """The state of a seller's pool for one variant."""
    row = await conn.fetchrow(
        "SELECT count(*) FILTER (WHERE order_line_id IS NULL) AS free,"
        " count(*) FILTER (WHERE order_line_id IS NOT NULL) AS assigned,"
        " (SELECT coalesce(sum(quantity - assigned), 0) FROM fulfilment.licence_claim"
        "   WHERE seller_id = $1 AND variant_id = $2 AND revoked_at IS NULL) AS owed"
        " FROM fulfilment.licence_key WHERE seller_id = $1 AND variant_id = $2",
        seller_id,
        variant_id,
    )
    assert row is not None
    return KeyPool(variant_id, row["free"], row["assigned"], int(row["owed"]))
