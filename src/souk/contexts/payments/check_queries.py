"""Figures and invariants of payments, for `souk verify`."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec

from souk.platform.database import ReadConn
from souk.platform.verify import Violation, broken

SETTLED_WITHIN = timedelta(days=1)
"""The sweeper ends a payment within half an hour: one older than this is stuck."""
REFUNDED_WITHIN = timedelta(days=10)
"""Banks take days; a refund that nobody has confirmed for longer is a person's business."""
NEWS_WITHIN = timedelta(hours=1)


class PaymentMoney(msgspec.Struct, frozen=True):
    """A payment's figures in minor units; `refund_asked` counts refunds under way as well."""

    id: UUID
    checkout_id: UUID
    gateway: str
    currency: str
    captured: int
    refunded: int
    refund_asked: int


async def money_of_all(conn: ReadConn) -> list[PaymentMoney]:
    """Every captured payment."""
    rows = await conn.fetch(
        "SELECT id, checkout_id, gateway, currency, captured, refunded, refunded + refund_held"
        " FROM payments.payment WHERE state = 'captured'"
    )
    return [PaymentMoney(*row.values()) for row in rows]


class RefundMoney(msgspec.Struct, frozen=True):
    """A refund as it was first asked for; asking again after a failure is no other refund."""

    id: UUID
    payment_id: UUID
    key: str
    gateway: str
    currency: str
    amount: int


async def refunds_of_all(conn: ReadConn) -> list[RefundMoney]:
    """Every refund that was asked for, whatever became of it."""
    rows = await conn.fetch(
        "SELECT r.id, r.payment_id, r.key, p.gateway, r.currency, r.amount FROM payments.refund r"
        " JOIN payments.payment p ON p.id = r.payment_id WHERE strpos(r.key, '#') = 0"
    )
    return [RefundMoney(*row.values()) for row in rows]


_CHECKS = {
    "payments.refunds": """
SELECT p.id::text AS subject, format('%s refunded and %s held, %s and %s in its refunds',
  p.refunded, p.refund_held, coalesce(sum(r.amount) FILTER (WHERE r.state = 'succeeded'), 0),
  coalesce(sum(r.amount) FILTER (WHERE r.state = 'requested'), 0)) AS detail
FROM payments.payment p LEFT JOIN payments.refund r ON r.payment_id = p.id
GROUP BY p.id
HAVING p.refunded <> coalesce(sum(r.amount) FILTER (WHERE r.state = 'succeeded'), 0)
  OR p.refund_held <> coalesce(sum(r.amount) FILTER (WHERE r.state = 'requested'), 0)
  OR bool_or(r.currency <> p.currency)
""",
    "payments.captured_once": """
SELECT id::text AS subject, format('%s captured of %s in state %s', captured, amount, state)
  AS detail
FROM payments.payment
WHERE captured <> CASE WHEN state = 'captured' THEN amount ELSE 0 END
""",
    "payments.steps": """
SELECT p.id::text AS subject, format('No step led to %s.', p.state) AS detail
FROM payments.payment p WHERE NOT EXISTS (
  SELECT FROM payments.transition t WHERE t.payment_id = p.id AND t.state = p.state)
""",
}
_WAITS = (
    (SETTLED_WITHIN, "payments.settled", """
SELECT id::text AS subject, format('under way since %s', created_at) AS detail
FROM payments.payment
WHERE state IN ('created', 'requires_action', 'authorised') AND created_at < $1
"""),
    (REFUNDED_WITHIN, "payments.refunds_end", """
SELECT id::text AS subject, format('asked for at %s, and no end is known', created_at) AS detail
FROM payments.refund WHERE state = 'requested' AND created_at < $1
"""),
    (NEWS_WITHIN, "payments.webhooks", """
SELECT event_id AS subject, format('came at %s and was not acted on', received_at) AS detail
FROM payments.webhook_inbox WHERE processed_at IS NULL AND received_at < $1
"""),
)  # fmt: skip


async def violations(conn: ReadConn) -> list[Violation]:
    """Refunds that do not add up, and what has waited longer than anything should."""
    found = await broken(conn, _CHECKS)
    for age, invariant, sql in _WAITS:
        found += await broken(conn, {invariant: sql}, conn.clock.now() - age)
    return found
