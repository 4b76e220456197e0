"""The schema `sandbox`: every statement of the provider but those of webhook delivery."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import cast

import msgspec

from souk.platform.database import ReadConn, Record, WriteTx
from souk.sandbox_gateway.model import (
    BalanceTransaction,
    Intent,
    PaymentMethod,
    Payout,
    Refund,
)


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer that can be given again for the same idempotency key."""

    status: int
    body: bytes


class Replay(msgspec.Struct, frozen=True):
    """What is stored under an idempotency key."""

    digest: bytes
    answer: Answer


class EventRow(msgspec.Struct, frozen=True):
    id: str
    type: str
    object_id: str
    payload: str
    at: datetime


class DeliveryRow(msgspec.Struct, frozen=True):
    event_id: str
    signing: str
    at: datetime


# One statement for a whole confirmed payment: the idempotency key decides whether anything is
# written, so that two equal requests at once cannot both take effect.
_SAVE = """
WITH fresh AS (
  INSERT INTO sandbox.idempotency (key, request_hash, status, body, created_at)
  SELECT $1, $2, $3::smallint, $4, $5 WHERE $1::text IS NOT NULL
  ON CONFLICT (key) DO NOTHING RETURNING key
), go AS (
  SELECT WHERE $1::text IS NULL OR EXISTS (SELECT FROM fresh)
), intent AS (
  INSERT INTO sandbox.intent (
    id, client_secret, amount, currency, status, capture_method, hosted, amount_captured,
    amount_refunded, payment_method, brand, last4, faults, return_url, reference, metadata,
    error_code, decline_code, error_message, settle_at, created_at, updated_at)
  SELECT $18, $19, $20::bigint, $21, $22, $23, $24::boolean, $25::bigint, $26::bigint, $27, $28,
    $29, $30::text[], $31, $32, $33::jsonb, $34, $35, $36, $37::timestamptz, $38::timestamptz,
    $39::timestamptz
  FROM go WHERE $18::text IS NOT NULL
  ON CONFLICT (id) DO UPDATE SET status = excluded.status,
    amount_captured = excluded.amount_captured, amount_refunded = excluded.amount_refunded,
    payment_method = excluded.payment_method, brand = excluded.brand, last4 = excluded.last4,
    faults = excluded.faults, error_code = excluded.error_code,
    decline_code = excluded.decline_code, error_message = excluded.error_message,
    settle_at = excluded.settle_at, updated_at = excluded.updated_at
), events AS (
  INSERT INTO sandbox.event (id, type, object_id, payload, created_at)
  SELECT e.* FROM go, unnest($6::text[], $7::text[], $8::text[], $9::text[], $10::timestamptz[]) e
), deliveries AS (
  INSERT INTO sandbox.webhook_delivery (event_id, signing, next_at)
  SELECT d.* FROM go, unnest($11::text[], $12::text[], $13::timestamptz[]) d
), balance AS (
  INSERT INTO sandbox.balance_transaction
    (id, kind, source, reference, amount, fee, currency, created_at)
  SELECT b.id, b.kind, b.source, $16::text, b.amount, b.fee, $17::text, b.at
  FROM go, unnest($14::text[], $15::text[], $40::text[], $41::bigint[], $42::bigint[],
                  $43::timestamptz[]) AS b (id, kind, source, amount, fee, at)
)
SELECT EXISTS (SELECT FROM go)
"""
_INTENT_FIELDS = len(msgspec.structs.fields(Intent))


async def save(
    tx: WriteTx,
    *,
    key: str | None,
    digest: bytes,
    answer: Answer,
    intent: Intent | None,
    events: Sequence[EventRow],
    deliveries: Sequence[DeliveryRow],
    balance: Sequence[BalanceTransaction],
) -> bool:
    """Store one request's effect; False, and nothing stored, when its key was used before."""
    row = msgspec.structs.astuple(intent) if intent else (None,) * _INTENT_FIELDS
    first = balance[0] if balance else None
    return await tx.fetchval(
        _SAVE,
        key,
        digest,
        answer.status,
        answer.body,
        tx.clock.now(),
        [event.id for event in events],
        [event.type for event in events],
        [event.object_id for event in events],
        [event.payload for event in events],
        [event.at for event in events],
        [delivery.event_id for delivery in deliveries],
        [delivery.signing for delivery in deliveries],
        [delivery.at for delivery in deliveries],
        [entry.id for entry in balance],
        [entry.kind for entry in balance],
        first.reference if first else None,
        first.currency if first else None,
        *row,
        [entry.source for entry in balance],
        [entry.amount for entry in balance],
        [entry.fee for entry in balance],
        [entry.created_at for entry in balance],
    )


async def add_refund(tx: WriteTx, refund: Refund) -> None:
    await tx.execute(
        "INSERT INTO sandbox.refund (id, intent_id, amount, currency, status, failure_code, reason,"
        " reference, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        *cast("tuple[object, ...]", msgspec.structs.astuple(refund)),
    )


async def add_payout(tx: WriteTx, payout: Payout) -> None:
    await tx.execute(
        "INSERT INTO sandbox.payout (id, amount, currency, destination, final_status,"
        " failure_code, reference, created_at, arrives_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        *cast("tuple[object, ...]", msgspec.structs.astuple(payout)),
    )


async def replay(tx: WriteTx, key: str | None) -> Replay | None:
    """The stored answer for an idempotency key."""
    if key is None:
        return None
    row = await tx.fetchrow(
        "SELECT request_hash, status, body FROM sandbox.idempotency WHERE key = $1", key
    )
    return Replay(row["request_hash"], Answer(row["status"], row["body"])) if row else None


_INTENT = (
    "SELECT id, client_secret, amount, currency, status, capture_method, hosted, amount_captured,"
    " amount_refunded, payment_method, brand, last4, faults, return_url, reference, metadata,"
    " error_code, decline_code, error_message, settle_at, created_at, updated_at"
    " FROM sandbox.intent"
)


def _intent(row: Record) -> Intent:
    return Intent(**dict(row.items()))


async def lock_intent(tx: WriteTx, intent_id: str) -> Intent | None:
    row = await tx.fetchrow(f"{_INTENT} WHERE id = $1 FOR UPDATE", intent_id)
    return _intent(row) if row else None


async def find_intent(conn: ReadConn, intent_id: str) -> Intent | None:
    row = await conn.fetchrow(f"{_INTENT} WHERE id = $1", intent_id)
    return _intent(row) if row else None


async def intent_by_secret(conn: ReadConn, client_secret: str) -> Intent | None:
    row = await conn.fetchrow(f"{_INTENT} WHERE client_secret = $1", client_secret)
    return _intent(row) if row else None


async def list_intents(
    conn: ReadConn, *, reference: str | None, after: str | None, limit: int
) -> list[Intent]:
    """Newest first; `after` is the last id of the page before."""
    rows = await conn.fetch(
        f"{_INTENT} WHERE ($1::text IS NULL OR reference = $1) AND ($2::text IS NULL OR"  # noqa: S608
        " (created_at, id) < (SELECT created_at, id FROM sandbox.intent WHERE id = $2))"
        " ORDER BY created_at DESC, id DESC LIMIT $3",
        reference,
        after,
        limit,
    )
    return [_intent(row) for row in rows]


async def refunds(
    conn: ReadConn, *, intent_id: str | None = None, reference: str | None = None,
    refund_id: str | None = None,
) -> list[Refund]:  # fmt: skip
    """The refunds of an intent, or those with a reference or id, oldest first."""
    rows = await conn.fetch(
        "SELECT id, intent_id, amount, currency, status, failure_code, reason, reference,"
        " created_at FROM sandbox.refund WHERE intent_id = $1 OR reference = $2 OR id = $3"
        " ORDER BY created_at, id LIMIT 100",
        intent_id,
        reference,
        refund_id,
    )
    return [Refund(**dict(row.items())) for row in rows]


async def payouts(
    conn: ReadConn, *, payout_id: str | None = None, reference: str | None = None
) -> list[Payout]:
    rows = await conn.fetch(
        "SELECT id, amount, currency, destination, final_status, failure_code, reference,"
        " created_at, arrives_at FROM sandbox.payout WHERE id = $1 OR reference = $2"
        " ORDER BY created_at, id LIMIT 100",
        payout_id,
        reference,
    )
    return [Payout(**dict(row.items())) for row in rows]


async def add_method(tx: WriteTx, method: PaymentMethod) -> None:
    await tx.execute(
        "INSERT INTO sandbox.payment_method (id, brand, last4, faults, exp_month, exp_year,"
        " created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        method.id,
        method.brand,
        method.last4,
        list(method.faults),
        method.exp_month,
        method.exp_year,
        tx.clock.now(),
    )


async def find_method(conn: ReadConn, method_id: str) -> PaymentMethod | None:
    row = await conn.fetchrow(
        "SELECT id, brand, last4, faults, exp_month, exp_year FROM sandbox.payment_method"
        " WHERE id = $1",
        method_id,
    )
    if row is None:
        return None
    return PaymentMethod(
        id=row["id"],
        brand=row["brand"],
        last4=row["last4"],
        faults=tuple(row["faults"]),
        exp_month=row["exp_month"],
        exp_year=row["exp_year"],
    )


async def first_time(tx: WriteTx, key: str) -> bool:
    """True exactly once for each key: how a fault happens once and not again."""
    tag = await tx.execute(
        "INSERT INTO sandbox.fault_seen (key, created_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        key,
        tx.clock.now(),
    )
    return tag == "INSERT 0 1"


async def events(
    conn: ReadConn, *, type_: str | None, after: str | None, object_id: str | None, limit: int
) -> list[Record]:
    """Events that have happened, newest first: `id` and `payload`."""
    return await conn.fetch(
        "SELECT id, payload FROM sandbox.event WHERE created_at <= $5"
        " AND ($1::text IS NULL OR type = $1) AND ($4::text IS NULL OR object_id = $4)"
        " AND ($2::text IS NULL OR seq < (SELECT seq FROM sandbox.event WHERE id = $2))"
        " ORDER BY seq DESC LIMIT $3",
        type_,
        after,
        limit,
        object_id,
        conn.clock.now(),
    )


async def resend(tx: WriteTx, event_id: str) -> bool:
    """Queue one more delivery of an event; False when there is no such event."""
    tag = await tx.execute(
        "INSERT INTO sandbox.webhook_delivery (event_id, signing, next_at)"
        " SELECT id, 'valid', $2 FROM sandbox.event WHERE id = $1 AND created_at <= $2",
        event_id,
        tx.clock.now(),
    )
    return tag == "INSERT 0 1"


async def balance_transactions(
    conn: ReadConn, *, day: date, currency: str, after: str | None, limit: int
) -> list[BalanceTransaction]:
    """One settlement's lines, oldest first."""
    rows = await conn.fetch(
        "SELECT id, kind, source, reference, amount, fee, currency, created_at"
        " FROM sandbox.balance_transaction"
        " WHERE created_at >= $1::date::timestamp AT TIME ZONE 'UTC'"
        " AND created_at < ($1::date + 1)::timestamp AT TIME ZONE 'UTC'"
        " AND created_at <= $5 AND currency = $2"
        " AND ($3::text IS NULL OR"
        "      seq > (SELECT seq FROM sandbox.balance_transaction WHERE id = $3))"
        " ORDER BY seq LIMIT $4",
        day,
        currency,
        after,
        limit,
        conn.clock.now(),
    )
    return [BalanceTransaction(**dict(row.items())) for row in rows]


async def settlements(conn: ReadConn, *, since: date) -> list[Record]:
    """Sums by UTC day and currency, oldest first."""
    return await conn.fetch(
        "SELECT (created_at AT TIME ZONE 'UTC')::date AS day, currency,"
        " coalesce(sum(amount) FILTER (WHERE kind = 'charge'), 0)::bigint AS gross,"
        " coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0)::bigint AS refunds,"
        " coalesce(sum(amount) FILTER (WHERE starts_with(kind, 'payout')), 0)::bigint AS payouts,"
        " sum(fee)::bigint AS fees, sum(amount - fee)::bigint AS net,"
        " count(*) AS transactions"
        " FROM sandbox.balance_transaction"
        " WHERE created_at >= $1::date::timestamp AT TIME ZONE 'UTC' AND created_at <= $2"
        " GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 1000",
        since,
        conn.clock.now(),
    )


async def purge(tx: WriteTx, *, before: datetime) -> None:
    """Forget idempotency keys and once-only faults older than `before`."""
    await tx.execute("DELETE FROM sandbox.idempotency WHERE created_at < $1", before)
    await tx.execute("DELETE FROM sandbox.fault_seen WHERE created_at < $1", before)
