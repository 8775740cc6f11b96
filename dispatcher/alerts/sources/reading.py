"""What a source makes of a body: the alerts that it reports, and what is wrong with the others.

What only describes an alert is cut or left out where it is odd: a strange label must not keep the
telephone from ringing. What says which alert it is, and whether it fires, must be there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from dispatcher.model.alert import AlertEvent, InvalidAlert

MOST_ALERTS: Final = 2000
"""Alerts of one body that are read."""
LONGEST_SUMMARY: Final = 500
LONGEST_NAME: Final = 100
LONGEST_VALUE: Final = 1000
MOST_LABELS: Final = 64
_FIRST: Final = frozenset({"alertname", "severity", "summary"})
"""What is kept in any case, of however many."""
LONGEST_LINK: Final = 2000
LONGEST_FINGERPRINT: Final = 200
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Go's and other programs' word for no moment lies long before."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A part of a body that is no alert: its place among the alerts, from 0, and what is wrong."""

    alert: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a body says. `ignored` counts what is well-formed, and calls for nothing."""

    events: tuple[AlertEvent, ...] = ()
    refused: tuple[Refused, ...] = ()
    ignored: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """How a body is to be read: the query of its request, and when it came (aware)."""

    now: datetime
    query: Mapping[str, str] = field(default_factory=dict)


Source = Callable[[Any, Asked], Reading]
"""Reads a body, which is JSON that was parsed. Raises InvalidAlert where nothing in it is read."""


def read_each(given: Any, name: str, read: Callable[[Any], AlertEvent | None]) -> Reading:
    """Read a list of alerts, each on its own; one that `read` makes nothing of is ignored.

    Raises InvalidAlert where it is no list.
    """
    if not isinstance(given, list):
        raise InvalidAlert(f"{name} must be a list of alerts, and is {kind(given)}")
    events, refused, ignored = [], list(_too_many(given)), 0
    for place, each in enumerate(given[:MOST_ALERTS]):
        try:
            event = read(each)
        except InvalidAlert as error:
            refused.append(Refused(place, str(error)))
            continue
        ignored += event is None
        events += [event] if event else []
    return Reading(tuple(events), tuple(refused), ignored)


def _too_many(given: list[Any]) -> Iterable[Refused]:
    if len(given) > MOST_ALERTS:
        why = f"{len(given)} alerts in one body: the first {MOST_ALERTS} are read"
        yield Refused(None, f"{why}; have fewer sent at once")


def fields_of(given: Any, what: str = "the body") -> Mapping[str, Any]:
    """Return a JSON object. Raises InvalidAlert."""
    if not isinstance(given, dict):
        raise InvalidAlert(f"{what} must be a JSON object, and is {kind(given)}")
    return given


def kind(given: Any) -> str:
    """Return what a JSON value is, in a word, without showing it."""
    if given is None:
        return "null or left out"
    words = {bool: "true or false", str: "a text", list: "a list", dict: "an object"}
    return words.get(type(given), "a number")


def text(given: Any, longest: int = LONGEST_VALUE) -> str:
    """Return a value as one line of text, '' for none; what is too long is cut."""
    if given is None:
        return ""
    plain = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    line = " ".join("".join(c if c.isprintable() else " " for c in plain).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def words(given: Any) -> dict[str, str]:
    """Return labels or annotations: texts by name, as many as are kept."""
    if not isinstance(given, dict):
        return {}
    named = {text(name, LONGEST_NAME): text(value) for name, value in given.items()}
    kept = sorted((n for n in named if n and named[n]), key=lambda n: n not in _FIRST)[:MOST_LABELS]
    return {name: named[name] for name in kept}


def link(given: Any) -> str | None:
    """Return an address of the web, None for anything else."""
    plain = given.strip() if isinstance(given, str) else ""
    fits = len(plain) <= LONGEST_LINK and plain.isprintable() and " " not in plain
    return plain if fits and plain.startswith(("http://", "https://")) else None


def moment(given: Any) -> datetime | None:
    """Return a moment of ISO 8601 with a zone, or of seconds since the epoch; None for others."""
    try:
        if isinstance(given, int | float) and not isinstance(given, bool):
            found = datetime.fromtimestamp(given, UTC)
        else:
            found = datetime.fromisoformat(str(given))
        found = found.astimezone(UTC) if found.tzinfo else _EARLIEST
    except (ValueError, OverflowError, OSError):
        return None
    return found if found > _EARLIEST else None


def fingerprint(given: Any) -> str:
    """Return what an alert is known by, '' for none; what is too long is told by its hash."""
    plain = "" if isinstance(given, dict | list | bool) else text(given, LONGEST_VALUE * 10)
    return plain if len(plain) <= LONGEST_FINGERPRINT else hash_of(plain)


def hash_of(given: Any) -> str:
    """Return the hash of a JSON value, the same whatever the order of its names."""
    plain = json.dumps(given, sort_keys=True, ensure_ascii=False).encode()
    return hashlib.sha256(plain).hexdigest()[:32]


def first(given: Mapping[str, str], names: Iterable[str]) -> str:
    """Return the first of these that has text, as a summary; '' where none has."""
    found = next((given[name] for name in names if given.get(name)), "")
    return text(found, LONGEST_SUMMARY)
