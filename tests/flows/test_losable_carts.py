"""Which steps of a purchase wait for the disk: all but filling the cart and opening a checkout."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from tests.factories.market import Market

HASTY = "BEGIN; SET LOCAL synchronous_commit TO off"


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How transactions that were committed had begun, or that they were made to wait in the end."""
    noted: list[str] = []
    real = asyncpg.Connection.execute

    def execute(self: Any, sql: str, *args: Any, **options: Any) -> Any:
        if sql.startswith(("BEGIN", "SET LOCAL synchronous_commit")):
            noted.append(sql)
        return real(self, sql, *args, **options)

    monkeypatch.setattr(asyncpg.Connection, "execute", execute)
    return noted


async def test_carts_and_opening_do_not_wait_and_payments_do(
    market: Market, ends: list[str]
) -> None:
    shop = await market.shop()
    plant = await shop.goods(price=1_999)
    buyer = market.guest()
    ends.clear()
    await buyer.add(plant, 2)
    assert ends == [HASTY]
    ends.clear()
    checkout = await buyer.checkout()
    # The answer to a repeated request is written down by itself, and waits.
    assert ends[0] == HASTY
    assert "SET LOCAL synchronous_commit TO DEFAULT" not in ends
    ends.clear()
    await buyer.pay(checkout)
    assert ends
    assert HASTY not in ends
    await market.work()
    await market.sound()
