from datetime import UTC, datetime

import pytest

from billing import periods
from billing.periods import Period, calendar_month, current_month


def at(*date: int) -> float:
    return datetime(*date, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("moment", "first", "following"),
    [
        (at(2026, 7, 15), at(2026, 7, 1), at(2026, 8, 1)),
        (at(2026, 12, 31, 23, 59, 59), at(2026, 12, 1), at(2027, 1, 1)),
        (at(2028, 2, 29), at(2028, 2, 1), at(2028, 3, 1)),
        (at(2026, 7, 1), at(2026, 7, 1), at(2026, 8, 1)),
        (at(2026, 7, 1) - 0.001, at(2026, 6, 1), at(2026, 7, 1)),
    ],
)
def test_a_month_begins_and_ends_in_utc(moment: float, first: float, following: float) -> None:
    period = calendar_month(moment)
    assert (period.start, period.end) == (first, following)
    assert moment in period
    assert period.starts_at == datetime.fromtimestamp(first, UTC)
    assert period.ends_at == datetime.fromtimestamp(following, UTC)


def test_a_period_ends_just_before_the_next_begins() -> None:
    period = Period(100, 200)
    assert (99.9 in period, 100 in period, 199.9 in period, 200 in period) == (False, True, True, False)


def test_the_current_month_follows_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(periods, "_month", calendar_month(0))
    for moment in (at(2026, 7, 31, 23, 59, 59), at(2026, 8, 1), at(2026, 7, 31)):
        monkeypatch.setattr("billing.periods.time.time", lambda moment=moment: moment)
        assert current_month() == calendar_month(moment)
