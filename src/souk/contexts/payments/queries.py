"""Payments and refunds as others see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from souk.contexts.payments import store
from souk.contexts.payments.domain import (
    Payment,
    RefundState,
    decline_message,
    display_state,
    method_name,
)
from souk.contexts.payments.ports import WebhookFact
from souk.platform.database import ReadConn, Record


class PaymentView(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to pay, as its holder and operators see it. Amounts in minor units.

    `state` is the state machine's; `status` also says `partially_refunded` and `refunded`.
    `method_token` is null for the gateway's own card page, whose address is then
    `requires_action_url`; `gateway_ref` is the gateway's name for the payment.
    """

    id: UUID
    checkout_id: UUID
    gateway: str
    amount: int
    currency: str
    state: str
    status: str
    requires_action_url: str | None
    decline_code: str | None
    decline_message: str | None
    captured: int
    refunded: int
    method_label: str | None
    method_token: str | None
    return_url: str
    gateway_ref: str | None
    created_at: datetime


class RefundView(msgspec.Struct, frozen=True, kw_only=True):
    """Money on its way back, or back, or not possible to send back (`failed`)."""

    id: UUID
    payment_id: UUID
    gateway: str
    amount: int
    currency: str
    state: str
    reason: str
    key: str
    failure_code: str | None
    payment_ref: str
    created_at: datetime

    @property
    def matter(self) -> str:
        """What it is for: the key of the first attempt, which all attempts begin with."""
        return self.key.partition("#")[0]

    @property
    def attempt(self) -> int:
        """From 1: how often the gateway was asked for it, this time included."""
        return int(self.key.partition("#")[2] or 1)

    @property
    def next_key(self) -> str:
        """The key under which it is asked for once more."""
        return f"{self.matter}#{self.attempt + 1}"


class PaymentStep(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the timeline: who heard what, when and how. `previous` None is the start."""

    id: UUID
    at: datetime
    actor: str
    source: str
    previous: str | None
    state: str
    detail: str


class InboxEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A stored webhook for the operator's list."""

    id: UUID
    gateway: str
    event_id: str
    type: str
    payment_id: UUID | None
    received_at: datetime
    processed_at: datetime | None
    note: str


def view_of(payment: Payment) -> PaymentView:
    """What others may read of a payment."""
    return PaymentView(
        id=payment.id,
        checkout_id=payment.checkout_id,
        gateway=payment.gateway,
        amount=payment.amount,
        currency=payment.currency,
        state=payment.state.value,
        status=display_state(
            payment.state.value, captured=payment.captured, refunded=payment.refunded
        ),
        requires_action_url=payment.action_url,
        decline_code=payment.decline_code,
        decline_message=decline_message(payment.decline_code),
        captured=payment.captured,
        refunded=payment.refunded,
        method_label=method_name(payment.method_label),
        method_token=payment.method_token,
        return_url=payment.return_url,
        gateway_ref=payment.gateway_ref,
        created_at=payment.created_at,
    )


def refund_view(row: Record) -> RefundView:
    return RefundView(**{name: row[name] for name in RefundView.__struct_fields__})


_SELECT = f"SELECT {store.COLUMNS} FROM payments.payment"
_REFUNDS = (
    f"SELECT {store.REFUND_COLUMNS} FROM payments.refund r"
    " JOIN payments.payment p ON p.id = r.payment_id"
)


async def find(conn: ReadConn, payment_id: UUID) -> PaymentView | None:
    """One payment; amounts in minor units."""
    row = await conn.fetchrow(f"{_SELECT} WHERE id = $1", payment_id)
    return view_of(store.payment_of(row)) if row else None


async def attempts(conn: ReadConn, checkout_id: UUID) -> list[PaymentView]:
    """Every attempt to pay for a checkout, oldest first."""
    rows = await conn.fetch(f"{_SELECT} WHERE checkout_id = $1 ORDER BY id", checkout_id)
    return [view_of(store.payment_of(row)) for row in rows]


async def for_checkouts(conn: ReadConn, checkout_ids: Sequence[UUID]) -> dict[UUID, PaymentView]:
    """The payment that counts for each checkout that has one: live or captured, else the last."""
    rows = await conn.fetch(
        f"SELECT DISTINCT ON (checkout_id) {store.COLUMNS} FROM payments.payment"
        " WHERE checkout_id = ANY($1)"
        " ORDER BY checkout_id, holds_checkout DESC, state = 'captured' DESC, id DESC",
        list(checkout_ids),
    )
    return {row["checkout_id"]: view_of(store.payment_of(row)) for row in rows}


async def of_checkout(conn: ReadConn, checkout_id: UUID) -> PaymentView | None:
    """The payment that counts for one checkout, None when none was begun."""
    return (await for_checkouts(conn, [checkout_id])).get(checkout_id)


async def history(conn: ReadConn, payment_id: UUID) -> list[PaymentStep]:
    """The timeline of a payment and its refunds, oldest first."""
    rows = await conn.fetch(
        "SELECT id, at, actor, source, previous, state, detail FROM payments.transition"
        " WHERE payment_id = $1 ORDER BY id",
        payment_id,
    )
    return [PaymentStep(**dict(row.items())) for row in rows]


async def stale(
    conn: ReadConn, *, older_than: timedelta = timedelta(minutes=1), limit: int = 100
) -> list[PaymentView]:
    """Payments that nobody has heard of for a while and that have no end yet, oldest first."""
    rows = await conn.fetch(
        f"{_SELECT} WHERE state IN ('created', 'requires_action', 'authorised')"
        " AND updated_at < $1 ORDER BY updated_at LIMIT $2",
        conn.clock.now() - older_than,
        limit,
    )
    return [view_of(store.payment_of(row)) for row in rows]


async def refunds_of(conn: ReadConn, payment_id: UUID) -> list[RefundView]:
    """Every refund of a payment, oldest first."""
    rows = await conn.fetch(f"{_REFUNDS} WHERE r.payment_id = $1 ORDER BY r.id", payment_id)
    return [refund_view(row) for row in rows]


def stuck(refunds: Sequence[RefundView]) -> set[UUID]:
    """Those of a payment's refunds, oldest first, that failed and were not asked for again."""
    last = {refund.matter: refund for refund in refunds}
    return {refund.id for refund in last.values() if refund.state == RefundState.FAILED}


async def find_refund(conn: ReadConn, refund_id: UUID) -> RefundView | None:
    """One refund; its amount in minor units."""
    row = await conn.fetchrow(f"{_REFUNDS} WHERE r.id = $1", refund_id)
    return refund_view(row) if row else None


async def pending_refunds(
    conn: ReadConn, *, older_than: timedelta = timedelta(0), limit: int = 100
) -> list[RefundView]:
    """Refunds that were requested, are due and whose end is not known; those that were tried
    longest ago first."""
    rows = await conn.fetch(
        f"{_REFUNDS} WHERE r.state = 'requested' AND r.updated_at <= $1"
        " ORDER BY r.updated_at, r.id LIMIT $2",
        conn.clock.now() - older_than,
        limit,
    )
    return [refund_view(row) for row in rows]


async def webhook_fact(conn: ReadConn, webhook_id: UUID) -> WebhookFact | None:
    """A stored webhook that waits to be acted on, with its payment's checkout.

    None when it was acted on before, or is not there.
    """
    row = await conn.fetchrow(
        "SELECT w.fact, p.checkout_id FROM payments.webhook_inbox w"
        " LEFT JOIN payments.payment p ON p.id = w.payment_id"
        " WHERE w.id = $1 AND w.processed_at IS NULL",
        webhook_id,
    )
    if row is None:
        return None
    fact = msgspec.json.decode(row["fact"], type=WebhookFact)
    return msgspec.structs.replace(fact, checkout_id=row["checkout_id"])


async def waiting_webhooks(
    conn: ReadConn, *, older_than: timedelta = timedelta(0), limit: int = 100
) -> list[UUID]:
    """Inbox ids that nobody has acted on, oldest first."""
    rows = await conn.fetch(
        "SELECT id FROM payments.webhook_inbox WHERE processed_at IS NULL AND received_at <= $1"
        " ORDER BY received_at LIMIT $2",
        conn.clock.now() - older_than,
        limit,
    )
    return [row["id"] for row in rows]


async def inbox(
    conn: ReadConn, *, payment_id: UUID | None = None, limit: int = 50
) -> list[InboxEntry]:
    """Stored webhooks, newest first, of one payment or of all."""
    rows = await conn.fetch(
        "SELECT id, gateway, event_id, type, payment_id, received_at, processed_at, note"
        " FROM payments.webhook_inbox WHERE $1::uuid IS NULL OR payment_id = $1"
        " ORDER BY id DESC LIMIT $2",
        payment_id,
        limit,
    )
    return [InboxEntry(**dict(row.items())) for row in rows]
