"""Pages of the shop, as visitors without an account and without scripts see them."""

from __future__ import annotations

import json
import re

from souk.platform.database import count_statements
from tests.web.conftest import Visitor, text_of
from tests.web.world import World


async def test_home_shows_fresh_listings(visitor: Visitor, world: World) -> None:
    html = await visitor.page("/")
    assert f'href="/listing/{world.olive.slug}"' in html
    assert f'href="/c/{world.plants.slug}"' in html


async def test_listing_page(visitor: Visitor, world: World) -> None:
    html = await visitor.page(f"/listing/{world.olive.slug}")
    words = text_of(html)
    assert "Olive tree" in words and world.nursery.name in words
    assert "12 cm, €24.90" in words and "18 cm, €39.90" in words
    assert "Light" in words and "sun" in words
    assert "In stock" in words
    [found] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html)
    product = json.loads(found)
    assert product["name"] == "Olive tree"
    assert [offer["price"] for offer in product["offers"]] == ["24.90", "39.90"]


async def test_category_page(visitor: Visitor, world: World) -> None:
    html = await visitor.page(f"/c/{world.plants.slug}")
    assert world.olive.slug in html and world.lavender.slug in html
    assert world.guide.slug not in html


async def test_search(visitor: Visitor, world: World) -> None:
    html = await visitor.page("/search?q=olive")
    assert world.olive.slug in html and world.guide.slug in html
    html = await visitor.page("/search?q=olive&kind=digital")
    assert world.olive.slug not in html and world.guide.slug in html


async def test_cart_and_back(visitor: Visitor, world: World) -> None:
    await visitor.page(f"/listing/{world.olive.slug}")
    for variant in (world.olive.variants[0], world.guide.variants[0]):
        answer = await visitor.submit("/cart/items", {"variant_id": str(variant.id), "quantity": "1"})
        assert answer.status_code == 303 and answer.headers["location"] == "/cart"
    html = await visitor.page("/cart")
    assert "€33.90" in text_of(html)


async def test_sellers(visitor: Visitor, world: World) -> None:
    assert world.nursery.name in await visitor.page("/sellers")
    assert world.olive.slug in await visitor.page(f"/s/{world.nursery.slug}")
    assert world.olive.slug in await visitor.page(f"/s/{world.nursery.slug}?q=olive")
