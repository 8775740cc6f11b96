"""When a receiver wants to be asked again: Retry-After as RFC 9110 has it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from re import ASCII
from re import compile as pattern

_SECONDS = pattern(r"[0-9]+", ASCII)
_MOST_SECONDS = float(2**31)  # what larger numbers count as, as RFC 9111 has it for its seconds
_DATES = pattern(
    # Sun, 06 Nov 1994 08:49:37 GMT; Sunday, 06-Nov-94 08:49:37 GMT; Sun Nov  6 08:49:37 1994
    r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT"
    r"|(?P<short>[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT)"
    r"|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}",
    ASCII,
)
_TOO_FAR = timedelta(days=50 * 365.25)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that an answer asks to wait for, from 0; None where it asks nothing.

    A date is compared with the answer's own `Date`, which is of the same clock, or else with `now`
    (seconds since the epoch). What cannot be read counts as nothing said.
    """
    text = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), _MOST_SECONDS)
    here = datetime.fromtimestamp(now, UTC)
    until = _moment(text, here)
    if until is None:
        return None
    said = _moment(headers.get("Date", "").strip(), here) or here
    return max(0.0, (until - said).total_seconds())


def _moment(text: str, now: datetime) -> datetime | None:
    """Read a date in one of the three forms of HTTP."""
    form = _DATES.fullmatch(text)
    if not form:
        return None
    try:
        moment = parsedate_to_datetime(text).replace(tzinfo=UTC)
        if form["short"] and moment - now > _TOO_FAR:  # a year of two digits
            return moment.replace(year=moment.year - 100)
    except ValueError:
        return None
    else:
        return moment
