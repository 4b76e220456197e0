"""The rules of stock: pure functions over levels that the store has locked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final
from uuid import UUID

from souk.contexts.inventory.errors import Shortage, SoldOut, StockNotCounted, StockTooLow
from souk.kernel.errors import FieldProblem, InvalidInput

UNLIMITED: Final = 2**31 - 1
"""What is available of a variant that is not counted, such as a file."""
MAX_ON_HAND: Final = 1_000_000_000


class Reason(StrEnum):
    """Why stock on hand changed."""

    INITIAL = "initial"
    RESTOCK = "restock"
    CORRECTION = "correction"
    SALE = "sale"
    RETURN = "return"
    IMPORT = "import"
    LOSS = "loss"


SELLER_REASONS: Final = frozenset(
    {Reason.RESTOCK, Reason.CORRECTION, Reason.RETURN, Reason.IMPORT, Reason.LOSS}
)
"""Reasons that a seller may give; the others are written by the program alone."""


@dataclass(frozen=True, slots=True)
class StockLevel:
    """One variant's stock. `reserved` of `on_hand` are promised to open checkouts."""

    variant_id: UUID
    listing_id: UUID
    seller_id: UUID
    on_hand: int
    reserved: int
    tracked: bool
    low_stock_at: int

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved if self.tracked else UNLIMITED

    @property
    def is_low(self) -> bool:
        """Some are left for sale, and no more than the seller's threshold."""
        return self.tracked and 0 < self.available <= self.low_stock_at


@dataclass(frozen=True, slots=True)
class ListingStock:
    """What a buyer is told about a whole listing."""

    listing_id: UUID
    seller_id: UUID
    available: int
    unlimited: bool
    low: bool

    @property
    def in_stock(self) -> bool:
        return self.unlimited or self.available > 0


def combine(lines: Iterable[tuple[UUID, int]]) -> dict[UUID, int]:
    """The quantity per variant, in id order: lines may share a variant's stock.

    Raises InvalidInput for a quantity below one.
    """
    totals: dict[UUID, int] = {}
    for index, (variant_id, quantity) in enumerate(lines):
        if quantity < 1:
            problem = FieldProblem(f"lines[{index}].quantity", "too_small", "Ask for at least one.")
            raise InvalidInput("A quantity is wrong.", problems=[problem])
        totals[variant_id] = totals.get(variant_id, 0) + quantity
    return dict(sorted(totals.items()))


def reserve(
    levels: Sequence[StockLevel], *, held: Mapping[UUID, int], wanted: Mapping[UUID, int]
) -> list[StockLevel]:
    """The levels after `wanted` takes the place of what this checkout has `held` so far.

    Raises SoldOut naming every variant that cannot be covered, unknown ones with none left.
    """
    known = {level.variant_id: level for level in levels}
    shortages: list[Shortage] = []
    for variant_id, quantity in wanted.items():
        level = known.get(variant_id)
        left = level.available + _counted(level, held) if level else 0
        if quantity > left:
            shortages.append(Shortage(variant_id, quantity, left))
    if shortages:
        raise SoldOut(shortages)
    return [
        replace(level, reserved=level.reserved - _counted(level, held) + _counted(level, wanted))
        for level in levels
    ]


def release(levels: Sequence[StockLevel], *, held: Mapping[UUID, int]) -> list[StockLevel]:
    """The levels after the held quantities go back on sale."""
    return [replace(level, reserved=level.reserved - _counted(level, held)) for level in levels]


def sell(levels: Sequence[StockLevel], *, held: Mapping[UUID, int]) -> list[StockLevel]:
    """The levels after the held quantities have left the shelf."""
    return [
        replace(
            level,
            on_hand=level.on_hand - _counted(level, held),
            reserved=level.reserved - _counted(level, held),
        )
        for level in levels
    ]


def add(levels: Sequence[StockLevel], *, returned: Mapping[UUID, int]) -> list[StockLevel]:
    """The levels after goods have come back to the shelf."""
    return [replace(level, on_hand=level.on_hand + _counted(level, returned)) for level in levels]


def _counted(level: StockLevel, quantities: Mapping[UUID, int]) -> int:
    return quantities.get(level.variant_id, 0) if level.tracked else 0


def adjust(
    level: StockLevel, *, delta: int | None = None, absolute: int | None = None
) -> StockLevel:
    """The level after a change by `delta`, or to `absolute`; exactly one of them is given.

    Raises StockTooLow when fewer would be left than are reserved, StockNotCounted for a variant
    without a count, InvalidInput for both, neither, or a number beyond reason.
    """
    if (delta is None) == (absolute is None):
        raise InvalidInput("Give either the change or the new number on hand, not both.")
    if not level.tracked:
        raise StockNotCounted
    on_hand = absolute if absolute is not None else level.on_hand + (delta or 0)
    if on_hand > MAX_ON_HAND:
        raise InvalidInput(f"The stock on hand can be {MAX_ON_HAND} at most.")
    if on_hand < level.reserved:
        raise StockTooLow(on_hand=level.on_hand, reserved=level.reserved)
    return replace(level, on_hand=on_hand)


def check_seller_reason(reason: Reason) -> None:
    """Raises InvalidInput for a reason that only the program itself may give."""
    if reason not in SELLER_REASONS:
        allowed = ", ".join(sorted(SELLER_REASONS))
        problem = FieldProblem("reason", "not_allowed", f"Choose one of: {allowed}.")
        raise InvalidInput("This reason cannot be given by hand.", problems=[problem])


def listing_changes(
    before: Sequence[StockLevel], after: Sequence[StockLevel]
) -> list[ListingStock]:
    """The listings about which a buyer is now told something else.

    Both hold every variant of each listing concerned; a variant that is only in `after` is new.
    """
    old = {stock.listing_id: stock for stock in _by_listing(before)}
    return [
        stock
        for stock in _by_listing(after)
        if _told(stock) != (_told(old[stock.listing_id]) if stock.listing_id in old else _NOTHING)
    ]


_NOTHING: Final = (False, False)


def _told(stock: ListingStock) -> tuple[bool, bool]:
    return stock.in_stock, stock.low


def _by_listing(levels: Sequence[StockLevel]) -> list[ListingStock]:
    grouped: dict[UUID, list[StockLevel]] = {}
    for level in levels:
        grouped.setdefault(level.listing_id, []).append(level)
    return [
        ListingStock(
            listing_id=listing_id,
            seller_id=variants[0].seller_id,
            available=sum(level.available for level in variants if level.tracked),
            unlimited=any(not level.tracked for level in variants),
            low=any(level.is_low for level in variants),
        )
        for listing_id, variants in grouped.items()
    ]


def ran_low(before: Sequence[StockLevel], after: Sequence[StockLevel]) -> list[StockLevel]:
    """The levels whose stock on hand has just fallen to the seller's threshold or below it."""
    old = {level.variant_id: level.on_hand for level in before}
    return [
        level
        for level in after
        if level.tracked and level.on_hand <= level.low_stock_at < old.get(level.variant_id, 0)
    ]
