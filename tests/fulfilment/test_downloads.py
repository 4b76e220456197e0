"""Digital delivery: links, counting, ranges, races, revoking, licence keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from souk.contexts.fulfilment import api
from souk.contexts.fulfilment.commands import downloads as commands
from souk.contexts.fulfilment.domain.downloads import (
    GRANT_LIFE,
    LINK_LIFE,
    MAX_DOWNLOADS,
    PER_HOUR,
    ByteRange,
    Link,
    Unsatisfiable,
    open_link,
    parse_range,
    sign,
)
from souk.contexts.fulfilment.errors import LinkNotValid
from souk.contexts.fulfilment.http import routes
from souk.contexts.fulfilment.jobs import forget_addresses, serve_waiting_lines
from souk.kernel.actor import Actor, system
from souk.kernel.clock import SettableClock
from souk.kernel.errors import Forbidden, InvalidInput
from souk.kernel.ids import uuid7
from souk.platform.database import Database, WriteTx
from souk.platform.services import Services
from souk.platform.settings import Settings
from tests.conftest import Client

CONTENT = bytes(range(256)) * 40
FLOW = system("deliver_digital")


def a_file(size: int = len(CONTENT), name: str = "Bücher & more.pdf") -> api.DigitalFile:
    file_id = uuid7()
    return api.DigitalFile(file_id, f"files/{file_id}", name, size, "application/pdf")


def a_line(
    *files: api.DigitalFile,
    quantity: int = 1,
    seller_id: UUID | None = None,
    variant_id: UUID | None = None,
) -> api.DigitalLine:
    return api.DigitalLine(
        order_line_id=uuid7(),
        seller_order_id=uuid7(),
        seller_id=seller_id or uuid7(),
        variant_id=variant_id or uuid7(),
        quantity=quantity,
        files=list(files),
    )


async def grant(db: Database, *lines: api.DigitalLine, buyer_id: UUID | None = None) -> api.Granted:
    return await db.transact(
        lambda tx: api.grant_digital(
            tx, FLOW, lines=list(lines), buyer_id=buyer_id, buyer_email=f"{uuid7()}@example.com"
        )
    )


async def links(
    db: Database, settings: Settings, *lines: api.DigitalLine
) -> list[api.DownloadLink]:
    async with db.read() as conn:
        found = await api.links(
            conn,
            seller_order_ids=[line.seller_order_id for line in lines],
            secret=settings.secret_key,
        )
    return [link for group in found.values() for link in group]


@pytest.fixture
def client(make_client: Callable[..., Client]) -> Client:
    return make_client(routes)


async def stored(services: Services, *, buyer_id: UUID | None = None) -> api.DigitalLine:
    file = a_file()
    await services.files.put(file.storage_key, CONTENT)
    line = a_line(file)
    await grant(services.db, line, buyer_id=buyer_id)
    return line


async def left(services: Services, line: api.DigitalLine) -> int:
    return (await links(services.db, services.settings, line))[0].downloads_left


async def url_of(services: Services, line: api.DigitalLine) -> str:
    return (await links(services.db, services.settings, line))[0].url


async def test_a_whole_file_arrives_and_is_counted(services: Services, client: Client) -> None:
    line = await stored(services)
    answer = await client.get(await url_of(services, line))
    assert answer.status_code == 200
    assert answer.content == CONTENT
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"].startswith("private, no-store")
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"B_cher & more.pdf\"; filename*=UTF-8''B%C3%BCcher%20%26%20more.pdf"
    )
    assert await left(services, line) == MAX_DOWNLOADS - 1


async def test_addresses_of_downloaders_are_forgotten_after_thirty_days(
    services: Services, client: Client, clock: SettableClock
) -> None:
    async def known() -> list[str | None]:
        async with services.db.read() as conn:
            rows = await conn.fetch(
                "SELECT ip FROM fulfilment.download_session s JOIN fulfilment.download_grant g"
                " ON g.id = s.grant_id WHERE g.order_line_id = $1",
                line.order_line_id,
            )
        return [row["ip"] for row in rows]

    line = await stored(services)
    client.act_as.actor = Actor(kind="guest", ip="203.0.113.7")
    assert (await client.get(await url_of(services, line))).status_code == 200
    clock.advance(timedelta(days=29))
    await forget_addresses(services)
    assert await known() == ["203.0.113.7"]
    clock.advance(timedelta(days=2))
    await forget_addresses(services)
    assert await known() == [None]


async def test_a_broken_download_goes_on_and_is_counted_once(
    services: Services, client: Client
) -> None:
    line = await stored(services)
    url = await url_of(services, line)
    first = await client.get(url)
    rest = await client.get(
        url, headers={"range": "bytes=4000-", "if-range": first.headers["etag"]}
    )
    assert rest.status_code == 206
    assert rest.content == CONTENT[4000:]
    assert rest.headers["content-range"] == f"bytes 4000-{len(CONTENT) - 1}/{len(CONTENT)}"
    assert rest.headers["content-length"] == str(len(CONTENT) - 4000)
    middle = await client.get(url, headers={"range": "bytes=10-19"})
    assert middle.content == CONTENT[10:20]
    tail = await client.get(url, headers={"range": "bytes=-5"})
    assert tail.content == CONTENT[-5:]
    assert await left(services, line) == MAX_DOWNLOADS - 1


async def test_resuming_without_end_is_downloading_again(
    services: Services, client: Client
) -> None:
    line = await stored(services)
    url = await url_of(services, line)
    await client.get(url)
    for _ in range(6):
        assert (await client.get(url, headers={"range": "bytes=1-"})).status_code == 206
    assert await left(services, line) == MAX_DOWNLOADS - 2


async def test_a_part_without_a_beginning_is_counted(services: Services, client: Client) -> None:
    line = await stored(services)
    answer = await client.get(await url_of(services, line), headers={"range": "bytes=100-"})
    assert answer.status_code == 206
    assert await left(services, line) == MAX_DOWNLOADS - 1


async def test_another_version_is_sent_whole(services: Services, client: Client) -> None:
    line = await stored(services)
    answer = await client.get(
        await url_of(services, line), headers={"range": "bytes=5-", "if-range": '"other"'}
    )
    assert (answer.status_code, len(answer.content)) == (200, len(CONTENT))


async def test_looking_costs_nothing(services: Services, client: Client) -> None:
    line = await stored(services)
    url = await url_of(services, line)
    head = await client.head(url)
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(CONTENT)))
    beyond = await client.get(url, headers={"range": f"bytes={len(CONTENT)}-"})
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{len(CONTENT)}"
    assert await left(services, line) == MAX_DOWNLOADS


async def test_a_file_that_the_store_lost_costs_no_download(
    services: Services, client: Client
) -> None:
    line = a_line(a_file())
    await grant(services.db, line)
    assert (await client.get(await url_of(services, line))).status_code == 404
    assert await left(services, line) == MAX_DOWNLOADS


async def test_parallel_downloads_never_pass_the_limit(services: Services, client: Client) -> None:
    line = await stored(services)
    url = await url_of(services, line)
    other = await url_of(services, line)
    answers = await asyncio.gather(*(client.get(url if n % 2 else other) for n in range(16)))
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(200) == MAX_DOWNLOADS
    assert statuses.count(403) == 16 - MAX_DOWNLOADS
    refused = next(answer for answer in answers if answer.status_code == 403)
    assert refused.json()["code"] == "downloads_used_up"
    spent = (await links(services.db, services.settings, line))[0]
    assert (spent.state, spent.url, spent.downloads_left) == ("used_up", "", 0)


async def test_ten_downloads_an_hour_over_all_files(
    services: Services, client: Client, clock: SettableClock
) -> None:
    buyer_id = uuid7()
    lines = [await stored(services, buyer_id=buyer_id) for _ in range(3)]
    urls = [await url_of(services, line) for line in lines]
    answers = await asyncio.gather(*(client.get(urls[n % 3]) for n in range(12)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] * PER_HOUR + [429] * 2
    limited = next(answer for answer in answers if answer.status_code == 429)
    assert 0 < int(limited.headers["retry-after"]) <= 3_600
    clock.advance(timedelta(minutes=61))
    assert (await client.get(urls[0])).status_code == 200


async def test_a_link_lasts_a_day_and_a_grant_a_year(
    services: Services, client: Client, clock: SettableClock
) -> None:
    line = await stored(services)
    url = await url_of(services, line)
    clock.advance(LINK_LIFE)
    ended = await client.get(url)
    assert (ended.status_code, ended.json()["code"]) == (403, "link_not_valid")
    fresh = await url_of(services, line)
    assert (await client.get(fresh)).status_code == 200
    clock.advance(GRANT_LIFE)
    assert (await links(services.db, services.settings, line))[0].state == "expired"


async def test_a_grant_that_ended_ends_its_links(
    services: Services, client: Client, clock: SettableClock
) -> None:
    line = await stored(services)
    clock.advance(GRANT_LIFE - timedelta(hours=1))
    url = await url_of(services, line)
    assert (await client.get(url)).status_code == 200
    clock.advance(timedelta(hours=1))
    assert (await client.get(url)).status_code == 403


async def test_nothing_is_sent_after_a_refund_or_in_a_dispute(
    services: Services, client: Client
) -> None:
    line = await stored(services)
    url = await url_of(services, line)
    ids = [line.order_line_id]
    await client.get(url)

    async def revoke(tx: WriteTx, reason: str) -> None:
        await api.revoke_digital(tx, FLOW, order_line_ids=ids, reason=reason)  # type: ignore[arg-type]

    await services.db.transact(lambda tx: revoke(tx, "dispute"))
    for headers in ({}, {"range": "bytes=5-"}):
        answer = await client.get(url, headers=headers)
        assert (answer.status_code, answer.json()["reason"]) == (403, "dispute")
    assert (await client.head(url)).status_code == 403
    await services.db.transact(lambda tx: revoke(tx, "refund"))
    answer = await client.get(url)
    assert (answer.status_code, answer.json()["reason"]) == (403, "refund")
    assert (await links(services.db, services.settings, line))[0].url == ""


async def test_a_download_that_began_before_a_refund_is_dated_before_it(
    services: Services, clock: SettableClock
) -> None:
    """A refund waits for a download that is being counted; its time is when it had its turn."""
    db = services.db
    line = await stored(services)
    token = (await url_of(services, line)).rsplit("/", 1)[1]
    locked, go = asyncio.Event(), asyncio.Event()

    async def count(tx: WriteTx) -> None:
        await tx.fetch(
            "SELECT id FROM fulfilment.download_grant WHERE order_line_id = $1 FOR UPDATE",
            line.order_line_id,
        )
        locked.set()
        await go.wait()
        await commands.begin_download(tx, FLOW, token=token, secret=services.settings.secret_key)

    async def refund(tx: WriteTx) -> None:
        await api.revoke_digital(tx, FLOW, order_line_ids=[line.order_line_id], reason="refund")

    async with asyncio.TaskGroup() as group:
        group.create_task(db.transact(count))
        await locked.wait()
        group.create_task(db.transact(refund))
        await asyncio.sleep(0.2)
        clock.advance(timedelta(seconds=1))
        go.set()
    async with db.read() as conn:
        assert [
            one for one in await api.violations(conn) if one.invariant.endswith("after_end")
        ] == []


async def test_granting_twice_gives_once(db: Database, settings: Settings) -> None:
    line = a_line(a_file(), a_file())
    first = await grant(db, line)
    second = await grant(db, line)
    assert (first.order_line_ids, second.order_line_ids) == ([line.order_line_id], [])
    assert len(await links(db, settings, line)) == 2
    async with db.read() as conn:
        count = await conn.fetchval(
            "SELECT count(*) FROM platform.event WHERE aggregate_id = $1", line.seller_order_id
        )
    assert count == 1


async def test_a_members_library(services: Services, client: Client) -> None:
    buyer_id = uuid7()
    for _ in range(3):
        await stored(services, buyer_id=buyer_id)
    assert (await client.get("/api/v1/downloads")).status_code == 401
    client.act_as.actor = Actor(kind="user", user_id=buyer_id)
    page = (await client.get("/api/v1/downloads?limit=2")).json()
    assert len(page["items"]) == 2
    rest = (await client.get(f"/api/v1/downloads?cursor={page['next_cursor']}")).json()
    assert len(rest["items"]) == 1
    assert (await client.get(rest["items"][0]["url"])).content == CONTENT
    client.act_as.actor = Actor(kind="user", user_id=uuid7())
    assert (await client.get("/api/v1/downloads")).json()["items"] == []


async def test_the_first_download_is_told_once(services: Services, client: Client) -> None:
    line = await stored(services)
    url = await url_of(services, line)
    for _ in range(2):
        await client.get(url)
    async with services.db.read() as conn:
        count = await conn.fetchval(
            "SELECT count(*) FROM platform.event WHERE name = 'fulfilment.download_taken.v1'"
            " AND aggregate_id = $1",
            line.seller_order_id,
        )
    assert count == 1


async def test_forged_links_open_nothing(services: Services, client: Client) -> None:
    line = await stored(services)
    url = await url_of(services, line)
    base, token = url.rsplit("/", 1)
    forged: list[str] = ["x", "a" * 300, token[:-2], token + "AA", token[::-1]]
    forged += [
        token[:n] + ("A" if token[n] != "A" else "B") + token[n + 1 :] for n in (1, 9, 30, 50)
    ]
    for text in forged:
        answer: httpx.Response = await client.get(f"{base}/{text}")
        assert answer.status_code == 403, text
    assert (await client.get(f"{base}/%00")).status_code == 422
    elsewhere = Link(uuid7(), services.clock.now() + timedelta(hours=1), b"12345678")
    absent = sign(elsewhere, secret=services.settings.secret_key)
    assert (await client.get(f"{base}/{absent}")).status_code == 403
    other = sign(elsewhere, secret="another secret")
    with pytest.raises(LinkNotValid):
        open_link(other, secret=services.settings.secret_key, now=services.clock.now())


@given(st.integers(0, 60), st.integers(0, 80), st.integers(0, 80))
def test_ranges_stay_inside_the_file(size: int, first: int, last: int) -> None:
    for header in (f"bytes={first}-{last}", f"bytes={first}-", f"bytes=-{last}"):
        try:
            part = parse_range(header, size=size)
        except Unsatisfiable:
            continue
        if part is not None:
            assert 0 <= part.start < part.end <= size


@pytest.mark.parametrize(
    "header",
    [None, "", "bytes=", "bytes=-", "items=0-1", "bytes=0-1,3-4", "bytes=5-4", "bytes=a-b"],
)
def test_what_is_not_one_range_means_the_whole_file(header: str | None) -> None:
    assert parse_range(header, size=100) is None


def test_ranges_by_the_book() -> None:
    assert parse_range("bytes=0-499", size=1_000) == ByteRange(0, 500)
    assert parse_range("bytes=-500", size=1_000) == ByteRange(500, 1_000)
    assert parse_range("bytes=9500-", size=10_000) == ByteRange(9_500, 10_000)
    assert parse_range("bytes=-5000", size=1_000) == ByteRange(0, 1_000)


# --- licence keys ------------------------------------------------------------------------------


def a_seller() -> Actor:
    return Actor(kind="user", user_id=uuid7(), seller_id=uuid7())


async def add_keys(db: Database, seller: Actor, variant_id: UUID, *keys: str) -> int:
    return await db.transact(
        lambda tx: api.add_licence_keys(tx, seller, variant_id=variant_id, keys=list(keys))
    )


async def keys_of(db: Database, *lines: api.DigitalLine) -> dict[UUID, api.LicenceKeys]:
    async with db.read() as conn:
        return await api.licence_keys(
            conn, seller_order_ids=[line.seller_order_id for line in lines]
        )


async def test_buyers_at_once_get_different_keys(db: Database) -> None:
    seller, variant_id = a_seller(), uuid7()
    await add_keys(db, seller, variant_id, *(f"KEY-{n}" for n in range(25)))
    lines = [
        a_line(quantity=3, seller_id=seller.seller_id, variant_id=variant_id) for _ in range(10)
    ]
    await asyncio.gather(*(grant(db, line) for line in lines))
    await asyncio.gather(*(grant(db, line) for line in lines))
    await db.transact(commands.serve_waiting_lines)
    found = await keys_of(db, *lines)
    given = [key.content for line in found.values() for key in line.keys]
    assert len(given) == len(set(given)) == 25
    assert sum(line.missing for line in found.values()) == 5
    assert all(len(line.keys) + line.missing == 3 for line in found.values())


async def test_keys_added_later_reach_who_waits(db: Database, services: Services) -> None:
    seller, variant_id = a_seller(), uuid7()
    await add_keys(db, seller, variant_id, "ONE")
    line = a_line(quantity=3, seller_id=seller.seller_id, variant_id=variant_id)
    assert (await grant(db, line)).lacking == {line.order_line_id: 2}
    assert await add_keys(db, seller, variant_id, " TWO ", "ONE", "", "TWO") == 1
    assert (await keys_of(db, line))[line.order_line_id].missing == 1
    await serve_waiting_lines(services)
    assert await add_keys(db, seller, variant_id, "THREE", "FOUR") == 2
    found = (await keys_of(db, line))[line.order_line_id]
    assert [key.content for key in found.keys] == ["ONE", "TWO", "THREE"]
    async with db.read() as conn:
        pool = await api.key_pool(
            conn, seller_id=seller.seller_id or uuid7(), variant_id=variant_id
        )
    assert (pool.free, pool.assigned, pool.owed) == (1, 3, 0)
    assert (
        await db.transact(lambda tx: api.remove_unused_keys(tx, seller, variant_id=variant_id)) == 1
    )


async def test_another_sellers_pool_is_not_used(db: Database) -> None:
    variant_id = uuid7()
    await add_keys(db, a_seller(), variant_id, "PLANTED")
    line = a_line(quantity=1, seller_id=uuid7(), variant_id=variant_id)
    await grant(db, line)
    assert await keys_of(db, line) == {}


async def test_a_refund_hides_keys(db: Database) -> None:
    seller, variant_id = a_seller(), uuid7()
    await add_keys(db, seller, variant_id, "SECRET")
    line = a_line(seller_id=seller.seller_id, variant_id=variant_id)
    await grant(db, line)
    shown = (await keys_of(db, line))[line.order_line_id]
    assert "SECRET" not in repr(shown)
    await db.transact(
        lambda tx: api.revoke_digital(
            tx, FLOW, order_line_ids=[line.order_line_id], reason="refund"
        )
    )
    hidden = (await keys_of(db, line))[line.order_line_id]
    assert (hidden.keys, hidden.revoked) == ([], True)
    async with db.read() as conn:
        logged = await conn.fetchval(
            "SELECT count(*) FROM platform.audit WHERE detail::text LIKE '%SECRET%'"
        )
    assert logged == 0


@pytest.mark.parametrize("keys", [[], [" "], ["x" * 501], ["a\x00b"]])
async def test_keys_that_cannot_be_kept(db: Database, keys: list[str]) -> None:
    with pytest.raises(InvalidInput):
        await add_keys(db, a_seller(), uuid7(), *keys)
    with pytest.raises(Forbidden):
        await add_keys(db, Actor(kind="user", user_id=uuid7()), uuid7(), "A")


async def test_the_invariants_hold_and_are_seen_when_broken(
    services: Services, client: Client
) -> None:
    db = services.db
    line = await stored(services)
    await client.get(await url_of(services, line))
    async with db.read() as conn:
        before = await api.violations(conn)
    assert before == []
    broken = (
        """UPDATE fulfilment.download_grant SET revoked_at = granted_at - interval '1 day',
            revoked_for = 'refund', downloads = 3 WHERE order_line_id = $1""",
        """INSERT INTO fulfilment.licence_claim (order_line_id, seller_order_id, seller_id,
            variant_id, quantity, assigned, claimed_at) VALUES ($1, $1, $1, $1, 2, 1, now())""",
    )
    for change in broken:
        await db.transact(lambda tx, change=change: tx.execute(change, line.order_line_id))
    async with db.read() as conn:
        found = {violation.invariant for violation in await api.violations(conn)}
    assert found == {
        "fulfilment.no_download_after_end",
        "fulfilment.downloads_counted",
        "fulfilment.licence_keys_counted",
    }
