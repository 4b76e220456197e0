from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from souk.contexts.catalog import api as catalog
from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.contexts.search import api as search
from souk.flows.browse import flow, http
from souk.flows.browse.search import QueryLog
from souk.kernel.actor import Actor, Permission
from souk.kernel.ids import uuid7
from souk.platform.database import count_statements
from souk.platform.http import edge
from souk.platform.http.kept import KeptAnswers
from tests.listings import factories

OPERATOR = Actor(kind="user", user_id=uuid7(), permissions=frozenset({Permission.CATALOG_MANAGE}))


@pytest.fixture
def client(make_client):
    return make_client(http.routes)


async def stocked(db, listing, on_hand):
    await db.transact(
        lambda tx: inventory.set_up(
            tx,
            OPERATOR,
            items=[
                inventory.StockSetUp(
                    variant_id=listing.variants[0].id,
                    listing_id=listing.id,
                    seller_id=listing.seller_id,
                    on_hand=on_hand,
                )
            ],
        )
    )


async def test_a_list_is_one_statement(client, db):
    actor = factories.seller_actor()
    made = [await factories.active(db, actor) for _ in range(3)]
    params = {"seller": str(actor.seller_id), "limit": 2}
    async with count_statements() as count:
        first = await client.get("/api/v1/listings", params=params)
    assert count.total == 1
    assert first.headers["content-type"] == "application/json"
    page = first.json()
    rest = (
        await client.get("/api/v1/listings", params=params | {"cursor": page["next_cursor"]})
    ).json()
    ids = [card["id"] for card in page["items"] + rest["items"]]
    assert ids == [str(listing.id) for listing in reversed(made)]
    assert rest["next_cursor"] is None
    none = await client.get("/api/v1/listings", params={"seller": str(uuid7())})
    assert none.json() == {"items": [], "next_cursor": None}


@pytest.fixture
def kept_client(services):
    """A client that is answered from what the process keeps, as by the real program."""
    app = edge.build(services, routes=http.routes, authenticator=None)
    kept = KeptAnswers(services.db.changes)
    transport = httpx.ASGITransport(edge.Edge(app, services.settings, kept=kept))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")


async def test_kept_answers_cost_no_statement_and_follow_changes(kept_client, db):
    actor = factories.seller_actor()
    listing = await factories.active(db, actor)
    await stocked(db, listing, 5)
    paths = [f"/api/v1/listings/{listing.slug}", f"/api/v1/listings?seller={actor.seller_id}"]
    before = [(await kept_client.get(path)).content for path in paths]
    async with count_statements() as count:
        assert [(await kept_client.get(path)).content for path in paths] == before
    assert count.total == 0
    await db.transact(
        lambda tx: inventory.reserve(
            tx,
            checkout_id=uuid7(),
            lines=[(listing.variants[0].id, 2)],
            expires_at=db.clock.now() + timedelta(minutes=5),
        )
    )
    async with count_statements() as count:
        detail, cards = [(await kept_client.get(path)).json() for path in paths]
    assert detail["stock"][0]["available"] == 3
    assert count.total == 2  # the list says nothing of stock and stays
    await db.transact(
        lambda tx: listings.pause(tx, actor, seller_id=actor.seller_id, listing_id=listing.id)
    )
    assert (await kept_client.get(paths[0])).status_code == 404
    assert (await kept_client.get(paths[1])).json()["items"] == []
    assert len(cards["items"]) == 1


async def test_a_detail_is_two_statements_with_live_stock(client, db):
    actor = factories.seller_actor()
    listing = await factories.active(db, actor)
    await stocked(db, listing, 5)
    async with count_statements() as count:
        response = await client.get(f"/api/v1/listings/{listing.slug}")
    assert count.total == 2
    shown = response.json()
    variant = str(listing.variants[0].id)
    assert shown["stock"] == [{"variant_id": variant, "available": 5}]
    await db.transact(
        lambda tx: inventory.adjust(
            tx,
            actor,
            seller_id=actor.seller_id,
            variant_id=listing.variants[0].id,
            absolute=2,
            reason=inventory.Reason.CORRECTION,
        )
    )
    again = (await client.get(f"/api/v1/listings/{listing.id}")).json()
    assert again["stock"][0]["available"] == 2


async def test_lists_by_category_slug_include_what_is_below(client, db):
    parent = await db.transact(
        lambda tx: catalog.create_category(tx, OPERATOR, name=f"Cat {uuid7().hex[-10:]}")
    )
    child = await db.transact(
        lambda tx: catalog.create_category(
            tx, OPERATOR, name=f"Cat {uuid7().hex[-10:]}", parent_id=parent.id
        )
    )
    actor = factories.seller_actor()
    listing = await factories.active(db, actor, category_id=child.id, category_path=child.path)
    for key in (parent.slug, str(parent.id), child.slug):
        found = (await client.get("/api/v1/listings", params={"category": key})).json()["items"]
        assert [card["id"] for card in found] == [str(listing.id)]
    kind = {"category": parent.slug, "kind": "digital"}
    assert (await client.get("/api/v1/listings", params=kind)).json()["items"] == []
    assert (await client.get("/api/v1/listings", params={"category": "nope"})).status_code == 404


@pytest.mark.parametrize(
    "params", [{"limit": 0}, {"limit": 101}, {"cursor": "x"}, {"kind": "x"}, {"seller": "x"}]
)
async def test_bad_queries_are_refused(client, params):
    assert (await client.get("/api/v1/listings", params=params)).status_code in {400, 422}


async def test_absent_listings(client):
    for key in (uuid7(), "no-such-listing", "a%00b"):
        assert (await client.get(f"/api/v1/listings/{key}")).status_code in {404, 422}


@pytest.fixture
def engine(services, tmp_path):
    engine = search.open_engine(tmp_path, writer=True)
    services.add(engine, as_type=search.SearchEngine)
    yield engine
    engine.close()


def document(listing, **fields):
    base = {
        "listing_id": listing.id,
        "seller_id": listing.seller_id,
        "title": listing.title,
        "kind": "goods",
        "price": 1250,
        "currency": "EUR",
        "published_at": listing.published_at,
    }
    return search.SearchDocument(**base | fields)


async def test_search_answers_with_cards_and_facets_in_one_statement(client, db, engine):
    actor = factories.seller_actor()
    tall = await factories.active(db, actor, title="Swiss cheese plant")
    small = await factories.active(db, actor, title="Swiss cheese seedling")
    hidden = await factories.create(db, actor, title="Swiss draft")
    engine.index(
        [
            document(tall, attributes={"colour": "green", "height": 120.0}),
            document(small, attributes={"colour": "red", "height": 10.0}, price=300),
            document(hidden, published_at=tall.published_at),
        ]
    )
    engine.commit()
    engine.refresh()
    async with count_statements() as count:
        response = await client.get("/api/v1/listings/search", params={"q": "swiss cheese"})
    # Counted searches are written together every few seconds, which may be just now.
    assert len([text for text in count.texts if "listings." in text]) == 1
    answer = response.json()
    assert {card["id"] for card in answer["items"]} == {str(tall.id), str(small.id)}
    assert answer["facets"]

    async def ids(**params):
        got = await client.get("/api/v1/listings/search", params={"q": "swiss"} | params)
        assert got.status_code == 200, got.text
        return [card["id"] for card in got.json()["items"]]

    assert await ids(**{"attr.colour": "red"}) == [str(small.id)]
    assert await ids(**{"min.height": "100"}) == [str(tall.id)]
    assert await ids(price_max=500) == [str(small.id)]
    assert await ids(sort="price_asc", kind="goods", in_stock="true") == [
        str(small.id),
        str(tall.id),
    ]
    for wrong in ({"min.height": "tall"}, {"sort": "x"}, {"page": 0}, {"q": "a\x00"}):
        bad = await client.get("/api/v1/listings/search", params=wrong)
        assert bad.status_code in {400, 422}, wrong
    hints = await client.get("/api/v1/listings/suggest", params={"prefix": "swi"})
    assert hints.status_code == 200
    assert hints.json()


async def test_the_same_search_again_costs_nothing_and_follows_changes(client, db, engine):
    actor = factories.seller_actor()
    fern = await factories.active(db, actor, title="Kept fern")
    moss = await factories.active(db, actor, title="Kept moss")
    engine.index([document(fern)])
    engine.commit()

    async def titles():
        answer = await client.get("/api/v1/listings/search", params={"q": "kept", "page": 1})
        return {card["title"] for card in answer.json()["items"]}

    assert await titles() == {"Kept fern"}
    async with count_statements() as count:
        assert await titles() == {"Kept fern"}
    assert not [text for text in count.texts if "listings." in text]
    # A newer commit of the index, though the tables are as they were.
    engine.index([document(moss)])
    engine.commit()
    assert await titles() == {"Kept fern", "Kept moss"}
    # A table that was written, though the index does not know yet.
    await db.transact(
        lambda tx: tx.execute("UPDATE listings.listing SET state = 'paused' WHERE id = $1", moss.id)
    )
    assert await titles() == {"Kept fern"}


async def test_searches_are_counted_together(db):
    log = QueryLog()
    word = f"fern {uuid7().hex[-8:]}".translate(str.maketrans("0123456789", "ghijklmnop"))
    async with count_statements() as count:
        for _ in range(49):
            await log.add(db, text=word, total=3)
        await log.add(db, text=" ", total=0)
    assert count.total == 0
    await log.add(db, text=word, total=3)
    async with db.read() as conn:
        asked = {row.query: row.searches for row in await search.popular(conn, limit=100)}
    assert asked[word] == 50


async def test_what_is_not_counted_has_no_number(client, db):
    actor = factories.seller_actor()
    listing = await factories.active(db, actor)
    unknown = (await client.get(f"/api/v1/listings/{listing.id}")).json()
    assert unknown["stock"][0]["available"] == 0
    await db.transact(
        lambda tx: inventory.set_up(
            tx,
            OPERATOR,
            items=[
                inventory.StockSetUp(
                    variant_id=listing.variants[0].id,
                    listing_id=listing.id,
                    seller_id=listing.seller_id,
                    tracked=False,
                )
            ],
        )
    )
    uncounted = (await client.get(f"/api/v1/listings/{listing.id}")).json()
    assert uncounted["stock"][0]["available"] is None
    variant_id, absent = listing.variants[0].id, uuid7()
    async with db.read() as conn:
        assert await flow.stock_of(conn, [variant_id, absent]) == {variant_id: None, absent: 0}


async def test_digital_goods_have_no_stock_to_run_out_of(client, db):
    actor = factories.seller_actor()
    listing = await factories.create(
        db, actor, kind="digital", category_id=uuid7(), category_path=[uuid7()]
    )
    file = listings.StoredFile(uuid7(), "files/x/content", "a.pdf", "application/pdf", 1, "00" * 32)
    seller_id = actor.seller_id
    await db.transact(
        lambda tx: listings.attach_file(
            tx, actor, seller_id=seller_id, listing_id=listing.id, file=file
        )
    )
    await db.transact(
        lambda tx: listings.submit(
            tx, actor, seller_id=seller_id, listing_id=listing.id, in_stock=True, trusted=True
        )
    )
    shown = (await client.get(f"/api/v1/listings/{listing.slug}")).json()
    assert shown["stock"][0]["available"] is None
    assert [file["filename"] for file in shown["files"]] == ["a.pdf"]
    assert "files/x" not in str(shown)


async def test_search_below_a_category_by_slug(client, db, engine):
    category = await db.transact(
        lambda tx: catalog.create_category(tx, OPERATOR, name=f"Cat {uuid7().hex[-10:]}")
    )
    actor = factories.seller_actor()
    listing = await factories.active(
        db, actor, category_id=category.id, category_path=category.path
    )
    engine.index([document(listing, category_ids=[category.id], category_names=[category.name])])
    engine.commit()
    engine.refresh()
    params = {"category": category.slug, "seller": str(actor.seller_id), "max.size": "3"}
    none = (await client.get("/api/v1/listings/search", params=params)).json()
    assert none["items"] == []
    del params["max.size"]
    found = (await client.get("/api/v1/listings/search", params=params | {"page": 1})).json()
    assert [card["id"] for card in found["items"]] == [str(listing.id)]
