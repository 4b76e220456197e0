"""Payments from start to capture against the real sandbox, and when things go wrong."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest

from souk.contexts.payments import api as payments
from souk.contexts.payments.api import Gateways, OutcomeKind, RetryPolicy, SandboxGateway
from souk.contexts.payments.gateways import CircuitBreaker
from souk.kernel.clock import SettableClock
from souk.kernel.ids import uuid7
from souk.kernel.money import CurrencyMismatch, Money
from souk.platform.database import Database, count_statements
from souk.sandbox_gateway.cards import DECLINES
from souk.sandbox_gateway.config import SandboxSettings
from tests.payments.conftest import Book, free_port

CAPTURED = "payments.payment_captured.v1"


async def test_a_payment_is_captured_and_told_once(book: Book, gateways: Gateways) -> None:
    started = await book.start()
    assert (started.state, started.captured) == ("created", 0)
    outcome = await payments.execute(gateways, started)
    paid = await book.record(started, outcome)
    assert (paid.state, paid.status, paid.captured) == ("captured", "captured", 2_500)
    assert paid.method_label == "Visa •••• 4242"
    assert await book.record(started, outcome) == paid
    assert await book.events(paid.id) == [CAPTURED]
    async with book.db.read() as conn:
        steps = await payments.history(conn, paid.id)
    assert [(step.previous, step.state, step.source) for step in steps] == [
        (None, "created", "start"), ("created", "captured", "test"),
    ]  # fmt: skip
    assert {step.actor for step in steps} == {"system:test"}


async def test_start_and_record_are_lean(db: Database, book: Book, gateways: Gateways) -> None:
    async with count_statements() as count:
        started = await book.start()
    assert count.total - 2 <= 2, count.texts
    outcome = await payments.execute(gateways, started)
    async with count_statements() as count:
        await book.record(started, outcome)
    assert count.total - 2 <= 3, count.texts


async def test_starting_again_is_the_same_payment(book: Book) -> None:
    started = await book.start()
    again = await book.start(checkout_id=started.checkout_id)
    assert again == started


async def test_another_way_of_paying_waits_for_the_first(book: Book) -> None:
    started = await book.start()
    with pytest.raises(payments.PaymentInProgress):
        await book.start(checkout_id=started.checkout_id, token="pm_card_amex")
    with pytest.raises(payments.PaymentInProgress):
        await book.start(checkout_id=started.checkout_id, amount=2_501)


async def test_parallel_starts_make_one_payment(book: Book) -> None:
    checkout_id = uuid7()
    made = await asyncio.gather(*(book.start(checkout_id=checkout_id) for _ in range(8)))
    assert len({payment.id for payment in made}) == 1


async def test_after_a_decline_a_new_attempt(book: Book, gateways: Gateways) -> None:
    declined = await book.pay(gateways, token="pm_card_declined_expired_card")
    assert (declined.state, declined.decline_code) == ("failed", "expired_card")
    assert declined.decline_message
    assert "another card" in declined.decline_message
    second = await book.start(checkout_id=declined.checkout_id)
    assert second.id != declined.id
    paid = await book.record(second, await payments.execute(gateways, second))
    third = await book.start(checkout_id=declined.checkout_id)
    assert third == paid
    async with book.db.read() as conn:
        assert [one.state for one in await payments.attempts(conn, paid.checkout_id)] == [
            "failed", "captured",
        ]  # fmt: skip
        assert await payments.of_checkout(conn, paid.checkout_id) == paid
        found = await payments.for_checkouts(conn, [paid.checkout_id, uuid7()])
    assert found == {paid.checkout_id: paid}
    assert await book.events(declined.id) == ["payments.payment_failed.v1"]


@pytest.mark.parametrize("code", [code for code in DECLINES if code != "authentication_failed"])
async def test_every_decline_reason_arrives(book: Book, gateways: Gateways, code: str) -> None:
    name = "declined" if code == "generic_decline" else f"declined_{code}"
    failed = await book.pay(gateways, token=f"pm_card_{name}")
    assert (failed.state, failed.decline_code) == ("failed", code)


@pytest.mark.parametrize("approve", [True, False])
async def test_3d_secure(
    book: Book, gateways: Gateways, browser: httpx.AsyncClient, approve: bool
) -> None:
    asked = await book.pay(gateways, token="pm_card_3ds")
    assert asked.state == "requires_action"
    assert asked.requires_action_url
    await browser.post(asked.requires_action_url, data={"answer": "approve" if approve else "fail"})
    ended = await book.record(asked, await payments.execute(gateways, asked))
    assert ended.state == ("captured" if approve else "failed")
    assert ended.requires_action_url is None
    assert await book.events(asked.id) == [
        "payments.payment_requires_action.v1",
        CAPTURED if approve else "payments.payment_failed.v1",
    ]


async def test_the_gateways_card_page(
    book: Book, gateways: Gateways, browser: httpx.AsyncClient
) -> None:
    asked = await book.pay(gateways, token=None)
    assert asked.state == "requires_action"
    assert asked.requires_action_url
    assert "/pay/" in asked.requires_action_url
    await browser.post(asked.requires_action_url, data={"test_card": "4000000000000002"})
    declined = await book.record(asked, await payments.execute(gateways, asked))
    assert (declined.state, declined.decline_code) == ("requires_action", "generic_decline")
    await browser.post(asked.requires_action_url, data={"test_card": "4242424242424242"})
    paid = await book.record(asked, await payments.execute(gateways, asked))
    assert (paid.state, paid.decline_code) == ("captured", None)


async def test_a_time_out_after_success_charges_once(
    book: Book, impatient: Gateways, api: httpx.AsyncClient
) -> None:
    paid = await book.pay(impatient, token="pm_card_timeout_after_success")
    assert paid.state == "captured"
    found = await api.get("/v1/payment_intents", params={"reference": str(paid.id)})
    assert len(found.json()["data"]) == 1


async def test_when_no_answer_ever_comes_the_gateway_is_asked(
    book: Book, impatient: Gateways
) -> None:
    paid = await book.pay(impatient, token="pm_card_timeout_always")
    assert paid.state == "captured"


async def test_an_error_once_is_repeated(book: Book, gateways: Gateways) -> None:
    assert (await book.pay(gateways, token="pm_card_error_once")).state == "captured"


async def test_errors_without_end_leave_the_outcome_open(
    book: Book, gateways: Gateways, clock: SettableClock
) -> None:
    started = await book.start(token="pm_card_error_always")
    outcome = await payments.execute(gateways, started)
    assert outcome.kind == OutcomeKind.UNKNOWN
    open_ = await book.record(started, outcome)
    assert open_.state == "created"
    clock.advance(timedelta(minutes=2))
    async with book.db.read() as conn:
        stale = await payments.stale(conn)
        assert started.id in {one.id for one in stale}
        none_yet = await payments.stale(conn, older_than=timedelta(minutes=5))
    assert started.id not in {one.id for one in none_yet}
    cancelled = await book.record(open_, await payments.cancel(gateways, open_))
    assert cancelled.state == "cancelled"
    await book.start(checkout_id=started.checkout_id)


async def test_processing_is_settled_later(
    book: Book, gateways: Gateways, clock: SettableClock
) -> None:
    pending = await book.pay(gateways, token="pm_card_processing")
    assert (pending.state, bool(pending.gateway_ref)) == ("created", True)
    clock.advance(timedelta(seconds=4))
    assert (await book.record(pending, await payments.execute(gateways, pending))).captured


async def test_a_gateway_that_is_away_has_not_been_sent_anything(
    book: Book, sandbox_settings: SandboxSettings
) -> None:
    away = SandboxGateway(
        url=f"http://127.0.0.1:{free_port()}",
        api_key="sk",
        webhook_secret="w",
    )
    gateways = Gateways(
        [away], retry=RetryPolicy(attempts=2, first_pause=timedelta(milliseconds=1))
    )
    started = await book.start()
    outcome = await payments.execute(gateways, started)
    assert outcome.kind == OutcomeKind.UNAVAILABLE
    assert (await book.record(started, outcome)).state == "created"
    assert (await payments.cancel(gateways, started)).kind == OutcomeKind.UNKNOWN
    await gateways.close()


async def test_a_wrong_api_key_charges_nothing(book: Book, sandbox_url: str) -> None:
    wrong = SandboxGateway(url=sandbox_url, api_key="sk_wrong", webhook_secret="w")
    gateways = Gateways([wrong])
    outcome = await payments.execute(gateways, await book.start())
    assert outcome.kind == OutcomeKind.UNAVAILABLE
    await gateways.close()


async def test_executing_in_parallel_charges_once(
    book: Book, gateways: Gateways, api: httpx.AsyncClient
) -> None:
    started = await book.start()

    async def whole() -> payments.PaymentView:
        return await book.record(started, await payments.execute(gateways, started))

    views = await asyncio.gather(*(whole() for _ in range(10)))
    assert {view.state for view in views} == {"captured"}
    assert await book.events(started.id) == [CAPTURED]
    found = await api.get("/v1/payment_intents", params={"reference": str(started.id)})
    assert len(found.json()["data"]) == 1


async def test_cancelling_after_the_capture_tells_the_truth(book: Book, gateways: Gateways) -> None:
    started = await book.start()
    await payments.execute(gateways, started)
    outcome = await payments.cancel(gateways, started)
    assert (await book.record(started, outcome)).state == "captured"


async def test_unknown_payments_and_gateways(book: Book, gateways: Gateways) -> None:
    started = await book.start()
    with pytest.raises(payments.UnknownGateway):
        gateways.port("cash")
    absent = await payments.resolve(gateways, started)
    assert absent.kind == OutcomeKind.ABSENT
    with pytest.raises(payments.PaymentNotFound):
        await book.db.transact(lambda tx: payments.lock(tx, uuid7()))


# -- refunds


async def test_a_refund_in_parts(book: Book, gateways: Gateways) -> None:
    paid = await book.pay(gateways)
    first = await book.refund(paid, 1_000)
    assert first.state == "requested"
    done = await book.record_refund(first, await payments.execute_refund(gateways, first))
    assert done.state == "succeeded"
    now = await book.find(paid.id)
    assert (now.state, now.status, now.refunded) == ("captured", "partially_refunded", 1_000)
    rest = await book.refund(paid, 1_500)
    outcome = await payments.execute_refund(gateways, rest)
    await book.record_refund(rest, outcome)
    await book.record_refund(rest, outcome)
    assert (await book.find(paid.id)).status == "refunded"
    assert await book.events(paid.id) == [CAPTURED] + ["payments.payment_refunded.v1"] * 2
    with pytest.raises(payments.RefundTooLarge):
        await book.refund(paid, 1)


async def test_the_same_key_is_the_same_refund(book: Book, gateways: Gateways) -> None:
    paid = await book.pay(gateways)
    made = await asyncio.gather(*(book.refund(paid, 900, key="line-1") for _ in range(8)))
    assert len({refund.id for refund in made}) == 1
    with pytest.raises(payments.RefundKeyReused):
        await book.refund(paid, 901, key="line-1")
    async with book.db.read() as conn:
        assert made[0].id in {one.id for one in await payments.pending_refunds(conn)}
        assert await payments.refunds_of(conn, paid.id) == [made[0]]
        assert await payments.find_refund(conn, made[0].id) == made[0]


async def test_parallel_refunds_stay_within_the_capture(book: Book, gateways: Gateways) -> None:
    paid = await book.pay(gateways)
    results = await asyncio.gather(
        *(book.refund(paid, 1_000) for _ in range(6)), return_exceptions=True
    )
    made = [one for one in results if isinstance(one, payments.RefundView)]
    refused = [one for one in results if isinstance(one, payments.RefundTooLarge)]
    assert (len(made), len(refused)) == (2, 4)


async def test_a_failed_refund_frees_what_it_held(book: Book, gateways: Gateways) -> None:
    paid = await book.pay(gateways, token="pm_card_refund_fails")
    refund = await book.refund(paid, 2_500)
    ended = await book.record_refund(refund, await payments.execute_refund(gateways, refund))
    assert (ended.state, ended.failure_code) == ("failed", "expired_or_canceled_card")
    assert (await book.find(paid.id)).refunded == 0
    assert (await book.events(paid.id))[-1] == "payments.refund_failed.v1"
    await book.refund(paid, 2_500)


async def test_nothing_is_refunded_that_was_not_captured(book: Book, gateways: Gateways) -> None:
    started = await book.start()
    with pytest.raises(payments.RefundTooLarge):
        await book.refund(started, 1)
    with pytest.raises(CurrencyMismatch):
        await book.db.transact(
            lambda tx: payments.request_refund(
                tx, book.actor, payment_id=started.id, amount=Money(1, "USD"), key="k", reason=""
            )
        )


# -- circuit breaker


def test_the_breaker_opens_tries_once_and_closes() -> None:
    now = [0.0]
    breaker = CircuitBreaker(window=10, least=4, pause=5, monotonic=lambda: now[0])
    for _ in range(3):
        breaker.failed()
        assert breaker.allows()
    breaker.failed()
    assert not breaker.allows()
    now[0] = 5.0
    assert breaker.allows()
    assert not breaker.allows()
    breaker.failed()
    now[0] = 9.9
    assert not breaker.allows()
    now[0] = 10.0
    assert breaker.allows()
    breaker.succeeded()
    assert breaker.allows()
    breaker.failed()
    assert breaker.allows()


def test_a_few_failures_among_successes_do_not_open_it() -> None:
    breaker = CircuitBreaker(window=20, least=10)
    for place in range(100):
        breaker.failed() if place % 3 == 0 else breaker.succeeded()
        assert breaker.allows()


async def test_held_money_is_captured(
    book: Book, gateways: Gateways, api: httpx.AsyncClient
) -> None:
    started = await book.start()
    body = {
        "amount": started.amount,
        "currency": "EUR",
        "payment_method": "pm_card_visa",
        "confirm": True,
        "capture_method": "manual",
        "reference": str(started.id),
    }
    await api.post("/v1/payment_intents", json=body)
    held = await book.record(started, await payments.resolve(gateways, started))
    assert (held.state, held.captured) == ("authorised", 0)
    paid = await book.record(held, await payments.capture(gateways, held))
    assert (paid.state, paid.captured) == ("captured", 2_500)
    again = await payments.capture(gateways, held)
    assert await book.record(paid, again) == paid
    assert await book.events(paid.id) == ["payments.payment_authorised.v1", CAPTURED]


async def test_a_refund_whose_gateway_is_away_waits(book: Book, gateways: Gateways) -> None:
    paid = await book.pay(gateways)
    refund = await book.refund(paid, 100)
    away = Gateways(
        [SandboxGateway(url=f"http://127.0.0.1:{free_port()}", api_key="k", webhook_secret="w")],
        retry=RetryPolicy(attempts=1),
    )
    outcome = await payments.execute_refund(away, refund)
    assert outcome.state is None
    assert (await book.record_refund(refund, outcome)).state == "requested"
    await away.close()


async def test_a_refund_that_the_gateway_refuses_waits_for_a_person(
    book: Book, gateways: Gateways, sandbox_url: str
) -> None:
    refund = await book.refund(await book.pay(gateways), 100)
    wrong = Gateways([SandboxGateway(url=sandbox_url, api_key="wrong", webhook_secret="w")])
    assert (await payments.execute_refund(wrong, refund)).state is None
    await wrong.close()
