"""Dates and times in a file's cells, as a voice says them in a language."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final, NamedTuple

from dispatcher.rows.dates import Dates
from dispatcher.values.zones import zone as zone_named

_DATE = r"(?P<y>\d{4})[-/](?P<m>\d{1,2})[-/](?P<d>\d{1,2})"
_TIME = r"(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:\.\d+)?)?"
_ZONE = r"\s?(?P<zone>Z|[+-]\d{2}:?\d{2})"
_WRITTEN = re.compile(rf"{_DATE}(?:(?:T|\s+){_TIME}(?:{_ZONE})?)?", re.ASCII)
_TIME_ALONE = re.compile(_TIME, re.ASCII)
_HOW: Final = "write 2026-12-31, 14:30, or both: 2026-12-31 14:30"

_TIMES: Final = {
    "de": ("H 'Uhr'", "H 'Uhr' m"),
    "fr": ("H 'h'", "H 'h' mm"),
    "ja": ("H時", "H時m分"),
    "ko": ("a h시", "a h시 m분"),
    "zh": ("H点", "H点m分"),
}
"""Patterns for the full hour and for other times, where a voice reads `14:30` as two numbers."""


class Moment(NamedTuple):
    """A date, a time, or both, by the clock that is meant."""

    date: date | None
    time: time | None


def read(text: str, zone: str, dates: Dates) -> Moment:
    """Return what a cell says. Raises ValueError for what is not sure, such as 03/04/2026 where
    nothing tells which comes first.

    A time with `Z` needs the zone that it is to be said in; one with another offset, or none, is
    as the people there have it, unless a zone is given.
    """
    written, alone = _WRITTEN.fullmatch(text), _TIME_ALONE.fullmatch(text)
    try:
        if alone:
            return Moment(None, _time_of(alone))
        if written:
            day = date(*(int(written[part]) for part in "ymd"))
            clock = _time_of(written) if written["H"] else None
            return _there(day, clock, written["zone"], zone)
        if found := dates.local(text):
            return Moment(*found)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a date or time: {error}; or {_HOW}") from None
    raise ValueError(f"{text!r} is not a date or time that is sure: {_HOW}")


def _time_of(found: re.Match[str]) -> time:
    return time(int(found["H"]), int(found["M"]), int(found["S"] or 0))


def _there(day: date, clock: time | None, offset: str | None, zone: str) -> Moment:
    if clock is None or offset is None or not (zone or offset == "Z"):
        return Moment(day, clock)
    if not zone:
        raise ValueError("it is in UTC: say by which clock, as in {column|time:Asia/Tokyo}")
    aware = datetime.combine(day, clock, UTC if offset == "Z" else _offset(offset))
    try:
        local = aware.astimezone(zone_named(zone))
    except OverflowError:  # the first or the last day that there is
        raise ValueError("there is no such time in that zone") from None
    return Moment(local.date(), local.time())


def _offset(text: str) -> timezone:
    hours, minutes = int(text[1:3]), int(text[-2:])
    length = timedelta(hours=hours, minutes=minutes)
    return timezone(-length if text[0] == "-" else length)


def say_date(found: Moment, lang: str) -> str:
    """Return a date with its weekday. Raises ValueError where there is none."""
    from babel.dates import format_date  # noqa: PLC0415 - only where it is needed: it is large

    if found.date is None:
        raise ValueError("it has no date")
    return format_date(found.date, "full", locale=lang)


def say_time(found: Moment, lang: str) -> str:
    """Return a time of the day. Raises ValueError where there is none."""
    from babel.dates import format_time  # noqa: PLC0415 - as above

    if found.time is None:
        raise ValueError("it has no time")
    full, other = _TIMES.get(lang, ("short", "short"))
    said = format_time(found.time, other if found.time.minute else full, locale=lang)
    return said.replace("\u202f", " ")


def say_both(found: Moment, lang: str) -> str:
    """Return a date and its time. Raises ValueError where one is missing."""
    blank = "" if lang in {"ja", "zh"} else " "
    comma = "" if blank == "" else ","
    return f"{say_date(found, lang)}{comma}{blank}{say_time(found, lang)}"
