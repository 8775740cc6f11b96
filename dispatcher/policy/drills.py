"""When a chain is rung on a schedule: pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Protocol

from dispatcher.values.zones import zone

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY = ("day", *WEEKDAYS)
"""What a schedule may say."""
LATE = timedelta(hours=1)
"""A drill that could not be rung in time is left out after this: nobody expects it any more."""


class Schedule(Protocol):
    """When: `every` is one of EVERY, `at` such as 10:00, by the clock of `zone` (IANA)."""

    @property
    def every(self) -> str: ...
    @property
    def at(self) -> str: ...
    @property
    def zone(self) -> str: ...


def last_due(schedule: Schedule, now: datetime) -> datetime:
    """Return the latest moment (UTC) at which the drill was due, `now` included.

    A time that the clocks leave out in spring is that much later; of one that comes twice in
    autumn the first counts.
    """
    there, at = zone(schedule.zone), time.fromisoformat(schedule.at)
    for day in _days_back(now.astimezone(there).date() + timedelta(days=1)):
        due = datetime.combine(day, at, there).astimezone(UTC)
        if due <= now and _fits(schedule.every, day):
            return due
    raise AssertionError(schedule.every)  # some day of each month fits


def is_late(due: datetime, now: datetime) -> bool:
    """Return whether it is too late to ring a drill that was due then."""
    return now - due > LATE


def _days_back(day: date) -> Iterator[date]:
    return (day - timedelta(days=n) for n in count())


def _fits(every: str, day: date) -> bool:
    return every == "day" or WEEKDAYS[day.weekday()] == every
