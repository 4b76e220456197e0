"""A parcel's way from the seller to the buyer."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

from souk.contexts.fulfilment.domain.carriers import CARRIERS
from souk.kernel.errors import FieldProblem, IllegalTransition, InvalidInput


class ShipmentState(StrEnum):
    """`label_pending` is packed and announced; nothing is said to the buyer before `shipped`."""

    LABEL_PENDING = "label_pending"
    SHIPPED = "shipped"
    IN_TRANSIT = "in_transit"
    DELIVERED = "delivered"
    RETURNED = "returned"


_NEXT = {
    ShipmentState.LABEL_PENDING: {ShipmentState.SHIPPED},
    ShipmentState.SHIPPED: {
        ShipmentState.IN_TRANSIT,
        ShipmentState.DELIVERED,
        ShipmentState.RETURNED,
    },
    ShipmentState.IN_TRANSIT: {ShipmentState.DELIVERED, ShipmentState.RETURNED},
    ShipmentState.DELIVERED: {ShipmentState.RETURNED},
    ShipmentState.RETURNED: set[ShipmentState](),
}


class ShipLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many pieces of one order line."""

    order_line_id: UUID
    quantity: int


class Shipment(msgspec.Struct, frozen=True, kw_only=True):
    """One parcel of one seller order."""

    id: UUID
    seller_order_id: UUID
    seller_id: UUID
    state: ShipmentState
    carrier: str
    tracking_number: str
    version: int


def check_transition(current: ShipmentState, wanted: ShipmentState) -> None:
    """Raises IllegalTransition for a step that a parcel cannot take."""
    if wanted not in _NEXT[current]:
        raise IllegalTransition(subject="shipment", current=current, wanted=wanted)


def check_lines(lines: list[ShipLine]) -> None:
    """A parcel holds something, each line once. Raises InvalidInput."""
    problems: list[FieldProblem] = []
    if not lines:
        problems.append(FieldProblem("lines", "required", "Choose what is in the parcel."))
    if len({line.order_line_id for line in lines}) != len(lines):
        problems.append(FieldProblem("lines", "duplicate", "Name each order line once."))
    problems.extend(
        FieldProblem(f"lines[{index}].quantity", "invalid", "Pack at least one piece.")
        for index, line in enumerate(lines)
        if line.quantity < 1
    )
    if problems:
        raise InvalidInput("The parcel is not complete.", problems=problems)


def check_carrier(code: str) -> None:
    """Raises InvalidInput for a carrier that is not in the list."""
    if code not in CARRIERS:
        names = ", ".join(sorted(CARRIERS))
        problem = FieldProblem("carrier", "invalid", f"Choose one of: {names}.")
        raise InvalidInput("We do not know this carrier.", problems=[problem])


def working_days_after(start: date, days: int) -> date:
    """The date `days` working days (Monday to Friday) after `start`."""
    day = start
    for _ in range(days):
        day += timedelta(days=1)
        while day.weekday() >= 5:
            day += timedelta(days=1)
    return day
