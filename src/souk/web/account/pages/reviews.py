"""A buyer's reviews: what waits to be written, what was written, changing and deleting it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, QueryParameter

from souk.contexts.listings import api as listings
from souk.contexts.orders import api as orders
from souk.contexts.reviews import api as reviews
from souk.flows.review_purchase import flow
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError
from souk.platform.database import Database, WriteTx
from souk.platform.http import access
from souk.platform.http.holder import Holder, holder_of
from souk.platform.storage import FileStore
from souk.web.account.order_link import buyer_of
from souk.web.desk import Ask, answer, ask, back_to, problem_context, refusal, status_of
from souk.web.page import Req, form_of, page, translate

Cursor = Annotated[str | None, QueryParameter(max_length=1_024)]
_MINE = "/account/reviews"
_ONE = _MINE + "/{review_id:uuid}"
_LINE = "/account/orders/{order_id:uuid}/lines/{line_id:uuid}/review"
_SHOP = "/account/orders/{order_id:uuid}/sellers/{part_id:uuid}/review"
_UPLOAD = reviews.MAX_PHOTOS * flow.MAX_PHOTO_BYTES + 1_000_000


@get(_MINE, access=access.SIGNED_IN, include_in_schema=False)
async def reviews_page(
    request: Req, db: Database, holder: Holder, cursor: Cursor = None
) -> Response[bytes]:
    """What the member wrote, and what waits to be written."""
    async with db.read() as conn:
        found = await reviews.of_author(
            conn, user_id=holder.user_id, guest=holder.guest, cursor=cursor
        )
        waiting = [] if cursor else await flow.reviewable(conn, holder)
    return await page(
        request,
        "account/reviews.html",
        rows=found.items,
        waiting=[one for one in waiting if one.review_id is None][:24],
        next_url=f"{_MINE}?cursor={found.next_cursor}" if found.next_cursor else None,
    )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be reviewed, by whom, and whether a review of it could be changed from here."""

    what: flow.ToReview
    buyer: Holder
    may_change: bool


async def _wanted(
    request: Req, db: Database, order_id: UUID, found: Callable[[flow.ToReview], bool]
) -> _Wanted:
    """Of the caller's own order, or of the one that a mail's link opened. Raises OrderNotFound."""
    async with db.read() as conn:
        buyer = await buyer_of(request, conn, order_id)
        for one in await flow.reviewable(conn, buyer, order_id=order_id):
            if found(one):
                return _Wanted(one, buyer, buyer.is_same(await holder_of(request)))
    raise orders.OrderNotFound


async def _form(
    request: Req,
    *,
    what: flow.ToReview | reviews.Review,
    action: str,
    back: str,
    form: dict[str, str],
    error: DomainError | None = None,
) -> Response[bytes]:
    review = what if isinstance(what, reviews.Review) else None
    return await page(
        request,
        "account/review_form.html",
        status=status_of(error),
        what=what,
        review=review,
        action=action,
        back=back,
        form=form,
        most=reviews.MAX_PHOTOS - (len(review.photos) if review else 0),
        noindex=True,
        **problem_context(error),
    )


def _stars(form: dict[str, str]) -> int:
    if form.get("stars", "") not in {"1", "2", "3", "4", "5"}:
        raise refusal("stars", "Choose from one to five stars.")
    return int(form["stars"])


async def _photos(request: Req, files: FileStore, *, most: int) -> list[listings.StoredImage]:
    """The sent pictures, checked, cleaned and stored. Raises BadImage, TooManyPhotos."""
    sent = [one for one in (await request.form()).getall("photos", [])
            if isinstance(one, UploadFile) and one.filename]  # fmt: skip
    if len(sent) > most:
        raise reviews.TooManyPhotos(most=reviews.MAX_PHOTOS)
    return [
        await listings.store_image(files, await one.read(flow.MAX_PHOTO_BYTES + 1)) for one in sent
    ]


def _urls(what: flow.ToReview) -> tuple[str, str]:
    """Where the form is sent, and where it came from."""
    back = f"/account/orders/{what.order_id}"
    if what.order_line_id is None:
        return f"{back}/sellers/{what.seller_order_id}/review", f"{back}#reviews"
    return f"{back}/lines/{what.order_line_id}/review", f"{back}#reviews"


async def _ask_for(request: Req, wanted: _Wanted) -> Response[bytes]:
    what = wanted.what
    action, back = _urls(what)
    if what.review_id is not None and wanted.may_change:
        text = "You have reviewed this already. Here you can change it."
        return back_to(request, f"{_MINE}/{what.review_id}", text)
    if what.review_id is not None:
        text = "You have reviewed this already. Change it in the browser in which you ordered."
        return back_to(request, back, text)
    return await _form(request, what=what, action=action, back=back, form={})


async def _write(
    request: Req, db: Database, files: FileStore, actor: Actor, wanted: _Wanted
) -> Response[bytes]:
    form, what = await form_of(request), wanted.what
    action, back = _urls(what)
    try:
        stars = _stars(form)
        if what.review_id is not None:
            raise reviews.AlreadyReviewed(review_id=what.review_id)
        photos = await _photos(request, files, most=reviews.MAX_PHOTOS)
        made = await db.transact(
            lambda tx: flow.write(
                tx,
                actor,
                wanted.buyer,
                stars=stars,
                text=form.get("text", ""),
                line_id=what.order_line_id,
                seller_order_id=None if what.order_line_id else what.seller_order_id,
                photos=photos,
            )
        )
    except DomainError as error:
        return await _form(request, what=what, action=action, back=back, form=form, error=error)
    return back_to(request, back, _said(made))


def _said(review: reviews.Review) -> str:
    if review.state is reviews.State.HELD:
        return "Thank you. Our staff will read your review before it is shown."
    return "Thank you. Your review is shown now."


@get(_LINE, access=access.HOLDER, include_in_schema=False)
async def line_form(
    request: Req,
    db: Database,
    order_id: FromPath[UUID],
    line_id: FromPath[UUID],
) -> Response[bytes]:
    """Asks about something that was bought."""
    wanted = await _wanted(request, db, order_id, lambda one: one.order_line_id == line_id)
    return await _ask_for(request, wanted)


@post(
    _LINE,
    access=access.HOLDER,
    rate="upload",
    request_max_body_size=_UPLOAD,
    include_in_schema=False,
)
async def write_line(
    request: Req,
    db: Database,
    files: FileStore,
    actor: Actor,
    order_id: FromPath[UUID],
    line_id: FromPath[UUID],
) -> Response[bytes]:
    """Review it."""
    wanted = await _wanted(request, db, order_id, lambda one: one.order_line_id == line_id)
    return await _write(request, db, files, actor, wanted)


def _is_shop(part_id: UUID) -> Callable[[flow.ToReview], bool]:
    return lambda one: one.kind == "seller" and one.seller_order_id == part_id


@get(_SHOP, access=access.HOLDER, include_in_schema=False)
async def shop_form(
    request: Req,
    db: Database,
    order_id: FromPath[UUID],
    part_id: FromPath[UUID],
) -> Response[bytes]:
    """Asks about the seller."""
    return await _ask_for(request, await _wanted(request, db, order_id, _is_shop(part_id)))


@post(
    _SHOP,
    access=access.HOLDER,
    rate="upload",
    request_max_body_size=_UPLOAD,
    include_in_schema=False,
)
async def write_shop(
    request: Req,
    db: Database,
    files: FileStore,
    actor: Actor,
    order_id: FromPath[UUID],
    part_id: FromPath[UUID],
) -> Response[bytes]:
    """Review the seller."""
    wanted = await _wanted(request, db, order_id, _is_shop(part_id))
    return await _write(request, db, files, actor, wanted)


def _back(review: reviews.Review, holder: Holder) -> str:
    """Members have a list; guests only their order."""
    return _MINE if holder.user_id else f"/account/orders/{review.order_id}#reviews"


@get(_ONE, access=access.HOLDER, include_in_schema=False)
async def edit_form(
    request: Req, db: Database, holder: Holder, review_id: FromPath[UUID]
) -> Response[bytes]:
    """Shows what was written, to be changed."""
    async with db.read() as conn:
        review = await flow.own(conn, holder, review_id)
    form = {"stars": str(review.stars), "text": review.text}
    action, back = f"{_MINE}/{review_id}", _back(review, holder)
    return await _form(request, what=review, action=action, back=back, form=form)


@post(
    _ONE,
    access=access.HOLDER,
    rate="upload",
    request_max_body_size=_UPLOAD,
    include_in_schema=False,
)
async def edit(
    request: Req,
    db: Database,
    files: FileStore,
    actor: Actor,
    holder: Holder,
    review_id: FromPath[UUID],
) -> Response[bytes]:
    """Change it; photos are added to those that are there."""
    async with db.read() as conn:
        review = await flow.own(conn, holder, review_id)
    form = await form_of(request)
    try:
        stars = _stars(form)
        photos = await _photos(request, files, most=reviews.MAX_PHOTOS - len(review.photos))

        async def work(tx: WriteTx) -> reviews.Review:
            changed = await flow.edit(
                tx, actor, holder, review_id=review_id, stars=stars, text=form.get("text", "")
            )
            for photo in photos:
                changed = await flow.add_photo(tx, holder, review_id=review_id, photo=photo)
            return changed

        changed = await db.transact(work)
    except DomainError as error:
        action, back = f"{_MINE}/{review_id}", _back(review, holder)
        return await _form(request, what=review, action=action, back=back, form=form, error=error)
    return back_to(request, _back(changed, holder), _said(changed))


@post(
    _ONE + "/photos/{photo_id:uuid}/remove",
    access=access.HOLDER,
    rate="write",
    include_in_schema=False,
)
async def remove_photo(
    request: Req,
    db: Database,
    holder: Holder,
    review_id: FromPath[UUID],
    photo_id: FromPath[UUID],
) -> Response[bytes]:
    """Take one photo away."""
    await db.transact(
        lambda tx: flow.remove_photo(tx, holder, review_id=review_id, photo_id=photo_id)
    )
    return back_to(request, f"{_MINE}/{review_id}", "The photo is gone.")


async def _question(request: Req, db: Database, holder: Holder, review_id: UUID) -> Ask:
    async with db.read() as conn:
        review = await flow.own(conn, holder, review_id)
    return Ask(
        title=translate(request, "Delete this review?"),
        text=translate(
            request,
            "Its words, photos and stars go for good, and the seller's answer with them.",
        ),
        confirm=translate(request, "Delete the review"),
        action=f"{_MINE}/{review_id}/delete",
        back=_back(review, holder),
        done="Your review is deleted.",
    )


@get(_ONE + "/delete", access=access.HOLDER, include_in_schema=False)
async def ask_to_delete(
    request: Req, db: Database, holder: Holder, review_id: FromPath[UUID]
) -> Response[bytes]:
    """Ask first."""
    return await ask(request, await _question(request, db, holder, review_id))


@post(_ONE + "/delete", access=access.HOLDER, rate="write", include_in_schema=False)
async def delete(
    request: Req, db: Database, actor: Actor, holder: Holder, review_id: FromPath[UUID]
) -> Response[bytes]:
    """Delete it for good."""
    question = await _question(request, db, holder, review_id)

    def work(tx: WriteTx, _reason: str) -> Awaitable[None]:
        return flow.delete(tx, actor, holder, review_id=review_id)

    return await answer(request, db, question, work)


routes: list[Any] = [
    reviews_page,
    line_form,
    write_line,
    shop_form,
    write_shop,
    edit_form,
    edit,
    remove_photo,
    ask_to_delete,
    delete,
]
