"""Everything that can go wrong with the books."""

from __future__ import annotations

from souk.kernel.errors import DomainError, ErrorKind
from souk.kernel.money import Money


class EntryKeyReused(DomainError):
    """An entry with this key is in the books already, and it says something else."""

    code = "entry_key_reused"
    kind = ErrorKind.CONFLICT

    def __init__(self, key: str) -> None:
        super().__init__(
            "This was booked before with other amounts. Nothing was changed; look at that entry.",
            key=key,
        )


class BalanceTooLow(DomainError):
    """A seller's available balance does not cover the amount."""

    code = "balance_too_low"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, wanted: Money, available: Money) -> None:
        super().__init__(
            f"{available} can be paid out, which is less than {wanted}. Choose a smaller amount.",
            wanted=wanted.amount,
            available=available.amount,
            currency=wanted.currency,
        )
