"""Calling hours: when a person may be called, in the zone of the number or a named one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise, product
from zoneinfo import ZoneInfo

from dispatcher.errors import DispatcherError
from dispatcher.values.number_zones import in_words, number_zones
from dispatcher.values.zones import zone as zone_named

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EXAMPLE = (
    "write 08:00-21:00, or mon-fri 08:00-21:00; sat 10:00-18:00, and a zone such as Asia/Tokyo"
    " after it, if not the recipient's"
)
_SPAN = re.compile(
    r"(?:([a-z,\-]+) +)?(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})", re.IGNORECASE | re.ASCII
)
_AHEAD = 16  # days looked at: two weeks, as a clock change may skip one; zones and nights
_DAY = timedelta(days=1)
_WHOLE_DAY = 24 * 60
Stretches = list[tuple[datetime, datetime]]


class InvalidHours(DispatcherError, ValueError):
    """Not calling hours; the message says what is wrong and how they are written."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time in which a call may begin: from `opens` until before `closes`, UTC."""

    opens: datetime
    closes: datetime


@dataclass(frozen=True, slots=True)
class Span:
    """Hours on certain days (0 is Monday), in minutes since midnight; past 1440 is the next day."""

    days: frozenset[int]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CallingHours:
    """Spans of a week, in `zone`, or where that is None in the recipient's own."""

    text: str
    spans: tuple[Span, ...]
    zone: ZoneInfo | None = None

    @classmethod
    def parse(cls, text: str) -> CallingHours:
        """Read `08:00-21:00`, `mon-fri 08:00-21:00; sat 10:00-18:00`, `09:00-17:00 Asia/Tokyo`.

        Raises InvalidHours, also for hours that never open.
        """
        body, zone = _split_zone(text)
        spans = tuple(_span(part.strip(), text) for part in body.split(";") if part.strip())
        if not spans:
            raise InvalidHours(f"{text!r} has no hours: {_EXAMPLE}")
        return cls(text.strip(), spans, zone)

    def window(self, numbers: Iterable[str], now: datetime) -> Window | None:
        """Return the window that is open at `now` or opens next; None: there is no such time.

        A number that may be in several zones, and the numbers of a conference, are called only
        while it is allowed in all of their zones.
        """
        zones = {self.zone} if self.zone else {zone for n in numbers for zone in zones_of(n)}
        today = datetime.combine(now.astimezone(UTC), time(), UTC)
        for opens, closes in _open(self, frozenset(zones), today):
            if closes > now:
                return Window(max(opens, now), closes)
        return None

    def why_closed(self, numbers: Sequence[str]) -> str:
        """Say why a call must wait, and by whose clocks."""
        clocks = self.zone.key if self.zone else in_words(numbers)
        return f"outside the calling hours: {self.text}{'' if self.zone else f', in {clocks}'}"

    def why_never(self, numbers: Sequence[str]) -> str:
        """Say why there is no window, and what to do."""
        if not all(number_zones(number).known for number in numbers):
            why = "nobody knows in which time zone a number of no country is"
        else:
            why = f"they are never open at once in {in_words(numbers)}"
        return (
            f"the calling hours do not allow the call: {self.text}: {why}. Name a time zone with"
            " them, such as 09:00-17:00 UTC, or give the hours any"
        )

    def stretches(self, zone: ZoneInfo, today: datetime) -> Stretches:
        """Return the open stretches of the days around a day that begins at `today`, in order,
        joined where they touch.
        """
        first = today - 2 * _DAY
        days = [first + n * _DAY for n in range(_AHEAD + 3)]
        spans = [(day, s) for day, s in product(days, self.spans) if day.weekday() in s.days]
        return _joined(
            sorted(
                (max(_at(day, s.start) - offset, since), min(_at(day, s.end) - offset, until))
                for since, until, offset in _offsets(zone, days)
                for day, s in spans
            )
        )


def zones_of(number: str) -> tuple[ZoneInfo, ...]:
    """Return all zones in which a number may be: the whole world's where nobody knows."""
    return tuple(zone_named(name) for name in number_zones(number).zones)


@lru_cache(maxsize=256)
def _open(hours: CallingHours, zones: frozenset[ZoneInfo], today: datetime) -> Stretches:
    """Return the stretches that all zones have in common: the same for a campaign's every job."""
    return _common(hours.stretches(zone, today) for zone in zones)


def _split_zone(text: str) -> tuple[str, ZoneInfo | None]:
    body, _, last = text.strip().rpartition(" ")
    if not body or ":" in last:
        return text, None
    try:
        return body, zone_named(last)
    except ValueError:
        raise InvalidHours(f"{last!r} is not a time zone: write one such as Asia/Tokyo") from None


def _span(part: str, text: str) -> Span:
    found = _SPAN.fullmatch(part)
    if not found:
        raise InvalidHours(f"{text!r} are not calling hours: {_EXAMPLE}")
    start, end = (_minutes(found[i], found[i + 1], text) for i in (2, 4))
    if start == end:
        raise InvalidHours(f"{text!r} is never open: for the whole day write 00:00-24:00")
    return Span(_days(found[1], text), start, end if end > start else end + _WHOLE_DAY)


def _minutes(hours: str, minutes: str, text: str) -> int:
    total = int(hours) * 60 + int(minutes)
    if total > _WHOLE_DAY or int(minutes) >= 60:  # noqa: PLR2004 - minutes of an hour
        raise InvalidHours(f"{text!r} has the time {hours}:{minutes}, which does not exist")
    return total


def _days(words: str | None, text: str) -> frozenset[int]:
    if words is None:
        return frozenset(range(len(DAYS)))
    return frozenset(day for word in words.lower().split(",") for day in _day_range(word, text))


def _day_range(word: str, text: str) -> Iterator[int]:
    first, _, last = word.partition("-")
    try:
        start, end = DAYS.index(first), DAYS.index(last or first)
    except ValueError:
        raise InvalidHours(
            f"{text!r} has the day {word!r}: use mon tue wed thu fri sat sun"
        ) from None
    if end < start:
        end += len(DAYS)
    return ((start + offset) % len(DAYS) for offset in range(end - start + 1))


def _at(midnight: datetime, minutes: int) -> datetime:
    return midnight + timedelta(minutes=minutes)


def _offsets(
    zone: ZoneInfo, days: Sequence[datetime]
) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """Yield since when and until when the zone has which offset from UTC: between two changes of
    its clock hours are plain arithmetic, and what a change skips or repeats needs no rule.
    """
    changes = (_change(a, b, zone) for a, b in pairwise(days) if _of(zone, a) != _of(zone, b))
    for since, until in pairwise([days[0], *changes, days[-1]]):
        yield since, until, _of(zone, since)


def _of(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the second from which the zone has the offset that it has at `after`."""
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if _of(zone, middle) == _of(zone, after):
            after = middle
        else:
            before = middle
    return after


def _joined(stretches: Stretches) -> Stretches:
    joined: Stretches = []
    for opens, closes in stretches:
        if opens >= closes:
            continue
        if joined and opens <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], closes))
        else:
            joined.append((opens, closes))
    return joined


def _common(lists: Iterable[Stretches]) -> Stretches:
    """Return the stretches that all lists have in common, in order."""
    common: Stretches | None = None
    for stretches in lists:
        common = stretches if common is None else _both(common, stretches)
        if not common:
            break
    return common or []


def _both(some: Stretches, others: Stretches) -> Stretches:
    pairs = ((max(a[0], b[0]), min(a[1], b[1])) for a, b in product(some, others))
    return sorted((opens, closes) for opens, closes in pairs if opens < closes)
