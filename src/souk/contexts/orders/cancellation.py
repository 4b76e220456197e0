"""Cancelling single lines and pieces of a seller order: pure.

The money of a line is spread over its pieces by largest remainder, the first pieces carrying the
odd cents. What a number of cancelled pieces gives back is therefore a sum of fixed parts: any row
of partial cancellations gives back exactly what one cancellation of everything would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from souk.contexts.orders.domain import OrderLine, SellerOrder, SellerOrderState
from souk.contexts.orders.errors import CancelTooLate, LineNotFound, NothingToCancel
from souk.kernel.errors import IllegalTransition

_OPEN = frozenset({SellerOrderState.CONFIRMED, SellerOrderState.PROCESSING})


class CancelledLine(Protocol):
    """What is asked of a line to say what its cancelled pieces were worth."""

    @property
    def kind(self) -> str: ...
    @property
    def quantity(self) -> int: ...
    @property
    def cancelled(self) -> int: ...
    @property
    def tax(self) -> int: ...
    @property
    def total(self) -> int: ...
    @property
    def commission(self) -> int: ...
    @property
    def commission_tax(self) -> int: ...


class QuotedLine(CancelledLine, Protocol):
    """A line that can be named."""

    @property
    def id(self) -> UUID: ...


class GivenUp(msgspec.Struct, frozen=True):
    """Minor units. `refund` is what the buyer gets back, its `tax` and `delivery` included."""

    refund: int
    tax: int
    commission: int
    commission_tax: int
    delivery: int


class Cancelled(msgspec.Struct, frozen=True):
    """The step that a cancellation was: what it gives back, and the state before it."""

    given_up: GivenUp
    previous: SellerOrderState


def of_pieces(amount: int, *, pieces: int, quantity: int) -> int:
    """The part of `amount` that the first `pieces` of `quantity` carry, in minor units."""
    each, odd = divmod(amount, quantity)
    return each * pieces + min(pieces, odd)


def given_up(lines: Sequence[CancelledLine], *, delivery: int, delivery_tax: int) -> GivenUp:
    """All that the cancelled pieces of these lines are worth. Delivery comes back, too, once
    nothing is left to be sent."""
    parcels = [line for line in lines if line.kind != "digital"]
    unsent = bool(parcels) and all(line.cancelled == line.quantity for line in parcels)
    sent_back = delivery + delivery_tax if unsent else 0

    def total(name: str) -> int:
        return sum(
            of_pieces(getattr(line, name), pieces=line.cancelled, quantity=line.quantity)
            for line in lines
        )

    return GivenUp(
        refund=total("total") + sent_back,
        tax=total("tax") + (delivery_tax if unsent else 0),
        commission=total("commission"),
        commission_tax=total("commission_tax"),
        delivery=sent_back,
    )


class _Line(msgspec.Struct, frozen=True):
    kind: str
    quantity: int
    cancelled: int
    tax: int
    total: int
    commission: int
    commission_tax: int


def quote(
    lines: Sequence[QuotedLine], pieces: Mapping[UUID, int], *, delivery: int, delivery_tax: int
) -> GivenUp:
    """What cancelling these further pieces would give back; nothing is changed."""
    after = [
        _Line(
            line.kind,
            line.quantity,
            line.cancelled + pieces.get(line.id, 0),
            line.tax,
            line.total,
            line.commission,
            line.commission_tax,
        )
        for line in lines
    ]
    return _difference(
        given_up(lines, delivery=delivery, delivery_tax=delivery_tax),
        given_up(after, delivery=delivery, delivery_tax=delivery_tax),
    )


def _difference(before: GivenUp, after: GivenUp) -> GivenUp:
    return GivenUp(
        *(getattr(after, name) - getattr(before, name) for name in GivenUp.__struct_fields__)
    )


def given_up_of(part: SellerOrder) -> GivenUp:
    """All that the cancelled pieces of a part are worth."""
    return given_up(part.lines, delivery=part.totals.delivery, delivery_tax=part.delivery_tax)


def earned(part: SellerOrder) -> tuple[int, int, int]:
    """What is in escrow for a part that nobody returned, its commission and the tax on that, in
    minor units: what was bought, less what was cancelled."""
    gone = given_up_of(part)
    return (
        part.totals.total - part.totals.tax - (gone.refund - gone.tax),
        part.commission - gone.commission,
        part.commission_tax - gone.commission_tax,
    )


def open_pieces(part: SellerOrder) -> dict[UUID, int]:
    """How many pieces of each line can still be cancelled: those that were not sent."""
    if part.state not in _OPEN:
        return {}
    return {
        line.id: line.to_fulfil for line in part.lines if line.kind != "digital" and line.to_fulfil
    }


def cancel_pieces(part: SellerOrder, pieces: Mapping[UUID, int], *, now: datetime) -> Cancelled:
    """Cancel some pieces of some lines and count their money as given back.

    The part is cancelled when nothing of it is left, shipped when all that is left was sent,
    delivered when only downloads are left and those are there. Raises IllegalTransition,
    LineNotFound, CancelTooLate, NothingToCancel; nothing is changed then.
    """
    if part.state not in _OPEN:
        wanted = SellerOrderState.CANCELLED
        raise IllegalTransition(subject="order", current=part.state, wanted=wanted)
    if not pieces.keys() <= {line.id for line in part.lines}:
        raise LineNotFound
    if not any(pieces.values()):
        raise NothingToCancel
    left = open_pieces(part)
    if any(not 0 <= units <= left.get(line_id, 0) for line_id, units in pieces.items()):
        raise CancelTooLate
    before = given_up_of(part)
    for line in part.lines:
        _cancel(line, pieces.get(line.id, 0))
    given = _difference(before, given_up_of(part))
    part.refunded += given.refund
    return Cancelled(given, _follow(part, now))


def _cancel(line: OrderLine, units: int) -> None:
    worth = of_pieces(line.total, pieces=line.cancelled, quantity=line.quantity)
    line.cancelled += units
    worth_now = of_pieces(line.total, pieces=line.cancelled, quantity=line.quantity)
    line.refunded += worth_now - worth


def _follow(part: SellerOrder, now: datetime) -> SellerOrderState:
    """Take the step, if any, that follows from what is left; returns the state before."""
    if any(line.to_fulfil for line in part.lines):
        return part.state
    if not any(line.fulfilled for line in part.lines):
        return part.move(SellerOrderState.CANCELLED)
    if any(line.fulfilled for line in part.lines if line.kind != "digital"):
        return part.move(SellerOrderState.SHIPPED)
    return part.deliver(now=now)
