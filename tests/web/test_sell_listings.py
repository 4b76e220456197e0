"""The listings table and the editor, in forms alone and as the script calls them."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.contexts.sellers import api as sellers
from souk.platform.database import Database, count_statements
from tests.web import desks
from tests.web.conftest import Visitor, text_of
from tests.web.world import World


def fields_of(html: str) -> dict[str, str]:
    """The fields of the editor's form as a browser would send them, unticked boxes left out."""
    form = html[html.index('id="editor"') : html.index("</form>", html.index('id="editor"'))]
    found: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]+>", form):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and ("checkbox" not in tag or " checked" in tag):
            found[name[1]] = value[1] if value else ""
    for name, text in re.findall(r'<textarea[^>]+name="([^"]+)"[^>]*>([^<]*)', form):
        found[name] = text
    found.pop("_csrf", None)
    return found


async def own(db: Database, shop: sellers.Seller, listing_id: Any) -> listings.Listing:
    async with db.read() as conn:
        return await listings.own(conn, listing_id, seller_id=shop.id)


async def test_listings_are_found_filtered_and_sorted(
    visitor: Visitor, world: World, db: Database
) -> None:
    shop = await desks.seller(db, visitor)
    for title in ("Beech", "ash", "Cedar"):
        await desks.draft(db, shop, title=title)

    def titles(html: str) -> list[str]:
        return re.findall(r'<a href="/sell/listings/[0-9a-f-]{36}">([^<]+)', html)

    assert titles(await visitor.page("/sell/listings")) == ["Cedar", "ash", "Beech"]
    assert titles(await visitor.page("/sell/listings?sort=title")) == ["ash", "Beech", "Cedar"]
    assert titles(await visitor.page("/sell/listings?sort=-title")) == ["Cedar", "Beech", "ash"]
    assert titles(await visitor.page("/sell/listings?q=as&sort=price")) == ["ash"]
    assert titles(await visitor.page("/sell/listings?kind=digital")) == []
    assert titles(await visitor.page(f"/sell/listings?category={world.plants.id}")) == []
    html = await visitor.page("/sell/listings")
    assert re.search(r"All\s*<span[^>]*>\s*3", html), "the tab counts listings, nothing else"


async def test_every_order_pages_through_all_rows_once(
    visitor: Visitor, world: World, db: Database
) -> None:
    shop = await desks.seller(db, visitor)
    for n in range(23):
        await desks.draft(db, shop, title=f"Fig {n % 3}")
    for sort in ("newest", "title", "-title", "price", "updated"):
        seen: list[str] = []
        url: str | None = f"/sell/listings?sort={sort}"
        while url:
            html = await visitor.page(url)
            seen += re.findall(r'href="/sell/listings/([0-9a-f-]{36})"', html)
            found = re.search(r'href="([^"]*cursor=[^"]+)"', html)
            url = found[1].replace("&amp;", "&") if found else None
        assert len(seen) == len(set(seen)) == 23, sort


async def test_prices_of_many_are_asked_about_then_changed_with_a_result_per_row(
    visitor: Visitor, world: World, db: Database
) -> None:
    shop = await desks.seller(db, visitor)
    one, two = await desks.draft(db, shop), await desks.draft(db, shop, title="Pear tree")
    ids = [str(one.id), str(two.id)]
    answer = await visitor.submit("/sell/listings/bulk", {"act": "edit", "id": ids})
    assert "Change 2 listings" in text_of(answer.text)
    form: dict[str, Any] = {"id": ids, "price_how": "lower_percent", "price_by": "a lot"}
    answer = await visitor.submit("/sell/listings/bulk/edit", form)
    assert answer.status_code == 422 and "Write by how much" in text_of(answer.text)
    form |= {"price_by": "10", "as_sale": "1", "weight_g": "400"}
    answer = await visitor.submit("/sell/listings/bulk/edit", form)
    words = text_of(answer.text)
    assert "€19.00" in words and "€17.10" in words and "Can be done" in words
    assert (await own(db, shop, one.id)).prices == (1_900, 1_900), "it was only asked"
    answer = await visitor.submit("/sell/listings/bulk/edit", form | {"act": "apply"})
    assert "2 listings are changed" in text_of(answer.text)
    [variant] = (await own(db, shop, two.id)).variants
    assert (variant.price, variant.compare_at, variant.weight_g) == (1_710, 1_900, 400)


async def test_refusals_of_a_bulk_act_stand_in_their_row(
    visitor: Visitor, world: World, db: Database
) -> None:
    shop = await desks.seller(db, visitor)
    ids = [str((await desks.draft(db, shop, title=f"Fig {n}")).id) for n in range(2)]
    answer = await visitor.submit("/sell/listings/bulk", {"act": "publish", "id": ids})
    words = text_of(answer.text)
    assert "0 of 2 done" in words and words.count("Add at least one picture.") == 2


async def test_ticked_listings_are_exported_and_others_are_not(
    visitor: Visitor, other: Visitor, world: World, db: Database
) -> None:
    shop = await desks.seller(db, visitor)
    foreign = await desks.draft(db, await desks.seller(db, other), title="Foreign")
    listing = await desks.draft(db, shop, title="=cmd|fig")
    form = {"act": "export", "id": [str(listing.id), str(foreign.id)]}
    answer = await visitor.submit("/sell/listings/bulk", form)
    assert answer.headers["content-type"].startswith("text/csv")
    [row] = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert row["title"] == "'=cmd|fig", "no spreadsheet runs it"
    assert (row["price"], row["stock"], row["kind"]) == ("19.00", "5", "goods")


async def test_the_draft_is_kept_while_typing_as_far_as_it_can_be(
    visitor: Visitor, world: World, db: Database
) -> None:
    shop = await desks.seller(db, visitor)
    listing = await desks.draft(db, shop)
    url = f"/sell/listings/{listing.id}"
    form = fields_of(await visitor.page(url))
    wrong = form | {"title": "Fig, brown", "v0.price": "dear", "category_id": str(world.plants.id)}
    answer = await visitor.submit(f"{url}/autosave", wrong)
    assert answer.status_code == 201 and "Not everything is saved" in text_of(answer.text)
    assert "Write an amount such as 12.50." in text_of(answer.text)
    assert 'id="category-fields"' in answer.text, "the new category's details come with it"
    stored = await own(db, shop, listing.id)
    assert (stored.title, stored.prices) == ("Fig, brown", (1_900, 1_900))
    answer = await visitor.submit(f"{url}/autosave", wrong | {"v0.price": "21"})
    assert answer.status_code == 409, "the form is one save behind"
    [seen] = re.findall(r'name="seen" value="([0-9a-f]+)"', await visitor.page(url))
    right = wrong | {"v0.price": "21", "v0.stock": "9", "seen": seen}
    answer = await visitor.submit(f"{url}/autosave", right)
    assert answer.status_code == 201 and "Saved" in text_of(answer.text)
    stored = await own(db, shop, listing.id)
    assert stored.prices == (2_100, 2_100)
    async with db.read() as conn:
        assert (await inventory.stock_of(conn, shop.id, stored.variants[0].id)).on_hand == 9


async def test_stock_that_was_sold_meanwhile_stays_sold(
    visitor: Visitor, world: World, db: Database
) -> None:
    shop = await desks.seller(db, visitor)
    listing = await desks.draft(db, shop)
    variant_id = listing.variants[0].id
    form = fields_of(await visitor.page(f"/sell/listings/{listing.id}"))
    await db.transact(
        lambda tx: inventory.adjust(
            tx, desks.OPERATOR, seller_id=shop.id, variant_id=variant_id, delta=-2,
            reason=inventory.Reason.LOSS,
        )
    )  # fmt: skip
    answer = await visitor.submit(f"/sell/listings/{listing.id}", form | {"v0.stock": "8"})
    assert answer.status_code == 303, text_of(answer.text)
    async with db.read() as conn:
        assert (await inventory.stock_of(conn, shop.id, variant_id)).on_hand == 6


async def test_what_is_on_sale_is_not_saved_while_typing(
    visitor: Visitor, world: World, db: Database
) -> None:
    shop = await desks.seller(db, visitor)
    listing = await desks.draft(db, shop)
    await db.transact(
        lambda tx: tx.execute(
            "UPDATE listings.listing SET state = 'active', published_at = now() WHERE id = $1",
            listing.id,
        )
    )
    url = f"/sell/listings/{listing.id}"
    html = await visitor.page(url)
    assert "data-autosave" not in html
    answer = await visitor.submit(f"{url}/autosave", fields_of(html) | {"title": "Half a ti"})
    assert answer.status_code == 409
    assert (await own(db, shop, listing.id)).title == "Fig tree"


async def test_a_table_is_made_of_options_and_filled(
    visitor: Visitor, world: World, db: Database
) -> None:
    shop = await desks.seller(db, visitor)
    listing = await desks.draft(db, shop)
    url = f"/sell/listings/{listing.id}"
    form = fields_of(await visitor.page(url))
    form |= {"option_1": "Size", "values_1": "S, M", "option_2": "Pot", "values_2": "clay, tin"}
    answer = await visitor.submit(url, form | {"act": "matrix", "values_2": ""})
    assert answer.status_code == 422 and "Write the values of “Pot”" in text_of(answer.text)
    drawn = fields_of((await visitor.submit(url, form | {"act": "matrix"})).text)
    assert [drawn[f"v{n}.value_2"] for n in range(4)] == ["clay", "tin", "clay", "tin"]
    assert drawn["v0.id"] == str(listing.variants[0].id), "the first one stays the same variant"
    assert len((await own(db, shop, listing.id)).variants) == 1, "nothing was stored"
    given = {"act": "fill", "all.price": "25", "all.stock": "3"}
    drawn = fields_of((await visitor.submit(url, drawn | given)).text)
    assert {drawn[f"v{n}.price"] for n in range(4)} == {"25"}
    answer = await visitor.submit(url, {k: v for k, v in drawn.items() if k != "act"})
    assert answer.status_code == 303, text_of(answer.text)
    made = (await own(db, shop, listing.id)).variants
    assert [variant.title for variant in made] == ["S / clay", "S / tin", "M / clay", "M / tin"]
    assert {variant.price for variant in made} == {2_500}
    async with db.read() as conn:
        stock = await inventory.availability(conn, [variant.id for variant in made])
    assert [stock[variant.id].on_hand for variant in made] == [3, 3, 3, 3]
    drawn = fields_of(await visitor.page(url)) | {"values_2": "clay", "act": "matrix"}
    html = (await visitor.submit(url, drawn)).text
    assert html.count('class="going"') == 2, "what would go is shown before it goes"


async def test_pictures_are_put_in_the_order_of_the_hand(
    visitor: Visitor, world: World, db: Database
) -> None:
    import pyvips

    shop = await desks.seller(db, visitor)
    listing = await desks.draft(db, shop)
    url = f"/sell/listings/{listing.id}"
    await visitor.get(url)
    head = {"x-csrftoken": visitor.cookies["souk_csrf"]}
    content = (pyvips.Image.black(64, 64, bands=3) + 90).cast("uchar").pngsave_buffer()
    for n in range(3):
        files = {"images": (f"{n}.png", io.BytesIO(content), "image/png")}
        await visitor.post(f"{url}/images", files=files, headers=head)
    wrong = {"images": ("x.png", io.BytesIO(b"no picture"), "image/png")}
    answer = await visitor.post(f"{url}/images", files=wrong, headers=head | {"accept": "*/*"})
    assert answer.status_code == 422 and "not a picture" in answer.json()["detail"]
    ids = [image.id for image in (await own(db, shop, listing.id)).images]
    turned = [str(each) for each in reversed(ids)]
    assert (await visitor.submit(f"{url}/images/order", {"id": turned})).status_code == 303
    await visitor.submit(f"{url}/images/order", {"id": turned[:2]})
    assert [i.id for i in (await own(db, shop, listing.id)).images] == ids[::-1]


async def test_the_preview_is_for_its_seller_alone(
    visitor: Visitor, other: Visitor, world: World, db: Database
) -> None:
    shop = await desks.seller(db, visitor)
    await desks.seller(db, other)
    listing = await desks.draft(db, shop)
    html = await visitor.page(f"/sell/listings/{listing.id}/preview")
    assert "Only you see this page" in text_of(html) and 'content="noindex"' in html
    assert (await other.get(f"/sell/listings/{listing.id}/preview")).status_code == 404


async def test_the_editor_asks_as_often_for_fifty_variants_as_for_one(
    visitor: Visitor, world: World, db: Database
) -> None:
    shop = await desks.seller(db, visitor)
    listing = await desks.draft(db, shop)
    url = f"/sell/listings/{listing.id}"
    await visitor.page(url)
    async with count_statements() as one:
        await visitor.page(url)
    variants = [
        listings.VariantInput(price=1_900, options={"Size": str(n)}, sku=f"F-{n}")
        for n in range(50)
    ]
    await db.transact(
        lambda tx: listings.set_variants(
            tx, desks.OPERATOR, seller_id=shop.id, listing_id=listing.id, variants=variants
        )
    )
    async with count_statements() as fifty:
        await visitor.page(url)
    assert fifty.total <= one.total, f"{one.total} for one, {fifty.total} for fifty"
