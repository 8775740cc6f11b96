"""Moments as people read them: by the clock of this machine (TZ), or in UTC with `--utc`."""

from __future__ import annotations

from contextvars import ContextVar
from datetime import UTC, datetime

from dispatcher.values.durations import spoken

Moment = datetime | float | str
"""A moment with its zone, ms since the epoch, or ISO 8601 with a zone."""
_in_utc = ContextVar("in_utc", default=False)


def read_in_utc(wanted: bool) -> None:
    """Say whether this run of the command line tells moments in UTC."""
    _in_utc.set(wanted)


def of(moment: Moment) -> datetime:
    """Return a moment by the reader's clock."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    elif not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(moment / 1000, UTC)
    return moment.astimezone(UTC if _in_utc.get() else None)


def stamp(moment: Moment | None) -> str:
    """Return a moment to the second with its zone; '' where there is none."""
    return "" if moment is None else f"{of(moment):%Y-%m-%d %H:%M:%S %Z}"


def minute(moment: Moment | None) -> str:
    """Return a moment to the minute with its zone, for lists; '' where there is none."""
    return "" if moment is None else f"{of(moment):%Y-%m-%d %H:%M %Z}"


def ago(moment: Moment, now: Moment | None = None) -> str:
    """Return how long ago a moment was, or how far ahead it is."""
    passed = (of(now or datetime.now(UTC)) - of(moment)).total_seconds()
    if abs(passed) < 1:
        return "now"
    return f"{spoken(passed)} ago" if passed > 0 else f"in {spoken(-passed)}"


def stamp_and_ago(moment: Moment | None) -> str:
    """Return both; '' where there is no moment."""
    return "" if moment is None else f"{stamp(moment)} ({ago(moment)})"
