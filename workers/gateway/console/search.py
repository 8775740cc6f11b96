"""What people look for: the filter of a list, as its form and its address have it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from dispatcher.durations import moment
from dispatcher.errors import DispatcherError
from dispatcher.masking import mask_text
from dispatcher.states import State
from dispatcher.store.listing import Filter
from workers.gateway.console.forms import Fields

SHOWN_DIGITS = 4
"""Last digits that masked numbers show: whoever sees no more must not find out more by asking."""
_DIGITS = re.compile(r"\+?[0-9]{1,15}", re.ASCII)


class InvalidSearch(DispatcherError, ValueError):
    """What was looked for makes no sense; the message says what does."""


@dataclass(frozen=True, slots=True)
class Search:
    """What a form says, as it was written."""

    states: tuple[str, ...] = ()
    reason: str = ""
    tag: str = ""
    recipient: str = ""
    producer: str = ""
    since: str = ""
    until: str = ""

    @classmethod
    def of(cls, fields: Fields) -> Search:
        """Return what the fields say."""
        names = ("reason", "tag", "recipient", "producer", "since", "until")
        return cls(fields.many("state"), **{name: fields.one(name) for name in names})

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The fields that say anything, for a form or an address."""
        names = ("reason", "tag", "recipient", "producer", "since", "until")
        plain = ((name, getattr(self, name)) for name in names)
        return (*(("state", state) for state in self.states), *(p for p in plain if p[1]))

    def address(self, **more: str) -> str:
        """Return the query of a page with this search."""
        pairs = (*self.pairs, *more.items())
        return f"?{urlencode(pairs)}" if pairs else ""

    @property
    def any(self) -> bool:
        """Whether anything is looked for."""
        return bool(self.pairs)

    @property
    def words(self) -> str:
        """The search in words."""
        return ", ".join(f"{name} {value}" for name, value in self.pairs)

    def filter(self, *, whole: bool) -> Filter:
        """Return the jobs that are meant. `whole`: by whole numbers, too. Raises InvalidSearch."""
        return Filter(
            states=tuple(map(_state, self.states)),
            reason=self.reason or None,
            tag=_tag(self.tag, whole=whole),
            recipient=_recipient(self.recipient, whole=whole),
            producer=self.producer or None,
            since=_past(self.since),
            until=_past(self.until),
        )


def digits(text: str) -> str:
    """Return the digits of a number that people wrote with spaces and hyphens, or ''."""
    plain = re.sub(r"[\s().-]", "", text)
    return plain if _DIGITS.fullmatch(plain) else ""


def _state(text: str) -> State:
    try:
        return State(text)
    except ValueError:
        raise InvalidSearch(f"{text[:40]!r} is no state: one of {', '.join(State)}") from None


def _recipient(text: str, *, whole: bool) -> str | None:
    if not text:
        return None
    found = digits(text)
    if not found:
        raise InvalidSearch(f"{text[:40]!r} is not a number or its last digits")
    if not whole and (found.startswith("+") or len(found) > SHOWN_DIGITS):
        raise InvalidSearch(
            f"search by the last {SHOWN_DIGITS} digits: your key does not see whole numbers"
        )
    return found


def _tag(text: str, *, whole: bool) -> str | None:
    if not whole and mask_text(text) != text:
        raise InvalidSearch("your key sees numbers in tags masked, and cannot search by them")
    return text or None


def _past(text: str) -> datetime | None:
    if not text:
        return None
    value = moment(text)
    try:
        return datetime.now(UTC) - value if isinstance(value, timedelta) else value
    except OverflowError:
        raise InvalidSearch(f"{text} ago is further back than the calendar goes") from None
