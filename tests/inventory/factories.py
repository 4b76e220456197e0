"""Shops with stock, and the calls that tests make most."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from souk.contexts.inventory import api as inventory
from souk.contexts.inventory.api import Availability, Reason, StockSetUp
from souk.kernel.actor import system
from souk.kernel.ids import uuid7
from souk.platform.database import Database
from souk.platform.verify import Violation

ACTOR = system("test")
TEN_MINUTES = timedelta(minutes=10)


class Shop:
    """One seller's listing with variants of given stock; None is a variant without a count."""

    def __init__(self, db: Database, *stocks: int | None) -> None:
        self.db = db
        self.seller_id = uuid7()
        self.listing_id = uuid7()
        self.variants = sorted(uuid7() for _ in stocks)
        self.stocks = stocks

    async def open(self) -> Shop:
        items = [
            StockSetUp(variant, self.listing_id, self.seller_id, stock or 0, stock is not None)
            for variant, stock in zip(self.variants, self.stocks, strict=True)
        ]
        await self.db.transact(lambda tx: inventory.set_up(tx, ACTOR, items=items))
        return self

    async def see(self, index: int = 0) -> Availability:
        async with self.db.read() as conn:
            found = await inventory.availability(conn, [self.variants[index]])
        return found[self.variants[index]]

    async def numbers(self, index: int = 0) -> tuple[int, int, int]:
        """On hand, reserved, available."""
        seen = await self.see(index)
        return seen.on_hand, seen.reserved, seen.available

    async def adjust(
        self, index: int = 0, *, delta: int | None = None, absolute: int | None = None
    ) -> int:
        return await self.db.transact(
            lambda tx: inventory.adjust(
                tx,
                ACTOR,
                seller_id=self.seller_id,
                variant_id=self.variants[index],
                reason=Reason.CORRECTION,
                delta=delta,
                absolute=absolute,
            )
        )

    async def events(self) -> list[tuple[str, dict[str, object]]]:
        async with self.db.read() as conn:
            rows = await conn.fetch(
                "SELECT name, payload FROM platform.event WHERE aggregate_id = $1 ORDER BY seq",
                self.listing_id,
            )
        return [(row["name"].split(".")[1], row["payload"]) for row in rows]

    async def told(self) -> list[tuple[object, object, object]]:
        """In stock, available, low: of each event that others heard about this listing."""
        return [
            (event["in_stock"], event["available"], event["low"])
            for name, event in await self.events()
            if name == "stock_changed"
        ]


async def reserve(
    db: Database, checkout: UUID, *lines: tuple[UUID, int], hold: timedelta = TEN_MINUTES
) -> None:
    until = db.clock.now() + hold
    await db.transact(
        lambda tx: inventory.reserve(tx, checkout_id=checkout, lines=list(lines), expires_at=until)
    )


async def consume(db: Database, checkout: UUID, reference: str = "A-1") -> None:
    await db.transact(
        lambda tx: inventory.consume(tx, ACTOR, checkout_id=checkout, reference=reference)
    )


async def release(db: Database, checkout: UUID) -> None:
    await db.transact(lambda tx: inventory.release(tx, checkout))


async def broken(db: Database) -> Sequence[Violation]:
    async with db.read() as conn:
        return await inventory.violations(conn)
