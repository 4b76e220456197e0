"""Messages about reviews: to shops that got one, to authors who were answered or decided on."""

from __future__ import annotations

from souk.contexts.notifications import api as notifications
from souk.contexts.notifications.api import contents
from souk.contexts.orders import api as orders
from souk.contexts.reviews import api as reviews
from souk.flows.notify.people import buyer, shop_name, tell, tell_shop
from souk.kernel.errors import NotFound
from souk.platform.database import ReadConn, WriteTx
from souk.platform.events import EventMeta
from souk.published.reviews import ReviewModerated, ReviewPublished, ReviewReplied


async def _author(conn: ReadConn, review: reviews.Review) -> notifications.Recipient | None:
    """The account, or the guest at the address of the order; None when it was forgotten."""
    if review.author_id is None and review.guest is None:
        return None
    order = await orders.order(conn, review.order_id, any_holder=True)
    return await buyer(conn, email=order.email, user_id=review.author_id)


async def on_published(tx: WriteTx, event: ReviewPublished, meta: EventMeta) -> None:
    """The shop reads what was said. A review that is gone again has nothing to say."""
    try:
        review = await reviews.published(tx, event.review_id)
    except NotFound:
        return
    content = contents.ReviewReceived(
        review_id=review.id,
        title=review.title,
        of_shop=review.kind == "seller",
        stars=review.stars,
        text=review.text,
    )
    await tell_shop(tx, event.seller_id, content, meta)


async def on_replied(tx: WriteTx, event: ReviewReplied, meta: EventMeta) -> None:
    """The author reads the answer."""
    try:
        review = await reviews.any_state(tx, event.review_id)
    except NotFound:
        return
    if not review.reply:
        return
    shop = await shop_name(tx, event.seller_id)
    content = contents.ReviewAnswered(title=review.title, seller=shop, text=review.reply)
    await tell(tx, await _author(tx, review), content, meta)


async def on_moderated(tx: WriteTx, event: ReviewModerated, meta: EventMeta) -> None:
    """The author reads what was decided, and why."""
    try:
        review = await reviews.any_state(tx, event.review_id)
    except NotFound:
        return
    kind = contents.ReviewHidden if event.state == "hidden" else contents.ReviewShown
    content = kind(title=review.title, reason=event.reason)
    await tell(tx, await _author(tx, review), content, meta)
