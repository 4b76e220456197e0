"""`/api/v1/reviews`: writing, changing and deleting one's own."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, delete, get, patch, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, Parameter

from souk.contexts.listings import api as listings
from souk.contexts.reviews import api as reviews
from souk.flows.review_purchase import flow
from souk.kernel.actor import Actor
from souk.kernel.errors import FieldProblem, InvalidInput
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.holder import Holder
from souk.platform.http.wire import Limit, Listed
from souk.platform.storage import FileStore

_ONE = "/api/v1/reviews/{review_id:uuid}"
_ROOM = 100_000
_Stars = Annotated[int, msgspec.Meta(ge=1, le=5)]
_Text = Annotated[str, msgspec.Meta(max_length=reviews.MAX_TEXT)]


class WriteReview(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Name the order line to review what was bought, or the seller order to review its seller."""

    stars: _Stars
    text: _Text = ""
    order_line_id: UUID | None = None
    seller_order_id: UUID | None = None


class ChangeReview(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is null stays."""

    stars: _Stars | None = None
    text: _Text | None = None


class Waiting(msgspec.Struct, frozen=True):
    """What the caller received and can review."""

    items: list[flow.ToReview]


@post("/api/v1/reviews", access=access.HOLDER, idempotent=True, rate="write")
async def write_review(
    data: WriteReview, db: Database, actor: Actor, holder: Holder
) -> reviews.OwnReviewView:
    """Review something that was delivered to the caller. It is seen at once, or after a look."""
    if (data.order_line_id is None) == (data.seller_order_id is None):
        text = "Name either the order line or the seller order."
        problem = FieldProblem("order_line_id", "required", text)
        raise InvalidInput("Say what you review.", problems=[problem])
    review = await db.transact(
        lambda tx: flow.write(
            tx,
            actor,
            holder,
            stars=data.stars,
            text=data.text,
            line_id=data.order_line_id,
            seller_order_id=data.seller_order_id,
        )
    )
    return reviews.own_view(review, db.clock.now())


@get("/api/v1/reviews/mine", access=access.HOLDER)
async def my_reviews(
    db: Database,
    holder: Holder,
    cursor: Annotated[str | None, Parameter(max_length=1024)] = None,
    limit: Limit = 20,
) -> Listed[reviews.OwnReviewView]:
    """What the caller wrote, newest first."""
    async with db.read() as conn:
        page = await reviews.of_author(
            conn, user_id=holder.user_id, guest=holder.guest, cursor=cursor, limit=limit
        )
    return Listed.of(page)


@get("/api/v1/reviews/to-write", access=access.HOLDER)
async def to_write(db: Database, holder: Holder) -> Waiting:
    """What the caller received in the last months and has not reviewed."""
    async with db.read() as conn:
        found = await flow.reviewable(conn, holder)
    return Waiting([one for one in found if one.review_id is None])


@patch(_ONE, access=access.HOLDER, rate="write")
async def change_review(
    data: ChangeReview, db: Database, actor: Actor, holder: Holder, review_id: FromPath[UUID]
) -> reviews.OwnReviewView:
    """Change the caller's own review, within 60 days; what it said is kept for the operators."""
    review = await db.transact(
        lambda tx: flow.edit(
            tx, actor, holder, review_id=review_id, stars=data.stars, text=data.text
        )
    )
    return reviews.own_view(review, db.clock.now())


@delete(_ONE, access=access.HOLDER, rate="write", status_code=204)
async def delete_review(
    db: Database, actor: Actor, holder: Holder, review_id: FromPath[UUID]
) -> None:
    """Delete the caller's own review for good."""
    await db.transact(lambda tx: flow.delete(tx, actor, holder, review_id=review_id))


@post(
    _ONE + "/photos",
    access=access.HOLDER,
    rate="upload",
    request_max_body_size=flow.MAX_PHOTO_BYTES + _ROOM,
)
async def add_photo(
    request: Request[Any, Any, Any],
    db: Database,
    files: FileStore,
    holder: Holder,
    review_id: FromPath[UUID],
) -> reviews.OwnReviewView:
    """Add a photo to the caller's own review: multipart form with `file`."""
    # Asked before the upload is read: nobody fills the store through somebody else's review.
    async with db.read() as conn:
        own = await flow.own(conn, holder, review_id)
    if len(own.photos) >= reviews.MAX_PHOTOS:
        raise reviews.TooManyPhotos(most=reviews.MAX_PHOTOS)
    file = (await request.form()).get("file")
    if not isinstance(file, UploadFile):
        message = "Send the picture in the field `file` of a multipart form."
        raise InvalidInput(message, problems=[FieldProblem("file", "missing", message)])
    photo = await listings.store_image(files, await file.read(flow.MAX_PHOTO_BYTES + 1))
    review = await db.transact(
        lambda tx: flow.add_photo(tx, holder, review_id=review_id, photo=photo)
    )
    return reviews.own_view(review, db.clock.now())


@delete(_ONE + "/photos/{photo_id:uuid}", access=access.HOLDER, rate="write", status_code=200)
async def remove_photo(
    db: Database, holder: Holder, review_id: FromPath[UUID], photo_id: FromPath[UUID]
) -> reviews.OwnReviewView:
    """Take a photo of the caller's own review away."""
    review = await db.transact(
        lambda tx: flow.remove_photo(tx, holder, review_id=review_id, photo_id=photo_id)
    )
    return reviews.own_view(review, db.clock.now())


routes: list[Any] = [
    write_review,
    my_reviews,
    to_write,
    change_review,
    delete_review,
    add_photo,
    remove_photo,
]
