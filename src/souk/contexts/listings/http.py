"""A seller's own listings, their pictures and files, and pictures for everyone.

Creating, changing and publishing need the catalogue and stock: those routes are the flows'.
"""

from __future__ import annotations

import re
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, delete, get, patch, post, put
from litestar.datastructures import UploadFile
from litestar.params import FromPath, PathParameter, QueryParameter
from msgspec import Meta

from souk.contexts.listings import commands, own_queries, pictures, queries, uploads
from souk.contexts.listings.domain import Listing, State
from souk.contexts.listings.own_queries import SellerListingRow
from souk.contexts.listings.rendering import RENDITION_WIDTHS
from souk.contexts.listings.views import OwnListing, own_view
from souk.kernel.actor import Actor, Permission
from souk.kernel.errors import FieldProblem, InvalidInput, NotFound
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.wire import Listed, clean_text
from souk.platform.storage import FileStore

_REVIEW = access.operator(Permission.LISTINGS_REVIEW)
_Cursor = Annotated[str | None, QueryParameter(max_length=1024)]
_Limit = Annotated[int, QueryParameter(ge=1, le=100)]
_MULTIPART_ROOM = 100_000
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_SIZES = "|".join(["full", *map(str, RENDITION_WIDTHS)])
_KEY = re.compile(rf"/?(images/{_UUID})/({_SIZES})\.webp")
_FOREVER = "public, max-age=31536000, immutable"


class DescribeImage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    alt: Annotated[str, Meta(max_length=uploads.MAX_ALT)]


class OrderImages(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every picture of the listing once, in the wanted order."""

    ids: Annotated[list[UUID], Meta(max_length=100)]


class Refuse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the seller is told."""

    reason: Annotated[str, Meta(min_length=3, max_length=1_000)]


def _seller(actor: Actor) -> UUID:
    assert actor.seller_id is not None
    return actor.seller_id


def states_of(text: str) -> list[State]:
    """The states in a list separated by commas. Raises InvalidInput."""
    try:
        return [State(part) for part in text.split(",") if part]
    except ValueError as error:
        message = f"Use states among: {', '.join(State)}."
        raise InvalidInput(message, problems=[FieldProblem("state", "unknown", message)]) from error


@get("/api/v1/seller/listings", access=access.SELLER)
async def list_own(
    db: Database,
    actor: Actor,
    states: Annotated[str, QueryParameter(name="state", max_length=200)] = "",
    cursor: _Cursor = None,
    limit: _Limit = 20,
) -> Listed[SellerListingRow]:
    """The seller's own listings, newest first; `state` may name several, separated by commas."""
    async with db.read() as conn:
        return Listed.of(
            await own_queries.of_seller(
                conn, _seller(actor), states=states_of(states), cursor=cursor, limit=limit
            )
        )


@get("/api/v1/seller/listings/{listing_id:uuid}", access=access.SELLER)
async def read_own(db: Database, actor: Actor, listing_id: FromPath[UUID]) -> OwnListing:
    """One of the seller's own listings in any state, with everything."""
    async with db.read() as conn:
        return own_view(await queries.own(conn, listing_id, seller_id=_seller(actor)))


@post(
    "/api/v1/listings/{listing_id:uuid}/pause", access=access.SELLER, rate="write", status_code=200
)
async def pause(db: Database, actor: Actor, listing_id: FromPath[UUID]) -> OwnListing:
    """Take a visible listing out of sight."""
    listing = await db.transact(
        lambda tx: commands.pause(tx, actor, seller_id=_seller(actor), listing_id=listing_id)
    )
    return own_view(listing)


@post(
    "/api/v1/listings/{listing_id:uuid}/archive",
    access=access.SELLER,
    rate="write",
    status_code=200,
)
async def archive(db: Database, actor: Actor, listing_id: FromPath[UUID]) -> OwnListing:
    """Put a listing away for good."""
    listing = await db.transact(
        lambda tx: commands.archive(tx, actor, seller_id=_seller(actor), listing_id=listing_id)
    )
    return own_view(listing)


@post(
    "/api/v1/listings/{listing_id:uuid}/images",
    access=access.SELLER,
    rate="upload",
    request_max_body_size=pictures.MAX_BYTES + _MULTIPART_ROOM,
)
async def upload_image(
    request: Request[Any, Any, Any],
    db: Database,
    files: FileStore,
    actor: Actor,
    listing_id: FromPath[UUID],
) -> OwnListing:
    """Add a picture: multipart form with `file` and, optionally, `alt`."""
    await _require_own(db, actor, listing_id)
    form = await request.form()
    file, alt = form.get("file"), form.get("alt", "")
    if not isinstance(file, UploadFile) or not isinstance(alt, str):
        message = "Send the picture in the field `file` of a multipart form."
        raise InvalidInput(message, problems=[FieldProblem("file", "missing", message)])
    content = await file.read(pictures.MAX_BYTES + 1)
    image = await uploads.store_image(files, content)
    listing = await db.transact(
        lambda tx: uploads.add_image(
            tx, actor, seller_id=_seller(actor), listing_id=listing_id, image=image, alt=alt
        )
    )
    return own_view(listing)


async def _require_own(db: Database, actor: Actor, listing_id: UUID) -> Listing:
    """Ask before the upload is read: nobody fills the store through somebody else's listing."""
    async with db.read() as conn:
        listing = await queries.own(conn, listing_id, seller_id=_seller(actor))
    listing.check_editable(None)
    return listing


@patch(
    "/api/v1/listings/{listing_id:uuid}/images/{image_id:uuid}", access=access.SELLER, rate="write"
)
async def describe_image(
    data: DescribeImage,
    db: Database,
    actor: Actor,
    listing_id: FromPath[UUID],
    image_id: FromPath[UUID],
) -> OwnListing:
    """Change a picture's alternative text."""
    listing = await db.transact(
        lambda tx: uploads.describe_image(
            tx,
            actor,
            seller_id=_seller(actor),
            listing_id=listing_id,
            image_id=image_id,
            alt=clean_text(data.alt, path="alt"),
        )
    )
    return own_view(listing)


@delete(
    "/api/v1/listings/{listing_id:uuid}/images/{image_id:uuid}",
    access=access.SELLER,
    rate="write",
    status_code=200,
)
async def remove_image(
    db: Database, actor: Actor, listing_id: FromPath[UUID], image_id: FromPath[UUID]
) -> OwnListing:
    """Take a picture away."""
    listing = await db.transact(
        lambda tx: uploads.remove_image(
            tx, actor, seller_id=_seller(actor), listing_id=listing_id, image_id=image_id
        )
    )
    return own_view(listing)


@put("/api/v1/listings/{listing_id:uuid}/images/order", access=access.SELLER, rate="write")
async def order_images(
    data: OrderImages, db: Database, actor: Actor, listing_id: FromPath[UUID]
) -> OwnListing:
    """Set the order of the pictures; the first is shown in lists."""
    listing = await db.transact(
        lambda tx: uploads.reorder_images(
            tx, actor, seller_id=_seller(actor), listing_id=listing_id, ids=data.ids
        )
    )
    return own_view(listing)


@put(
    "/api/v1/listings/{listing_id:uuid}/files",
    access=access.SELLER,
    rate="upload",
    request_max_body_size=uploads.MAX_FILE_BYTES,
    status_code=201,
)
async def upload_file(
    request: Request[Any, Any, Any],
    db: Database,
    files: FileStore,
    actor: Actor,
    listing_id: FromPath[UUID],
    filename: Annotated[str, QueryParameter(max_length=300)],
) -> OwnListing:
    """Add a digital file, or a new version of the one with this name: the body is its bytes."""
    await _require_own(db, actor, listing_id)
    file = await uploads.store_file(
        files,
        request.stream(),
        filename=filename,
        media_type=request.headers.get("content-type", ""),
    )
    listing = await db.transact(
        lambda tx: uploads.attach_file(
            tx, actor, seller_id=_seller(actor), listing_id=listing_id, file=file
        )
    )
    return own_view(listing)


@delete(
    "/api/v1/listings/{listing_id:uuid}/files/{file_id:uuid}",
    access=access.SELLER,
    rate="write",
    status_code=200,
)
async def detach_file(
    db: Database, actor: Actor, listing_id: FromPath[UUID], file_id: FromPath[UUID]
) -> OwnListing:
    """Offer a file no longer; who bought it keeps it."""
    listing = await db.transact(
        lambda tx: uploads.detach_file(
            tx, actor, seller_id=_seller(actor), listing_id=listing_id, file_id=file_id
        )
    )
    return own_view(listing)


@get("/api/v1/admin/listings/review", access=_REVIEW)
async def list_for_review(
    db: Database, cursor: _Cursor = None, limit: _Limit = 20
) -> Listed[SellerListingRow]:
    """Listings that wait for a moderator, longest wait first."""
    async with db.read() as conn:
        return Listed.of(await own_queries.for_review(conn, cursor=cursor, limit=limit))


@get("/api/v1/admin/listings/{listing_id:uuid}", access=_REVIEW)
async def read_any(db: Database, listing_id: FromPath[UUID]) -> OwnListing:
    """Any listing in any state."""
    async with db.read() as conn:
        return own_view(await queries.any_state(conn, listing_id))


@post(
    "/api/v1/admin/listings/{listing_id:uuid}/reject", access=_REVIEW, rate="write", status_code=200
)
async def reject(
    data: Refuse, db: Database, actor: Actor, listing_id: FromPath[UUID]
) -> OwnListing:
    """Send a listing back to its seller with a reason."""
    listing = await db.transact(
        lambda tx: commands.reject(tx, actor, listing_id=listing_id, reason=data.reason)
    )
    return own_view(listing)


@post(
    "/api/v1/admin/listings/{listing_id:uuid}/flag", access=_REVIEW, rate="write", status_code=200
)
async def flag(data: Refuse, db: Database, actor: Actor, listing_id: FromPath[UUID]) -> OwnListing:
    """Take a listing out of sight until it is looked into."""
    listing = await db.transact(
        lambda tx: commands.flag(tx, actor, listing_id=listing_id, reason=data.reason)
    )
    return own_view(listing)


@get("/media/{key:path}", access=access.PUBLIC, include_in_schema=False)
async def media(
    files: FileStore, key: Annotated[str, PathParameter(max_length=200)]
) -> Response[bytes]:
    """A picture in one of its sizes; the full one until a smaller size has been made."""
    match = _KEY.fullmatch(key)
    if match is None:
        raise NotFound("There is no picture at this address.")
    caching = _FOREVER
    try:
        content = await files.get(f"{match[1]}/{match[2]}.webp")
    except NotFound:
        content = await files.get(f"{match[1]}/full.webp")
        caching = "public, max-age=60"
    # Mails and shopping sites show pictures from here.
    headers = {"Cache-Control": caching, "Cross-Origin-Resource-Policy": "cross-origin"}
    return Response(content, media_type="image/webp", headers=headers)


routes = [
    list_own,
    read_own,
    pause,
    archive,
    upload_image,
    describe_image,
    remove_image,
    order_images,
    upload_file,
    detach_file,
    list_for_review,
    read_any,
    reject,
    flag,
    media,
]
