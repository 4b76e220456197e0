"""Pictures and files of a listing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath

from souk.contexts.listings import api as listings
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError
from souk.kernel.ids import parse_uuid
from souk.platform.database import Database, WriteTx
from souk.platform.http import access
from souk.platform.storage import FileStore
from souk.web.desk import Ask, act, answer, ask, back_to, refusal, seller_of
from souk.web.page import Req, form_of, fragment

_LISTING = "/sell/listings/{listing_id:uuid}"
_MAX_IMAGE = 10_000_000
_ROOM = 1_000_000
_CHUNK = 1_000_000


def _own_url(listing_id: UUID, part: str) -> str:
    return f"/sell/listings/{listing_id}#{part}"


async def _require_own(db: Database, actor: Actor, listing_id: UUID) -> None:
    """Ask before the upload is read: nobody fills the store through somebody else's listing."""
    async with db.read() as conn:
        listing = await listings.own(conn, listing_id, seller_id=seller_of(actor))
    listing.check_editable(None)


@dataclass(frozen=True, slots=True)
class _Sort:
    """Pictures or files: into the store first, then into the listing."""

    name: str
    store: Callable[[FileStore, UploadFile], Awaitable[Any]]
    keep: Callable[[WriteTx, Actor, UUID, UUID, Any], Awaitable[Any]]


async def _store_image(files: FileStore, file: UploadFile) -> listings.StoredImage:
    return await listings.store_image(files, await file.read(_MAX_IMAGE + 1))


async def _keep_image(
    tx: WriteTx, actor: Actor, seller_id: UUID, listing_id: UUID, image: listings.StoredImage
) -> None:
    await listings.add_image(
        tx, actor, seller_id=seller_id, listing_id=listing_id, image=image, alt=""
    )


async def _store_file(files: FileStore, file: UploadFile) -> listings.StoredFile:
    async def chunks() -> AsyncIterator[bytes]:
        while chunk := await file.read(_CHUNK):
            yield chunk

    return await listings.store_file(
        files, chunks(), filename=file.filename, media_type=file.content_type
    )


async def _keep_file(
    tx: WriteTx, actor: Actor, seller_id: UUID, listing_id: UUID, file: listings.StoredFile
) -> None:
    await listings.attach_file(tx, actor, seller_id=seller_id, listing_id=listing_id, file=file)


_IMAGES = _Sort("images", _store_image, _keep_image)
_FILES = _Sort("files", _store_file, _keep_file)


async def _add(
    request: Req, db: Database, files: FileStore, actor: Actor, listing_id: UUID, sort: _Sort
) -> Response[bytes]:
    """Each sent file; answers a row for the uploader, or the page for a plain form."""
    await _require_own(db, actor, listing_id)
    by_script = "x-csrftoken" in request.headers
    found = (await request.form()).getall(sort.name, [])
    sent = [one for one in found if isinstance(one, UploadFile) and one.filename]
    to = _own_url(listing_id, sort.name)
    try:
        if not sent:
            raise refusal(sort.name, "Choose a file first.")
        for one in sent:
            stored = await sort.store(files, one)
            await db.transact(
                lambda tx, it=stored: sort.keep(tx, actor, seller_of(actor), listing_id, it)
            )
    except DomainError as error:
        if by_script:
            raise
        return back_to(request, to, error.message, tone="error")
    if by_script:
        return fragment(request, "sell/uploaded.html", names=[one.filename for one in sent])
    return back_to(request, to, "Added.")


@post(
    _LISTING + "/images",
    access=access.SELLER,
    rate="upload",
    request_max_body_size=listings.MAX_IMAGES * _MAX_IMAGE + _ROOM,
    include_in_schema=False,
)
async def add_images(
    request: Req, db: Database, files: FileStore, actor: Actor, listing_id: FromPath[UUID]
) -> Response[bytes]:
    """Add pictures at the end."""
    return await _add(request, db, files, actor, listing_id, _IMAGES)


@post(
    _LISTING + "/files",
    access=access.SELLER,
    rate="upload",
    request_max_body_size=listings.MAX_FILE_BYTES + _ROOM,
    include_in_schema=False,
)
async def add_files(
    request: Req, db: Database, files: FileStore, actor: Actor, listing_id: FromPath[UUID]
) -> Response[bytes]:
    """Add the files that buyers download; one of the same name becomes the next version."""
    return await _add(request, db, files, actor, listing_id, _FILES)


@post(_LISTING + "/images/order", access=access.SELLER, rate="write", include_in_schema=False)
async def order_images(
    request: Req, db: Database, actor: Actor, listing_id: FromPath[UUID]
) -> Response[bytes]:
    """The order after dragging: `id` once for every picture, the first one first."""
    given = [parse_uuid(str(value)) for value in (await request.form()).getall("id", [])]
    ids = [each for each in given if each is not None]
    return await act(
        request,
        db,
        lambda tx: listings.reorder_images(
            tx, actor, seller_id=seller_of(actor), listing_id=listing_id, ids=ids
        ),
        to=_own_url(listing_id, "images"),
        done="Saved.",
    )


@post(
    _LISTING + "/images/{image_id:uuid}",
    access=access.SELLER,
    rate="write",
    include_in_schema=False,
)
async def change_image(
    request: Req,
    db: Database,
    actor: Actor,
    listing_id: FromPath[UUID],
    image_id: FromPath[UUID],
) -> Response[bytes]:
    """Describe a picture, or move it to the front, one forward or one back."""
    form = await form_of(request)
    seller_id = seller_of(actor)
    wanted = form.get("act", "describe")

    async def work(tx: WriteTx) -> None:
        if wanted == "describe":
            await listings.describe_image(
                tx, actor, seller_id=seller_id, listing_id=listing_id, image_id=image_id,
                alt=form.get("alt", ""),
            )  # fmt: skip
            return
        listing = await listings.own(tx, listing_id, seller_id=seller_id)
        ids = [image.id for image in listing.images]
        await listings.reorder_images(
            tx, actor, seller_id=seller_id, listing_id=listing_id,
            ids=moved(ids, image_id, wanted),
        )  # fmt: skip

    to = _own_url(listing_id, "images")
    return await act(request, db, work, to=to, done="Saved.")


def moved(ids: list[UUID], one: UUID, where: str) -> list[UUID]:
    """`ids` with one of them first, one place earlier or one later; unknown ones change nothing."""
    if one not in ids:
        return ids
    at = ids.index(one)
    target = {"first": 0, "earlier": max(at - 1, 0), "later": at + 1}.get(where, at)
    rest = [each for each in ids if each != one]
    return [*rest[:target], one, *rest[target:]]


def _image_away(listing_id: UUID, image_id: UUID) -> Ask:
    return Ask(
        title="Remove this picture?",
        text="It disappears from the listing at once. You can upload it again.",
        confirm="Remove",
        action=f"/sell/listings/{listing_id}/images/{image_id}/remove",
        back=_own_url(listing_id, "images"),
        done="The picture is removed.",
    )


@get(_LISTING + "/images/{image_id:uuid}/remove", access=access.SELLER, include_in_schema=False)
async def remove_image_page(
    request: Req,
    db: Database,
    actor: Actor,
    listing_id: FromPath[UUID],
    image_id: FromPath[UUID],
) -> Response[bytes]:
    """Ask first."""
    await _require_own(db, actor, listing_id)
    return await ask(request, _image_away(listing_id, image_id))


@post(
    _LISTING + "/images/{image_id:uuid}/remove",
    access=access.SELLER,
    rate="write",
    include_in_schema=False,
)
async def remove_image(
    request: Req,
    db: Database,
    actor: Actor,
    listing_id: FromPath[UUID],
    image_id: FromPath[UUID],
) -> Response[bytes]:
    """Take a picture away."""
    return await answer(
        request,
        db,
        _image_away(listing_id, image_id),
        lambda tx, _: listings.remove_image(
            tx, actor, seller_id=seller_of(actor), listing_id=listing_id, image_id=image_id
        ),
    )


def _file_away(listing_id: UUID, file_id: UUID) -> Ask:
    return Ask(
        title="Offer this file no longer?",
        text="New buyers do not get it.",
        consequences=["Whoever bought it already keeps it and can download it again."],
        confirm="Remove",
        action=f"/sell/listings/{listing_id}/files/{file_id}/remove",
        back=_own_url(listing_id, "files"),
        done="The file is no longer offered.",
    )


@get(_LISTING + "/files/{file_id:uuid}/remove", access=access.SELLER, include_in_schema=False)
async def remove_file_page(
    request: Req,
    db: Database,
    actor: Actor,
    listing_id: FromPath[UUID],
    file_id: FromPath[UUID],
) -> Response[bytes]:
    """Ask first."""
    await _require_own(db, actor, listing_id)
    return await ask(request, _file_away(listing_id, file_id))


@post(
    _LISTING + "/files/{file_id:uuid}/remove",
    access=access.SELLER,
    rate="write",
    include_in_schema=False,
)
async def remove_file(
    request: Req,
    db: Database,
    actor: Actor,
    listing_id: FromPath[UUID],
    file_id: FromPath[UUID],
) -> Response[bytes]:
    """Offer a file no longer."""
    return await answer(
        request,
        db,
        _file_away(listing_id, file_id),
        lambda tx, _: listings.detach_file(
            tx, actor, seller_id=seller_of(actor), listing_id=listing_id, file_id=file_id
        ),
    )


routes: list[Any] = [
    add_images, add_files, order_images, change_image, remove_image_page, remove_image,
    remove_file_page, remove_file,
]  # fmt: skip
