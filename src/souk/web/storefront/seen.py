"""What a visitor without an account looked at: kept in the visitor's own browser, nowhere else.

The cookie holds the ids of the last listings and nothing that tells people apart, so that reading a
page writes nothing on the server; a member's views are kept with the account, after the answer.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from litestar import Response
from litestar.background_tasks import BackgroundTask

from souk.contexts.carts import api as carts
from souk.contexts.listings import api as listings
from souk.flows.lists import flow as lists
from souk.platform.database import Database, ReadConn
from souk.platform.http.holder import Holder
from souk.platform.settings import Settings
from souk.web.page import Req, pages_of, viewer_of

SEEN_COOKIE = "souk_seen"
ROW = 12
_KEPT = 16
_MAX_AGE = 60 * 60 * 24 * 60
_BYTES = 16


def encode(ids: Iterable[UUID]) -> str:
    """Ids as a cookie value, at most sixteen."""
    raw = b"".join(each.bytes for each in list(ids)[:_KEPT])
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode(value: str) -> list[UUID]:
    """Ids from a cookie value; none from one that is not ours."""
    try:
        raw = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return []
    if len(raw) % _BYTES or len(raw) > _KEPT * _BYTES:
        return []
    return [UUID(bytes=raw[at : at + _BYTES]) for at in range(0, len(raw), _BYTES)]


def seen_of(request: Req) -> list[UUID]:
    """What this browser remembers, the last first."""
    return decode(request.cookies.get(SEEN_COOKIE, ""))


async def note(request: Req, response: Response[bytes], listing_id: UUID) -> Response[bytes]:
    """Remember a look: in the visitor's cookie, or for a member once the answer is sent."""
    pages = pages_of(request)
    viewer = await viewer_of(request)
    if viewer is not None:
        holder = Holder(user_id=viewer.actor.user_id)
        response.background = BackgroundTask(_keep, pages.services.db, holder, listing_id)
        return response
    before = seen_of(request)
    if before[:1] == [listing_id]:
        return response
    ids = [listing_id, *(each for each in before if each != listing_id)]
    return keep(response, ids, settings=pages.settings)


async def _keep(db: Database, holder: Holder, listing_id: UUID) -> None:
    await db.transact(
        lambda tx: carts.note_viewed(tx, holder, listing_ids=[listing_id]), losable=carts.LOSABLE
    )


async def looked_at(
    conn: ReadConn, request: Req, holder: Holder, *, limit: int, but: str = ""
) -> list[listings.ListingCard]:
    """A member's views, or what this browser remembers, without the listing `but`; at most two
    statements."""
    if holder.user_id is not None:
        cards = await lists.viewed(conn, holder, limit=limit + 1)
    else:
        ids = seen_of(request)[: limit + 1]
        cards = await listings.cards(conn, ids) if ids else []
    return [card for card in cards if str(card.id) != but][:limit]


def keep(response: Response[Any], ids: Iterable[UUID], *, settings: Settings) -> Response[Any]:
    """Put the ids into the browser's cookie."""
    response.set_cookie(
        SEEN_COOKIE,
        encode(ids),
        max_age=_MAX_AGE,
        httponly=True,
        secure=settings.secure_cookies,
        samesite="lax",
    )
    return response
