"""The inbox: verified, kept once, acted on in any order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from prometheus_client import REGISTRY

from souk.contexts.payments import api as payments
from souk.contexts.payments import http
from souk.contexts.payments.api import Gateways
from souk.kernel.actor import system
from souk.kernel.clock import SettableClock
from souk.kernel.ids import uuid7
from souk.platform.database import Database, count_statements
from souk.platform.services import Services
from souk.sandbox_gateway.config import SandboxSettings
from souk.sandbox_gateway.webhooks import sign
from tests.payments.conftest import Book

PATH = "/api/v1/payments/webhooks/sandbox"
MakeClient = Callable[[Sequence[Any]], httpx.AsyncClient]


class Door:
    """Posts webhooks as the provider would."""

    def __init__(
        self, client: httpx.AsyncClient, settings: SandboxSettings, clock: SettableClock
    ) -> None:
        self.client = client
        self._secret = settings.webhook_secret
        self._clock = clock

    async def post(
        self, body: bytes, *, secret: str | None = None, age: float = 0
    ) -> httpx.Response:
        at = self._clock.now() - timedelta(seconds=age)
        headers = {"sandbox-signature": sign(secret or self._secret, body, at)}
        return await self.client.post(PATH, content=body, headers=headers)


@pytest.fixture
async def door(
    make_client: MakeClient,
    services: Services,
    gateways: Gateways,
    sandbox_settings: SandboxSettings,
    clock: SettableClock,
) -> Door:
    services.add(gateways)
    return Door(make_client(http.routes), sandbox_settings, clock)


def event_about(
    payment: payments.PaymentView, *, type_: str = "payment_intent.succeeded",
    status: str = "succeeded", event_id: str | None = None,
) -> bytes:  # fmt: skip
    return msgspec.json.encode(
        {
            "id": event_id or f"evt_{uuid7().hex}", "type": type_,
            "data": {
                "object": {
                    "id": payment.gateway_ref or f"pi_{payment.id.hex}", "amount": payment.amount,
                    "amount_captured": payment.amount if status == "succeeded" else 0,
                    "currency": payment.currency, "status": status, "hosted": False,
                    "reference": str(payment.id),
                }
            },
        }
    )  # fmt: skip


async def inbox_of(db: Database, payment: payments.PaymentView) -> list[payments.InboxEntry]:
    async with db.read() as conn:
        return await payments.inbox(conn, payment_id=payment.id)


async def queued(db: Database) -> list[UUID]:
    """The inbox ids for which a job waits."""
    async with db.read() as conn:
        rows = await conn.fetch(
            "SELECT payload FROM jobs.pgqueuer WHERE entrypoint = $1", payments.WEBHOOK_JOB
        )
    return [
        msgspec.json.decode(row["payload"], type=payments.WebhookJob).webhook_id for row in rows
    ]


async def act(db: Database, webhook_id: UUID) -> None:
    """What the flow's job does, without the rest of a checkout."""
    async with db.read() as conn:
        fact = await payments.webhook_fact(conn, webhook_id)
    if fact is None or fact.payment_id is None or fact.outcome is None:
        return
    payment_id, outcome = fact.payment_id, fact.outcome

    async def apply(tx: Any) -> None:
        locked = await payments.lock(tx, payment_id)
        await payments.record(
            tx, system("webhook"), payment=locked, outcome=outcome, source="webhook"
        )
        await payments.mark_processed(tx, webhook_id)

    await db.transact(apply)


async def test_a_webhook_is_kept_and_queued_once(door: Door, db: Database, book: Book) -> None:
    started = await book.start()
    body = event_about(started)
    answers = await asyncio.gather(*(door.post(body) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    (entry,) = await inbox_of(db, started)
    assert entry.processed_at is None
    assert (await queued(db)).count(entry.id) == 1
    async with db.read() as conn:
        fact = await payments.webhook_fact(conn, entry.id)
        assert entry.id in await payments.waiting_webhooks(conn)
    assert fact is not None
    assert (fact.checkout_id, fact.payment_id) == (started.checkout_id, started.id)


async def test_the_webhook_settles_what_the_answer_did_not(
    door: Door, db: Database, book: Book
) -> None:
    started = await book.start()
    await door.post(event_about(started))
    (entry,) = await inbox_of(db, started)
    await act(db, entry.id)
    await act(db, entry.id)
    assert (await book.find(started.id)).state == "captured"
    assert await book.events(started.id) == ["payments.payment_captured.v1"]
    (entry,) = await inbox_of(db, started)
    assert entry.processed_at is not None


async def test_what_is_known_already_queues_nothing(
    door: Door, db: Database, book: Book, gateways: Gateways
) -> None:
    paid = await book.pay(gateways)
    news = event_about(paid)
    async with count_statements() as count:
        await door.post(news)
    assert count.total == 1, "the statement is the whole transaction"
    await door.post(news)
    late = event_about(paid, type_="payment_intent.processing", status="processing")
    await door.post(late)
    entries = await inbox_of(db, paid)
    assert [entry.note for entry in entries] == ["no news", "no news"]
    assert not set(await queued(db)) & {entry.id for entry in entries}


async def test_late_and_reordered_news_changes_nothing(
    door: Door, db: Database, book: Book
) -> None:
    started = await book.start()
    failed = event_about(started, type_="payment_intent.requires_action", status="requires_action")
    await door.post(failed)
    await door.post(event_about(started))
    newest, oldest = await inbox_of(db, started)
    await act(db, newest.id)
    await act(db, oldest.id)
    assert (await book.find(started.id)).state == "captured"
    assert await book.events(started.id) == ["payments.payment_captured.v1"]


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"secret": "forged"}, "wrong"),
        ({"age": 3_600.0}, "too_old"),
        ({"age": -3_600.0}, "too_old"),
    ],
)
async def test_forged_and_old_webhooks_are_refused_and_counted(
    door: Door, db: Database, book: Book, how: dict[str, Any], reason: str
) -> None:
    labels = {"gateway": "sandbox", "reason": reason}
    before = REGISTRY.get_sample_value("souk_webhooks_rejected_total", labels) or 0
    started = await book.start()
    answer = await door.post(event_about(started), **how)
    assert answer.status_code in {400, 422}
    assert answer.json()["code"] == "signature_refused"
    assert await inbox_of(db, started) == []
    after = REGISTRY.get_sample_value("souk_webhooks_rejected_total", labels)
    assert after == before + 1


async def test_other_refusals(door: Door) -> None:
    bare = await door.client.post(PATH, content=b"{}")
    assert bare.json()["reason"] == "missing"
    assert (await door.post(b"[1]")).json()["code"] == "webhook_unreadable"
    elsewhere = await door.client.post("/api/v1/payments/webhooks/cash", content=b"{}")
    assert elsewhere.status_code == 404


async def test_an_event_of_no_interest_is_kept_and_done(door: Door, db: Database) -> None:
    event_id = f"evt_{uuid7().hex}"
    body = msgspec.json.encode({"id": event_id, "type": "account.updated", "data": {"object": {}}})
    assert (await door.post(body)).status_code == 200
    async with db.read() as conn:
        entries = await payments.inbox(conn)
    entry = next(one for one in entries if one.event_id == event_id)
    assert entry.processed_at is not None


async def test_replay_queues_again(door: Door, db: Database, book: Book) -> None:
    started = await book.start()
    await door.post(event_about(started))
    (entry,) = await inbox_of(db, started)
    await act(db, entry.id)
    await db.transact(lambda tx: tx.execute("DELETE FROM jobs.pgqueuer"))
    again = partial(payments.replay_webhooks, actor=system("tests"))
    assert await db.transact(lambda tx: again(tx, payment_id=started.id)) == 1
    with pytest.raises(payments.PaymentNotFound):
        await db.transact(lambda tx: again(tx, payment_id=uuid7()))
    assert await queued(db) == [entry.id]
    await act(db, entry.id)
    assert await book.events(started.id) == ["payments.payment_captured.v1"]


async def test_the_provider_speaks_to_the_door(
    door: Door, db: Database, book: Book, gateways: Gateways, listener: Any
) -> None:
    """The provider's own webhook, body and signature untouched, goes through our door."""
    paid = await book.pay(gateways)
    (received,) = await listener.wait_for(str(paid.id))
    answer = await door.client.post(
        PATH,
        content=received.body,
        headers={"sandbox-signature": received.headers["sandbox-signature"]},
    )
    assert answer.status_code == 200
    (entry,) = await inbox_of(db, paid)
    assert entry.note == "no news"


async def test_storing_is_one_statement(
    db: Database, book: Book, gateways: Gateways, clock: SettableClock, sandbox_settings: Any
) -> None:
    paid = await book.pay(gateways)
    raw = event_about(paid)
    headers = {"sandbox-signature": sign(sandbox_settings.webhook_secret, raw, clock.now())}
    fact = gateways.port("sandbox").verify(headers, raw, now=clock.now())
    async with count_statements() as count:
        await db.transact(lambda tx: payments.store_webhook(tx, fact, raw))
    assert count.total - 2 == 1, count.texts


async def test_a_refunds_webhook_names_our_refund(
    door: Door, db: Database, book: Book, gateways: Gateways, listener: Any
) -> None:
    paid = await book.pay(gateways)
    refund = await book.refund(paid, 300)
    await payments.execute_refund(gateways, refund)
    (received,) = await listener.wait_for(str(refund.id))
    headers = {"sandbox-signature": received.headers["sandbox-signature"]}
    await door.client.post(PATH, content=received.body, headers=headers)
    async with db.read() as conn:
        waiting = await payments.waiting_webhooks(conn)
        facts = [await payments.webhook_fact(conn, one) for one in waiting]
    (fact,) = [one for one in facts if one is not None and one.refund_id == refund.id]
    assert fact.refund_outcome is not None
    ended = await book.record_refund(refund, fact.refund_outcome)
    assert ended.state == "succeeded"
    async with db.read() as conn:
        assert await payments.checks.violations(conn) == []
        money = {one.id: one for one in await payments.checks.money_of_all(conn)}
    assert (money[paid.id].captured, money[paid.id].refund_asked) == (2_500, 300)
