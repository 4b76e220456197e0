"""Writing, changing, deleting, answering, judging reviews; deciding on them.

Every change keeps the rating of its subject in the same transaction. That the author received what
is reviewed is asked by the flow that calls.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec

from souk.contexts.reviews import store
from souk.contexts.reviews.domain import (
    MAX_REASON,
    MAX_REPLY,
    MAX_TEXT,
    Kind,
    Photo,
    ReportReason,
    Review,
    State,
    causes,
    clean_stars,
    clean_words,
    public_name,
)
from souk.contexts.reviews.errors import (
    AlreadyReviewed,
    OwnReview,
    OwnShop,
    review_not_found,
)
from souk.kernel.actor import Actor, Permission
from souk.kernel.errors import Forbidden, NotSignedIn
from souk.kernel.ids import uuid7
from souk.platform import audit, outbox
from souk.platform.database import WriteTx
from souk.published import reviews as events


class Purchase(msgspec.Struct, frozen=True, kw_only=True):
    """What was received, by whom. `account_age` is None for guests."""

    kind: Kind
    subject_id: UUID
    seller_id: UUID
    order_id: UUID
    seller_order_id: UUID
    order_line_id: UUID | None
    author_id: UUID | None
    guest: bytes | None
    display_name: str
    account_age: timedelta | None
    title: str
    detail: str
    slug: str
    returned: bool


async def write(tx: WriteTx, actor: Actor, *, purchase: Purchase, stars: int, text: str) -> Review:
    """A review, published at once or held for a look.

    Raises AlreadyReviewed, OwnShop, InvalidInput.
    """
    if actor.seller_id is not None and actor.seller_id == purchase.seller_id:
        raise OwnShop
    place = {"seller_order_id": purchase.seller_order_id, "subject_id": purchase.subject_id}
    known = await store.living(tx, **place)
    if known is not None:
        raise AlreadyReviewed(review_id=known)
    words = clean_words(text, path="text", least=0, most=MAX_TEXT)
    held_for = causes(
        words,
        words=await store.held_words(tx),
        account_age=purchase.account_age,
        hidden_before=await store.was_hidden(tx, **place),
    )
    shared = msgspec.structs.asdict(purchase)
    del shared["display_name"], shared["account_age"]
    review = Review(
        id=uuid7(),
        **shared,
        author_name=public_name(purchase.display_name),
        stars=clean_stars(stars),
        text=words,
        state=State.HELD if held_for else State.PUBLISHED,
        held_for=held_for,
        announced=not held_for,
        created_at=tx.clock.now(),
    )
    await store.insert(tx, review)
    await _count(tx, actor, review, before=None)
    if review.announced:
        _announce(tx, actor, review)
    return review


async def _count(tx: WriteTx, actor: Actor, review: Review, *, before: int | None) -> None:
    after = review.counted
    if before == after:
        return
    change = [0] * 5
    if before is not None:
        change[before - 1] -= 1
    if after is not None:
        change[after - 1] += 1
    count, total = await store.count(
        tx,
        kind=review.kind,
        subject_id=review.subject_id,
        seller_id=review.seller_id,
        change=change,
    )
    event = events.RatingChanged(
        kind=review.kind,
        subject_id=review.subject_id,
        seller_id=review.seller_id,
        count=count,
        sum=total,
    )
    outbox.add(tx, event, actor=actor)


def _announce(tx: WriteTx, actor: Actor, review: Review) -> None:
    event = events.ReviewPublished(
        review_id=review.id,
        kind=review.kind,
        subject_id=review.subject_id,
        seller_id=review.seller_id,
        stars=review.stars,
    )
    outbox.add(tx, event, actor=actor)


async def lock_own(
    tx: WriteTx, *, review_id: UUID, user_id: UUID | None, guest: bytes | None
) -> Review:
    """The caller's own review, locked. Raises NotFound."""
    review = await store.lock(tx, review_id)
    if review is None or not is_author(review, user_id=user_id, guest=guest):
        raise review_not_found()
    return review


def is_author(review: Review, *, user_id: UUID | None, guest: bytes | None) -> bool:
    """Whether the caller wrote it."""
    if user_id is not None:
        return review.author_id == user_id
    return guest is not None and review.guest == guest


async def edit(tx: WriteTx, actor: Actor, *, review: Review, stars: int, text: str) -> Review:
    """Change a locked review; what it said is kept. Raises TooLateToEdit, InvalidInput."""
    words = clean_words(text, path="text", least=0, most=MAX_TEXT)
    held_for = causes(words, words=await store.held_words(tx))
    before = review.counted
    review.require_editable(tx.clock.now())
    if (review.stars, review.text) == (clean_stars(stars), words):
        return review
    await store.keep_revision(tx, review)
    review.edit(stars=stars, text=words, held_for=held_for, now=tx.clock.now())
    await store.save(tx, review)
    await _count(tx, actor, review, before=before)
    return review


async def add_photo(tx: WriteTx, *, review: Review, photo: Photo) -> Review:
    """Add a stored photo to a locked review. Raises TooLateToEdit, TooManyPhotos."""
    review.require_editable(tx.clock.now())
    review.add_photo(photo)
    await store.save_photos(tx, review)
    await store.save(tx, review)
    return review


async def remove_photo(tx: WriteTx, *, review: Review, photo_id: UUID) -> Photo:
    """Take a photo of a locked review away; the photo that is gone. Raises NotFound."""
    gone = next((photo for photo in review.photos if photo.id == photo_id), None)
    if gone is None:
        raise review_not_found()
    review.photos = [photo for photo in review.photos if photo.id != photo_id]
    await store.save_photos(tx, review)
    await store.save(tx, review)
    return gone


async def delete(tx: WriteTx, actor: Actor, *, review: Review) -> list[Photo]:
    """Delete a locked review and all it said; the photos that are gone."""
    before, gone = review.counted, review.photos
    review.delete()
    review.reports = review.helpful = 0
    await store.save_photos(tx, review)
    await store.forget_words(tx, review.id)
    await store.save(tx, review)
    await _count(tx, actor, review, before=before)
    await audit.record(tx, actor, "reviews.deleted", f"review:{review.id}")
    return gone


async def mark_returned(tx: WriteTx, *, seller_order_id: UUID) -> None:
    """What was bought went back: its reviews stay and say so."""
    for review in await store.lock_of_order(tx, seller_order_id):
        if not review.returned:
            review.returned = True
            await store.save(tx, review)


async def reply(
    tx: WriteTx, actor: Actor, *, review_id: UUID, seller_id: UUID, text: str
) -> Review:
    """The seller's one answer, or another wording of it.

    Raises NotFound, InvalidInput; IllegalTransition for a review that nobody sees.
    """
    review = await _of_shop(tx, review_id, seller_id)
    words = clean_words(text, path="text", least=2, most=MAX_REPLY)
    first = review.answer(words, tx.clock.now())
    await store.save(tx, review)
    if first:
        event = events.ReviewReplied(review_id=review.id, seller_id=seller_id)
        outbox.add(tx, event, actor=actor)
    return review


async def withdraw_reply(tx: WriteTx, *, review_id: UUID, seller_id: UUID) -> Review:
    """Take the answer away. Raises NotFound."""
    review = await _of_shop(tx, review_id, seller_id)
    review.reply, review.replied_at = "", None
    await store.save(tx, review)
    return review


async def _of_shop(tx: WriteTx, review_id: UUID, seller_id: UUID) -> Review:
    review = await store.lock(tx, review_id)
    if review is None or review.seller_id != seller_id or review.state is State.HELD:
        raise review_not_found()
    return review


async def _seen(tx: WriteTx, review_id: UUID) -> Review:
    review = await store.lock(tx, review_id)
    if review is None or review.state is not State.PUBLISHED:
        raise review_not_found()
    return review


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise NotSignedIn("Log in to go on.")
    return actor.user_id


async def vote(tx: WriteTx, actor: Actor, *, review_id: UUID, helpful: bool) -> Review:
    """Say that a review helped, or take that back. Repeating changes nothing.

    Raises NotFound, OwnReview, OwnShop.
    """
    user_id = _person(actor)
    review = await _seen(tx, review_id)
    if review.author_id == user_id:
        raise OwnReview
    if actor.seller_id == review.seller_id:
        raise OwnShop
    change = store.add_vote if helpful else store.remove_vote
    if await change(tx, review_id=review.id, user_id=user_id):
        review.helpful += 1 if helpful else -1
        await store.save(tx, review)
    return review


async def report(
    tx: WriteTx, actor: Actor, *, review_id: UUID, reason: ReportReason, note: str
) -> None:
    """Bring a review before the operators, once per person. Raises NotFound, OwnReview."""
    user_id = _person(actor)
    review = await _seen(tx, review_id)
    if review.author_id == user_id:
        raise OwnReview
    words = clean_words(note, path="note", least=0, most=MAX_REASON)
    if await store.add_report(
        tx, review_id=review.id, reporter_id=user_id, reason=reason, note=words
    ):
        review.reports += 1
        await store.save(tx, review)


async def _to_decide(tx: WriteTx, actor: Actor, review_id: UUID) -> Review:
    if not actor.may(Permission.REVIEWS_MODERATE):
        raise Forbidden("Your account may not do this. Ask an administrator for the right.")
    review = await store.lock(tx, review_id)
    if review is None:
        raise review_not_found()
    return review


async def hide(tx: WriteTx, actor: Actor, *, review_id: UUID, reason: str) -> Review:
    """Take a review out of sight; its author reads why. Raises NotFound, IllegalTransition."""
    review = await _to_decide(tx, actor, review_id)
    why = clean_words(reason, path="reason", least=3, most=MAX_REASON)
    before = review.counted
    review.move_to(State.HIDDEN)
    review.note, review.was_hidden = why, True
    await _decided(tx, actor, review, before=before, reason=why)
    return review


async def publish(tx: WriteTx, actor: Actor, *, review_id: UUID, reason: str = "") -> Review:
    """Show a held or hidden review; its author is told. Raises NotFound, IllegalTransition."""
    review = await _to_decide(tx, actor, review_id)
    why = clean_words(reason, path="reason", least=0, most=MAX_REASON)
    before = review.counted
    review.move_to(State.PUBLISHED)
    review.note, review.held_for = "", []
    first, review.announced = not review.announced, True
    await _decided(tx, actor, review, before=before, reason=why)
    if first:
        _announce(tx, actor, review)
    return review


async def _decided(
    tx: WriteTx, actor: Actor, review: Review, *, before: int | None, reason: str
) -> None:
    review.reports = 0
    await store.settle_reports(tx, review.id)
    await store.save(tx, review)
    await _count(tx, actor, review, before=before)
    event = events.ReviewModerated(review_id=review.id, state=review.state, reason=reason)
    outbox.add(tx, event, actor=actor)
    await audit.record(
        tx, actor, "reviews.decided", f"review:{review.id}", state=review.state, reason=reason
    )


async def dismiss_reports(tx: WriteTx, actor: Actor, *, review_id: UUID) -> Review:
    """Leave a reported review as it is. Raises NotFound."""
    review = await _to_decide(tx, actor, review_id)
    review.reports = 0
    await store.settle_reports(tx, review.id)
    await store.save(tx, review)
    await audit.record(tx, actor, "reviews.reports_dismissed", f"review:{review.id}")
    return review


async def set_held_words(tx: WriteTx, actor: Actor, *, text: str) -> list[str]:
    """The words, one a line, for which reviews are held; they as they are kept.

    Raises Forbidden, InvalidInput.
    """
    if not actor.may(Permission.REVIEWS_MODERATE):
        raise Forbidden("Your account may not do this. Ask an administrator for the right.")
    clean_words(text, path="words", least=0, most=20_000)
    lines = {" ".join(line.casefold().split()) for line in text.replace(",", "\n").splitlines()}
    words = sorted(line[:60] for line in lines if len(line) >= 2 and line.isprintable())
    await store.set_held_words(tx, words)
    await audit.record(tx, actor, "reviews.words_changed", "reviews", count=len(words))
    return words


async def note_asked(tx: WriteTx, *, seller_order_id: UUID) -> bool:
    """Note that the buyer is asked for a review; False when that was done before."""
    return await store.note_asked(tx, seller_order_id)


async def forget_author(tx: WriteTx, *, user_id: UUID) -> None:
    """Take a person's name off the reviews; what they say stays."""
    await store.forget_author(tx, user_id)


async def recount(tx: WriteTx, actor: Actor) -> int:
    """Count every rating anew and tell of those that were wrong; returns how many."""
    wrong = await store.recount(tx)
    for row in wrong:
        outbox.add(tx, events.RatingChanged(**dict(row)), actor=actor)
    return len(wrong)
