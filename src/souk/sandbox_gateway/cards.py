"""The test cards, the decline reasons and the faults that can be asked for.

A card, an amount and the `Sandbox-Fault` header all name faults from one list, so that anything
that can go wrong can be rehearsed in each of the three ways.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

Outcome = Literal["succeed", "challenge", "challenge_then_decline", "decline", "process"]
Webhook = Literal["normal", "delayed", "duplicated", "reordered", "forged", "stale", "missing"]
Answer = Literal[
    "normal", "error_once", "error_always", "timeout_after_success", "timeout_always", "slow"
]


class Behaviour(msgspec.Struct, frozen=True):
    """Everything that a request can be made to do."""

    outcome: Outcome = "succeed"
    decline_code: str = ""
    webhook: Webhook = "normal"
    answer: Answer = "normal"
    refund_fails: bool = False


DECLINES = {
    "generic_decline": "The card was declined.",
    "insufficient_funds": "The card has insufficient funds.",
    "lost_card": "The card was declined because it is reported lost.",
    "stolen_card": "The card was declined because it is reported stolen.",
    "expired_card": "The card has expired.",
    "incorrect_cvc": "The card's security code is incorrect.",
    "processing_error": "An error occurred while processing the card.",
    "fraudulent": "The card was declined because the payment looks fraudulent.",
    "do_not_honor": "The bank declined the card without giving a reason.",
    "card_velocity_exceeded": "The card is over its limit of payments.",
    "card_not_supported": "The card does not support this kind of purchase.",
    "authentication_failed": "The bank could not confirm that the buyer owns the card.",
}

FAULTS: dict[str, dict[str, str | bool]] = {
    "challenge": {"outcome": "challenge"},
    "challenge_then_decline": {
        "outcome": "challenge_then_decline",
        "decline_code": "insufficient_funds",
    },
    "processing": {"outcome": "process"},
    **{
        f"decline_{code}": {"outcome": "decline", "decline_code": code}
        for code in DECLINES
        if code != "authentication_failed"
    },
    **{
        f"webhook_{kind}": {"webhook": kind}
        for kind in ("delayed", "duplicated", "reordered", "forged", "stale", "missing")
    },
    **{
        answer: {"answer": answer}
        for answer in (
            "error_once", "error_always", "timeout_after_success", "timeout_always", "slow",
        )
    },
    "refund_fails": {"refund_fails": True},
}  # fmt: skip

AMOUNT_FAULTS = {999_900 + place: name for place, name in enumerate(FAULTS, start=1)}
"""Minor units → fault: 9999.01 asks for the first of `FAULTS`, 9999.02 for the second, …"""


class TestCard(msgspec.Struct, frozen=True):
    """A card number that the card form accepts, and the token that stands for it."""

    number: str
    token: str
    brand: str
    label: str
    faults: tuple[str, ...] = ()

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def spaced(self) -> str:
        """The number in groups of four, as it is printed."""
        return " ".join(self.number[i : i + 4] for i in range(0, len(self.number), 4))


def luhn_valid(number: str) -> bool:
    """The check digit rule of ISO/IEC 7812-1, annex B."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _with_check_digit(body: str) -> str:
    return next(body + digit for digit in "0123456789" if luhn_valid(body + digit))


def _card(number: str, name: str, label: str, *faults: str, brand: str = "visa") -> TestCard:
    return TestCard(number, f"pm_card_{name}", brand, label, faults)


def _fault_cards() -> Iterable[TestCard]:
    labels = {
        "processing": "Succeeds after a while",
        "webhook_delayed": "Succeeds, its webhook comes late",
        "webhook_duplicated": "Succeeds, its webhook comes three times",
        "webhook_reordered": "Succeeds, its webhooks come in the wrong order",
        "webhook_forged": "Succeeds, a forged webhook comes first",
        "webhook_stale": "Succeeds, an old replayed webhook comes first",
        "webhook_missing": "Succeeds, no webhook comes",
        "error_once": "The service fails once, then succeeds",
        "error_always": "The service always fails",
        "timeout_after_success": "Succeeds, but the answer never comes",
        "timeout_always": "Succeeds, but no answer ever comes, retries included",
        "slow": "Succeeds, the webhook overtakes the answer",
        "refund_fails": "Succeeds, its refunds fail",
    }
    for place, (fault, label) in enumerate(labels.items(), start=1):
        yield _card(_with_check_digit(f"400000900000{place:03d}"), fault, label, fault)


def _decline_cards() -> Iterable[TestCard]:
    numbers = {
        "generic_decline": "4000000000000002",
        "insufficient_funds": "4000000000009995",
        "lost_card": "4000000000009987",
        "stolen_card": "4000000000009979",
        "expired_card": "4000000000000069",
        "incorrect_cvc": "4000000000000127",
        "processing_error": "4000000000000119",
        "fraudulent": "4100000000000019",
        "card_velocity_exceeded": "4000000000006975",
        "do_not_honor": _with_check_digit("400000800000001"),
        "card_not_supported": _with_check_digit("400000800000002"),
    }
    for code, number in numbers.items():
        name = "declined" if code == "generic_decline" else f"declined_{code}"
        yield _card(number, name, f"Declined: {code.replace('_', ' ')}", f"decline_{code}")


CARDS: tuple[TestCard, ...] = (
    _card("4242424242424242", "visa", "Succeeds"),
    _card("5555555555554444", "mastercard", "Succeeds", brand="mastercard"),
    _card("378282246310005", "amex", "Succeeds", brand="amex"),
    _card("4000002760003184", "3ds", "Asks for 3-D Secure, then succeeds", "challenge"),
    _card(
        "4000008400001629", "3ds_declined", "Asks for 3-D Secure, then is declined",
        "challenge_then_decline",
    ),
    *_decline_cards(),
    *_fault_cards(),
)  # fmt: skip
BY_TOKEN = {card.token: card for card in CARDS}
BY_NUMBER = {card.number: card for card in CARDS}
BANK_ACCOUNTS = {
    "ba_success": None,
    "ba_account_closed": "account_closed",
    "ba_no_account": "no_account",
    "ba_could_not_process": "could_not_process",
}
"""Payout destinations with a fixed fate; every other destination is paid."""


def behaviour(faults: Iterable[str], *, amount: int = 0, asked: Iterable[str] = ()) -> Behaviour:
    """What a request does, from the card's faults, the amount's and those asked for by header.

    Later sources override earlier ones. Raises KeyError for a name that is not a fault.
    """
    chosen = Behaviour()
    by_amount = AMOUNT_FAULTS.get(amount)
    for name in (*faults, *((by_amount,) if by_amount else ()), *asked):
        chosen = msgspec.structs.replace(chosen, **FAULTS[name])
    return chosen


PLAIN = Behaviour()
