"""All reviews of a listing or a shop; votes for them, and reports."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from souk.contexts.listings import api as listings
from souk.contexts.reviews import api as reviews
from souk.contexts.sellers import api as sellers
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.settings import Settings
from souk.web.desk import act, back_to, problem_context, refusal, status_of
from souk.web.page import Req, form_of, page
from souk.web.storefront.reviews_view import Asked, reviews_of_listing, reviews_of_shop
from souk.web.ways import safe_path

_Cursor = Annotated[str | None, QueryParameter(max_length=1_024)]
_Stars = Annotated[int | None, QueryParameter(ge=1, le=5)]
_ONE = "/reviews/{review_id:uuid}"


async def _shown(
    request: Req, settings: Settings, found: dict[str, Any], asked: Asked
) -> Response[bytes]:
    return await page(
        request,
        "storefront/reviews.html",
        reviews=found,
        canonical_url=f"{settings.base_url}{found['url']}",
        noindex=bool(asked.stars or asked.photos or asked.cursor),
    )


@get("/listing/{slug:str}/reviews", access=access.PUBLIC, include_in_schema=False)
async def listing_reviews(
    request: Req,
    db: Database,
    settings: Settings,
    slug: FromPath[str],
    stars: _Stars = None,
    photos: bool = False,  # noqa: FBT001, FBT002 - a query parameter
    sort: reviews.Order = reviews.Order.HELPFUL,
    cursor: _Cursor = None,
) -> Response[bytes]:
    """Every review of a listing, sorted and filtered; the address says all of it."""
    asked = Asked(stars, photos, sort, cursor)
    async with db.read() as conn:
        document = await listings.detail(conn, slug)
        found = await reviews_of_listing(request, conn, document, asked=asked)
    return await _shown(request, settings, found, asked)


@get("/s/{slug:str}/reviews", access=access.PUBLIC, include_in_schema=False)
async def shop_reviews(
    request: Req,
    db: Database,
    settings: Settings,
    slug: FromPath[str],
    stars: _Stars = None,
    photos: bool = False,  # noqa: FBT001, FBT002 - a query parameter
    sort: reviews.Order = reviews.Order.HELPFUL,
    cursor: _Cursor = None,
) -> Response[bytes]:
    """Every review of a seller."""
    asked = Asked(stars, photos, sort, cursor)
    async with db.read() as conn:
        shop = await sellers.by_slug(conn, slug)
        found = await reviews_of_shop(request, conn, shop, asked=asked)
    return await _shown(request, settings, found, asked)


@post(_ONE + "/helpful", access=access.SIGNED_IN, rate="write", include_in_schema=False)
async def vote(
    request: Req, db: Database, actor: Actor, review_id: FromPath[UUID]
) -> Response[bytes]:
    """Found helpful, or not any more; back to where the button was."""
    form = await form_of(request)
    helpful = form.get("helpful", "1") == "1"
    return await act(
        request,
        db,
        lambda tx: reviews.vote(tx, actor, review_id=review_id, helpful=helpful),
        to=safe_path(form.get("back", "/")),
        done="Thank you. Others will see it sooner." if helpful else "Taken back.",
    )


async def _about(db: Database, review: reviews.ReviewView) -> str:
    """The page on which the review stands."""
    if review.kind == "seller":
        async with db.read() as conn:
            shop = (await sellers.cards(conn, [review.seller_id])).get(review.seller_id)
        return f"/s/{shop.slug}/reviews" if shop else "/"
    return f"/listing/{review.slug}/reviews"


@get(_ONE + "/report", access=access.SIGNED_IN, include_in_schema=False)
async def report_page(request: Req, db: Database, review_id: FromPath[UUID]) -> Response[bytes]:
    """Asks what is wrong with a review."""
    return await _ask(request, db, review_id, form={}, error=None)


async def _ask(
    request: Req,
    db: Database,
    review_id: UUID,
    *,
    form: dict[str, str],
    error: DomainError | None,
) -> Response[bytes]:
    async with db.read() as conn:
        review = await reviews.published(conn, review_id)
    return await page(
        request,
        "storefront/review_report.html",
        status=status_of(error),
        review=review,
        back=await _about(db, review),
        form=form,
        noindex=True,
        **problem_context(error),
    )


@post(_ONE + "/report", access=access.SIGNED_IN, rate="write", include_in_schema=False)
async def send_report(
    request: Req, db: Database, actor: Actor, review_id: FromPath[UUID]
) -> Response[bytes]:
    """Bring it before the operators."""
    form = await form_of(request)
    try:
        if form.get("reason") not in set(reviews.ReportReason):
            raise refusal("reason", "Choose what is wrong with it.")
        reason = reviews.ReportReason(form["reason"])
        async with db.read() as conn:
            review = await reviews.published(conn, review_id)
        await db.transact(
            lambda tx: reviews.report(
                tx, actor, review_id=review_id, reason=reason, note=form.get("note", "")
            )
        )
    except DomainError as error:
        return await _ask(request, db, review_id, form=form, error=error)
    to = await _about(db, review)
    return back_to(request, to, "Thank you. Our staff will look at this review.")


routes: list[Any] = [listing_reviews, shop_reviews, vote, report_page, send_report]
