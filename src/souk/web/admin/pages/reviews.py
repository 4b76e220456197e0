"""Reviews that wait for a decision, were reported, or are hidden; the words that hold them."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from souk.contexts.reviews import api as reviews
from souk.contexts.sellers import api as sellers
from souk.kernel.actor import Actor, Permission
from souk.platform.database import Database, WriteTx
from souk.platform.http import access
from souk.web.desk import Ask, act, address, answer, ask
from souk.web.page import Req, form_of, page, translate

_MAY = access.operator(Permission.REVIEWS_MODERATE)
_LIST = "/admin/reviews"
_ONE = _LIST + "/{review_id:uuid}"


@get(_LIST, access=_MAY, include_in_schema=False)
async def queue_page(
    request: Req,
    db: Database,
    queue: reviews.Queue = reviews.Queue.HELD,
    cursor: Annotated[str | None, QueryParameter(max_length=1_024)] = None,
) -> Response[bytes]:
    """One of the three queues, newest first."""
    async with db.read() as conn:
        found = await reviews.queue(conn, queue, cursor=cursor)
        counts = await reviews.queue_counts(conn)
        shops = await sellers.cards(conn, list({one.seller_id for one in found.items}))
        words = await reviews.held_words(conn)
    more = found.next_cursor
    return await page(
        request,
        "admin/reviews.html",
        rows=found.items,
        shops=shops,
        in_queue=counts,
        queue=queue.value,
        words="\n".join(words),
        next_url=address(_LIST, queue=queue.value, cursor=more) if more else None,
    )


@post(_ONE + "/publish", access=_MAY, rate="write", include_in_schema=False)
async def publish(
    request: Req, db: Database, actor: Actor, review_id: FromPath[UUID]
) -> Response[bytes]:
    """Show it."""
    form = await form_of(request)
    return await act(
        request,
        db,
        lambda tx: reviews.publish(tx, actor, review_id=review_id),
        to=_back(form),
        done="The review is shown and its author was told.",
    )


@post(_ONE + "/dismiss", access=_MAY, rate="write", include_in_schema=False)
async def dismiss(
    request: Req, db: Database, actor: Actor, review_id: FromPath[UUID]
) -> Response[bytes]:
    """Leave it as it is."""
    form = await form_of(request)
    return await act(
        request,
        db,
        lambda tx: reviews.dismiss_reports(tx, actor, review_id=review_id),
        to=_back(form),
        done="The review stays, and its reports are settled.",
    )


def _back(form: dict[str, str]) -> str:
    known = form.get("queue", "") in set(reviews.Queue)
    return address(_LIST, queue=form["queue"]) if known else _LIST


def _question(request: Req, review_id: UUID) -> Ask:
    return Ask(
        title=translate(request, "Hide this review?"),
        text=translate(
            request,
            "Nobody but its author sees it any more, and it no longer counts in the stars."
            " The author reads your reason and can change the review, which brings it back here.",
        ),
        confirm=translate(request, "Hide it"),
        action=f"{_LIST}/{review_id}/hide",
        back=_LIST,
        done="The review is hidden and its author was told why.",
        reason=translate(request, "Why, in a sentence to the author"),
    )


@get(_ONE + "/hide", access=_MAY, include_in_schema=False)
async def ask_to_hide(request: Req, db: Database, review_id: FromPath[UUID]) -> Response[bytes]:
    """Ask first, with a reason."""
    async with db.read() as conn:
        await reviews.any_state(conn, review_id)
    return await ask(request, _question(request, review_id))


@post(_ONE + "/hide", access=_MAY, rate="write", include_in_schema=False)
async def hide(
    request: Req, db: Database, actor: Actor, review_id: FromPath[UUID]
) -> Response[bytes]:
    """Take it out of sight."""

    async def work(tx: WriteTx, reason: str) -> None:
        await reviews.hide(tx, actor, review_id=review_id, reason=reason)

    return await answer(request, db, _question(request, review_id), work)


@post(_LIST + "/words", access=_MAY, rate="write", include_in_schema=False)
async def set_words(request: Req, db: Database, actor: Actor) -> Response[bytes]:
    """Replace the words for which reviews are held."""
    form = await form_of(request)
    return await act(
        request,
        db,
        lambda tx: reviews.set_held_words(tx, actor, text=form.get("words", "")),
        to=_LIST,
        done="The words are kept. They count for what is written from now on.",
    )


routes: list[Any] = [queue_page, publish, dismiss, ask_to_hide, hide, set_words]
