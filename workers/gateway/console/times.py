"""Moments as people read them, in the time zone that they chose: pure functions."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from markupsafe import Markup, escape

from dispatcher.model.job import iso
from dispatcher.values.durations import spoken
from dispatcher.values.zones import zone as zone_named

Moment = datetime | float
"""Aware, or ms since the epoch."""
NO_ZONE = ZoneInfo("UTC")
COOKIE = "vd-console-zone"
"""Where a browser keeps the zone: the script writes its own there, once; people choose another."""
_IN_UTC = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC")


@cache
def zones() -> frozenset[str]:
    """Return the names of all time zones that people may choose."""
    return frozenset(available_timezones()) - {"localtime", "Factory"} | {"UTC"}


def zone_of(name: str) -> ZoneInfo:
    """Return the zone of a name that a browser sent; UTC where there is no such zone."""
    return zone_named(name) if name in zones() else NO_ZONE


def zone_words(zone: ZoneInfo, at: datetime) -> str:
    """Return what people call a zone at a moment: `CET`, or `UTC+05:30` where it has no letters."""
    local = at.astimezone(zone)
    word, ahead = local.strftime("%Z"), local.strftime("%z")
    return word if word[:1].isalpha() else f"UTC{ahead[:3]}:{ahead[3:]}"


def moment(at: Moment) -> datetime:
    """Return a moment as an aware datetime."""
    return at if isinstance(at, datetime) else datetime.fromtimestamp(at / 1000, UTC)


def when(at: Moment | None, zone: ZoneInfo = NO_ZONE, now: datetime | None = None) -> Markup:
    """Return a moment in a zone: the time alone if it is today, and else with its date.

    All of it, with the zone, stands in the title.
    """
    if at is None:
        return Markup('<span class="none">-</span>')
    local = moment(at).astimezone(zone)
    words = local.strftime(_format(local, (now or datetime.now(UTC)).astimezone(zone)))
    title = f"{local:%Y-%m-%d %H:%M:%S} {zone_words(zone, local)}"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(iso(local), title, words)


def _format(local: datetime, now: datetime) -> str:
    if local.date() == now.date():
        return "%H:%M:%S"
    return "%-d %b %H:%M:%S" if local.year == now.year else "%Y-%m-%d %H:%M:%S"


def ago(at: Moment | None, now: float) -> str:
    """Return how long ago a moment was (or how far ahead it is); `now` in ms since the epoch."""
    if at is None:
        return "-"
    seconds = (now - moment(at).timestamp() * 1000) / 1000
    if abs(seconds) < 1:
        return "now"
    return f"{spoken(seconds)} ago" if seconds > 0 else f"in {spoken(-seconds)}"


def in_zone(text: str, zone: ZoneInfo, now: datetime) -> Markup:
    """Return a sentence with its moments, which are written in UTC, in a zone."""
    parts = _IN_UTC.split(text)
    found = [
        when(datetime.fromisoformat(part).replace(tzinfo=UTC), zone, now) if n % 2 else escape(part)
        for n, part in enumerate(parts)
    ]
    return Markup("").join(found)
