"""Listings side by side."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from litestar import Response, get

from souk.flows.browse import comparing
from souk.platform import amounts
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.settings import Settings
from souk.web import words
from souk.web.locale import date_text, said
from souk.web.page import Req, language_of, media_url, page, translate
from souk.web.storefront.cards import compare_url
from souk.web.storefront.finding import Asked

_FEW = 5
Row = dict[str, Any]


@get("/compare", access=access.PUBLIC, rate="search", include_in_schema=False)
async def compare_page(request: Req, db: Database, settings: Settings) -> Response[bytes]:
    """Two to four listings in a table; `differs` leaves out the rows in which they are alike."""
    pairs = [(str(key), str(value)) for key, value in request.query_params.multi_items()]
    asked = Asked("/compare", pairs, currency=settings.currency)
    keys = [key for value in asked.all("listing") if (key := value.strip())]
    async with db.read() as conn:
        found = await comparing.compare(conn, keys[: comparing.MOST])
    only = bool(asked.one("differs"))
    slugs = [each.slug for each in found.listings]
    rows = [*_facts(request, found.listings), *_said(request, found.rows)]
    return await page(
        request,
        "storefront/compare.html",
        items=[
            _item(each, [slug for slug in slugs if slug != each.slug], only=only)
            for each in found.listings
        ],
        rows=[row for row in rows if row["differs"] or not only],
        enough=len(slugs) >= comparing.FEWEST,
        too_many=len(keys) > comparing.MOST,
        most=comparing.MOST,
        left_out=len(found.left_out),
        only=only,
        all_url=compare_url(slugs),
        differs_url=compare_url(slugs, only=True),
        noindex=True,
    )


def _item(listing: comparing.ComparedListing, others: list[str], *, only: bool) -> dict[str, Any]:
    """For the head of a column of the `comparison` macro."""
    image = listing.image
    return {
        "title": listing.title,
        "url": f"/listing/{listing.slug}",
        "image_url": media_url(image.key, 320) if image else None,
        "image_srcset": image.srcset if image else None,
        "seller_name": listing.seller.name,
        "seller_url": f"/s/{listing.seller.slug}",
        "price": listing.price,
        "from": listing.price_max is not None,
        "rating": listing.rating,
        "rating_count": listing.rating_count,
        "remove_url": compare_url(others, only=only),
    }


def _facts(request: Req, shown: Sequence[comparing.ComparedListing]) -> list[Row]:
    """What every listing says: can it be bought, what is it, how worn, in which kinds."""

    def gettext(text: str) -> str:
        return said(text, language_of(request))

    kinds, conditions = words.kind_words(gettext), words.condition_words(gettext)
    facts: list[tuple[str, list[str | None]]] = [
        (translate(request, "Stock"), [_stock(request, each) for each in shown]),
        (translate(request, "Kind"), [kinds.get(each.kind) for each in shown]),
        (
            translate(request, "Condition"),
            [conditions.get(each.condition) if each.condition else None for each in shown],
        ),
    ]
    facts += [
        (name, [", ".join(each.options.get(name, ())) or None for each in shown])
        for name in dict.fromkeys(name for each in shown for name in each.options)
    ]
    return [
        {"label": label, "cells": cells, "differs": comparing.differ(cells)}
        for label, cells in facts
        if any(cells)
    ]


def _stock(request: Req, listing: comparing.ComparedListing) -> str:
    if not listing.in_stock:
        return translate(request, "Sold out")
    if listing.kind == "digital":
        return translate(request, "Ready to download at once after payment")
    if listing.kind == "secondhand":
        return translate(request, "One of a kind, and still here")
    if listing.available is not None and listing.available <= _FEW:
        return translate(request, "Only %(n)s left") % {"n": listing.available}
    return translate(request, "In stock")


def _said(request: Req, rows: Sequence[comparing.ComparedRow]) -> list[Row]:
    """The attributes and what plants need, in words; names of attributes are the catalogue's."""
    return [
        {
            "label": translate(request, row.label) if row.type == "care" else row.label,
            "cells": [
                None if value is None else _text(request, row, value) for value in row.values
            ],
            "differs": row.differs,
        }
        for row in rows
    ]


def _text(request: Req, row: comparing.ComparedRow, value: comparing.Value) -> str:
    language = language_of(request)
    if isinstance(value, bool):
        return translate(request, "Yes") if value else translate(request, "No")
    if isinstance(value, int | float):
        return amounts.measure(value, row.unit, language)
    if row.type == "care":
        names = words.care_words(lambda text: said(text, language))
        parts = value if isinstance(value, list) else [value]
        return f"{', '.join(names.get(part, part) for part in parts)} {row.unit}".strip()
    if row.type == "date" and isinstance(value, str):
        return date_text(date.fromisoformat(value), language)
    return ", ".join(value) if isinstance(value, list) else value


routes: list[Any] = [compare_page]
