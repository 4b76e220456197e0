"""The books in PostgreSQL: every lock and every write of the context.

An entry, its postings, new accounts and the balances of ordinary accounts are one statement.
Ordinary accounts are locked in the order of their ids. Hot ones are never locked: their postings
are also written to `unfolded`, which a schedule folds into the balance.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from souk.contexts.ledger.domain.accounts import SELLER_PARTS, Account, Kind
from souk.contexts.ledger.domain.commission import CommissionRule
from souk.contexts.ledger.domain.entries import EntryDraft, Line, SellerBalances
from souk.kernel.money import Money
from souk.platform.database import Record, WriteTx

_FOLD_LOCK = 7_311

_POST = """
WITH made AS (
  INSERT INTO ledger.entry (id, key, input_hash, cause, text, reverses, actor, at)
  SELECT e.id, e.key, e.input_hash, e.cause, e.text, e.reverses, $7, $8
  FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::uuid[])
    AS e (id, key, input_hash, cause, text, reverses)
  ORDER BY e.key
  ON CONFLICT (key) DO NOTHING RETURNING id),
line AS MATERIALIZED (
  SELECT l.* FROM unnest($9::uuid[], $10::smallint[], $11::uuid[], $12::text[], $13::bigint[])
    WITH ORDINALITY AS l (entry_id, position, account_id, currency, amount, ord)
  JOIN made ON made.id = l.entry_id),
total AS (
  SELECT account_id, sum(amount)::bigint AS amount FROM line GROUP BY account_id),
named AS (
  SELECT a.* FROM unnest($14::uuid[], $15::text[], $16::text[], $17::text[], $18::boolean[],
                         $19::boolean[], $20::uuid[])
    AS a (id, code, currency, kind, hot, guarded, seller_id)),
cold AS (
  INSERT INTO ledger.account AS kept
    (id, code, currency, kind, hot, guarded, seller_id, balance)
  SELECT n.id, n.code, n.currency, n.kind, false, n.guarded, n.seller_id, t.amount
  FROM named n JOIN total t ON t.account_id = n.id WHERE NOT n.hot ORDER BY n.id
  ON CONFLICT (id) DO UPDATE SET balance = kept.balance + excluded.balance
  RETURNING kept.id, kept.balance),
hot AS (
  INSERT INTO ledger.account (id, code, currency, kind, hot, guarded)
  SELECT n.id, n.code, n.currency, n.kind, true, false
  FROM named n JOIN total t ON t.account_id = n.id WHERE n.hot ORDER BY n.id
  ON CONFLICT (id) DO NOTHING),
posted AS (
  INSERT INTO ledger.posting (entry_id, position, account_id, currency, amount, balance_after)
  SELECT l.entry_id, l.position, l.account_id, l.currency, l.amount,
         c.balance - coalesce(sum(l.amount) OVER (
           PARTITION BY l.account_id ORDER BY l.ord
           ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING), 0)
  FROM line l LEFT JOIN cold c ON c.id = l.account_id ORDER BY l.ord
  RETURNING id, account_id, amount, balance_after),
later AS (
  INSERT INTO ledger.unfolded (posting_id, account_id, amount)
  SELECT id, account_id, amount FROM posted WHERE balance_after IS NULL)
SELECT id FROM made
"""


async def post(tx: WriteTx, drafts: Sequence[tuple[UUID, EntryDraft]], *, actor: str) -> set[UUID]:
    """Book the drafts under the ids given; returns the ids of those whose key was new."""
    lines = [
        (entry_id, position, line)
        for entry_id, draft in drafts
        for position, line in enumerate(draft.lines)
    ]
    named: dict[UUID, tuple[Account, str]] = {
        line.account.id_in(line.amount.currency): (line.account, line.amount.currency)
        for _, _, line in lines
    }
    rows = await tx.fetch(
        _POST,
        [entry_id for entry_id, _ in drafts],
        [draft.key for _, draft in drafts],
        [draft.digest() for _, draft in drafts],
        [draft.cause for _, draft in drafts],
        [draft.text for _, draft in drafts],
        [draft.reverses for _, draft in drafts],
        actor,
        tx.clock.now(),
        [entry_id for entry_id, _, _ in lines],
        [position for _, position, _ in lines],
        [line.account.id_in(line.amount.currency) for _, _, line in lines],
        [line.amount.currency for _, _, line in lines],
        [line.amount.amount for _, _, line in lines],
        list(named),
        [account.code for account, _ in named.values()],
        [currency for _, currency in named.values()],
        [account.kind for account, _ in named.values()],
        [account.hot for account, _ in named.values()],
        [account.guarded for account, _ in named.values()],
        [account.seller_id for account, _ in named.values()],
    )
    return {row["id"] for row in rows}


async def by_key(tx: WriteTx, keys: Sequence[str]) -> dict[str, tuple[UUID, bytes]]:
    """Entries that are in the books already: their ids and the hashes of what they say."""
    rows = await tx.fetch(
        "SELECT key, id, input_hash FROM ledger.entry WHERE key = ANY($1::text[])", list(keys)
    )
    return {row["key"]: (row["id"], row["input_hash"]) for row in rows}


async def entry_lines(tx: WriteTx, entry_id: UUID) -> tuple[str, str, list[Line]] | None:
    """An entry's key, sentence and lines in their order; None if there is no such entry."""
    rows = await tx.fetch(
        "SELECT e.key, e.text, a.code, a.kind, a.hot, a.guarded, a.seller_id, p.amount,"
        " p.currency FROM ledger.entry e LEFT JOIN ledger.posting p ON p.entry_id = e.id"
        " LEFT JOIN ledger.account a ON a.id = p.account_id WHERE e.id = $1 ORDER BY p.position",
        entry_id,
    )
    if not rows:
        return None
    lines = [
        Line(
            Account(row["code"], Kind(row["kind"]), row["hot"], row["guarded"], row["seller_id"]),
            Money(row["amount"], row["currency"]),
        )
        for row in rows
        if row["code"] is not None
    ]
    return rows[0]["key"], rows[0]["text"], lines


async def lock_sellers(
    tx: WriteTx, sellers: Sequence[tuple[UUID, str]]
) -> dict[tuple[UUID, str], SellerBalances]:
    """The balances of each (seller, currency), locked in the order of the accounts' ids."""
    wanted = {
        part(seller_id).id_in(currency): (seller_id, currency, index)
        for seller_id, currency in sellers
        for index, part in enumerate(SELLER_PARTS)
    }
    rows = await tx.fetch(
        "SELECT id, balance FROM ledger.account WHERE id = ANY($1::uuid[])"
        " ORDER BY id FOR NO KEY UPDATE",
        list(wanted),
    )
    amounts = {(seller, currency): [0, 0, 0, 0] for seller, currency in sellers}
    for row in rows:
        seller_id, currency, index = wanted[row["id"]]
        amounts[seller_id, currency][index] = abs(row["balance"])
    return {
        key: SellerBalances(*(Money(amount, key[1]) for amount in parts))
        for key, parts in amounts.items()
    }


async def add_hold(
    tx: WriteTx,
    *,
    hold_id: UUID,
    seller_order_id: UUID,
    seller_id: UUID,
    amount: Money,
    release_at: datetime,
) -> None:
    await tx.execute(
        "INSERT INTO ledger.hold (id, seller_order_id, seller_id, amount, currency, release_at)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING",
        hold_id,
        seller_order_id,
        seller_id,
        amount.amount,
        amount.currency,
        release_at,
    )


async def lock_due_holds(tx: WriteTx, now: datetime, limit: int) -> list[Record]:
    """Holds whose time is over, oldest first, that no other worker is releasing."""
    return await tx.fetch(
        "SELECT id, seller_order_id, seller_id, amount, currency FROM ledger.hold"
        " WHERE NOT released AND release_at <= $1 ORDER BY release_at, id LIMIT $2"
        " FOR UPDATE SKIP LOCKED",
        now,
        limit,
    )


async def mark_released(tx: WriteTx, hold_ids: Sequence[UUID]) -> None:
    await tx.execute(
        "UPDATE ledger.hold SET released = true WHERE id = ANY($1::uuid[])", list(hold_ids)
    )


async def fold(tx: WriteTx, limit: int) -> int:
    """Add up to `limit` postings of hot accounts to their balances; one worker at a time."""
    if not await tx.fetchval("SELECT pg_try_advisory_xact_lock($1)", _FOLD_LOCK):
        return 0
    return await tx.fetchval(
        "WITH due AS (DELETE FROM ledger.unfolded WHERE posting_id = ANY(ARRAY("
        "   SELECT posting_id FROM ledger.unfolded ORDER BY posting_id LIMIT $1))"
        "   RETURNING account_id, amount),"
        " folded AS (UPDATE ledger.account a SET balance = a.balance + s.amount"
        "   FROM (SELECT account_id, sum(amount)::bigint AS amount FROM due GROUP BY account_id) s"
        "   WHERE a.id = s.account_id)"
        " SELECT count(*) FROM due",
        limit,
    )


async def end_rule(tx: WriteTx, rule_id: UUID, at: datetime) -> None:
    await tx.execute(
        "UPDATE ledger.commission_rule SET valid_until = $2 WHERE id = $1", rule_id, at
    )


async def insert_rule(tx: WriteTx, rule: CommissionRule) -> None:
    await tx.execute(
        "INSERT INTO ledger.commission_rule (id, scope, rate_bp, valid_from, seller_id, tier,"
        " category_id, kind, currency, fixed, minimum, maximum, tax_bp)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        rule.id,
        rule.scope,
        rule.rate_bp,
        rule.valid_from,
        rule.seller_id,
        rule.tier,
        rule.category_id,
        rule.kind,
        rule.currency,
        rule.fixed,
        rule.minimum,
        rule.maximum,
        rule.tax_bp,
    )


async def carry(tx: WriteTx, month: datetime) -> None:
    """The first posting of each seller's account that is dated in `month` or later, and the balance
    before it. What comes before that in the account's order is dated earlier, without exception."""
    await tx.execute(
        "INSERT INTO ledger.carried (account_id, month, posting_id, balance)"
        " SELECT a.id, $1, f.id, f.balance_after - f.amount FROM ledger.account a"
        " CROSS JOIN LATERAL (SELECT p.id, p.amount, p.balance_after FROM ledger.posting p"
        " JOIN ledger.entry e ON e.id = p.entry_id WHERE p.account_id = a.id AND e.at >= $1"
        " AND p.id >= coalesce((SELECT max(c.posting_id) FROM ledger.carried c"
        " WHERE c.account_id = a.id AND c.month < $1), 0) ORDER BY p.id LIMIT 1) f"
        " WHERE a.seller_id IS NOT NULL AND NOT a.hot"
        " ON CONFLICT (account_id, month) DO NOTHING",
        month,
    )
