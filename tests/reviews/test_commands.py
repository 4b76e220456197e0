from __future__ import annotations

import asyncio

import pytest

from souk.contexts.reviews import api
from souk.contexts.reviews.errors import AlreadyReviewed, OwnReview, OwnShop
from souk.kernel.actor import GUEST
from souk.kernel.errors import Forbidden, IllegalTransition, InvalidInput, NotFound, NotSignedIn
from souk.kernel.ids import uuid7
from souk.platform import audit
from souk.platform.database import count_statements
from tests.reviews.factories import MODERATOR, person, purchase, rating, written


async def events_of(db, key):
    async with db.read() as conn:
        rows = await conn.fetch(
            "SELECT name FROM platform.event WHERE aggregate_id = $1 ORDER BY seq", key
        )
    return [row["name"].split(".")[1] for row in rows]


async def sound(db):
    async with db.read() as conn:
        assert await api.violations(conn) == []


async def test_a_review_counts_at_once(db):
    review = await written(db, person(), stars=5)
    assert review.state is api.State.PUBLISHED
    assert await rating(db, review.subject_id) == (5, 1)
    assert await events_of(db, review.id) == ["review_published"]
    assert await events_of(db, review.subject_id) == ["rating_changed"]
    await sound(db)


async def test_a_held_review_counts_once_it_is_let_through(db):
    review = await written(db, person(), text="See www.elsewhere.example")
    assert review.state is api.State.HELD
    assert await rating(db, review.subject_id) == (0, 0)
    assert await events_of(db, review.id) == []
    async with db.read() as conn:
        with pytest.raises(NotFound):
            await api.published(conn, review.id)
        waiting = await api.queue(conn, api.Queue.HELD)
    assert review.id in [one.id for one in waiting.items]
    await db.transact(lambda tx: api.publish(tx, MODERATOR, review_id=review.id))
    assert await rating(db, review.subject_id) == (4, 1)
    assert await events_of(db, review.id) == ["review_moderated", "review_published"]
    async with db.read() as conn:
        assert (await api.published(conn, review.id)).text == review.text
        (entry, *_) = await audit.recent(conn, action_prefix="reviews.decided", limit=1)
    assert entry.subject == f"review:{review.id}"
    await sound(db)


async def test_hiding_needs_a_reason_and_the_right(db):
    author = person()
    review = await written(db, author)
    with pytest.raises(Forbidden):
        await db.transact(lambda tx: api.hide(tx, author, review_id=review.id, reason="Because."))
    with pytest.raises(InvalidInput):
        await db.transact(lambda tx: api.hide(tx, MODERATOR, review_id=review.id, reason=" "))
    await db.transact(lambda tx: api.hide(tx, MODERATOR, review_id=review.id, reason="Insults."))
    assert await rating(db, review.subject_id) == (0, 0)
    with pytest.raises(IllegalTransition):
        await db.transact(
            lambda tx: api.hide(tx, MODERATOR, review_id=review.id, reason="Insults.")
        )
    async with db.read() as conn:
        (mine,) = (await api.of_author(conn, user_id=author.user_id, guest=None)).items
    assert (mine.state, mine.note) == ("hidden", "Insults.")
    # Deleting it and writing anew does not get round the decision.
    place = {
        "seller_order_id": review.seller_order_id,
        "subject_id": review.subject_id,
        "seller_id": review.seller_id,
    }

    async def delete(tx):
        locked = await api.lock_own(tx, review_id=review.id, user_id=author.user_id, guest=None)
        await api.delete(tx, author, review=locked)

    await db.transact(delete)
    again = await written(db, author, **place)
    assert (again.state, again.held_for) == (api.State.HELD, ["hidden_before"])
    await sound(db)


async def test_what_a_review_said_is_kept_for_operators(db):
    author = person()
    review = await written(db, author, stars=1, text="Broken.")

    async def edit(tx):
        locked = await api.lock_own(tx, review_id=review.id, user_id=author.user_id, guest=None)
        return await api.edit(tx, author, review=locked, stars=4, text="Replaced. Good now.")

    await db.transact(edit)
    assert await rating(db, review.subject_id) == (4, 1)
    async with db.read() as conn:
        found = await api.moderated(conn, review.id)
        shown = await api.published(conn, review.id)
    assert found.earlier == ["Broken."]
    assert shown.edited_at is not None
    # Writing the same again is no change.
    await db.transact(edit)
    async with db.read() as conn:
        assert (await api.moderated(conn, review.id)).earlier == ["Broken."]


async def test_one_review_of_a_purchase_even_at_the_same_moment(db):
    author = person()
    bought = purchase(author)

    async def write():
        return await db.transact(
            lambda tx: api.write(tx, author, purchase=bought, stars=5, text="")
        )

    answers = await asyncio.gather(*(write() for _ in range(6)), return_exceptions=True)
    assert sum(isinstance(one, api.Review) for one in answers) == 1
    assert sum(isinstance(one, AlreadyReviewed) for one in answers) == 5
    assert await rating(db, bought.subject_id) == (5, 1)


async def test_votes_of_many_at_once_are_all_counted(db):
    review = await written(db, person())
    voters = [person() for _ in range(8)]

    async def vote(voter, *, helpful=True):
        await db.transact(lambda tx: api.vote(tx, voter, review_id=review.id, helpful=helpful))

    await asyncio.gather(*(vote(voter) for voter in [*voters, *voters]))
    async with db.read() as conn:
        assert (await api.published(conn, review.id)).helpful == 8
        assert await api.voted(conn, voters[0].user_id, [review.id]) == {review.id}
    await vote(voters[0], helpful=False)
    await vote(voters[0], helpful=False)
    async with db.read() as conn:
        assert (await api.published(conn, review.id)).helpful == 7
    await sound(db)


async def test_nobody_votes_for_the_own_or_the_own_shops_review(db):
    author = person()
    review = await written(db, author)
    for actor, refusal in (
        (author, OwnReview),
        (person(seller_id=review.seller_id), OwnShop),
        (GUEST, NotSignedIn),
    ):
        with pytest.raises(refusal):
            await db.transact(
                lambda tx, actor=actor: api.vote(tx, actor, review_id=review.id, helpful=True)
            )


async def test_a_shop_does_not_review_itself(db):
    owner = person(seller_id=uuid7())
    with pytest.raises(OwnShop):
        await written(db, owner, seller_id=owner.seller_id)


async def test_reports_come_before_operators_once_per_person(db):
    review = await written(db, person())
    reporter = person()
    for _ in range(2):
        await db.transact(
            lambda tx: api.report(
                tx, reporter, review_id=review.id, reason=api.ReportReason.SPAM, note="Again"
            )
        )
    async with db.read() as conn:
        (found,) = [
            one for one in (await api.queue(conn, api.Queue.REPORTED)).items if one.id == review.id
        ]
    assert [(one.reason, one.note) for one in found.reports] == [("spam", "Again")]
    await sound(db)
    await db.transact(lambda tx: api.dismiss_reports(tx, MODERATOR, review_id=review.id))
    async with db.read() as conn:
        left = await api.queue(conn, api.Queue.REPORTED)
    assert review.id not in [one.id for one in left.items]
    await sound(db)


async def test_only_the_reviewed_shop_answers(db):
    review = await written(db, person())
    shop = person(seller_id=review.seller_id)
    other = person(seller_id=uuid7())
    with pytest.raises(NotFound):
        await db.transact(
            lambda tx: api.reply(
                tx, other, review_id=review.id, seller_id=other.seller_id, text="Thanks."
            )
        )
    for text in ("Thank you.", "Thank you very much."):
        await db.transact(
            lambda tx, text=text: api.reply(
                tx, shop, review_id=review.id, seller_id=review.seller_id, text=text
            )
        )
    async with db.read() as conn:
        assert (await api.published(conn, review.id)).reply == "Thank you very much."
    assert (await events_of(db, review.id)).count("review_replied") == 1


async def test_the_words_that_hold_reviews_are_the_operators(db):
    async with db.read() as conn:
        before = await api.held_words(conn)
    words = await db.transact(
        lambda tx: api.set_held_words(tx, MODERATOR, text="Snake Oil\n\nsnake  oil, fuck")
    )
    assert words == ["fuck", "snake oil"]
    review = await written(db, person(), text="Pure snake oil!")
    assert review.held_for == ["word"]
    await db.transact(lambda tx: api.set_held_words(tx, MODERATOR, text="\n".join(before)))


async def test_sorted_and_filtered_pages_hold_every_review_once(db):
    subject, seller = uuid7(), uuid7()
    for place in range(23):
        await written(
            db, person(), stars=place % 5 + 1, text=f"Number {place}", subject_id=subject,
            seller_id=seller,
        )  # fmt: skip
    for order in api.Order:
        seen, cursor = [], None
        while True:
            async with db.read() as conn:
                page = await api.of_subject(conn, subject, order=order, cursor=cursor, limit=5)
            seen += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
        assert len({one.id for one in seen}) == len(seen) == 23
        if order is api.Order.LOWEST:
            assert [one.stars for one in seen] == sorted(one.stars for one in seen)
        if order is api.Order.NEWEST:
            assert [one.id for one in seen] == sorted((one.id for one in seen), reverse=True)
    async with db.read() as conn:
        ones = await api.of_subject(conn, subject, stars=1)
        photos = await api.of_subject(conn, subject, with_photos=True)
        figures = await api.analytics(conn, seller)
    assert [one.stars for one in ones.items] == [1] * 5
    assert photos.items == []
    assert figures.stars == [5, 5, 5, 4, 4]
    assert (figures.count, figures.low, figures.unanswered) == (23, 15, 23)
    assert figures.average == round(sum(n * c for n, c in enumerate(figures.stars, 1)) / 23, 2)


@pytest.mark.parametrize("amount", [1, 50])
async def test_a_page_takes_one_statement_however_many_reviews(db, amount):
    subject = uuid7()
    for _ in range(amount):
        await written(db, person(), subject_id=subject)
    async with db.read() as conn, count_statements() as count:
        page = await api.of_subject(conn, subject, limit=50)
        await api.rating(conn, subject)
    assert len(page.items) == amount
    assert count.total == 2


async def test_a_forgotten_author_leaves_only_words(db):
    author, reader = person(), person()
    review = await written(db, author)
    await db.transact(lambda tx: api.vote(tx, reader, review_id=review.id, helpful=True))
    await db.transact(lambda tx: api.forget_author(tx, user_id=author.user_id))
    await db.transact(lambda tx: api.forget_author(tx, user_id=reader.user_id))
    async with db.read() as conn:
        shown = await api.published(conn, review.id)
        assert (await api.of_author(conn, user_id=author.user_id, guest=None)).items == []
    assert (shown.author, shown.text, shown.helpful) == ("", "A good fern.", 0)
    await sound(db)


async def test_a_wrong_rating_is_found_and_counted_anew(db):
    review = await written(db, person(), stars=2)

    async def spoil(tx):
        await tx.execute(
            "UPDATE reviews.rating SET n5 = 7 WHERE subject_id = $1", review.subject_id
        )

    await db.transact(spoil)
    async with db.read() as conn:
        (found,) = await api.violations(conn)
    assert (found.invariant, found.subject) == ("reviews.rating", str(review.subject_id))
    assert "8 counted with 37 stars, 1 reviews with 2" in found.detail
    assert await db.transact(lambda tx: api.recount(tx, MODERATOR)) == 1
    await sound(db)
    assert (await events_of(db, review.subject_id)).count("rating_changed") == 2
