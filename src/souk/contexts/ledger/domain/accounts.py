"""The chart of accounts: what an account's code says about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

_NAMESPACE: Final = UUID("6f1d0a52-5f0e-4c7a-9a53-0b6f6d2d8f11")


class Kind(StrEnum):
    """The five kinds of account. Assets and expenses grow by debits, the others by credits."""

    ASSET = "asset"
    LIABILITY = "liability"
    REVENUE = "revenue"
    EXPENSE = "expense"
    EQUITY = "equity"


@dataclass(frozen=True, slots=True)
class Account:
    """An account in every currency in which it is used.

    A `hot` account is shared by everybody, so its balance is folded later and never locked by a
    sale. A `guarded` one may never be on the wrong side of zero: the database refuses it.
    """

    code: str
    kind: Kind
    hot: bool = False
    guarded: bool = False
    seller_id: UUID | None = None

    def id_in(self, currency: str) -> UUID:
        """The row's id: derived from its name, so that an entry needs no look-up to be written."""
        return uuid5(_NAMESPACE, f"{currency}:{self.code}")


def gateway(name: str) -> Account:
    """Money that a payment gateway holds for us."""
    return Account(f"gateway:{name}", Kind.ASSET, hot=True)


BANK: Final = Account("bank", Kind.ASSET, hot=True)
"""Money in the operator's bank."""
COMMISSION: Final = Account("commission", Kind.REVENUE, hot=True)
GATEWAY_FEES: Final = Account("gateway_fees", Kind.EXPENSE, hot=True)
PROMOTIONS: Final = Account("promotions", Kind.EXPENSE, hot=True)
"""Discounts that the operator bears."""


def escrow(seller_order_id: UUID) -> Account:
    """Paid by a buyer and not yet earned by the seller."""
    return Account(f"escrow:{seller_order_id}", Kind.LIABILITY, guarded=True)


def _of_seller(seller_id: UUID, part: str, kind: Kind) -> Account:
    return Account(f"seller:{seller_id}:{part}", kind, guarded=True, seller_id=seller_id)


def pending(seller_id: UUID) -> Account:
    """Earned, and waiting for the end of the hold period."""
    return _of_seller(seller_id, "pending", Kind.LIABILITY)


def available(seller_id: UUID) -> Account:
    """Earned, and payable now."""
    return _of_seller(seller_id, "available", Kind.LIABILITY)


def reserved(seller_id: UUID) -> Account:
    """Held back with a reason."""
    return _of_seller(seller_id, "reserved", Kind.LIABILITY)


def receivable(seller_id: UUID) -> Account:
    """What the seller owes us: the negative balance."""
    return _of_seller(seller_id, "receivable", Kind.ASSET)


SELLER_PARTS: Final[tuple[Callable[[UUID], Account], ...]] = (
    pending,
    available,
    reserved,
    receivable,
)


def payout(payout_id: UUID) -> Account:
    """On its way to a seller."""
    return Account(f"payout:{payout_id}", Kind.LIABILITY, guarded=True)


def tax(jurisdiction: str) -> Account:
    """Tax that was collected and that we must remit, such as `tax:DE`."""
    return Account(f"tax:{jurisdiction}", Kind.LIABILITY, hot=True)


def dispute(dispute_id: UUID) -> Account:
    """Money that a buyer's bank contests."""
    return Account(f"dispute:{dispute_id}", Kind.LIABILITY, guarded=True)


def losses(kind: str) -> Account:
    """What went wrong and is ours to bear, such as `losses:dispute`."""
    return Account(f"losses:{kind}", Kind.EXPENSE, hot=True)
