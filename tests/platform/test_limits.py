"""Rate limits, counted in the process and in the database."""

from __future__ import annotations

import msgspec
import pytest
from litestar import post

from souk.kernel.ids import uuid7
from souk.platform.http import access, limits
from souk.platform.http.limits import Limit, Limiter, TooMany


@post("/limited", access=access.PUBLIC, rate="login")
async def limited() -> None: ...


@pytest.fixture(autouse=True)
def small(monkeypatch):
    week = 604_800
    monkeypatch.setitem(limits.LIMITS, "login", Limit(3, week, shared=True))
    monkeypatch.setitem(limits.LIMITS, "write", Limit(3, week, shared=False))


@pytest.mark.parametrize("name", ["login", "write"])
async def test_past_the_limit_the_caller_waits(db, name):
    limiter, caller = Limiter(db), uuid7().hex
    for _ in range(3):
        await limiter.hit(name, caller)
    with pytest.raises(TooMany) as refused:
        await limiter.hit(name, caller)
    assert 1 <= refused.value.fields["retry_after"] <= 604_800
    await limiter.hit(name, uuid7().hex)


async def test_shared_limits_count_for_all_workers_and_local_ones_do_not(db):
    one, two, caller = Limiter(db), Limiter(db), uuid7().hex
    for _ in range(3):
        await one.hit("login", caller)
        await one.hit("write", caller)
    with pytest.raises(TooMany):
        await two.hit("login", caller)
    await two.hit("write", caller)


async def test_the_factor_widens_every_limit(db):
    limiter, caller = Limiter(db, factor=2), uuid7().hex
    for _ in range(6):
        await limiter.hit("write", caller)
    with pytest.raises(TooMany):
        await limiter.hit("write", caller)


@pytest.mark.parametrize(("proxies", "last"), [(0, 429), (1, 429), (2, 201)])
async def test_only_trusted_proxies_name_the_caller(make_client, services, proxies, last):
    usual = services.settings
    services.settings = msgspec.structs.replace(
        usual, trusted_proxies=proxies, rate_limit_factor=1.0
    )
    try:
        client = make_client([limited])
    finally:
        services.settings = usual
    await services.db.transact(lambda tx: tx.execute("DELETE FROM platform.rate_limit"))
    for number in range(4):
        hops = f"198.51.100.9, 192.0.2.{number}, 10.0.0.1"
        answer = await client.post("/limited", headers={"x-forwarded-for": hops})
    assert answer.status_code == last
    if last == 429:
        assert answer.json()["code"] == "too_many_requests"
        assert int(answer.headers["retry-after"]) >= 1
