"""Writing a review of what was received, and what follows from it for shops."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from souk.contexts.identity import api as identity
from souk.contexts.listings import api as listings
from souk.contexts.orders import api as orders
from souk.contexts.reviews import api as reviews
from souk.contexts.sellers import api as sellers
from souk.kernel.actor import Actor
from souk.platform.database import ReadConn, WriteTx
from souk.platform.http.holder import Holder

HANDLING = timedelta(days=3)
"""An order that is sent within it was sent in time."""
RECORD_SPAN = timedelta(days=182)
MAX_PHOTO_BYTES = 10_000_000
REFRESH_RECORD = "review_purchase.refresh_record"


class RefreshRecord(msgspec.Struct, frozen=True):
    """The job that counts anew how a shop carries its orders out."""

    seller_id: UUID


class ToReview(msgspec.Struct, frozen=True, kw_only=True):
    """Something received that its buyer may review: a listing, or the seller of a seller order.

    `review_id` is there when that was done.
    """

    kind: str
    subject_id: UUID
    order_id: UUID
    number: str
    seller_order_id: UUID
    seller_id: UUID
    order_line_id: UUID | None
    title: str
    detail: str
    slug: str
    image_key: str | None
    review_id: UUID | None = None


async def _purchase(
    conn: ReadConn,
    holder: Holder,
    *,
    line_id: UUID | None,
    seller_order_id: UUID | None,
) -> reviews.Purchase:
    """The line, or else the seller order, as its buyer received it.

    Raises NotFound for anybody else's, NotReceived, TooLateToReview.
    """
    found = await orders.received_lines(
        conn,
        user_id=holder.user_id,
        guest=holder.guest,
        line_id=line_id,
        seller_order_id=seller_order_id,
    )
    if not found:
        raise orders.OrderNotFound
    received = [line for line in found if line.received_at is not None]
    if not received:
        raise reviews.NotReceived
    line = received[0]
    assert line.received_at is not None
    now = conn.clock.now()
    reviews.require_in_time(line.received_at, now)
    name, age = "", None
    if holder.user_id is not None:
        user = await identity.user(conn, user_id=holder.user_id)
        name, age = user.display_name, now - user.created_at
    shop = (await sellers.cards(conn, [line.seller_id])).get(line.seller_id)
    of_listing = line_id is not None
    return reviews.Purchase(
        kind=reviews.Kind.LISTING if of_listing else reviews.Kind.SELLER,
        subject_id=line.listing_id if of_listing else line.seller_id,
        seller_id=line.seller_id,
        order_id=line.order_id,
        seller_order_id=line.seller_order_id,
        order_line_id=line.line_id if of_listing else None,
        author_id=holder.user_id,
        guest=None if holder.user_id else holder.guest,
        display_name=name,
        account_age=age,
        title=line.title if of_listing else shop.name if shop else "",
        detail=line.variant_title if of_listing else "",
        slug=line.slug if of_listing else shop.slug if shop else "",
        returned=line.state == "returned",
    )


async def write(
    tx: WriteTx,
    actor: Actor,
    holder: Holder,
    *,
    stars: int,
    text: str,
    line_id: UUID | None = None,
    seller_order_id: UUID | None = None,
    photos: Sequence[listings.StoredImage] = (),
) -> reviews.Review:
    """Review an order line's listing, or the seller of a seller order; exactly one is named.

    Raises NotFound for anybody else's order, NotReceived, TooLateToReview, AlreadyReviewed,
    OwnShop, InvalidInput, TooManyPhotos.
    """
    if (line_id is None) == (seller_order_id is None):
        raise ValueError("name an order line or a seller order")
    purchase = await _purchase(tx, holder, line_id=line_id, seller_order_id=seller_order_id)
    review = await reviews.write(tx, actor, purchase=purchase, stars=stars, text=text)
    for photo in photos:
        await _attach(tx, review, photo)
    return review


async def _attach(tx: WriteTx, review: reviews.Review, photo: listings.StoredImage) -> None:
    added = reviews.Photo(id=photo.id, key=photo.key, width=photo.width, height=photo.height)
    await reviews.add_photo(tx, review=review, photo=added)
    await listings.make_sizes_of(tx, photo)


async def _own(tx: WriteTx, holder: Holder, review_id: UUID) -> reviews.Review:
    return await reviews.lock_own(
        tx, review_id=review_id, user_id=holder.user_id, guest=holder.guest
    )


async def edit(
    tx: WriteTx,
    actor: Actor,
    holder: Holder,
    *,
    review_id: UUID,
    stars: int | None = None,
    text: str | None = None,
) -> reviews.Review:
    """Change the caller's own review; what is None stays.

    Raises NotFound, TooLateToEdit, InvalidInput.
    """
    review = await _own(tx, holder, review_id)
    return await reviews.edit(
        tx,
        actor,
        review=review,
        stars=review.stars if stars is None else stars,
        text=review.text if text is None else text,
    )


async def add_photo(
    tx: WriteTx, holder: Holder, *, review_id: UUID, photo: listings.StoredImage
) -> reviews.Review:
    """Add a stored photo to the caller's own review. Raises NotFound, TooManyPhotos."""
    review = await _own(tx, holder, review_id)
    await _attach(tx, review, photo)
    return review


async def remove_photo(
    tx: WriteTx, holder: Holder, *, review_id: UUID, photo_id: UUID
) -> reviews.Review:
    """Take a photo of the caller's own review away. Raises NotFound."""
    review = await _own(tx, holder, review_id)
    gone = await reviews.remove_photo(tx, review=review, photo_id=photo_id)
    await listings.remove_sizes_of(tx, gone.key)
    return review


async def delete(tx: WriteTx, actor: Actor, holder: Holder, *, review_id: UUID) -> None:
    """Delete the caller's own review with its photos. Raises NotFound."""
    review = await _own(tx, holder, review_id)
    for gone in await reviews.delete(tx, actor, review=review):
        await listings.remove_sizes_of(tx, gone.key)


async def own(conn: ReadConn, holder: Holder, review_id: UUID) -> reviews.Review:
    """The caller's own living review. Raises NotFound."""
    review = await reviews.any_state(conn, review_id)
    if not reviews.is_author(review, user_id=holder.user_id, guest=holder.guest):
        raise reviews.review_not_found()
    return review


async def reviewable(
    conn: ReadConn, holder: Holder, *, order_id: UUID | None = None, limit: int = 100
) -> list[ToReview]:
    """What the caller received and may still review, and what of it is reviewed; newest first.

    Three statements, however much there is.
    """
    since = conn.clock.now() - reviews.WRITE_WINDOW
    found = await orders.received_lines(
        conn,
        user_id=holder.user_id,
        guest=holder.guest,
        order_id=order_id,
        since=since,
        limit=limit,
    )
    done = await reviews.of_orders(conn, [line.seller_order_id for line in found])
    shops = await sellers.cards(conn, list({line.seller_id for line in found}))
    listed: dict[tuple[UUID, UUID], ToReview] = {}
    for line in found:
        listed.setdefault(
            (line.seller_order_id, line.listing_id),
            _to_review(line, kind="listing", review_id=done.get(_key(line, line.listing_id))),
        )
    for line in found:
        shop = shops.get(line.seller_id)
        if shop is not None:
            named = msgspec.structs.replace(
                line, title=shop.name, variant_title="", slug=shop.slug, image_key=shop.logo_key
            )
            listed.setdefault(
                (line.seller_order_id, line.seller_id),
                _to_review(named, kind="seller", review_id=done.get(_key(line, line.seller_id))),
            )
    return sorted(listed.values(), key=lambda one: one.seller_order_id, reverse=True)


def _key(line: orders.ReceivedLine, subject_id: UUID) -> tuple[UUID, UUID]:
    return line.seller_order_id, subject_id


def _to_review(line: orders.ReceivedLine, *, kind: str, review_id: UUID | None) -> ToReview:
    of_listing = kind == "listing"
    return ToReview(
        kind=kind,
        subject_id=line.listing_id if of_listing else line.seller_id,
        order_id=line.order_id,
        number=line.number,
        seller_order_id=line.seller_order_id,
        seller_id=line.seller_id,
        order_line_id=line.line_id if of_listing else None,
        title=line.title,
        detail=line.variant_title,
        slug=line.slug,
        image_key=line.image_key,
        review_id=review_id,
    )


async def refresh_record(tx: WriteTx, *, seller_id: UUID) -> None:
    """Count anew how a shop carries its orders out."""
    people = await identity.members(tx, seller_id=seller_id)
    due, on_time, cancelled = await orders.service_record(
        tx,
        seller_id,
        people=people,
        since=tx.clock.now() - RECORD_SPAN,
        handling=HANDLING,
    )
    record = sellers.Record(due=due, on_time=on_time, cancelled=cancelled)
    await sellers.keep_record(tx, seller_id=seller_id, record=record)
