"""What the requests of an API key may ask for: what is risky is a right of the key.

A request cannot give itself such a right, so that a stolen key does no more than it was made for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from dispatcher.model.number_type import NumberType
from dispatcher.model.request_limits import MOST_ATTEMPTS
from dispatcher.model.states import Priority
from dispatcher.values.number_types import number_types
from dispatcher.values.numbers import caller, country

if TYPE_CHECKING:
    from dispatcher.model.request import JobRequest

DEFAULT_RATE = "60/minute"
"""Requests of a key that asks for calls, unless it is made with another rate."""
DEFAULT_SPEND = "1000/day"
"""Credits of a client that asks for calls, unless a limit is set."""

ATTEMPTS_OF_ALL = 3
"""Attempts that any job may spend, as some of them may reach nobody."""


class MissingRight(NamedTuple):
    """A field of a request that the key may not use so, and the option that gives the right."""

    field: str
    option: str


@dataclass(frozen=True, slots=True)
class KeyRights:
    """The rights of a key; None is no bound of its own. What is left out is safe.

    `countries` may be called (None: those of the account), and `number_types` besides ordinary
    numbers; the account's settings count in any case. `callers` may show instead of the account's.
    `redials` is the most of a job; `hours` lets a job have calling hours of its own, such as any;
    `webhooks` lets it name a receiver, `params` further form fields for the provider,
    `dnc_exempt` call people on the do-not-call list.
    """

    countries: frozenset[str] | None = None
    number_types: frozenset[NumberType] | None = frozenset()
    callers: frozenset[str] | None = frozenset()
    priorities: frozenset[Priority] = frozenset({Priority.NORMAL, Priority.BULK})
    redials: int = 3
    hours: bool = False
    webhooks: bool = False
    params: bool = False
    dnc_exempt: bool = False

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Self:
        """Return what `to_json` told."""
        known = {name: given[name] for name in cls.__dataclass_fields__ if name in given}
        return cls(**{name: _read(name, value) for name, value in known.items()})

    def to_json(self) -> dict[str, Any]:
        """Return the rights by name, sets as sorted lists."""
        found = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {
            name: sorted(value) if isinstance(value, frozenset) else value
            for name, value in found.items()
        }

    def missing_for(self, request: JobRequest) -> list[MissingRight]:
        """Return the rights that a request needs and the key has not."""
        return [*self._numbers(request), *self._effort(request), *self._extras(request)]

    def _numbers(self, request: JobRequest) -> Iterator[MissingRight]:
        field = "participants" if request.participants else "recipient"
        for code in _beyond(map(country, request.called), self.countries):
            yield MissingRight(field, f"--country {code}")
        for name in _beyond(number_types(request.called), self.number_types):
            yield MissingRight(field, f"--number-type {name}")
        if request.caller and _beyond([plain_caller(request.caller)], self.callers):
            yield MissingRight("caller", "--caller NUMBER")

    def _effort(self, request: JobRequest) -> Iterator[MissingRight]:
        if request.priority not in self.priorities:
            yield MissingRight("priority", f"--priority {request.priority}")
        if (request.redial or 0) > self.redials:
            yield MissingRight("redial", f"--redials {request.redial}")
        attempts = request.max_attempts or 0
        if attempts > max(self.redials + 1, ATTEMPTS_OF_ALL):
            yield MissingRight("max_attempts", f"--redials {attempts - 1}")

    def _extras(self, request: JobRequest) -> Iterator[MissingRight]:
        if request.hours and not self.hours:
            yield MissingRight("hours", "--hours")
        if request.webhook and not self.webhooks:
            yield MissingRight("webhook", "--webhooks")
        if request.params and not self.params:
            yield MissingRight("params", "--params")
        if request.dnc and not self.dnc_exempt:
            yield MissingRight("dnc", "--dnc-exempt")


def _read(name: str, value: Any) -> Any:
    match name:
        case "countries" | "callers" if value is not None:
            return frozenset(value)
        case "number_types" if value is not None:
            return frozenset(map(NumberType, value))
        case "priorities":
            return frozenset(map(Priority, value))
    return value


def plain_caller(text: str) -> str:
    """Return a caller as rights keep it, without the +. Raises InvalidNumber."""
    return caller(text).removeprefix("+")


def _beyond(asked: Iterable[str], allowed: frozenset[Any] | None) -> list[str]:
    return [] if allowed is None else sorted(set(asked) - allowed)


EVERYTHING = KeyRights(
    number_types=None,
    callers=None,
    priorities=frozenset(Priority),
    redials=MOST_ATTEMPTS - 1,
    hours=True,
    webhooks=True,
    params=True,
)
"""What the settings of the account allow: rights of keys that were made before there were any.

Not `dnc_exempt`: that is of people, not of the account.
"""
