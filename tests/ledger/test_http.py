"""The money routes, as sellers and finance staff see them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from souk.contexts.ledger import http
from souk.kernel.actor import Actor, Permission, Role, permissions_of
from souk.kernel.ids import uuid7
from souk.platform.database import Database
from tests.conftest import Client
from tests.ledger.factories import Sale, end_holds

OPERATOR = (
    "/api/v1/ledger/accounts",
    "/api/v1/ledger/entries",
    "/api/v1/ledger/trial-balance",
    "/api/v1/ledger/commission-rules",
)
RULES = "/api/v1/ledger/commission-rules"
FINANCE = Actor(kind="user", user_id=uuid7(), permissions=permissions_of(frozenset({Role.FINANCE})))


@pytest.fixture
def client(make_client: Callable[[Sequence[Any]], Client]) -> Client:
    return make_client(http.routes)


def seller(sale: Sale) -> Actor:
    return Actor(kind="user", user_id=uuid7(), seller_id=sale.seller_id)


async def test_a_seller_sees_balance_and_entries(client: Client, db: Database) -> None:
    sale = await Sale(db).capture()
    await sale.release()
    await end_holds(db)
    client.act_as.actor = seller(sale)
    assert (await client.get("/api/v1/balance")).json() == {
        "items": [
            {"currency": "EUR", "pending": 0, "available": 8040, "reserved": 0, "receivable": 0}
        ]
    }
    first = (await client.get("/api/v1/balance/entries", params={"limit": 2})).json()
    rest = await client.get("/api/v1/balance/entries", params={"cursor": first["next_cursor"]})
    lines = first["items"] + rest.json()["items"]
    assert [(line["bucket"], line["amount"]) for line in lines] == [
        ("available", 8040),
        ("pending", -8040),
        ("pending", 8040),
    ]


async def test_a_new_seller_has_no_money_yet(client: Client, db: Database) -> None:
    client.act_as.actor = seller(Sale(db))
    assert (await client.get("/api/v1/balance")).json() == {"items": []}
    assert (await client.get("/api/v1/balance/entries")).json()["items"] == []


async def test_the_books_are_for_finance_staff(client: Client, db: Database) -> None:
    for path in OPERATOR:
        assert (await client.get(path)).status_code == 401
    client.act_as.actor = seller(await Sale(db).capture())
    for path in OPERATOR:
        assert (await client.get(path)).status_code == 403
    assert (await client.get(f"/api/v1/ledger/entries/{uuid7()}")).status_code == 403
    client.act_as.actor = FINANCE
    for path in OPERATOR:
        answer = await client.get(path)
        assert answer.status_code == 200
        assert answer.json()["items"]
    client.act_as.actor = Actor(
        kind="user", user_id=uuid7(), permissions=frozenset({Permission.MONEY_VIEW})
    )
    answer = await client.post(RULES, json={"scope": "platform", "rate_bp": 1})
    assert answer.status_code == 403


async def test_staff_follow_a_cent(client: Client, db: Database) -> None:
    sale = await Sale(db).capture()
    client.act_as.actor = FINANCE
    found = await client.get(
        "/api/v1/ledger/entries", params={"search": f"captured:{sale.payment_id}"}
    )
    (entry,) = found.json()["items"]
    detail = (await client.get(f"/api/v1/ledger/entries/{entry['id']}")).json()
    assert [line["account"] for line in detail["lines"]] == [
        "gateway:sandbox",
        f"escrow:{sale.seller_order_id}",
        "tax:DE",
    ]
    accounts = await client.get(
        "/api/v1/ledger/accounts", params={"prefix": f"escrow:{sale.seller_order_id}"}
    )
    assert [row["balance"] for row in accounts.json()["items"]] == [-9000]
    missing = await client.get(f"/api/v1/ledger/entries/{uuid7()}")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    rows = (
        await client.get("/api/v1/ledger/trial-balance", params={"as_of": "2001-01-01T00:00:00Z"})
    ).json()["items"]
    assert rows == []


async def test_staff_add_a_commission_rule(client: Client) -> None:
    client.act_as.actor = FINANCE
    seller_id = str(uuid7())
    body = {"scope": "seller", "seller_id": seller_id, "rate_bp": 500, "tax_bp": 1900}
    answer = await client.post(RULES, json=body)
    assert answer.status_code == 201
    listed = (await client.get(RULES)).json()["items"]
    assert answer.json() in listed
    assert {**body, "fixed": 0}.items() <= answer.json().items()


@pytest.mark.parametrize(
    "body",
    [
        {"scope": "seller", "rate_bp": 500},
        {"scope": "platform", "rate_bp": 10_001},
        {"scope": "platform", "rate_bp": 1, "fixed": 5},
        {"scope": "galaxy", "rate_bp": 1},
        {"scope": "platform", "rate_bp": 1, "surprise": 1},
        {"scope": "platform", "rate_bp": 1, "currency": "EUR", "fixed": -1},
        {"scope": "tier", "tier": "x\u0000", "rate_bp": 1},
        {"scope": "platform", "rate_bp": 1, "valid_from": "2030-01-01T00:00:00"},
    ],
)
async def test_wrong_rules_are_refused(client: Client, body: dict[str, object]) -> None:
    client.act_as.actor = FINANCE
    answer = await client.post(RULES, json=body)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"].startswith("application/problem+json")


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/api/v1/ledger/entries", {"search": "a\x00b"}),
        ("/api/v1/ledger/accounts", {"prefix": "\x00"}),
        ("/api/v1/ledger/accounts", {"cursor": "WyJhIl0"}),
        ("/api/v1/ledger/accounts", {"cursor": "WyJhXHUwMDAwIiwgIkVVUiJd"}),
        ("/api/v1/ledger/entries", {"limit": "0"}),
        ("/api/v1/ledger/trial-balance", {"as_of": "yesterday"}),
        ("/api/v1/ledger/entries", {"limit": "101"}),
        ("/api/v1/ledger/entries", {"search": "x" * 201}),
    ],
)
async def test_wrong_questions_are_refused(
    client: Client, path: str, params: dict[str, str]
) -> None:
    client.act_as.actor = FINANCE
    answer = await client.get(path, params=params)
    assert 400 <= answer.status_code < 500
