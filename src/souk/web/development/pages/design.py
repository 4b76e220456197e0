"""`/design`: every component, in the theme and language of the visitor."""

from __future__ import annotations

from typing import Any

from litestar import Response, get

from souk.contexts.listings import api as listings
from souk.contexts.reviews import api as reviews
from souk.kernel.errors import NotFound
from souk.kernel.ids import uuid7
from souk.kernel.money import Money
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.settings import Settings
from souk.web.charts import Series, bar_chart, line_chart, sparkline
from souk.web.page import Req, media_url, page
from souk.web.storefront.cards import card_items

_CARDS = 8
_THIS = [320.0, 410, 380, 520, 610, 480, 450, 700]
_LAST = [300.0, 310, 330, 320, 390, 410, 400, 430]


@get("/design", access=access.PUBLIC, include_in_schema=False)
async def design_page(request: Req, db: Database, settings: Settings) -> Response[bytes]:
    """The gallery, drawn with the newest listings."""
    if settings.environment != "development":
        raise NotFound("There is nothing at this address.")
    async with db.read() as conn:
        cards = (await listings.newest(conn, limit=_CARDS)).items
    items: list[dict[str, Any]] = card_items(cards) or [_sample(n) for n in range(_CARDS)]
    pictures = [
        {"url": media_url(c.image.key, 1280) or "", "thumb_url": media_url(c.image.key, 320)}
        for c in cards
        if c.image
    ]
    days = [f"{day} Nov" for day in range(1, len(_THIS) + 1)]
    sample = {
        "items": items,
        "money": lambda amount: Money(amount, settings.currency),
        "now": db.clock.now(),
        "line": line_chart(
            "Sales", [Series("This year", _THIS), Series("Last year", _LAST)], labels=days,
            label_name="Day",
        ),
        "bars": bar_chart(
            "Orders by kind", [Series("Goods", _THIS[:4]), Series("Files", _LAST[:4])],
            labels=days[:4], label_name="Day",
        ),
        "review": _review(db, text="Strong roots, and a bud already showing.", stars=5),
        "review_plain": _review(db, text="Smaller than I thought.", stars=3, returned=True),
        "spark": sparkline(_THIS, label="rising"),
        "pictures": pictures or [{"url": "", "thumb_url": ""}],
    }  # fmt: skip
    return await page(request, "design.html", sample=sample, noindex=True)


def _review(db: Database, *, text: str, stars: int, returned: bool = False) -> reviews.ReviewView:
    now = db.clock.now()
    return reviews.ReviewView(
        id=uuid7(), kind="listing", subject_id=uuid7(), seller_id=uuid7(), author="Anna B.",
        title="Olive tree", detail="12 cm", slug="olive", stars=stars, text=text,
        returned=returned, helpful=3, reply="" if returned else "Thank you, and much pleasure.",
        replied_at=now, created_at=now, edited_at=now if returned else None, photos=[],
    )  # fmt: skip


def _sample(number: int) -> dict[str, Any]:
    return {
        "title": "Olive tree, three years old",
        "url": "#cards",
        "price": Money(2_490 + number * 100, "EUR"),
        "seller_name": "Vivaio Doria",
        "seller_url": "#cards",
        "kind": ("goods", "digital", "secondhand")[number % 3],
        "in_stock": number != 5,
    }


routes: list[Any] = [design_page]
