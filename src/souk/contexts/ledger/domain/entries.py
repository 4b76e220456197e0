"""Journal entries: what is booked when something happens. One function per row of the rules.

Every function returns a balanced draft with a sentence that a person can read; `key` makes booking
it twice the same as booking it once; `cause` names the event or row that made it happen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from souk.contexts.ledger.domain import accounts
from souk.contexts.ledger.domain.accounts import Account
from souk.kernel.money import Money


class Unbalanced(ValueError):
    """The lines do not sum to zero in some currency: always a bug in the caller."""


@dataclass(frozen=True, slots=True)
class Line:
    """One posting. A debit is above zero, a credit below."""

    account: Account
    amount: Money


def debit(account: Account, amount: Money) -> Line:
    return Line(account, amount)


def credit(account: Account, amount: Money) -> Line:
    return Line(account, -amount)


def digest_of(
    cause: str, text: str, reverses: UUID | None, lines: Sequence[tuple[str, int, str]]
) -> bytes:
    """SHA-256 of an entry; each line is an account's code, minor units and their currency."""
    content = [cause, text, str(reverses), [list(line) for line in lines]]
    return hashlib.sha256(json.dumps(content).encode()).digest()


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """An entry to be booked. Lines of zero are dropped; none at all means that nothing was due.

    Raises Unbalanced unless the lines sum to zero in every currency.
    """

    key: str
    cause: str
    text: str
    lines: tuple[Line, ...]
    reverses: UUID | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "lines", tuple(line for line in self.lines if line.amount))
        totals: dict[str, int] = {}
        for line in self.lines:
            currency = line.amount.currency
            totals[currency] = totals.get(currency, 0) + line.amount.amount
        if any(totals.values()):
            raise Unbalanced(f"entry {self.key} is out of balance: {totals}")

    def digest(self) -> bytes:
        """SHA-256 of everything that the entry says, to tell a repeat from a mistake."""
        lines = [
            (line.account.code, line.amount.amount, line.amount.currency) for line in self.lines
        ]
        return digest_of(self.cause, self.text, self.reverses, lines)


@dataclass(frozen=True, slots=True)
class SellerBalances:
    """What a seller has, in one currency, never below zero. `receivable` is owed to us."""

    pending: Money
    available: Money
    reserved: Money
    receivable: Money


@dataclass(frozen=True, slots=True)
class OrderShare:
    """A seller order's part of a payment or refund: `escrow`, and `tax` that is ours to remit."""

    seller_order_id: UUID
    escrow: Money
    tax: Mapping[str, Money] = field(default_factory=dict[str, Money])


@dataclass(frozen=True, slots=True)
class CommissionShare:
    """Commission and the tax on it, with where that tax is due."""

    amount: Money
    tax: Money
    jurisdiction: str

    @property
    def total(self) -> Money:
        return self.amount + self.tax


def _sum(lines: Sequence[Line], currency: str) -> Money:
    return Money.total((line.amount for line in lines), currency=currency)


def _tax_lines(taxes: Iterable[Mapping[str, Money]], *, sign: int) -> list[Line]:
    totals: dict[str, Money] = {}
    for tax in taxes:
        for jurisdiction, amount in tax.items():
            totals[jurisdiction] = (
                totals[jurisdiction] + amount if jurisdiction in totals else amount
            )
    return [
        Line(accounts.tax(jurisdiction), amount * sign)
        for jurisdiction, amount in sorted(totals.items())
    ]


def captured(
    *,
    payment_id: UUID,
    gateway: str,
    order_number: str,
    currency: str,
    shares: Sequence[OrderShare],
    cause: str,
) -> EntryDraft:
    """A buyer's payment has arrived at the gateway; it waits in escrow for each seller order."""
    into = [credit(accounts.escrow(share.seller_order_id), share.escrow) for share in shares]
    into += _tax_lines((share.tax for share in shares), sign=-1)
    total = -_sum(into, currency)
    return EntryDraft(
        key=f"captured:{payment_id}",
        cause=cause,
        text=f"The buyer paid {total} for order {order_number} through {gateway}.",
        lines=(debit(accounts.gateway(gateway), total), *into),
    )


def escrow_released(
    *,
    seller_order_id: UUID,
    seller_id: UUID,
    order_number: str,
    amount: Money,
    commission: CommissionShare,
    cause: str,
) -> EntryDraft:
    """The seller has earned what was in escrow, less commission; it stays on hold for a while."""
    earned = amount - commission.total
    return EntryDraft(
        key=f"released:{seller_order_id}",
        cause=cause,
        text=(
            f"Order {order_number} is complete: {earned} earned, after "
            f"{commission.amount} commission and {commission.tax} tax on it."
        ),
        lines=(
            debit(accounts.escrow(seller_order_id), amount),
            credit(accounts.COMMISSION, commission.amount),
            credit(accounts.tax(commission.jurisdiction), commission.tax),
            credit(accounts.pending(seller_id), earned),
        ),
    )


def debt_recovered(
    *, source_key: str, seller_id: UUID, earned: Money, owed: Money, cause: str
) -> EntryDraft:
    """A seller who owes us pays it back out of a new earning, before anything else."""
    amount = min(earned, owed)
    return EntryDraft(
        key=f"recovered:{source_key}",
        cause=cause,
        text=f"{amount} of a new earning paid back what was owed ({owed}).",
        lines=(
            debit(accounts.pending(seller_id), amount),
            credit(accounts.receivable(seller_id), amount),
        ),
    )


def hold_over(*, hold_id: UUID, seller_id: UUID, amount: Money, cause: str) -> EntryDraft:
    """The hold period has passed: the earning can be paid out."""
    return EntryDraft(
        key=f"hold_over:{hold_id}",
        cause=cause,
        text=f"The hold period is over: {amount} can be paid out.",
        lines=(
            debit(accounts.pending(seller_id), amount),
            credit(accounts.available(seller_id), amount),
        ),
    )


def platform_discount(
    *, seller_order_id: UUID, order_number: str, amount: Money, cause: str
) -> EntryDraft:
    """The marketplace bears a discount, so that the seller earns the full price."""
    return EntryDraft(
        key=f"discount:{seller_order_id}",
        cause=cause,
        text=f"The marketplace bore a discount of {amount} on order {order_number}.",
        lines=(
            debit(accounts.PROMOTIONS, amount),
            credit(accounts.escrow(seller_order_id), amount),
        ),
    )


def refund_before_release(
    *,
    refund_id: UUID,
    gateway: str,
    order_number: str,
    currency: str,
    shares: Sequence[OrderShare],
    cause: str,
) -> EntryDraft:
    """The buyer gets money back that no seller had earned yet."""
    debits = [debit(accounts.escrow(share.seller_order_id), share.escrow) for share in shares]
    debits += _tax_lines((share.tax for share in shares), sign=1)
    total = _sum(debits, currency)
    return EntryDraft(
        key=f"refunded:{refund_id}",
        cause=cause,
        text=f"{total} of order {order_number} went back to the buyer through {gateway}.",
        lines=(*debits, credit(accounts.gateway(gateway), total)),
    )


def take_from_seller(
    seller_id: UUID, *, amount: Money, balances: SellerBalances
) -> tuple[Line, ...]:
    """Debits of `amount`: what is available first, then pending, and the rest becomes a debt."""
    from_available = min(amount, balances.available)
    from_pending = min(amount - from_available, balances.pending)
    owed = amount - from_available - from_pending
    return (
        debit(accounts.available(seller_id), from_available),
        debit(accounts.pending(seller_id), from_pending),
        debit(accounts.receivable(seller_id), owed),
    )


def refund_after_release(
    *,
    refund_id: UUID,
    gateway: str,
    order_number: str,
    seller_id: UUID,
    balances: SellerBalances,
    amount: Money,
    tax: Mapping[str, Money],
    commission: CommissionShare,
    cause: str,
) -> EntryDraft:
    """The buyer gets `amount` back after the seller earned it; commission gives its share back.

    `tax` is the part of `amount` that was the marketplace's to remit.
    """
    tax_lines = _tax_lines([tax], sign=1)
    from_seller = amount - _sum(tax_lines, amount.currency) - commission.total
    return EntryDraft(
        key=f"refunded:{refund_id}",
        cause=cause,
        text=(
            f"{amount} of order {order_number} went back to the buyer through {gateway}: "
            f"{from_seller} from the seller, {commission.total} from commission and its tax."
        ),
        lines=(
            *take_from_seller(seller_id, amount=from_seller, balances=balances),
            debit(accounts.COMMISSION, commission.amount),
            debit(accounts.tax(commission.jurisdiction), commission.tax),
            *tax_lines,
            credit(accounts.gateway(gateway), amount),
        ),
    )


def payout_requested(*, payout_id: UUID, seller_id: UUID, amount: Money, cause: str) -> EntryDraft:
    """Available money is set aside for a payout. Sending it moves nothing until it is paid."""
    return EntryDraft(
        key=f"payout_requested:{payout_id}",
        cause=cause,
        text=f"A payout of {amount} was requested.",
        lines=(
            debit(accounts.available(seller_id), amount),
            credit(accounts.payout(payout_id), amount),
        ),
    )


def payout_paid(*, payout_id: UUID, amount: Money, rail: Account, cause: str) -> EntryDraft:
    """The payout has left `rail`, which is the bank or a gateway."""
    return EntryDraft(
        key=f"payout_paid:{payout_id}",
        cause=cause,
        text=f"A payout of {amount} was paid from {rail.code}.",
        lines=(debit(accounts.payout(payout_id), amount), credit(rail, amount)),
    )


def payout_failed(*, payout_id: UUID, seller_id: UUID, amount: Money, cause: str) -> EntryDraft:
    """The payout did not happen: the money is available again."""
    return EntryDraft(
        key=f"payout_failed:{payout_id}",
        cause=cause,
        text=f"A payout of {amount} did not go through; the money is available again.",
        lines=(
            debit(accounts.payout(payout_id), amount),
            credit(accounts.available(seller_id), amount),
        ),
    )


def settled(*, settlement: str, gateway: str, gross: Money, fees: Money, cause: str) -> EntryDraft:
    """The gateway has paid `gross` less its `fees` into the operator's bank."""
    net = gross - fees
    return EntryDraft(
        key=f"settled:{gateway}:{settlement}",
        cause=cause,
        text=f"{gateway} settled {gross}: {net} reached the bank, {fees} were its fees.",
        lines=(
            debit(accounts.BANK, net),
            debit(accounts.GATEWAY_FEES, fees),
            credit(accounts.gateway(gateway), gross),
        ),
    )


def dispute_opened_in_escrow(
    *, dispute_id: UUID, seller_order_id: UUID, order_number: str, amount: Money, cause: str
) -> EntryDraft:
    """The buyer's bank contests money that is still in escrow."""
    return EntryDraft(
        key=f"dispute_opened:{dispute_id}",
        cause=cause,
        text=f"The buyer's bank contests {amount} of order {order_number}.",
        lines=(
            debit(accounts.escrow(seller_order_id), amount),
            credit(accounts.dispute(dispute_id), amount),
        ),
    )


def dispute_opened_after_release(
    *,
    dispute_id: UUID,
    seller_id: UUID,
    order_number: str,
    balances: SellerBalances,
    amount: Money,
    cause: str,
) -> EntryDraft:
    """The buyer's bank contests money that the seller has earned already."""
    return EntryDraft(
        key=f"dispute_opened:{dispute_id}",
        cause=cause,
        text=f"The buyer's bank contests {amount} of order {order_number}.",
        lines=(
            *take_from_seller(seller_id, amount=amount, balances=balances),
            credit(accounts.dispute(dispute_id), amount),
        ),
    )


def dispute_taken(*, dispute_id: UUID, gateway: str, amount: Money, cause: str) -> EntryDraft:
    """The gateway has taken the contested money from us."""
    return EntryDraft(
        key=f"dispute_taken:{dispute_id}",
        cause=cause,
        text=f"{gateway} took the contested {amount}.",
        lines=(
            debit(accounts.dispute(dispute_id), amount),
            credit(accounts.gateway(gateway), amount),
        ),
    )


def dispute_lost_by_marketplace(
    *, dispute_id: UUID, seller_id: UUID, amount: Money, cause: str
) -> EntryDraft:
    """The dispute is lost and the rule says that the marketplace bears it, not the seller.

    A dispute that the seller bears moves nothing more: it was taken from the seller when it opened.
    """
    return EntryDraft(
        key=f"dispute_lost:{dispute_id}",
        cause=cause,
        text=f"A dispute over {amount} was lost; the marketplace bears it.",
        lines=(
            debit(accounts.losses("dispute"), amount),
            credit(accounts.available(seller_id), amount),
        ),
    )


def reversal(
    *, entry_id: UUID, key: str, text: str, lines: Sequence[Line], cause: str, why: str
) -> EntryDraft:
    """Takes an entry back, line by line: a mistake, or a dispute that was won."""
    return EntryDraft(
        key=f"reversed:{key}",
        cause=cause,
        text=f"Taken back ({why}): {text}",
        lines=tuple(Line(line.account, -line.amount) for line in lines),
        reverses=entry_id,
    )
