"""Invariants of the books, and the figures that others compare with theirs, for `souk verify`."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from souk.contexts.ledger.domain import commission
from souk.contexts.ledger.domain.commission import CommissionBase
from souk.contexts.ledger.domain.entries import digest_of
from souk.contexts.ledger.queries import BALANCE, commission_rules
from souk.kernel.money import Money
from souk.platform.database import ReadConn
from souk.platform.verify import Violation

_VIOLATIONS = f"""
SELECT 'ledger.unbalanced' AS invariant, entry_id::text AS subject,
       format('the postings sum to %s %s', sum(amount), currency) AS detail
FROM ledger.posting GROUP BY entry_id, currency HAVING sum(amount) <> 0
UNION ALL
SELECT 'ledger.balance', a.code,
       format('the balance is %s %s, the postings sum to %s', {BALANCE}, a.currency,
              coalesce(p.total, 0))
FROM ledger.account a
LEFT JOIN (SELECT account_id, sum(amount) AS total FROM ledger.posting GROUP BY account_id) p
  ON p.account_id = a.id
WHERE {BALANCE} <> coalesce(p.total, 0)
UNION ALL
SELECT 'ledger.overdrawn', code, format('the balance is %s %s', balance, currency)
FROM ledger.account
WHERE guarded AND CASE kind WHEN 'asset' THEN balance < 0 ELSE balance > 0 END
UNION ALL
SELECT 'ledger.running_balance', r.code,
       format('posting %s leaves %s, the sum is %s', r.id, r.balance_after, r.total)
FROM (SELECT p.id, p.balance_after, a.code,
             sum(p.amount) OVER (PARTITION BY p.account_id ORDER BY p.id) AS total
      FROM ledger.posting p JOIN ledger.account a ON a.id = p.account_id WHERE NOT a.hot) r
WHERE r.balance_after IS DISTINCT FROM r.total
UNION ALL
SELECT 'ledger.holds', a.code,
       format('%s %s are pending, and only %s of it will be released', -a.balance, a.currency,
              coalesce(h.total, 0))
FROM ledger.account a
LEFT JOIN (SELECT seller_id, currency, sum(amount) AS total FROM ledger.hold WHERE NOT released
           GROUP BY seller_id, currency) h USING (seller_id, currency)
WHERE a.seller_id IS NOT NULL AND a.code = 'seller:' || a.seller_id || ':pending'
  AND -a.balance > coalesce(h.total, 0)
UNION ALL
SELECT 'ledger.carried', a.code,
       format('%s carried into %s, the postings before it sum to %s', c.balance, c.month,
              coalesce(p.before, 0))
FROM ledger.carried c JOIN ledger.account a ON a.id = c.account_id
LEFT JOIN (SELECT id, account_id,
                  sum(amount) OVER (PARTITION BY account_id ORDER BY id) - amount AS before
           FROM ledger.posting) p ON p.account_id = c.account_id AND p.id = c.posting_id
WHERE c.balance IS DISTINCT FROM p.before
ORDER BY 1, 2
"""


async def violations(conn: ReadConn) -> list[Violation]:
    """Rows that break an invariant of the books; none on a sound database."""
    found = [Violation(*row.values()) for row in await conn.fetch(_VIOLATIONS)]
    return found + await _edited(conn)


_ENTRIES = """
SELECT e.id, e.key, e.input_hash, e.cause, e.text, e.reverses,
       coalesce(array_agg(a.code ORDER BY p.position) FILTER (WHERE p.id IS NOT NULL), '{}')
         AS codes,
       coalesce(array_agg(p.amount ORDER BY p.position) FILTER (WHERE p.id IS NOT NULL), '{}')
         AS amounts,
       coalesce(array_agg(p.currency::text ORDER BY p.position) FILTER (WHERE p.id IS NOT NULL),
         '{}') AS currencies
FROM (SELECT * FROM ledger.entry WHERE id > $1 ORDER BY id LIMIT $2) e
LEFT JOIN ledger.posting p ON p.entry_id = e.id LEFT JOIN ledger.account a ON a.id = p.account_id
GROUP BY e.id, e.key, e.input_hash, e.cause, e.text, e.reverses ORDER BY e.id
"""
_BATCH = 5_000


async def _edited(conn: ReadConn) -> list[Violation]:
    """Entries that no longer say what their hash was made from: nothing is ever edited."""
    found: list[Violation] = []
    after = UUID(int=0)
    while rows := await conn.fetch(_ENTRIES, after, _BATCH):
        after = rows[-1]["id"]
        for row in rows:
            lines = list(zip(row["codes"], row["amounts"], row["currencies"], strict=True))
            said = digest_of(row["cause"], row["text"], row["reverses"], lines)
            if said != row["input_hash"]:
                detail = "The entry or its postings were changed after they were booked."
                found.append(Violation("ledger.edited", row["key"], detail))
    return found


class EscrowFigures(msgspec.Struct, frozen=True):
    """What waits in a seller order's escrow, and the commission and its tax booked for it."""

    balance: int
    commission: int
    commission_tax: int


async def escrow_of(conn: ReadConn, seller_order_ids: Sequence[UUID]) -> dict[UUID, EscrowFigures]:
    """Escrow and commission by seller order, in minor units, for `souk verify`; absent without an
    escrow account."""
    rows = await conn.fetch(
        "SELECT wanted.id, -a.balance AS balance,"
        " coalesce(-sum(p.amount) FILTER (WHERE o.code = 'commission'), 0)::bigint AS commission,"
        " coalesce(-sum(p.amount) FILTER (WHERE o.code <> 'commission'), 0)::bigint AS tax"
        " FROM unnest($1::uuid[]) AS wanted (id)"
        " JOIN ledger.account a ON a.code = 'escrow:' || wanted.id"
        " LEFT JOIN ledger.entry e ON e.key = 'released:' || wanted.id"
        " LEFT JOIN (ledger.posting p JOIN ledger.account o ON o.id = p.account_id"
        "   AND (o.code = 'commission' OR o.code LIKE 'tax:%')) ON p.entry_id = e.id"
        " GROUP BY wanted.id, a.balance",
        list(seller_order_ids),
    )
    return {row["id"]: EscrowFigures(*tuple(row.values())[1:]) for row in rows}


class Booked(msgspec.Struct, frozen=True):
    """What an entry says of a gateway's account and of tax to remit: debits above zero."""

    gateway: str
    currency: str
    amount: int
    tax: int


async def booked(conn: ReadConn) -> dict[str, Booked]:
    """Every payment and refund in the books, by the key of its entry."""
    rows = await conn.fetch(
        "SELECT e.key, coalesce(max(substr(a.code, 9)) FILTER (WHERE starts_with(a.code,"
        " 'gateway:')), '') AS gateway, coalesce(min(p.currency), '') AS currency,"
        " coalesce(sum(p.amount) FILTER (WHERE starts_with(a.code, 'gateway:')), 0)::bigint,"
        " coalesce(sum(p.amount) FILTER (WHERE starts_with(a.code, 'tax:')), 0)::bigint"
        " FROM ledger.entry e LEFT JOIN ledger.posting p ON p.entry_id = e.id"
        " LEFT JOIN ledger.account a ON a.id = p.account_id"
        " WHERE starts_with(e.key, 'captured:') OR starts_with(e.key, 'refunded:') GROUP BY e.key"
    )
    return {row["key"]: Booked(*tuple(row.values())[1:]) for row in rows}


class Ruled(msgspec.Struct, frozen=True):
    """The commission and its tax that a rule takes from `base`, in minor units."""

    rule_id: UUID | None
    currency: str
    base: int


async def ruled(conn: ReadConn, wanted: Sequence[Ruled]) -> list[tuple[int, int] | None]:
    """What rules take, whenever they were in force, in the order of `wanted`; None for a rule that
    is not there. Rules are never changed, so this is what was frozen at the time of the order."""
    rules = {rule.id: rule for rule in await commission_rules(conn)}
    nobody = UUID(int=0)
    answers: list[tuple[int, int] | None] = []
    for one in wanted:
        rule = rules.get(one.rule_id) if one.rule_id else None
        if rule is None:
            answers.append(None)
            continue
        base = CommissionBase(nobody, nobody, "", (), "", Money(one.base, one.currency))
        quote = commission.quote(rule, base)
        answers.append((quote.amount.amount, quote.tax.amount))
    return answers
