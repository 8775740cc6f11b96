"""A moment of each week, as people write it: `mon 09:00 Asia/Tokyo`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from dispatcher.values.zones import zone as zone_of

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEK = 7
_WRITTEN = re.compile(
    r"(mon|tue|wed|thu|fri|sat|sun) (\d\d):(\d\d)(?: (\S+))?", re.ASCII | re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Weekly:
    """A day (0 is Monday) and a time of a zone's clock."""

    day: int
    at: time
    zone: ZoneInfo

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return what a text says; without a zone it is UTC. Raises ValueError."""
        found = _WRITTEN.fullmatch(" ".join(text.split()))
        if found is None:
            raise ValueError("write a day, a time and a zone, such as mon 09:00 Asia/Tokyo")
        hour, minute = int(found[2]), int(found[3])
        try:
            at = time(hour, minute)
        except ValueError:
            raise ValueError(f"{found[2]}:{found[3]} is not a time of the day") from None
        return cls(DAYS.index(found[1].lower()), at, zone_of(found[4] or "UTC"))

    def latest(self, now: datetime) -> datetime:
        """Return the latest such moment that is not after `now`, in UTC."""
        here = now.astimezone(self.zone)
        day = here.date() - timedelta(days=(here.weekday() - self.day) % _WEEK)
        found = self._on(day)
        return found if found <= now else self._on(day - timedelta(days=_WEEK))

    def before(self, moment: datetime) -> datetime:
        """Return the one a week before such a moment: an hour more or less, where clocks change."""
        return self.latest(moment - timedelta(hours=12))

    def _on(self, day: date) -> datetime:
        return datetime.combine(day, self.at, self.zone).astimezone(UTC)
