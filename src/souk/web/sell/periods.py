"""Date ranges of the desk: whole days up to today, drawn by day, week or month."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

import msgspec

from souk.contexts.inventory import api as inventory

CHOICES = (7, 30, 90, 365)
# More points than this cannot be told apart, so longer periods are shown by week or month.
_BY_DAY, _BY_WEEK = 45, 200


class Period(msgspec.Struct, frozen=True):
    """Whole days (UTC) up to and with today; `since` belongs to it, `until` does not."""

    days: int
    since: datetime
    until: datetime
    step: inventory.Step

    @classmethod
    def of(cls, now: datetime, days: int) -> Period:
        """The last `days` days."""
        end = datetime.combine(now.date(), time.min, tzinfo=UTC) + timedelta(days=1)
        step = "day" if days <= _BY_DAY else "week" if days <= _BY_WEEK else "month"
        return cls(days, end - timedelta(days=days), end, step)

    def before(self) -> Period:
        """As many days, just before."""
        return Period(self.days, self.since - timedelta(days=self.days), self.since, self.step)

    def start_of(self, day: date) -> date:
        """The first day of the step in which `day` lies, as PostgreSQL's date_trunc has it."""
        return {
            "day": day,
            "week": day - timedelta(days=day.weekday()),
            "month": day.replace(day=1),
        }[self.step]

    def each_day(self) -> list[date]:
        """Every day of it."""
        return [self.since.date() + timedelta(days=n) for n in range(self.days)]

    def starts(self) -> list[date]:
        """The first day of each step."""
        return list(dict.fromkeys(self.start_of(day) for day in self.each_day()))

    def sums(self, amounts: Iterable[tuple[date, int]]) -> list[int]:
        """Amounts by day, summed by step; days outside are left out."""
        found = dict.fromkeys(self.starts(), 0)
        first, last = self.since.date(), self.until.date()
        for day, amount in amounts:
            if first <= day < last:
                found[self.start_of(day)] += amount
        return list(found.values())

    def blocks(self, amounts: Iterable[tuple[date, int]]) -> list[int]:
        """As `sums`, in blocks of even length counted from the first day, so that two periods of
        the same length can be laid over each other."""
        size = {"day": 1, "week": 7, "month": 30}[self.step]
        found = [0] * -(-self.days // size)
        for day, amount in amounts:
            place = (day - self.since.date()).days
            if 0 <= place < self.days:
                found[place // size] += amount
        return found

    def block_starts(self) -> list[date]:
        """The first day of each block."""
        size = {"day": 1, "week": 7, "month": 30}[self.step]
        return self.each_day()[::size]
