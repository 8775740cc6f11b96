"""Dates and times as the files that people have keep them; what is not certain is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from dispatcher.values.durations import refuse_day

DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet knows no zones
"""From where a spreadsheet counts days. Before its day 61 it is wrong: its 1900 has a leap day."""
LATER = timedelta(days=1462)
"""By how much the 1904 system, of old workbooks of a Mac, counts later."""
SERIALS = range(25_569, 73_051)
"""Days from 1970 to 2099; taken as seconds, such a number would be a delay of 7 to 20 hours."""

_NUMBER = re.compile(r"(\d{1,5})(?:[.,](\d+))?", re.ASCII)
_TIME = r"""
    (?P<early>午前|午後)?(?P<hour>\d{1,2})
    (?:[:時h.](?P<minute>\d\d)(?:[:分.](?P<second>\d\d)(?:[.,]0+)?秒?|分)?|時|(?=\s?[ap]\.?m))
    (?:\s?(?P<half>[ap])\.?m\.?)?(?:\sUhr)?
"""
_DAYS = (
    r"(?P<y>\d{4})(?P<sep>[-/.]|年)(?P<m>\d\d?)(?:(?P=sep)|月)(?P<d>\d\d?)日?",
    r"(?P<a>\d\d?)(?P<sep>[-/.])\s?(?P<b>\d\d?)(?P=sep)\s?(?P<y>\d{4}|\d\d)",
    r"(?P<d>\d\d?)[\s.-]+(?P<name>[a-z]{3,9})[\s.,-]+(?P<y>\d{4})",
    r"(?P<name>[a-z]{3,9})\.?\s(?P<d>\d\d?),?\s(?P<y>\d{4})",
)
_WRITTEN = [
    re.compile(rf"{day}(?:(?:,?\s+|T){_TIME})?", re.VERBOSE | re.ASCII | re.IGNORECASE)
    for day in _DAYS
]
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DECEMBER = 12


class Order(StrEnum):
    """Which comes first in 03/12/2026."""

    DMY = "dmy"
    MDY = "mdy"


@dataclass(frozen=True, slots=True)
class Dates:
    """How dates without a zone, and dates like 03/12/2026, are meant; None: nobody said.

    `seen` says that the order is that of other dates of the file, not of an option.
    """

    zone: ZoneInfo | None = None
    order: Order | None = None
    seen: bool = False

    def described(self) -> str:
        """Return how dates are read, as far as that is said."""
        order = {None: "", Order.DMY: "day first", Order.MDY: "month first"}[self.order]
        return ", ".join(filter(None, (order, self.zone.key if self.zone else "")))

    def moment(self, value: Any) -> Any:
        """Return a date and time in ISO 8601 with its zone; what is no such date, as it is.

        Raises ValueError that says what is missing, or which date a number probably is.
        """
        text = str(value).strip()
        if isinstance(value, str | int | float):
            refuse_serial(text)
            refuse_day(text)
        written = _written(text) if isinstance(value, str) else None
        if written is None:
            return value
        day = self._day(written)
        if written["hour"] is None:
            raise ValueError(f"{day} has no time of day: write such as {day} 09:00")
        return self._by_its_clock(datetime.combine(day, _time(written))).isoformat()

    def local(self, text: str) -> tuple[date, time | None] | None:
        """Return a date, and its time if it has one, as they are written; None: it is no date.

        Raises ValueError where it is not certain which.
        """
        written = _written(text)
        if written is None:
            return None
        return self._day(written), None if written["hour"] is None else _time(written)

    def _day(self, written: dict[str, str | None]) -> date:
        year, month, day = self._parts(written)
        try:
            return date(year, month, day)
        except ValueError:
            what = f"day {day} and month {month}"
            by = " as other dates of this file are written" if self.seen else ""
            raise ValueError(f"there is no such date: it would be {what}{by}") from None

    def _parts(self, written: dict[str, str | None]) -> tuple[int, int, int]:
        year = int(written["y"] or 0)
        if written.get("name"):
            return year, _MONTHS.index((written["name"] or "")[:3].lower()) + 1, _int(written["d"])
        if written.get("a") is None:
            return year, _int(written["m"]), _int(written["d"])
        first, second = _int(written["a"]), _int(written["b"])
        told = None if self.seen and written["sep"] == "." else self.order
        order = told or _certain(written, first, second)
        if len(written["y"] or "") == 2 and (self.order is None or self.seen):  # noqa: PLR2004
            raise ValueError(f"its year has two digits: write four, or say --dates {_EITHER}")
        if order is None:
            raise ValueError(
                f"it is {_shown(year, second, first)} or {_shown(year, first, second)}:"
                f" say which with --dates {_EITHER}, or write the year first"
            )
        year = year if year > 99 else 2000 + year  # noqa: PLR2004
        return (year, second, first) if order is Order.DMY else (year, first, second)

    def _by_its_clock(self, moment: datetime) -> datetime:
        if self.zone is None:
            raise ValueError(
                f"{moment:%Y-%m-%d %H:%M} has no zone: say by whose clock with"
                " --zone Asia/Tokyo, or end it with +09:00"
            )
        found = moment.replace(tzinfo=self.zone)
        if found.astimezone(UTC).astimezone(self.zone).replace(tzinfo=None) != moment:
            raise ValueError(f"{moment:%Y-%m-%d %H:%M} does not exist: clocks go forward then")
        if found.utcoffset() != found.replace(fold=1).utcoffset():
            raise ValueError(
                f"{moment:%Y-%m-%d %H:%M} is there twice, as clocks go back: end it with its offset"
            )
        return found


_EITHER = "dmy (day first) or mdy"


def order_of(texts: Iterable[str]) -> Order | None:
    """Return which comes first in dates like 25/03/2026; None where none tells, or two differ."""
    found = set()
    for text in texts:
        written = _written(text.strip())
        if written and written.get("a") and written["sep"] != ".":
            first, second = _int(written["a"]), _int(written["b"])
            found |= {_larger(first, second)} - {None}
    return found.pop() if len(found) == 1 else None


def refuse_fraction(value: Any) -> Any:
    """Return a duration, or raise ValueError where it is a spreadsheet's: a part of a day."""
    found = _NUMBER.fullmatch(str(value).strip()) if isinstance(value, str | float) else None
    if found and found[1] == "0" and found[2]:
        raise ValueError(
            f"{found[0]} is a time as spreadsheets keep it, {_clock(found)}: write seconds or 15m"
        )
    return value


def from_serial(number: float, *, later: bool = False) -> datetime | None:
    """Return the moment that a spreadsheet's number is, to the second; None for one that is none.

    `later`: by the 1904 system.
    """
    if not later and 0 < number < 61:  # noqa: PLR2004 - its own calendar
        return None
    try:
        found = DAY_ZERO + (LATER if later else timedelta()) + timedelta(days=number)
        return (found + timedelta(milliseconds=500)).replace(microsecond=0)
    except OverflowError:
        return None


def refuse_serial(text: str) -> None:
    """Raise ValueError for a number that is a spreadsheet's date, or its time of day."""
    number = _NUMBER.fullmatch(text)
    if number is None:
        return
    whole, part = int(number[1]), number[2]
    if whole == 0 and part:
        raise ValueError(
            f"{number[0]} is a time of day as spreadsheets keep it, {_clock(number)}:"
            " write the date before it"
        )
    if whole not in SERIALS:
        return
    amount = float(Decimal(f"{whole}.{part or 0}"))
    likely, later = from_serial(amount), from_serial(amount, later=True)
    raise ValueError(
        f"{number[0]} is a date as spreadsheets count days: probably {likely:%Y-%m-%d %H:%M}"
        f" ({later:%Y-%m-%d} in a workbook that counts from 1904). Give the column a date format"
        f" and save again; if they are seconds, write {whole}s"
    )


def _clock(number: re.Match[str]) -> str:
    at = from_serial(float(f"0.{number[2]}"), later=True)
    return f"{at:%H:%M}"


def _written(text: str) -> dict[str, str | None] | None:
    found = next((each for form in _WRITTEN if (each := form.fullmatch(text))), None)
    if found is None:
        return None
    parts = found.groupdict()
    name = (parts.get("name") or "jan")[:3].lower()
    return parts if name in _MONTHS else None


def _time(written: dict[str, str | None]) -> time:
    hour, half = _int(written["hour"]), (written["half"] or "").lower()
    if written["early"]:
        half = "a" if written["early"] == "午前" else "p"
    if half and hour <= _DECEMBER:
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        return time(hour, _int(written["minute"]), _int(written["second"]))
    except ValueError:
        raise ValueError("there is no such time of day: write such as 09:00") from None


def _certain(written: dict[str, str | None], first: int, second: int) -> Order | None:
    if written["sep"] == "." or first == second:  # nobody writes the month before a dot
        return Order.DMY
    return _larger(first, second)


def _larger(first: int, second: int) -> Order | None:
    if first > _DECEMBER >= second:
        return Order.DMY
    return Order.MDY if second > _DECEMBER >= first else None


def _shown(year: int, month: int, day: int) -> str:
    return f"{year:04d}-{month:02d}-{day:02d}"


def _int(text: str | None) -> int:
    return int(text or 0)
