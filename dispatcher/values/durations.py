"""Durations and moments as people write them: `90`, `30s`, `15m`, `2h`, `7d`, or ISO 8601."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

from dispatcher.errors import UsageError

DurationLike = int | float | str | timedelta
MomentLike = DurationLike | datetime

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([smhd]?)\s*", re.ASCII)
_DAY = re.compile(r"(2\d{3})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", re.ASCII)
_ACCEPTED = "write seconds or 30s, 15m, 2h, 7d"


class InvalidDuration(UsageError, ValueError):
    """The text is not a length of time; write seconds or 30s, 15m, 2h, 7d."""


class InvalidMoment(UsageError, ValueError):
    """The text is neither a moment nor a delay; write ISO 8601 with a zone, or a duration."""


def seconds(value: DurationLike) -> float:
    """Return a duration in seconds, never negative.

    Raises InvalidDuration for what is not one.
    """
    match value:
        case bool():
            raise InvalidDuration(f"{value!r} is not a duration: {_ACCEPTED}")
        case timedelta():
            number = value.total_seconds()
        case int() | float():
            number = _finite(value)
        case str():
            number = _parse(value)
        case _:
            raise InvalidDuration(f"{value!r} is not a duration: {_ACCEPTED}")
    if not math.isfinite(number) or number < 0:
        raise InvalidDuration(f"{value!r} is not a duration: it must be finite and not negative")
    return number


def _finite(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an int so large that even its digits may be too many to show
        raise InvalidDuration(f"that number is too large for a duration: {_ACCEPTED}") from None


def _parse(text: str) -> float:
    found = _DURATION.fullmatch(text)
    if not found:
        raise InvalidDuration(f"{text!r} is not a duration: {_ACCEPTED}")
    return float(found[1]) * _SECONDS[found[2]]


def moment(value: MomentLike) -> datetime | timedelta:
    """Return a moment (aware, UTC) or, for a duration, how long from now.

    Raises InvalidMoment for what is neither or may be both, and for a moment without a zone.
    """
    if isinstance(value, str):
        refuse_day(value)
    if isinstance(value, str) and not _DURATION.fullmatch(value):
        value = _datetime(value)
    try:
        return _utc(value) if isinstance(value, datetime) else timedelta(seconds=seconds(value))
    except InvalidDuration as error:
        raise InvalidMoment(f"{error} (or ISO 8601 with a zone)") from None
    except OverflowError:
        raise InvalidMoment(f"{value} is too far ahead") from None


def refuse_day(text: str) -> None:
    """Raise InvalidMoment for `20301231`: a day as some write it, or seconds, most of a year."""
    digits = text.strip()
    if found := _DAY.fullmatch(digits):
        raise InvalidMoment(
            f"{digits!r} may be a day or seconds: write {'-'.join(found.groups())}T09:00:00+09:00,"
            f" or {digits}s"
        )


def past(text: str) -> datetime:
    """Return a moment, or what lies so long ago. Raises InvalidMoment."""
    value = moment(text)
    try:
        return datetime.now(UTC) - value if isinstance(value, timedelta) else value
    except OverflowError:
        raise InvalidMoment(f"{text} ago is too far back") from None


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise InvalidMoment(f"{value.isoformat()} has no zone: end it with Z or +09:00")
    return value.astimezone(UTC)


def _datetime(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        raise InvalidMoment(
            f"{text!r} is not a time: write ISO 8601 with a zone (2030-01-31T09:00:00+09:00),"
            " or a delay such as 15m"
        ) from None


def spoken(length: float) -> str:
    """Return seconds as people say them: 45 s, 3 min, 2 h 10 min, 4 d 2 h."""
    if length < 1:
        return f"{length * 1000:.0f} ms"
    if length < 2 * _SECONDS["m"]:
        return f"{length:.0f} s"
    minutes = round(length / 60)
    if length < 2 * _SECONDS["h"]:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if length < 2 * _SECONDS["d"]:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"
