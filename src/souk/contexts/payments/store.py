"""Rows of `payments` to entities and back; every FOR UPDATE of the context.

Lock order inside: payment, then its refund. A flow locks its checkout or its seller orders before
it calls anything that locks a payment. Whoever settles a checkout takes the payment before the
stock, whoever cancels lines of an order after it: what still decides about stock has no order.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from souk.contexts.payments.domain import Payment, PaymentState
from souk.contexts.payments.ports import WebhookFact
from souk.kernel.ids import uuid7
from souk.platform.database import ReadConn, Record, WriteTx

COLUMNS = (
    "id, checkout_id, gateway, amount, currency, state, holds_checkout, method_token, return_url,"
    " gateway_ref, action_url, decline_code, method_label, captured, refunded, refund_held,"
    " created_at"
)


def payment_of(row: Record) -> Payment:
    """The entity in a row that has `COLUMNS`."""
    values: dict[str, Any] = dict(row.items())
    values["state"] = PaymentState(values["state"])
    return Payment(**values)


_START = f"""
WITH made AS (
  INSERT INTO payments.payment (id, checkout_id, gateway, amount, currency, state, holds_checkout,
    method_token, return_url, created_at, updated_at)
  SELECT $1, $2, $3, $4::bigint, $5, 'created', true, $6, $7, $8::timestamptz, $8
  WHERE NOT EXISTS (
    SELECT FROM payments.payment
    WHERE checkout_id = $2 AND state = 'captured' AND refunded + refund_held < captured)
  ON CONFLICT (checkout_id) WHERE holds_checkout DO NOTHING
  RETURNING {COLUMNS}
), step AS (
  INSERT INTO payments.transition (id, payment_id, at, actor, source, previous, state, detail)
  SELECT $9, id, $8, $10, 'start', NULL, 'created', '' FROM made
)
SELECT {COLUMNS} FROM made
"""


async def insert(
    tx: WriteTx,
    *,
    checkout_id: UUID,
    gateway: str,
    amount: int,
    currency: str,
    token: str | None,
    return_url: str,
    actor: str,
) -> Payment | None:
    """A new payment with its first step; None when the checkout has one that lives or is paid.

    One whose money is on its way back, whole, keeps nobody from paying.
    """
    row = await tx.fetchrow(
        _START,
        uuid7(),
        checkout_id,
        gateway,
        amount,
        currency,
        token,
        return_url,
        tx.clock.now(),
        uuid7(),
        actor,
    )
    return payment_of(row) if row else None


async def holder_of_checkout(conn: ReadConn, checkout_id: UUID) -> Payment | None:
    """The payment because of which no other may start: the captured one first."""
    row = await conn.fetchrow(
        f"SELECT {COLUMNS} FROM payments.payment"
        " WHERE checkout_id = $1"
        " AND (holds_checkout OR state = 'captured' AND refunded + refund_held < captured)"
        " ORDER BY state = 'captured' DESC, id LIMIT 1",
        checkout_id,
    )
    return payment_of(row) if row else None


async def lock(tx: WriteTx, payment_id: UUID) -> Payment | None:
    row = await tx.fetchrow(
        f"SELECT {COLUMNS} FROM payments.payment WHERE id = $1 FOR UPDATE", payment_id
    )
    return payment_of(row) if row else None


_SAVE = """
WITH saved AS (
  UPDATE payments.payment SET state = $2, holds_checkout = $3, gateway_ref = $4, action_url = $5,
    decline_code = $6, method_label = $7, captured = $8, updated_at = $9, amount = $15,
    currency = $16
  WHERE id = $1
)
INSERT INTO payments.transition (id, payment_id, at, actor, source, previous, state, detail)
SELECT $10, $1, $9::timestamptz, $11, $12, $13, $2, $14 WHERE $13::text IS NOT NULL
"""


async def save(
    tx: WriteTx,
    payment: Payment,
    *,
    actor: str,
    source: str,
    previous: PaymentState | None,
    detail: str = "",
) -> None:
    """Write the payment, and a step of its timeline when `previous` is given."""
    await tx.execute(
        _SAVE,
        payment.id,
        payment.state.value,
        payment.holds_checkout,
        payment.gateway_ref,
        payment.action_url,
        payment.decline_code,
        payment.method_label,
        payment.captured,
        tx.clock.now(),
        uuid7(),
        actor,
        source,
        previous.value if previous else None,
        detail,
        payment.amount,
        payment.currency,
    )


async def touch(tx: WriteTx, payment_id: UUID) -> None:
    """Note that the payment was asked about, so that others get their turn."""
    await tx.execute(
        "UPDATE payments.payment SET updated_at = $2 WHERE id = $1", payment_id, tx.clock.now()
    )


REFUND_COLUMNS = (
    "r.id, r.payment_id, p.gateway, r.amount, r.currency, r.state, r.reason, r.key,"
    " r.failure_code, r.created_at, p.gateway_ref AS payment_ref"
)


async def refund_by_key(conn: ReadConn, payment_id: UUID, key: str) -> Record | None:
    return await conn.fetchrow(
        f"SELECT {REFUND_COLUMNS} FROM payments.refund r"
        " JOIN payments.payment p ON p.id = r.payment_id WHERE r.payment_id = $1 AND r.key = $2",
        payment_id,
        key,
    )


_REQUEST_REFUND = f"""
WITH p AS (
  UPDATE payments.payment SET refund_held = refund_held + $3, updated_at = $6
  WHERE id = $2 AND captured - refunded - refund_held >= $3
  RETURNING *
), r AS (
  INSERT INTO payments.refund (id, payment_id, key, amount, currency, reason, state, created_at,
    updated_at)
  SELECT $1, p.id, $4, $3, p.currency, $5, 'requested', $6, $10 FROM p
  RETURNING *
), step AS (
  INSERT INTO payments.transition (id, payment_id, at, actor, source, previous, state, detail)
  SELECT $7, p.id, $6, $8, 'refund', p.state, p.state, $9 FROM p
)
SELECT {REFUND_COLUMNS} FROM r, p
"""


async def request_refund(
    tx: WriteTx,
    *,
    payment_id: UUID,
    amount: int,
    key: str,
    reason: str,
    actor: str,
    due: datetime,
) -> Record | None:
    """Hold `amount` back for a refund; None when not so much is left.

    `updated_at` of a refund that waits says when it was tried last, or is to be tried first.
    """
    return await tx.fetchrow(
        _REQUEST_REFUND,
        uuid7(),
        payment_id,
        amount,
        key,
        reason,
        tx.clock.now(),
        uuid7(),
        actor,
        f"refund of {amount} requested: {reason}",
        due,
    )


async def touch_refund(tx: WriteTx, refund_id: UUID) -> None:
    """Note that the refund was tried, so that others get their turn."""
    await tx.execute(
        "UPDATE payments.refund SET updated_at = $2 WHERE id = $1", refund_id, tx.clock.now()
    )


async def lock_refund(tx: WriteTx, refund_id: UUID) -> Record | None:
    """Lock the refund's payment, then read the refund with it."""
    locked = await tx.fetchval(
        "SELECT p.id FROM payments.payment p WHERE p.id ="
        " (SELECT payment_id FROM payments.refund WHERE id = $1) FOR UPDATE",
        refund_id,
    )
    if locked is None:
        return None
    return await tx.fetchrow(
        f"SELECT {REFUND_COLUMNS}, p.checkout_id, p.state AS payment_state, p.refunded"
        " FROM payments.refund r JOIN payments.payment p ON p.id = r.payment_id WHERE r.id = $1",
        refund_id,
    )


_SAVE_REFUND = """
WITH r AS (
  UPDATE payments.refund SET state = $2, gateway_ref = $3, failure_code = $4, updated_at = $5
  WHERE id = $1 RETURNING payment_id, amount
), p AS (
  UPDATE payments.payment SET refund_held = refund_held - r.amount,
    refunded = refunded + CASE WHEN $2 = 'succeeded' THEN r.amount ELSE 0 END, updated_at = $5
  FROM r WHERE id = r.payment_id RETURNING id, state
)
INSERT INTO payments.transition (id, payment_id, at, actor, source, previous, state, detail)
SELECT $6, p.id, $5, $7, $8, p.state, p.state, $9 FROM p
"""


async def end_refund(
    tx: WriteTx,
    refund_id: UUID,
    *,
    state: str,
    gateway_ref: str | None,
    failure_code: str | None,
    actor: str,
    source: str,
    detail: str,
) -> None:
    """Turn the held amount into a refunded one, or let it go, with a step of the timeline."""
    await tx.execute(
        _SAVE_REFUND,
        refund_id,
        state,
        gateway_ref,
        failure_code,
        tx.clock.now(),
        uuid7(),
        actor,
        source,
        detail,
    )


_STORE_WEBHOOK = """
INSERT INTO payments.webhook_inbox (id, gateway, event_id, type, payment_id, payload, fact,
  received_at, processed_at, note)
SELECT $1, $2, $3, $4, $5, $6, $10::text, $7::timestamptz, CASE WHEN known THEN $7 END,
  CASE WHEN known THEN 'no news' ELSE '' END
FROM (SELECT $9::boolean OR EXISTS (
  SELECT FROM payments.payment WHERE id = $5 AND state = ANY($8::text[])) AS known) seen
WHERE known OR NOT $11::boolean
ON CONFLICT (gateway, event_id) DO NOTHING
RETURNING id, processed_at IS NULL AS open
"""


async def insert_webhook(
    tx: WriteTx,
    fact: WebhookFact,
    raw: bytes,
    *,
    no_news_in: list[str],
    no_action: bool,
    no_news_only: bool,
) -> Record | None:
    """Keep a webhook; None for one that was kept before.

    It is processed at once when it needs no action or tells nothing new; with `no_news_only` it is
    kept in that case alone.
    """
    return await tx.fetchrow(
        _STORE_WEBHOOK,
        uuid7(),
        fact.gateway,
        fact.event_id,
        fact.type,
        fact.payment_id,
        raw,
        tx.clock.now(),
        no_news_in,
        no_action,
        msgspec.json.encode(fact).decode(),
        no_news_only,
    )


async def finish_webhook(tx: WriteTx, inbox_id: UUID, *, note: str) -> None:
    await tx.execute(
        "UPDATE payments.webhook_inbox SET processed_at = $2, note = $3"
        " WHERE id = $1 AND processed_at IS NULL",
        inbox_id,
        tx.clock.now(),
        note,
    )


async def reopen_webhooks(tx: WriteTx, payment_id: UUID) -> list[UUID]:
    """Mark a payment's webhooks as unprocessed; those that there are, as they came."""
    rows = await tx.fetch(
        "WITH open AS (UPDATE payments.webhook_inbox SET processed_at = NULL, note = 'replayed'"
        " WHERE payment_id = $1 RETURNING id, received_at)"
        " SELECT id FROM open ORDER BY received_at, id",
        payment_id,
    )
    return [row["id"] for row in rows]
