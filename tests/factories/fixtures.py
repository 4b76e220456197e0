"""The marketplace as a fixture, one per test module."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from souk.kernel.clock import SettableClock
from tests.factories import market as factory


@pytest.fixture(scope="module")
async def market(db_url: str, clock: SettableClock) -> AsyncIterator[factory.Market]:
    async with factory.running(db_url, clock=clock) as made:
        yield made
