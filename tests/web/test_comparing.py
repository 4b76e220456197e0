"""Listings side by side, as a visitor without scripts sees them."""

from __future__ import annotations

import re

from souk.contexts.catalog import api as catalog
from souk.contexts.listings import api as listings
from souk.contexts.search.api import SearchEngine
from souk.kernel.ids import uuid7
from souk.platform.database import WriteTx, count_statements
from souk.platform.services import Services
from tests.web.conftest import Visitor, text_of
from tests.web.world import OPERATOR, World, index, put_up, seller_actor


def address(*made: listings.Listing, more: str = "") -> str:
    return "/compare?" + "&".join(f"listing={each.slug}" for each in made) + more


def rows_of(html: str) -> dict[str, list[str]]:
    """The table: what stands in each row, by its name and mark."""
    [body] = re.findall(r"<tbody>(.*?)</tbody>", html, re.S)
    found: dict[str, list[str]] = {}
    for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.S):
        [name] = re.findall(r"<th[^>]*>(.*?)</th>", row, re.S)
        cells = re.findall(r"<td[^>]*>(.*?)</td>", row, re.S)
        found[text_of(name)] = [text_of(cell) for cell in cells]
    return found


async def shrubs(services: Services, world: World) -> list[listings.Listing]:
    """Three of a category with a length, a year, a day and an answer of yes or no."""
    mark = uuid7().hex[-6:]

    async def work(tx: WriteTx) -> catalog.Category:
        made = await catalog.create_category(tx, OPERATOR, name="Shrubs", slug=f"shrubs-{mark}")
        for name, kind, unit in (
            ("Spread", catalog.AttributeType.NUMBER, "cm"),
            ("Bred", catalog.AttributeType.NUMBER, ""),
            ("Sown", catalog.AttributeType.DATE, ""),
            ("Evergreen", catalog.AttributeType.BOOLEAN, ""),
        ):
            attribute = await catalog.create_attribute(
                tx, OPERATOR, code=f"{name.lower()}_{mark}", name=name, type=kind, unit=unit
            )
            await catalog.assign_attribute(
                tx, OPERATOR, category_id=made.id, attribute_id=attribute.id
            )
        return made

    shelf = await services.db.transact(work)
    said: list[dict[str, object]] = [
        {"spread": 1234.25, "bred": 1998, "evergreen": True},
        {"spread": 40, "bred": 1998, "sown": "2026-04-30", "evergreen": False},
        {"bred": 1998},
    ]
    return [
        await put_up(
            services.db, services.files, world.nursery, shelf, title=f"Shrub {n}",
            attributes={f"{code}_{mark}": value for code, value in each.items()},
        )
        for n, each in enumerate(said)
    ]  # fmt: skip


async def test_rows_are_in_the_visitors_language(
    visitor: Visitor, world: World, services: Services
) -> None:
    made = await shrubs(services, world)
    rows = rows_of(await visitor.page(address(*made)))
    assert rows["Spread differs"] == ["1,234.25 cm", "40 cm", "– not said"]
    assert rows["Bred"] == ["1998"] * 3
    assert rows["Sown differs"] == ["– not said", "Apr 30, 2026", "– not said"]
    assert rows["Evergreen differs"] == ["Yes", "No", "– not said"]
    answer = await visitor.get(address(*made), headers={"accept-language": "de"})
    rows = rows_of(answer.text)
    assert rows["Spread verschieden"][:2] == ["1.234,25 cm", "40 cm"]
    assert rows["Evergreen verschieden"] == ["Ja", "Nein", "– keine Angabe"]
    assert rows["Bestand"] == ["Vorrätig"] * 3


async def test_only_what_differs_and_without_one(
    visitor: Visitor, world: World, services: Services
) -> None:
    one, two, three = await shrubs(services, world)
    html = await visitor.page(address(one, two, three))
    assert '<meta name="robots" content="noindex' in html
    assert f'href="{address(one, three)}"'.replace("&", "&amp;") in html
    assert f'href="{address(one, two, three, more="&differs=1")}"'.replace("&", "&amp;") in html
    few = await visitor.page(address(one, two, three, more="&differs=1"))
    assert set(rows_of(few)) == {"Spread differs", "Sown differs", "Evergreen differs"}
    # What is taken away then keeps the choice of rows.
    assert f'href="{address(two, three, more="&differs=1")}"'.replace("&", "&amp;") in few
    same = await visitor.page(address(one, one, more="&differs=1"))
    assert "One alone cannot be compared" in text_of(same)


async def test_kinds_of_goods_stock_and_wear(visitor: Visitor, world: World) -> None:
    html = await visitor.page(address(world.olive, world.guide, world.lamp))
    rows = rows_of(html)
    assert rows["Kind differs"] == ["New goods", "Download", "Second-hand"]
    assert rows["Condition differs"] == ["– not said", "– not said", "Good"]
    assert rows["Pot differs"] == ["12 cm, 18 cm", "– not said", "– not said"]
    assert rows["Stock differs"][1:] == [
        "Ready to download at once after payment", "One of a kind, and still here"
    ]  # fmt: skip
    head = head_of(html)
    assert "from €24.90" in head and "No reviews yet" in head and world.press.name in head


async def test_too_many_unknown_and_too_few(
    visitor: Visitor, world: World, services: Services
) -> None:
    made = await shrubs(services, world)
    html = await visitor.page(address(world.olive, world.lavender, *made))
    words = text_of(html)
    assert "At most 4 can be compared at a time." in words
    assert "Shrub 1" in words and "Shrub 2" not in words
    words = text_of(await visitor.page(address(world.olive) + "&listing=no-such-thing"))
    assert "1 of your choice is not for sale at the moment" in words
    assert "One alone cannot be compared" in words
    for path in ("/compare", "/compare?listing=", "/compare?listing=+"):
        assert "Nothing to compare yet" in text_of(await visitor.page(path)), path


async def test_hidden_listings_are_not_told_of(
    visitor: Visitor, world: World, services: Services
) -> None:
    one, two, hidden = await shrubs(services, world)
    owner = seller_actor(world.nursery)
    await services.db.transact(
        lambda tx: listings.pause(tx, owner, seller_id=world.nursery.id, listing_id=hidden.id)
    )
    html = await visitor.page(address(one, hidden, two))
    absent = await visitor.page(address(one, two) + "&listing=absent")
    assert "Shrub 2" not in html and hidden.slug not in html
    assert rows_of(html) == rows_of(absent)


async def test_four_cost_no_more_statements_than_one(
    visitor: Visitor, world: World, services: Services
) -> None:
    made = [*await shrubs(services, world), world.olive]
    counted: list[int] = []
    await visitor.page(address(*made))
    for some in (made[:1], made[:2], made):
        async with count_statements() as count:
            await visitor.page(address(*some))
        counted.append(count.total)
    assert len(set(counted)) == 1, counted


async def test_ways_to_it(visitor: Visitor, world: World, services: Services) -> None:
    await index(services.db, services.get(SearchEngine))
    html = await visitor.page(f"/listing/{world.olive.slug}")
    [link] = re.findall(r'href="(/compare\?[^"]+)"', html)
    link = link.replace("&amp;", "&")
    assert link.startswith(f"/compare?listing={world.olive.slug}&listing=")
    assert 2 <= link.count("listing=") <= 4
    assert "Olive tree" in head_of(await visitor.page(link))
    listed = await visitor.page(f"/c/{world.plants.slug}?view=list")
    ticks = re.findall(r'<input type="checkbox"[^>]*name="listing" value="([^"]+)"[^>]*>', listed)
    assert {world.olive.slug, world.lavender.slug} <= set(ticks)
    assert '<form class="compare-bar cluster end no-print" id="compare" method="get"' in listed
    assert 'name="listing"' not in await visitor.page(f"/c/{world.plants.slug}")


def head_of(html: str) -> str:
    return text_of(html[html.index("<thead") : html.index("</thead>")])
