"""Sellers with money, and the amounts of the rules' example: 80 + 10 delivery + 10 tax."""

from __future__ import annotations

from uuid import UUID

from souk.contexts.ledger import api as ledger
from souk.contexts.ledger.api import Account, CommissionShare, EntryDraft, Line, OrderShare
from souk.kernel.actor import system
from souk.kernel.ids import uuid7
from souk.kernel.money import Money
from souk.platform.database import Database

ACTOR = system("test")
GATEWAY = "sandbox"


def eur(text: str) -> Money:
    return Money.parse(text, "EUR")


COMMISSION = CommissionShare(eur("8.00"), eur("1.60"), "DE")


def move(debit: Account, credit: Account, amount: Money, *, key: str | None = None) -> EntryDraft:
    """A plain entry of two lines."""
    key = key or f"test:{uuid7()}"
    return EntryDraft(key, "test", f"Moved {amount}.", (Line(debit, amount), Line(credit, -amount)))


class Sale:
    """One seller order of 100.00 EUR, taken through the books step by step."""

    def __init__(self, db: Database, *, seller_id: UUID | None = None, gateway: str = GATEWAY):
        self.db = db
        self.seller_id = seller_id or uuid7()
        self.seller_order_id = uuid7()
        self.payment_id = uuid7()
        self.gateway = gateway

    @property
    def share(self) -> OrderShare:
        return OrderShare(self.seller_order_id, eur("90.00"), {"DE": eur("10.00")})

    def draft(self) -> EntryDraft:
        return ledger.draft.captured(
            payment_id=self.payment_id,
            gateway=self.gateway,
            order_number="7KQM-42XD",
            currency="EUR",
            shares=[self.share],
            cause="order:1",
        )

    async def capture(self) -> Sale:
        await self.db.transact(lambda tx: ledger.post(tx, ACTOR, self.draft()))
        return self

    async def release(self) -> ledger.EntryRef:
        return await self.db.transact(
            lambda tx: ledger.release_escrow(
                tx,
                ACTOR,
                seller_order_id=self.seller_order_id,
                seller_id=self.seller_id,
                order_number="7KQM-42XD",
                amount=eur("90.00"),
                commission=COMMISSION,
                release_at=tx.clock.now(),
                cause="order:1",
            )
        )

    async def pay_out(self, amount: Money) -> UUID:
        payout_id = uuid7()
        await self.db.transact(
            lambda tx: ledger.request_payout(
                tx,
                ACTOR,
                payout_id=payout_id,
                seller_id=self.seller_id,
                amount=amount,
                cause="payout",
            )
        )
        return payout_id

    async def refund(self, refund_id: UUID | None = None) -> ledger.EntryRef:
        refund = refund_id or uuid7()
        return await self.db.transact(
            lambda tx: ledger.refund_released(
                tx,
                ACTOR,
                refund_id=refund,
                gateway=self.gateway,
                order_number="7KQM-42XD",
                seller_id=self.seller_id,
                amount=eur("100.00"),
                tax={"DE": eur("10.00")},
                commission=COMMISSION,
                cause="refund",
            )
        )

    async def balances(self) -> tuple[int, int, int, int]:
        """Pending, available, reserved, receivable in cents."""
        async with self.db.read() as conn:
            (row,) = await ledger.balances(conn, self.seller_id)
        return row.pending, row.available, row.reserved, row.receivable


async def end_holds(db: Database) -> None:
    while await db.transact(lambda tx: ledger.release_due(tx, tx.clock.now(), 100)):
        continue


async def balance(db: Database, account: Account, currency: str = "EUR") -> int:
    async with db.read() as conn:
        return await ledger.balance_of(conn, account.code, currency)


async def violations(db: Database) -> list[str]:
    async with db.read() as conn:
        return [f"{row.invariant} {row.subject}" for row in await ledger.violations(conn)]
