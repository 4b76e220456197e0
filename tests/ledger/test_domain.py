"""What is booked for each thing that happens, with the figures of the rules."""

from __future__ import annotations

import pytest

from souk.contexts.ledger.domain import accounts, entries
from souk.contexts.ledger.domain.accounts import Account, Kind
from souk.contexts.ledger.domain.entries import (
    CommissionShare,
    EntryDraft,
    Line,
    OrderShare,
    SellerBalances,
    Unbalanced,
)
from souk.kernel.ids import uuid7
from souk.kernel.money import Money
from tests.ledger.factories import COMMISSION, eur, move

SELLER, ORDER, OTHER, THING = uuid7(), uuid7(), uuid7(), uuid7()
NOTHING = eur("0")


def table(draft: EntryDraft) -> list[tuple[str, str]]:
    """The lines as (code, amount), debits above zero."""
    return [(line.account.code, str(line.amount)) for line in draft.lines]


def has(
    *, pending: str = "0", available: str = "0", reserved: str = "0", owes: str = "0"
) -> SellerBalances:
    return SellerBalances(eur(pending), eur(available), eur(reserved), eur(owes))


def test_payment_captured() -> None:
    draft = entries.captured(
        payment_id=THING,
        gateway="sandbox",
        order_number="7KQM",
        currency="EUR",
        shares=[OrderShare(ORDER, eur("90.00"), {"DE": eur("10.00")})],
        cause="e",
    )
    assert table(draft) == [
        ("gateway:sandbox", "100.00 EUR"),
        (f"escrow:{ORDER}", "-90.00 EUR"),
        ("tax:DE", "-10.00 EUR"),
    ]
    assert draft.key == f"captured:{THING}"
    assert draft.text == "The buyer paid 100.00 EUR for order 7KQM through sandbox."
    assert draft.cause == "e"


def test_a_payment_is_split_over_sellers_and_tax_is_summed() -> None:
    draft = entries.captured(
        payment_id=THING,
        gateway="g",
        order_number="7",
        currency="EUR",
        shares=[
            OrderShare(ORDER, eur("90.00"), {"FR": eur("1.00"), "DE": eur("10.00")}),
            OrderShare(OTHER, eur("5.00"), {"DE": eur("0.50")}),
            OrderShare(THING, NOTHING),
        ],
        cause="e",
    )
    assert table(draft) == [
        ("gateway:g", "106.50 EUR"),
        (f"escrow:{ORDER}", "-90.00 EUR"),
        (f"escrow:{OTHER}", "-5.00 EUR"),
        ("tax:DE", "-10.50 EUR"),
        ("tax:FR", "-1.00 EUR"),
    ]


def test_a_gift_books_nothing() -> None:
    draft = entries.captured(
        payment_id=THING,
        gateway="g",
        order_number="7",
        currency="EUR",
        shares=[OrderShare(ORDER, NOTHING)],
        cause="e",
    )
    assert draft.lines == ()


def test_escrow_released() -> None:
    draft = entries.escrow_released(
        seller_order_id=ORDER,
        seller_id=SELLER,
        order_number="7KQM",
        amount=eur("90.00"),
        commission=COMMISSION,
        cause="e",
    )
    assert table(draft) == [
        (f"escrow:{ORDER}", "90.00 EUR"),
        ("commission", "-8.00 EUR"),
        ("tax:DE", "-1.60 EUR"),
        (f"seller:{SELLER}:pending", "-80.40 EUR"),
    ]
    assert draft.key == f"released:{ORDER}"
    assert draft.text == (
        "Order 7KQM is complete: 80.40 EUR earned, after 8.00 EUR commission "
        "and 1.60 EUR tax on it."
    )


@pytest.mark.parametrize(
    ("earned", "owed", "paid"), [("80.40", "30.00", "30.00"), ("20.00", "30.00", "20.00")]
)
def test_the_next_earning_pays_a_debt_first(earned: str, owed: str, paid: str) -> None:
    draft = entries.debt_recovered(
        source_key="released:1", seller_id=SELLER, earned=eur(earned), owed=eur(owed), cause="e"
    )
    assert table(draft) == [
        (f"seller:{SELLER}:pending", f"{paid} EUR"),
        (f"seller:{SELLER}:receivable", f"-{paid} EUR"),
    ]
    assert draft.key == "recovered:released:1"
    assert draft.text == f"{paid} EUR of a new earning paid back what was owed ({owed} EUR)."


def test_hold_over() -> None:
    draft = entries.hold_over(hold_id=THING, seller_id=SELLER, amount=eur("80.40"), cause="e")
    assert table(draft) == [
        (f"seller:{SELLER}:pending", "80.40 EUR"),
        (f"seller:{SELLER}:available", "-80.40 EUR"),
    ]
    assert draft.key == f"hold_over:{THING}"
    assert draft.text == "The hold period is over: 80.40 EUR can be paid out."


def test_platform_discount() -> None:
    draft = entries.platform_discount(
        seller_order_id=ORDER, order_number="7KQM", amount=eur("5.00"), cause="e"
    )
    assert table(draft) == [("promotions", "5.00 EUR"), (f"escrow:{ORDER}", "-5.00 EUR")]
    assert draft.key == f"discount:{ORDER}"
    assert draft.text == "The marketplace bore a discount of 5.00 EUR on order 7KQM."


def test_refund_before_release() -> None:
    draft = entries.refund_before_release(
        refund_id=THING,
        gateway="sandbox",
        order_number="7KQM",
        currency="EUR",
        shares=[OrderShare(ORDER, eur("90.00"), {"DE": eur("10.00")})],
        cause="e",
    )
    assert table(draft) == [
        (f"escrow:{ORDER}", "90.00 EUR"),
        ("tax:DE", "10.00 EUR"),
        ("gateway:sandbox", "-100.00 EUR"),
    ]
    assert draft.key == f"refunded:{THING}"
    assert draft.text == "100.00 EUR of order 7KQM went back to the buyer through sandbox."


@pytest.mark.parametrize(
    ("balances", "taken"),
    [
        (has(available="80.40", pending="50.00"), [("available", "80.40")]),
        (
            has(available="30.00", pending="60.00"),
            [("available", "30.00"), ("pending", "50.40")],
        ),
        (
            has(available="30.00", pending="10.00", reserved="99.00", owes="7.00"),
            [("available", "30.00"), ("pending", "10.00"), ("receivable", "40.40")],
        ),
        (has(), [("receivable", "80.40")]),
    ],
)
def test_refund_after_release(balances: SellerBalances, taken: list[tuple[str, str]]) -> None:
    draft = entries.refund_after_release(
        refund_id=THING,
        gateway="sandbox",
        order_number="7KQM",
        seller_id=SELLER,
        balances=balances,
        amount=eur("100.00"),
        tax={"FR": eur("10.00")},
        commission=COMMISSION,
        cause="e",
    )
    assert table(draft) == [
        *((f"seller:{SELLER}:{part}", f"{amount} EUR") for part, amount in taken),
        ("commission", "8.00 EUR"),
        ("tax:DE", "1.60 EUR"),
        ("tax:FR", "10.00 EUR"),
        ("gateway:sandbox", "-100.00 EUR"),
    ]
    assert draft.key == f"refunded:{THING}"
    assert draft.text == (
        "100.00 EUR of order 7KQM went back to the buyer through sandbox: "
        "80.40 EUR from the seller, 9.60 EUR from commission and its tax."
    )


def test_payout_requested_paid_and_failed() -> None:
    available, payout = f"seller:{SELLER}:available", f"payout:{THING}"
    amount = eur("80.40")
    requested = entries.payout_requested(
        payout_id=THING, seller_id=SELLER, amount=amount, cause="e"
    )
    assert table(requested) == [(available, "80.40 EUR"), (payout, "-80.40 EUR")]
    assert requested.key == f"payout_requested:{THING}"
    assert requested.text == "A payout of 80.40 EUR was requested."
    paid = entries.payout_paid(payout_id=THING, amount=amount, rail=accounts.BANK, cause="e")
    assert table(paid) == [(payout, "80.40 EUR"), ("bank", "-80.40 EUR")]
    assert paid.key == f"payout_paid:{THING}"
    assert paid.text == "A payout of 80.40 EUR was paid from bank."
    failed = entries.payout_failed(payout_id=THING, seller_id=SELLER, amount=amount, cause="e")
    assert table(failed) == [(payout, "80.40 EUR"), (available, "-80.40 EUR")]
    assert failed.key == f"payout_failed:{THING}"
    assert failed.text == (
        "A payout of 80.40 EUR did not go through; the money is available again."
    )


def test_settlement() -> None:
    draft = entries.settled(
        settlement="S1", gateway="sandbox", gross=eur("100.00"), fees=eur("2.90"), cause="e"
    )
    assert table(draft) == [
        ("bank", "97.10 EUR"),
        ("gateway_fees", "2.90 EUR"),
        ("gateway:sandbox", "-100.00 EUR"),
    ]
    assert draft.key == "settled:sandbox:S1"
    assert draft.text == (
        "sandbox settled 100.00 EUR: 97.10 EUR reached the bank, 2.90 EUR were its fees."
    )


def test_disputes() -> None:
    in_escrow = entries.dispute_opened_in_escrow(
        dispute_id=THING, seller_order_id=ORDER, order_number="7", amount=eur("90.00"), cause="e"
    )
    assert table(in_escrow) == [
        (f"escrow:{ORDER}", "90.00 EUR"),
        (f"dispute:{THING}", "-90.00 EUR"),
    ]
    earned = entries.dispute_opened_after_release(
        dispute_id=THING,
        seller_id=SELLER,
        order_number="7",
        balances=has(available="50.00", pending="20.00"),
        amount=eur("90.00"),
        cause="e",
    )
    assert table(earned) == [
        (f"seller:{SELLER}:available", "50.00 EUR"),
        (f"seller:{SELLER}:pending", "20.00 EUR"),
        (f"seller:{SELLER}:receivable", "20.00 EUR"),
        (f"dispute:{THING}", "-90.00 EUR"),
    ]
    assert earned.key == in_escrow.key == f"dispute_opened:{THING}"
    assert earned.text == in_escrow.text == "The buyer's bank contests 90.00 EUR of order 7."
    taken = entries.dispute_taken(
        dispute_id=THING, gateway="sandbox", amount=eur("90.00"), cause="e"
    )
    assert table(taken) == [(f"dispute:{THING}", "90.00 EUR"), ("gateway:sandbox", "-90.00 EUR")]
    assert (taken.key, taken.text) == (
        f"dispute_taken:{THING}",
        "sandbox took the contested 90.00 EUR.",
    )
    lost = entries.dispute_lost_by_marketplace(
        dispute_id=THING, seller_id=SELLER, amount=eur("90.00"), cause="e"
    )
    assert table(lost) == [
        ("losses:dispute", "90.00 EUR"),
        (f"seller:{SELLER}:available", "-90.00 EUR"),
    ]
    assert (lost.key, lost.text) == (
        f"dispute_lost:{THING}",
        "A dispute over 90.00 EUR was lost; the marketplace bears it.",
    )


def test_reversal_names_the_entry_and_turns_every_line_around() -> None:
    draft = move(accounts.BANK, accounts.COMMISSION, eur("3.00"), key="k")
    back = entries.reversal(
        entry_id=THING, key="k", text="Moved.", lines=draft.lines, cause="e", why="a mistake"
    )
    assert table(back) == [("bank", "-3.00 EUR"), ("commission", "3.00 EUR")]
    assert (back.reverses, back.key, back.cause) == (THING, "reversed:k", "e")
    assert back.text == "Taken back (a mistake): Moved."


def test_an_unbalanced_entry_cannot_be_made() -> None:
    with pytest.raises(Unbalanced, match="entry k is out of balance"):
        EntryDraft("k", "e", "t", (Line(accounts.BANK, eur("1.00")),))
    with pytest.raises(Unbalanced):
        EntryDraft(
            "k",
            "e",
            "t",
            (Line(accounts.BANK, eur("1.00")), Line(accounts.COMMISSION, Money(-100, "USD"))),
        )


def test_the_digest_covers_everything_that_is_said() -> None:
    base = move(accounts.BANK, accounts.COMMISSION, eur("3.00"), key="k")
    same = move(accounts.BANK, accounts.COMMISSION, eur("3.00"), key="other")
    assert base.digest() == same.digest()
    lines = base.lines
    others = [
        move(accounts.BANK, accounts.COMMISSION, eur("3.01"), key="k"),
        move(accounts.BANK, accounts.PROMOTIONS, eur("3.00"), key="k"),
        move(accounts.BANK, accounts.COMMISSION, Money(300, "USD"), key="k"),
        EntryDraft("k", "another cause", base.text, lines),
        EntryDraft("k", base.cause, "another text", lines),
        EntryDraft("k", base.cause, base.text, lines, reverses=THING),
    ]
    assert len({draft.digest() for draft in [base, *others]}) == 7
    assert len(base.digest()) == 32


@pytest.mark.parametrize(
    ("account", "code", "kind", "hot", "guarded"),
    [
        (accounts.gateway("g"), "gateway:g", Kind.ASSET, True, False),
        (accounts.BANK, "bank", Kind.ASSET, True, False),
        (accounts.COMMISSION, "commission", Kind.REVENUE, True, False),
        (accounts.GATEWAY_FEES, "gateway_fees", Kind.EXPENSE, True, False),
        (accounts.PROMOTIONS, "promotions", Kind.EXPENSE, True, False),
        (accounts.tax("DE"), "tax:DE", Kind.LIABILITY, True, False),
        (accounts.losses("x"), "losses:x", Kind.EXPENSE, True, False),
        (accounts.escrow(ORDER), f"escrow:{ORDER}", Kind.LIABILITY, False, True),
        (accounts.payout(THING), f"payout:{THING}", Kind.LIABILITY, False, True),
        (accounts.dispute(THING), f"dispute:{THING}", Kind.LIABILITY, False, True),
        (accounts.pending(SELLER), f"seller:{SELLER}:pending", Kind.LIABILITY, False, True),
        (accounts.available(SELLER), f"seller:{SELLER}:available", Kind.LIABILITY, False, True),
        (accounts.reserved(SELLER), f"seller:{SELLER}:reserved", Kind.LIABILITY, False, True),
        (accounts.receivable(SELLER), f"seller:{SELLER}:receivable", Kind.ASSET, False, True),
    ],
)
def test_the_chart_of_accounts(
    account: Account, code: str, kind: Kind, hot: bool, guarded: bool
) -> None:
    assert (account.code, account.kind, account.hot, account.guarded) == (code, kind, hot, guarded)
    assert account.seller_id == (SELLER if code.startswith("seller:") else None)
    assert account.id_in("EUR") != account.id_in("USD")
    assert account.id_in("EUR") == Account(code, kind).id_in("EUR")


def test_an_accounts_id_never_changes() -> None:
    assert str(accounts.BANK.id_in("EUR")) == "5a30d9c5-0453-5909-b5e0-15573c041248"


def test_commission_share_total() -> None:
    assert CommissionShare(eur("8.00"), eur("1.60"), "DE").total == eur("9.60")


def test_stored_names_never_change() -> None:
    assert [*map(str, Kind)] == ["asset", "liability", "revenue", "expense", "equity"]
