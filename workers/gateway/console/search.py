"""What people look for: the filter of a list, as its form and its address have it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from dispatcher.model.filters import Filter
from dispatcher.model.states import State
from dispatcher.values.durations import past
from workers.gateway.console.forms import Fields

NAMES = ("reason", "tag", "recipient", "producer", "since", "until")
"""The fields that say one thing; `state` may be given several times."""
_WORDS = {
    "reason": "reason: {}",
    "tag": "tag {}",
    "recipient": "number ends in {}",
    "producer": "producer {}",
    "since": "since {}",
    "until": "until {}",
}
_DIGITS = re.compile(r"\+?[0-9]{1,15}", re.ASCII)


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
        return cls(fields.many("state"), **{name: fields.one(name) for name in NAMES})

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The fields that say anything, for a form or an address."""
        plain = ((name, getattr(self, name)) for name in NAMES)
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
    def chips(self) -> list[tuple[str, str]]:
        """What is filtered by, each in words, and the query of the list without it."""
        found = [
            (state.replace("_", " "), self._without_state(state))
            for state in dict.fromkeys(self.states)
        ]
        found += [
            (
                _WORDS[name].format(value.replace("_", " ") if name == "reason" else value),
                replace(self, **{name: ""}),  # type: ignore[arg-type]
            )
            for name in NAMES
            if (value := getattr(self, name))
        ]
        return [(words, without.address()) for words, without in found]

    def _without_state(self, state: str) -> Search:
        return replace(self, states=tuple(each for each in self.states if each != state))

    def filter(self, *, whole: bool) -> Filter:
        """Return the filter. `whole`: by whole numbers, too.

        Raises InvalidFilter, InvalidMoment, UnknownWord.
        """
        found = Filter(
            states=tuple(map(State, self.states)),
            reason=self.reason or None,
            tag=self.tag or None,
            recipient=digits(self.recipient) or self.recipient or None,
            producer=self.producer or None,
            since=past(self.since) if self.since else None,
            until=past(self.until) if self.until else None,
        )
        if not whole:
            found.require_masked()
        return found


def digits(text: str) -> str:
    """Return the digits of a number that people wrote with spaces and hyphens, or ''."""
    plain = re.sub(r"[\s().-]", "", text)
    return plain if _DIGITS.fullmatch(plain) else ""
