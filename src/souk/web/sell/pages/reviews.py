"""What buyers say of the shop and its goods, and the seller's answers."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from souk.contexts.reviews import api as reviews
from souk.contexts.sellers import api as sellers
from souk.kernel.actor import Actor
from souk.platform.database import Database, WriteTx
from souk.platform.http import access
from souk.web.desk import Ask, act, address, answer, ask, seller_of
from souk.web.page import Req, form_of, page, translate

_LIST = "/sell/reviews"
_ONE = _LIST + "/{review_id:uuid}"


@get(_LIST, access=access.SELLER, include_in_schema=False)
async def reviews_page(
    request: Req,
    db: Database,
    actor: Actor,
    show: reviews.Filter = reviews.Filter.ALL,
    cursor: Annotated[str | None, QueryParameter(max_length=1_024)] = None,
) -> Response[bytes]:
    """Figures, then the reviews, newest first."""
    seller_id = seller_of(actor)
    async with db.read() as conn:
        found = await reviews.of_seller(conn, seller_id, which=show, cursor=cursor)
        figures = await reviews.analytics(conn, seller_id)
        shop = await sellers.account(conn, seller_id=seller_id)
    kept = None if show is reviews.Filter.ALL else show.value
    more = found.next_cursor
    return await page(
        request,
        "sell/reviews.html",
        rows=found.items,
        figures=figures,
        counts_by_stars={number: figures.stars[number - 1] for number in range(1, 6)},
        shop=shop,
        show=show.value,
        here=address(_LIST, show=kept, cursor=cursor),
        next_url=address(_LIST, show=kept, cursor=more) if more else None,
    )


@post(_ONE + "/reply", access=access.SELLER, rate="write", include_in_schema=False)
async def reply(
    request: Req, db: Database, actor: Actor, review_id: FromPath[UUID]
) -> Response[bytes]:
    """Answer a review, or change the answer."""
    form = await form_of(request)
    seller_id = seller_of(actor)
    return await act(
        request,
        db,
        lambda tx: reviews.reply(
            tx, actor, review_id=review_id, seller_id=seller_id, text=form.get("text", "")
        ),
        to=f"{_back(form)}#review-{review_id}",
        done="Your answer is shown below the review.",
    )


def _back(form: dict[str, str]) -> str:
    """The list as it was looked at."""
    back = form.get("back", _LIST)
    return back if back.startswith(_LIST) else _LIST


def _question(request: Req, review_id: UUID) -> Ask:
    return Ask(
        title=translate(request, "Take your answer away?"),
        text=translate(request, "Readers will no longer see it. You can write another one."),
        confirm=translate(request, "Take it away"),
        action=f"{_LIST}/{review_id}/reply/remove",
        back=_LIST,
        done="Your answer is gone.",
    )


@get(_ONE + "/reply/remove", access=access.SELLER, include_in_schema=False)
async def ask_to_withdraw(request: Req, review_id: FromPath[UUID]) -> Response[bytes]:
    """Ask first."""
    return await ask(request, _question(request, review_id))


@post(_ONE + "/reply/remove", access=access.SELLER, rate="write", include_in_schema=False)
async def withdraw(
    request: Req, db: Database, actor: Actor, review_id: FromPath[UUID]
) -> Response[bytes]:
    """Take the answer away."""
    seller_id = seller_of(actor)

    async def work(tx: WriteTx, _reason: str) -> None:
        await reviews.withdraw_reply(tx, review_id=review_id, seller_id=seller_id)

    return await answer(request, db, _question(request, review_id), work)


routes: list[Any] = [reviews_page, reply, ask_to_withdraw, withdraw]
