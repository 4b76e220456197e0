"""Pictures and digital files of listings: into the file store first, then into a transaction.

An object whose transaction fails is only garbage; a row whose object is missing cannot exist.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import msgspec

from souk.contexts.listings import pictures, store
from souk.contexts.listings.commands import changed, owned, stay_ready
from souk.contexts.listings.domain import (
    MAX_FILES,
    MAX_IMAGES,
    DigitalFile,
    Image,
    Kind,
    Listing,
    reorder,
)
from souk.contexts.listings.errors import BadFile, NotDigital, TooManyFiles, TooManyImages
from souk.contexts.listings.importing.text import clean_text
from souk.contexts.listings.rendering import RENDITION_WIDTHS
from souk.kernel.actor import Actor
from souk.kernel.errors import FieldProblem, InvalidInput, NotFound
from souk.kernel.ids import uuid7
from souk.platform import jobs
from souk.platform.database import WriteTx
from souk.platform.storage import FileStore

MAX_FILE_BYTES = 500_000_000
MAX_ALT = 300
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_DECODERS = asyncio.Semaphore(2)
"""Decoding takes tens of megabytes each: no more than two at once in a process."""


class MakeRenditions(msgspec.Struct, frozen=True):
    """The job that makes the smaller sizes of a picture."""

    key: str
    width: int


class RemoveObjects(msgspec.Struct, frozen=True):
    """The job that removes what no row names any more."""

    keys: list[str]


@dataclass(frozen=True, slots=True)
class StoredImage:
    """A picture in the file store that no listing has yet."""

    id: UUID
    key: str
    width: int
    height: int
    size: int


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A digital file in the file store that no listing has yet; `size` in bytes."""

    id: UUID
    key: str
    filename: str
    media_type: str
    size: int
    sha256: str


async def store_image(files: FileStore, content: bytes) -> StoredImage:
    """Check, clean and store an uploaded picture. Raises BadImage."""
    async with _DECODERS:
        picture = await asyncio.to_thread(pictures.prepare, content)
    image_id = uuid7()
    key = f"images/{image_id}"
    await files.put(f"{key}/full.webp", picture.content)
    return StoredImage(image_id, key, picture.width, picture.height, len(picture.content))


async def make_sizes_of(tx: WriteTx, image: StoredImage) -> None:
    """Have the smaller sizes made of a picture that is used now, in a listing or elsewhere."""
    await jobs.enqueue(tx, "listings.make_renditions", MakeRenditions(image.key, image.width))


async def remove_sizes_of(tx: WriteTx, key: str) -> None:
    """Remove a picture in all its sizes. Pages that were just sent still name it: it stays for an
    hour."""
    names = ["full", *map(str, RENDITION_WIDTHS)]
    await jobs.enqueue(
        tx,
        "listings.remove_objects",
        RemoveObjects([f"{key}/{name}.webp" for name in names]),
        after=timedelta(hours=1),
    )


async def add_image(
    tx: WriteTx, actor: Actor, *, seller_id: UUID, listing_id: UUID, image: StoredImage, alt: str
) -> Listing:
    """Put a stored picture last. Raises NotFound, ListingArchived, TooManyImages, InvalidInput."""
    listing, seller = await owned(tx, listing_id, seller_id)
    listing.check_editable(None)
    if len(listing.images) >= MAX_IMAGES:
        raise TooManyImages(most=MAX_IMAGES)
    added = Image(
        id=image.id,
        key=image.key,
        alt=_alt(alt),
        width=image.width,
        height=image.height,
        size=image.size,
    )
    before, listing.images = listing.content, [*listing.images, added]
    listing.note_content(before, trusted=seller.trusted, now=tx.clock.now())
    await store.save(tx, listing, seller, images=True)
    await make_sizes_of(tx, image)
    changed(tx, actor, listing)
    return listing


def _alt(text: str) -> str:
    alt = clean_text(text)
    if len(alt) > MAX_ALT:
        message = f"Describe the picture in up to {MAX_ALT} characters."
        raise InvalidInput(message, problems=[FieldProblem("alt", "too_long", message)])
    return alt


async def describe_image(
    tx: WriteTx, actor: Actor, *, seller_id: UUID, listing_id: UUID, image_id: UUID, alt: str
) -> Listing:
    """Change a picture's alternative text. Raises NotFound, ListingArchived, InvalidInput."""
    listing, seller = await owned(tx, listing_id, seller_id)
    listing.check_editable(None)
    _image(listing, image_id)
    before = listing.content
    listing.images = [
        msgspec.structs.replace(image, alt=_alt(alt)) if image.id == image_id else image
        for image in listing.images
    ]
    listing.note_content(before, trusted=seller.trusted, now=tx.clock.now())
    await store.save(tx, listing, seller, images=True)
    changed(tx, actor, listing)
    return listing


def _image(listing: Listing, image_id: UUID) -> Image:
    for image in listing.images:
        if image.id == image_id:
            return image
    raise NotFound("The listing has no such picture. Reload it to see its pictures.")


async def remove_image(
    tx: WriteTx, actor: Actor, *, seller_id: UUID, listing_id: UUID, image_id: UUID
) -> Listing:
    """Take a picture away. Raises NotFound, ListingArchived, and InvalidInput for the last one of a
    visible listing that needs one."""
    listing, seller = await owned(tx, listing_id, seller_id)
    listing.check_editable(None)
    gone = _image(listing, image_id)
    listing.images = [image for image in listing.images if image.id != image_id]
    stay_ready(listing)
    await store.save(tx, listing, seller, images=True)
    await remove_sizes_of(tx, gone.key)
    changed(tx, actor, listing)
    return listing


async def reorder_images(
    tx: WriteTx, actor: Actor, *, seller_id: UUID, listing_id: UUID, ids: Sequence[UUID]
) -> Listing:
    """Set the order; the first picture is the one in lists. Raises NotFound, InvalidInput."""
    listing, seller = await owned(tx, listing_id, seller_id)
    listing.check_editable(None)
    listing.images = reorder(listing.images, list(ids))
    await store.save(tx, listing, seller, images=True)
    changed(tx, actor, listing)
    return listing


async def store_file(
    files: FileStore, chunks: AsyncIterator[bytes], *, filename: str, media_type: str = ""
) -> StoredFile:
    """Stream a digital file into the store. Raises BadFile for its name or its size."""
    name = _file_name(filename)
    file_id = uuid7()
    key = f"files/{file_id}/content"
    digest, size = hashlib.sha256(), 0

    async def measured() -> AsyncIterator[bytes]:
        nonlocal size
        async for chunk in chunks:
            size += len(chunk)
            if size > MAX_FILE_BYTES:
                limit = MAX_FILE_BYTES // 1_000_000
                raise BadFile(f"This file is larger than {limit} MB. Split it or make it smaller.")
            digest.update(chunk)
            if chunk:
                yield chunk

    await files.put(key, measured())
    if not size:
        await files.delete(key)
        raise BadFile("This file is empty. Choose the file that buyers will download.")
    kind = media_type if _is_media_type(media_type) else "application/octet-stream"
    return StoredFile(file_id, key, name, kind, size, digest.hexdigest())


def _file_name(filename: str) -> str:
    # Marks of direction could show `exe.pdf` for what ends with another type.
    plain = "".join(char for char in clean_text(filename) if char not in _DIRECTIONS)
    name = plain.replace("\\", "/").rsplit("/", 1)[-1].strip(". ")
    if not 1 <= len(name) <= 200:
        raise BadFile("Give the file a name of 1 to 200 characters.")
    return name


def _is_media_type(text: str) -> bool:
    kind, slash, rest = text.partition("/")
    plain = (kind + rest).replace("-", "").replace("+", "").replace(".", "")
    whole = bool(slash and kind and rest) and len(text) <= 100
    return whole and plain.isascii() and plain.isalnum()


async def attach_file(
    tx: WriteTx, actor: Actor, *, seller_id: UUID, listing_id: UUID, file: StoredFile
) -> Listing:
    """Offer a stored file; one of the same name becomes its earlier version.

    Raises NotFound, ListingArchived, NotDigital, TooManyFiles.
    """
    listing, seller = await owned(tx, listing_id, seller_id)
    listing.check_editable(None)
    if listing.kind is not Kind.DIGITAL:
        raise NotDigital
    earlier = [each for each in listing.files if each.filename == file.filename]
    if not any(each.current for each in earlier) and len(listing.current_files) >= MAX_FILES:
        raise TooManyFiles(most=MAX_FILES)
    added = DigitalFile(
        id=file.id,
        key=file.key,
        filename=file.filename,
        media_type=file.media_type,
        size=file.size,
        sha256=file.sha256,
        version=max((each.version for each in earlier), default=0) + 1,
        current=True,
        created_at=tx.clock.now(),
    )
    before = listing.content
    listing.files = [
        msgspec.structs.replace(each, current=False) if each in earlier else each
        for each in listing.files
    ]
    listing.files.append(added)
    listing.note_content(before, trusted=seller.trusted, now=tx.clock.now())
    await store.save(tx, listing, seller, files=True)
    changed(tx, actor, listing)
    return listing


async def detach_file(
    tx: WriteTx, actor: Actor, *, seller_id: UUID, listing_id: UUID, file_id: UUID
) -> Listing:
    """Offer a file no longer. Earlier buyers keep it: the object stays.

    Raises NotFound, ListingArchived, and InvalidInput for the last one of a visible listing.
    """
    listing, seller = await owned(tx, listing_id, seller_id)
    listing.check_editable(None)
    if not any(each.id == file_id for each in listing.current_files):
        raise NotFound("The listing has no such file. Reload it to see its files.")
    listing.files = [
        msgspec.structs.replace(each, current=False) if each.id == file_id else each
        for each in listing.files
    ]
    stay_ready(listing)
    await store.save(tx, listing, seller, files=True)
    changed(tx, actor, listing)
    return listing
