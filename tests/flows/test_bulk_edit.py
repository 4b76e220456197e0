"""One change for many listings: the plan, and each done on its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from souk.contexts.listings import api as listings
from souk.flows.publish_listing import bulk, http
from souk.kernel.errors import InvalidInput
from souk.kernel.ids import uuid7
from souk.platform.database import Database
from tests.listings import factories

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def listing(*prices: int, compare_at: int | None = None, **fields: Any) -> listings.Listing:
    variants = [
        listings.Variant(
            id=uuid7(), options={"Size": str(n)}, sku=f"S-{n}", price=price, compare_at=compare_at
        )
        for n, price in enumerate(prices)
    ]
    return listings.Listing(
        id=uuid7(), seller_id=uuid7(), kind=listings.Kind.GOODS, title="Fig", slug="fig",
        currency="EUR", created_at=NOW, updated_at=NOW, variants=variants, **fields,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "after"),
    [
        (bulk.BulkChange(price_percent=1_000), (1_100, 2_199)),
        (bulk.BulkChange(price_percent=-1_500), (850, 1_699)),
        (bulk.BulkChange(price_percent=-333), (967, 1_932)),
        (bulk.BulkChange(price_amount=-99), (901, 1_900)),
        (bulk.BulkChange(weight_g=500), (1_000, 1_999)),
    ],
)
def test_prices_are_rounded_to_the_minor_unit(change: bulk.BulkChange, after: object) -> None:
    planned = bulk.plan(listing(1_000, 1_999), change)
    assert (planned.before, planned.after, planned.refusal) == ((1_000, 1_999), after, "")


def test_a_lowered_price_becomes_a_sale_and_a_raised_one_ends_it() -> None:
    [sale] = bulk.variants_after(
        listing(1_000), bulk.BulkChange(price_percent=-1_000, as_sale=True)
    )
    assert (sale.price, sale.compare_at) == (900, 1_000)
    ended = bulk.plan(listing(1_000, compare_at=1_200), bulk.BulkChange(price_percent=2_500))
    assert ended.sale_ends and ended.after == (1_250, 1_250)
    kept = bulk.plan(listing(1_000, compare_at=1_200), bulk.BulkChange(price_percent=1_000))
    assert not kept.sale_ends


def test_what_cannot_be_done_says_why() -> None:
    cheap = bulk.plan(listing(60), bulk.BulkChange(price_amount=-20))
    assert "lower or higher" in cheap.refusal
    gone = bulk.plan(listing(1_000, state=listings.State.ARCHIVED), bulk.BulkChange(weight_g=1))
    assert "archived" in gone.refusal
    category = uuid7()
    there = bulk.plan(listing(1_000, category_id=category), bulk.BulkChange(category_id=category))
    assert "already" in there.refusal


@pytest.mark.parametrize(
    "change",
    [
        bulk.BulkChange(),
        bulk.BulkChange(as_sale=True),
        bulk.BulkChange(price_percent=100, price_amount=100),
        bulk.BulkChange(price_percent=-10_000),
        bulk.BulkChange(weight_g=-1),
    ],
)
def test_changes_that_say_nothing_or_too_much(change: bulk.BulkChange) -> None:
    with pytest.raises(InvalidInput):
        change.check()


async def test_many_are_edited_over_the_api_each_on_its_own(
    db: Database, make_client: Callable[..., Any]
) -> None:
    actor = factories.seller_actor()
    client = make_client(http.routes)
    client.act_as.actor = actor
    dear = await factories.create(db, actor)
    cheap = await factories.create(db, actor, variants=[listings.VariantInput(price=55)])
    foreign = await factories.create(db, factories.seller_actor())
    ids = [str(each.id) for each in (dear, cheap, foreign)]
    body = {"ids": ids, "change": {"price_percent": -2_000}}
    seen = await client.post("/api/v1/listings/bulk", json=body | {"preview": True})
    assert seen.status_code == 200 and len(seen.json()) == 2, "another seller's is not there"
    async with db.read() as conn:
        assert (await listings.any_state(conn, dear.id)).prices == (1_250, 1_250)
    done = (await client.post("/api/v1/listings/bulk", json=body)).json()
    assert [bool(row["refusal"]) for row in done] == [False, True]
    async with db.read() as conn:
        assert (await listings.any_state(conn, dear.id)).prices == (1_000, 1_000)
        assert (await listings.any_state(conn, cheap.id)).prices == (55, 55)
        assert (await listings.any_state(conn, foreign.id)).prices == (1_250, 1_250)
