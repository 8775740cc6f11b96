"""The fields of a chains file, each checked by itself."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from dispatcher.model import label_patterns
from dispatcher.values.calling_hours import CallingHours
from dispatcher.values.durations import seconds
from dispatcher.values.national import read
from dispatcher.values.zones import zone

NOBODY = "nobody"
"""Of a shift: there is nobody on call."""
NOBODY_CALLED = "none"
"""Of a route: nobody is called."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", re.ASCII)
_YEAR = timedelta(days=366)
_YEARS = 2000, 2199
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
D = TypeVar("D", bound=date)


def checked_name(text: str) -> str:
    """Return the name of a contact, team, rota or chain. Raises ValueError."""
    if not _NAME.fullmatch(text):
        raise ValueError(
            f"{text[:40]!r} is no name: write letters, digits, `.`, `_` and `-`, 40 at most"
        )
    if text in {NOBODY, NOBODY_CALLED}:
        raise ValueError(f"{text!r} is a word with a meaning of its own: choose another name")
    return text


def _duration(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("P"):  # as JSON has it
        return value
    longest = 2 * _YEAR.total_seconds()  # which is too long, and no more than there is
    return timedelta(seconds=min(seconds(value), longest))


def _at_most_a_year(value: timedelta) -> timedelta:
    if not timedelta(0) <= value <= _YEAR:
        raise ValueError("it must lie between 0 and a year")
    return value


def listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _zone(text: str) -> str:
    zone(text)
    return text


def _hours(text: str) -> str:
    return CallingHours.parse(text).text


def _number(text: Any, info: ValidationInfo) -> str:
    region = (info.context or {}).get("region")
    if not isinstance(text, str):
        raise ValueError(f"{text!r} is not a number: write it in quotes, with + before it")  # noqa: TRY004
    return read(text, region)


def _clock(text: str) -> str:
    if not _CLOCK.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not a time of day: write 09:00")
    return text


def _day(value: Any) -> date:
    if isinstance(value, date):
        return value
    try:
        found = date.fromisoformat(value if _DAY.fullmatch(str(value)) else "")
    except (TypeError, ValueError):
        raise ValueError(f"{str(value)[:40]!r} is not a day: write 2026-01-31") from None
    return _within_reason(found)


def _within_reason(day: D) -> D:
    """Return a day or time. Raises ValueError where a zone could lead out of what there is."""
    if not _YEARS[0] <= day.year <= _YEARS[1]:
        raise ValueError(f"the year {day.year} is not one from {_YEARS[0]} to {_YEARS[1]}")
    return day


Name = Annotated[str, AfterValidator(checked_name)]
"""Contacts, teams and rotas share one set of names: a step calls any of them."""
Names = Annotated[tuple[Name, ...], BeforeValidator(listed)]
Duration = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_at_most_a_year)]
Zone = Annotated[str, AfterValidator(_zone)]
Number = Annotated[str, BeforeValidator(_number)]
Day = Annotated[date, BeforeValidator(_day)]
Clock = Annotated[str, AfterValidator(_clock)]
OwnHours = Annotated[str, AfterValidator(_hours)]


def moment(text: str, in_zone: ZoneInfo) -> datetime:
    """Return a day's first moment, or a time, aware; in a zone where it names none. Raises
    ValueError.
    """
    try:
        if _DAY.fullmatch(text):
            at = datetime.combine(datetime.fromisoformat(text), time(0))
        else:
            at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text[:40]!r} is no day or time: write 2026-12-24 or 2026-12-24T18:00"
        ) from None
    _within_reason(at)
    return at if at.tzinfo else at.replace(tzinfo=in_zone)


def fits(value: str, wanted: str | tuple[str, ...]) -> bool:
    """Whether a label's value is the one that is wanted, one of several, or of a pattern."""
    return any(
        label_patterns.fits(each[1:], value) if each.startswith("~") else each == value
        for each in listed(wanted)
    )
