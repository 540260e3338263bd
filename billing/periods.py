"""Billing periods: the stretch of time that a run quota is counted over."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` to just before `end`, Unix time in whole seconds."""

    start: int
    end: int

    @property
    def starts_at(self) -> datetime:
        return datetime.fromtimestamp(self.start, UTC)

    @property
    def ends_at(self) -> datetime:
        return datetime.fromtimestamp(self.end, UTC)

    def __contains__(self, moment: float) -> bool:
        return self.start <= moment < self.end


def calendar_month(moment: float) -> Period:
    """The calendar month, in UTC, that holds this Unix time."""
    day = datetime.fromtimestamp(moment, UTC)
    first = datetime(day.year, day.month, 1, tzinfo=UTC)
    following = datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC)
    return Period(int(first.timestamp()), int(following.timestamp()))


_month = calendar_month(0)


def current_month() -> Period:
    """`calendar_month` of now. Asked for on every run, so it is computed once a month."""
    global _month
    now = time.time()
    if now not in _month:
        _month = calendar_month(now)
    return _month
