"""What changes payments. Each function is one step inside the caller's transaction."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from souk.contexts.payments import store
from souk.contexts.payments.domain import (
    UNDER_WAY,
    GatewayOutcome,
    Payment,
    PaymentMethod,
    PaymentState,
    RefundOutcome,
    RefundState,
    apply,
    as_taken,
    covers,
    refund_step,
)
from souk.contexts.payments.errors import (
    PaymentInProgress,
    PaymentNotFound,
    RefundKeyReused,
    RefundNotFound,
    RefundTooLarge,
)
from souk.contexts.payments.ports import WebhookFact
from souk.contexts.payments.queries import PaymentView, RefundView, refund_view, view_of
from souk.kernel.actor import Actor
from souk.kernel.money import CurrencyMismatch, Money
from souk.platform import audit, jobs, outbox
from souk.platform.database import Record, WriteTx
from souk.published.payments import (
    PaymentAuthorised,
    PaymentCancelled,
    PaymentCaptured,
    PaymentFact,
    PaymentFailed,
    PaymentRefunded,
    PaymentRequiresAction,
    RefundFailed,
)

WEBHOOK_JOB = "payments.webhook"


class WebhookJob(msgspec.Struct, frozen=True):
    """Payload of the job that acts on one stored webhook."""

    webhook_id: UUID


async def start(
    tx: WriteTx,
    actor: Actor,
    *,
    checkout_id: UUID,
    amount: Money,
    gateway: str,
    method: PaymentMethod,
    return_url: str,
) -> PaymentView:
    """A new payment for the checkout, or the same again when the same was started before.

    A captured payment of the checkout is returned as it is. Raises PaymentInProgress when one
    with another method, gateway or amount is under way.
    """
    if amount.amount <= 0:
        raise ValueError("a payment needs an amount above zero")
    made = await store.insert(
        tx,
        checkout_id=checkout_id,
        gateway=gateway,
        amount=amount.amount,
        currency=amount.currency,
        token=method.token,
        return_url=return_url,
        actor=actor.label(),
    )
    if made is not None:
        return view_of(made)
    existing = await store.holder_of_checkout(tx, checkout_id)
    if existing is None:
        raise PaymentNotFound
    asked = (gateway, amount.amount, amount.currency, method.token)
    held = (existing.gateway, existing.amount, existing.currency, existing.method_token)
    if existing.state != PaymentState.CAPTURED and asked != held:
        raise PaymentInProgress(payment_id=existing.id)
    return view_of(existing)


async def lock(tx: WriteTx, payment_id: UUID) -> Payment:
    """The payment, which nobody else changes until the transaction ends. Raises PaymentNotFound."""
    payment = await store.lock(tx, payment_id)
    if payment is None:
        raise PaymentNotFound
    return payment


async def record(
    tx: WriteTx,
    actor: Actor,
    *,
    payment: Payment,
    outcome: GatewayOutcome,
    source: str,
    to_send_back: bool = False,
) -> PaymentView:
    """Write down what the gateway said of a payment that `lock` gave. Old or repeated news changes
    nothing and tells nobody.

    `source` says how we heard: `answer`, `webhook`, `sweeper`. Money that is `to_send_back` is
    written down as it was taken, also when that is not what was asked for. Raises ForeignOutcome,
    AmountMismatch.
    """
    detail = outcome.decline_code or ""
    taken = as_taken(payment, outcome) if to_send_back else payment
    if taken is not payment:
        detail = f"{payment.amount} {payment.currency} was asked for"
    after = apply(taken, outcome)
    if after is taken:
        if payment.state in UNDER_WAY:
            await store.touch(tx, payment.id)
        return view_of(payment)
    moved = after.state != payment.state
    await store.save(
        tx,
        after,
        actor=actor.label(),
        source=source,
        previous=payment.state if moved else None,
        detail=detail,
    )
    if moved:
        _announce(tx, actor, after)
    return view_of(after)


_ENDS: dict[PaymentState, type[PaymentFact]] = {
    PaymentState.REQUIRES_ACTION: PaymentRequiresAction,
    PaymentState.AUTHORISED: PaymentAuthorised,
    PaymentState.CAPTURED: PaymentCaptured,
    PaymentState.CANCELLED: PaymentCancelled,
}


def _announce(tx: WriteTx, actor: Actor, payment: Payment) -> None:
    fields: dict[str, Any] = {
        "payment_id": payment.id,
        "checkout_id": payment.checkout_id,
        "amount": payment.amount,
        "currency": payment.currency,
        "gateway": payment.gateway,
    }
    if payment.state == PaymentState.FAILED:
        code = payment.decline_code or "generic_decline"
        outbox.add(tx, PaymentFailed(**fields, decline_code=code), actor=actor)
    else:
        outbox.add(tx, _ENDS[payment.state](**fields), actor=actor)


async def set_aside(tx: WriteTx, payment_id: UUID) -> None:
    """Note that a payment was asked about in vain, so that others get their turn first."""
    await store.touch(tx, payment_id)


async def request_refund(
    tx: WriteTx,
    actor: Actor,
    *,
    payment_id: UUID,
    amount: Money,
    key: str,
    reason: str,
    after: timedelta = timedelta(0),
) -> RefundView:
    """Hold `amount` back for a refund, to be sent `after` a while. The same key gives the same
    refund.

    Raises PaymentNotFound, RefundTooLarge, RefundKeyReused.
    """
    if amount.amount <= 0:
        raise ValueError("a refund needs an amount above zero")
    payment = await store.lock(tx, payment_id)
    if payment is None:
        raise PaymentNotFound
    if payment.currency != amount.currency:
        raise CurrencyMismatch(f"{amount.currency} cannot refund {payment.currency}")
    known = await store.refund_by_key(tx, payment_id, key)
    if known is not None:
        if known["amount"] != amount.amount:
            raise RefundKeyReused
        return refund_view(known)
    row = await store.request_refund(
        tx,
        payment_id=payment_id,
        amount=amount.amount,
        key=key,
        reason=reason,
        actor=actor.label(),
        due=tx.clock.now() + after,
    )
    if row is None:
        raise RefundTooLarge(left=payment.refundable, currency=payment.currency)
    return refund_view(row)


async def record_refund(
    tx: WriteTx,
    actor: Actor,
    *,
    refund_id: UUID,
    outcome: RefundOutcome,
    source: str = "answer",
) -> RefundView:
    """Write down what became of a refund; repeated news changes nothing.

    Raises RefundNotFound, IllegalTransition when the gateway contradicts an end that it told.
    """
    row = await store.lock_refund(tx, refund_id)
    if row is None:
        raise RefundNotFound
    wanted = outcome.state
    if wanted is None:
        await store.touch_refund(tx, refund_id)
        return refund_view(row)
    if not refund_step(RefundState(row["state"]), wanted):
        return refund_view(row)
    failure = (outcome.failure_code or "unknown") if wanted == RefundState.FAILED else None
    await store.end_refund(
        tx,
        refund_id,
        state=wanted.value,
        gateway_ref=outcome.gateway_ref,
        failure_code=failure,
        actor=actor.label(),
        source=source,
        detail=f"refund of {row['amount']} {wanted.value}",
    )
    _announce_refund(tx, actor, row, failure)
    return msgspec.structs.replace(refund_view(row), state=wanted.value, failure_code=failure)


def _announce_refund(tx: WriteTx, actor: Actor, row: Record, failure: str | None) -> None:
    fields: dict[str, Any] = {
        "payment_id": row["payment_id"],
        "checkout_id": row["checkout_id"],
        "amount": row["amount"],
        "currency": row["currency"],
        "gateway": row["gateway"],
        "refund_id": row["id"],
        "refund_key": row["key"],
    }
    if failure is not None:
        outbox.add(tx, RefundFailed(**fields, failure_code=failure), actor=actor)
        return
    total = row["refunded"] + row["amount"]
    refunded = PaymentRefunded(**fields, refunded_total=total, reason=row["reason"])
    outbox.add(tx, refunded, actor=actor)


async def store_webhook(
    tx: WriteTx, fact: WebhookFact, raw: bytes, *, no_news_only: bool = False
) -> UUID | None:
    """Keep a verified webhook and queue its job; None when it came before.

    One that tells nothing new is kept as processed and queues nothing; with `no_news_only` others
    are not kept, so that one statement is enough.
    """
    known_in: list[str] = []
    if fact.kind == "payment" and fact.outcome is not None and fact.payment_id is not None:
        known_in = [state.value for state in covers(fact.outcome.kind)]
    row = await store.insert_webhook(
        tx,
        fact,
        raw,
        no_news_in=known_in,
        no_action=fact.kind == "other",
        no_news_only=no_news_only,
    )
    if row is None:
        return None
    if row["open"]:
        await jobs.enqueue(tx, WEBHOOK_JOB, WebhookJob(row["id"]))
    return row["id"]


async def mark_processed(tx: WriteTx, webhook_id: UUID, *, note: str = "applied") -> None:
    """Note that a stored webhook was acted on, in the transaction that acted."""
    await store.finish_webhook(tx, webhook_id, note=note)


async def replay_webhooks(tx: WriteTx, actor: Actor, *, payment_id: UUID) -> int:
    """Act anew on everything that the gateway sent about a payment; returns how much it is.

    What is known already changes nothing. Raises PaymentNotFound.
    """
    if await store.lock(tx, payment_id) is None:
        raise PaymentNotFound
    found = await store.reopen_webhooks(tx, payment_id)
    for inbox_id in found:
        await jobs.enqueue(tx, WEBHOOK_JOB, WebhookJob(inbox_id))
    await audit.record(
        tx, actor, "payments.webhooks_replayed", f"payment:{payment_id}", count=len(found)
    )
    return len(found)
