"""What is booked. Each runs inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from souk.contexts.ledger import queries, store
from souk.contexts.ledger.domain import commission, entries
from souk.contexts.ledger.domain.commission import CommissionRule
from souk.contexts.ledger.domain.entries import CommissionShare, EntryDraft, SellerBalances
from souk.contexts.ledger.errors import BalanceTooLow, EntryKeyReused
from souk.kernel.actor import Actor, system
from souk.kernel.errors import InvalidInput, NotFound
from souk.kernel.ids import uuid7
from souk.kernel.money import Money
from souk.platform import audit, outbox
from souk.platform.database import WriteTx
from souk.published.ledger import EarningRecorded, FundsAvailable

_SYSTEM = system("ledger")


@dataclass(frozen=True, slots=True)
class EntryRef:
    """An entry in the books; `created` is False when it was there before this call."""

    id: UUID
    key: str
    created: bool


async def post(tx: WriteTx, actor: Actor, draft: EntryDraft) -> EntryRef:
    """Book one entry, once: a repeat answers with the first. Raises EntryKeyReused."""
    return (await post_many(tx, actor, [draft]))[0]


async def post_many(tx: WriteTx, actor: Actor, drafts: Sequence[EntryDraft]) -> list[EntryRef]:
    """Book entries in their order, in one statement (one more when some are repeats).

    A draft whose key is in the books with the same content answers with that entry. Raises
    EntryKeyReused when the content differs.
    """
    first: dict[str, tuple[UUID, EntryDraft]] = {}
    for draft in drafts:
        kept = first.setdefault(draft.key, (uuid7(), draft))[1]
        if kept.digest() != draft.digest():
            raise EntryKeyReused(draft.key)
    if not first:
        return []
    made = await store.post(tx, list(first.values()), actor=actor.label())
    ids = {key: entry_id for key, (entry_id, _) in first.items()}
    repeats = [key for key, entry_id in ids.items() if entry_id not in made]
    if repeats:
        known = await store.by_key(tx, repeats)
        for key in repeats:
            ids[key], digest = known[key]
            if digest != first[key][1].digest():
                raise EntryKeyReused(key)
    return [EntryRef(ids[draft.key], draft.key, ids[draft.key] in made) for draft in drafts]


async def lock_balances(tx: WriteTx, *, seller_id: UUID, currency: str) -> SellerBalances:
    """A seller's balances, kept from changing until the transaction ends."""
    return (await store.lock_sellers(tx, [(seller_id, currency)]))[seller_id, currency]


async def reverse(tx: WriteTx, actor: Actor, *, entry_id: UUID, why: str, cause: str) -> EntryRef:
    """Take an entry back by one that names it, once. Raises NotFound."""
    found = await store.entry_lines(tx, entry_id)
    if found is None:
        raise NotFound("There is no such entry in the books. Check the link.")
    key, text, lines = found
    draft = entries.reversal(
        entry_id=entry_id, key=key, text=text, lines=lines, cause=cause, why=why
    )
    return await post(tx, actor, draft)


async def release_escrow(
    tx: WriteTx,
    actor: Actor,
    *,
    seller_order_id: UUID,
    seller_id: UUID,
    order_number: str,
    amount: Money,
    commission: CommissionShare,
    release_at: datetime,
    cause: str,
) -> EntryRef:
    """The seller has earned an order: escrow becomes a pending earning, less commission.

    A debt is paid back first; the rest is on hold until `release_at`. Once per seller order.
    """
    # All of the seller's accounts first, in their order: posting alone would lock one of them, and
    # the debt the others after it, while a payout or the end of a hold takes them the other way.
    await lock_balances(tx, seller_id=seller_id, currency=amount.currency)
    draft = entries.escrow_released(
        seller_order_id=seller_order_id,
        seller_id=seller_id,
        order_number=order_number,
        amount=amount,
        commission=commission,
        cause=cause,
    )
    ref = await post(tx, actor, draft)
    if not ref.created:
        return ref
    earned = amount - commission.total
    left = await recover_debt(
        tx, actor, seller_id=seller_id, earned=earned, source_key=draft.key, cause=cause
    )
    if left:
        await add_hold(
            tx,
            hold_id=ref.id,
            seller_order_id=seller_order_id,
            seller_id=seller_id,
            amount=left,
            release_at=release_at,
        )
    event = EarningRecorded(
        seller_id=seller_id,
        seller_order_id=seller_order_id,
        amount=earned.amount,
        currency=earned.currency,
    )
    outbox.add(tx, event, actor=actor)
    return ref


async def recover_debt(
    tx: WriteTx, actor: Actor, *, seller_id: UUID, earned: Money, source_key: str, cause: str
) -> Money:
    """A seller who owes pays it back out of a pending earning; returns what is left of it.

    `source_key` is the key of the entry that made the earning.
    """
    balances = await lock_balances(tx, seller_id=seller_id, currency=earned.currency)
    if not balances.receivable:
        return earned
    draft = entries.debt_recovered(
        source_key=source_key,
        seller_id=seller_id,
        earned=earned,
        owed=balances.receivable,
        cause=cause,
    )
    await post(tx, actor, draft)
    return earned - min(earned, balances.receivable)


async def add_hold(
    tx: WriteTx,
    *,
    seller_order_id: UUID,
    seller_id: UUID,
    amount: Money,
    release_at: datetime,
    hold_id: UUID | None = None,
) -> None:
    """Make a pending earning available at `release_at`.

    With a `hold_id`, such as the id of the entry that made the earning, a repeat changes nothing.
    """
    await store.add_hold(
        tx,
        hold_id=hold_id or uuid7(),
        seller_order_id=seller_order_id,
        seller_id=seller_id,
        amount=amount,
        release_at=release_at,
    )


async def release_due(tx: WriteTx, now: datetime, limit: int = 100) -> int:
    """Make earnings available whose hold period is over; returns how many holds have ended.

    A refund may have taken a part of what was pending: no more than what is left is released.
    """
    holds = await store.lock_due_holds(tx, now, limit)
    if not holds:
        return 0
    owners = sorted({(hold["seller_id"], hold["currency"]) for hold in holds})
    balances = await store.lock_sellers(tx, owners)
    left = {owner: balances[owner].pending for owner in owners}
    drafts: list[EntryDraft] = []
    for hold in holds:
        owner = hold["seller_id"], hold["currency"]
        amount = min(Money(hold["amount"], hold["currency"]), left[owner])
        if not amount:
            continue
        left[owner] -= amount
        drafts.append(
            entries.hold_over(
                hold_id=hold["id"],
                seller_id=hold["seller_id"],
                amount=amount,
                cause=f"seller_order:{hold['seller_order_id']}",
            )
        )
        event = FundsAvailable(
            seller_id=hold["seller_id"],
            seller_order_id=hold["seller_order_id"],
            amount=amount.amount,
            currency=amount.currency,
        )
        outbox.add(tx, event, actor=_SYSTEM)
    await post_many(tx, _SYSTEM, drafts)
    await store.mark_released(tx, [hold["id"] for hold in holds])
    return len(holds)


async def refund_released(
    tx: WriteTx,
    actor: Actor,
    *,
    refund_id: UUID,
    gateway: str,
    order_number: str,
    seller_id: UUID,
    amount: Money,
    tax: Mapping[str, Money],
    commission: CommissionShare,
    cause: str,
) -> EntryRef:
    """Book a refund of an order that the seller has earned; what is not covered becomes a debt."""
    balances = await lock_balances(tx, seller_id=seller_id, currency=amount.currency)
    draft = entries.refund_after_release(
        refund_id=refund_id,
        gateway=gateway,
        order_number=order_number,
        seller_id=seller_id,
        balances=balances,
        amount=amount,
        tax=tax,
        commission=commission,
        cause=cause,
    )
    known = await store.by_key(tx, [draft.key])
    if draft.key in known:
        # The balances have changed since, so the same refund would not say the same again.
        return EntryRef(known[draft.key][0], draft.key, created=False)
    return await post(tx, actor, draft)


async def request_payout(
    tx: WriteTx, actor: Actor, *, payout_id: UUID, seller_id: UUID, amount: Money, cause: str
) -> EntryRef:
    """Set available money aside for a payout. Raises BalanceTooLow when there is less."""
    balances = await lock_balances(tx, seller_id=seller_id, currency=amount.currency)
    draft = entries.payout_requested(
        payout_id=payout_id, seller_id=seller_id, amount=amount, cause=cause
    )
    known = await store.by_key(tx, [draft.key])
    if draft.key not in known and balances.available < amount:
        raise BalanceTooLow(wanted=amount, available=balances.available)
    return await post(tx, actor, draft)


async def add_commission_rule(tx: WriteTx, actor: Actor, rule: CommissionRule) -> None:
    """Put a rule into force from its `valid_from` on; lines sold before keep theirs.

    Raises InvalidInput for a rule that contradicts itself.
    """
    commission.check_rule(rule)
    await store.insert_rule(tx, rule)
    await audit.record(
        tx,
        actor,
        "ledger.commission_rule_added",
        f"commission_rule:{rule.id}",
        scope=rule.scope,
        rate_bp=rule.rate_bp,
        tax_bp=rule.tax_bp,
        valid_from=rule.valid_from.isoformat(),
    )


async def end_commission_rule(tx: WriteTx, actor: Actor, rule_id: UUID) -> None:
    """A rule ends now, or before it begins; lines sold under it keep their commission.

    Raises NotFound, and InvalidInput for a rule that is over, or that holds for everybody: a newer
    one takes its place instead.
    """
    rules = {rule.id: rule for rule in await queries.commission_rules(tx)}
    rule = rules.get(rule_id)
    if rule is None:
        raise NotFound("There is no such rule. Look at the list of rules.")
    now = tx.clock.now()
    if rule.is_base:
        raise InvalidInput("This rule holds for everybody. Write a newer one in its place.")
    if rule.valid_until is not None and rule.valid_until <= max(now, rule.valid_from):
        raise InvalidInput("This rule is over already. Reload the page.")
    await store.end_rule(tx, rule_id, max(now, rule.valid_from))
    await audit.record(
        tx,
        actor,
        "ledger.commission_rule_ended",
        f"commission_rule:{rule_id}",
        scope=rule.scope,
        rate_bp=rule.rate_bp,
    )


async def fold(tx: WriteTx, limit: int = 10_000) -> int:
    """Bring the balances of hot accounts up to date; returns how many postings were added."""
    return await store.fold(tx, limit)


async def carry(tx: WriteTx, *, month: datetime) -> None:
    """Note the balance that each seller's account carries into a month (UTC), where anything was
    posted in it or later. Repeatable."""
    await store.carry(tx, month)
