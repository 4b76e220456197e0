"""Until when a seller should have done something: pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta

ACCEPT_WITHIN = 1
SHIP_WITHIN = 3
"""Working days (Monday to Friday) after the day on which the order was placed. The estimate that
buyers read at the checkout counts from the parcel; these keep the wait before it short."""

_SATURDAY = 5


def due(placed_at: datetime, *, days: int) -> datetime:
    """The end of the day that is `days` working days after the order."""
    day = placed_at.date()
    while days:
        day += timedelta(days=1)
        if day.weekday() < _SATURDAY:
            days -= 1
    return datetime.combine(day, time.max, tzinfo=placed_at.tzinfo)


def accept_by(placed_at: datetime) -> datetime:
    """When a seller should have said that the order is taken on."""
    return due(placed_at, days=ACCEPT_WITHIN)


def ship_by(placed_at: datetime) -> datetime:
    """When the parcel should be with the carrier."""
    return due(placed_at, days=SHIP_WITHIN)
