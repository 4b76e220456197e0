"""Reads of downloads and licence keys."""

from __future__ import annotations

import secrets
from datetime import datetime
from uuid import UUID

import msgspec

from souk.contexts.fulfilment.domain.downloads import (
    LINK_LIFE,
    Grant,
    LicenceKey,
    Link,
    open_link,
    sign,
)
from souk.contexts.fulfilment.errors import LinkNotValid
from souk.contexts.fulfilment.queries.cursors import row_before
from souk.contexts.fulfilment.store.downloads import COLUMNS, grant_of
from souk.kernel.page import Page, encode_cursor, page_of
from souk.platform.database import ReadConn, Record


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
        row_before(cursor),
        limit + 1,
    )
    now = conn.clock.now()
    views = [_link(row, secret=secret, now=now) for row in rows]
    return page_of(views, limit=limit, cursor_of=lambda view: encode_cursor(str(view.grant_id)))


async def held_files(conn: ReadConn, buyer_id: UUID, file_ids: list[UUID]) -> set[UUID]:
    """Which of these files a member has and can still download. Those that came with licence keys
    are not among them: another key can be wanted. One statement."""
    rows = await conn.fetch(
        "SELECT DISTINCT g.file_id FROM fulfilment.download_grant g"
        " WHERE g.buyer_id = $1 AND g.file_id = ANY ($2) AND g.revoked_at IS NULL"
        " AND g.expires_at > $3 AND g.downloads < g.max_downloads"
        " AND NOT EXISTS (SELECT FROM fulfilment.licence_claim c"
        "   WHERE c.order_line_id = g.order_line_id)",
        buyer_id,
        file_ids,
        conn.clock.now(),
    )
    return {row["file_id"] for row in rows}


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
