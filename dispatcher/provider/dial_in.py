"""Somebody calls a number of the account's: what the provider asks then, and what it is answered.

Typed values in our own words; how a provider writes them is known to its package alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class DialIn:
    """Somebody calls. Numbers are E.164.

    `caller` is None where the number is hidden or is none; `dialled`, the account's number that was
    called, is None where the provider does not say it.
    """

    caller: str | None = field(repr=False)
    dialled: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Say:
    """A text is spoken to the caller, and that is the end of the call."""

    text: str = field(repr=False)
    lang: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """The caller is connected to this number (E.164)."""

    number: str = field(repr=False)


DialInAnswer = Say | Transfer


@dataclass(frozen=True, slots=True)
class RentedNumber:
    """A number that the account rents. `number` is E.164, `id` the provider's name for it.

    `action_url` is what is asked when somebody calls it, '' where nothing is, and None where the
    provider does not tell.
    """

    number: str
    id: str
    action_url: str | None = field(default=None, repr=False)


class DialInReader(Protocol):
    """Reads what a provider asks, and writes what it is answered; needs no connection."""

    def parse_dial_in(self, query: Iterable[tuple[str, str]]) -> DialIn:
        """Return who calls, from the names and values of a query, decoded.

        Raises UnexpectedShape for what no provider asks.
        """
        ...

    def dial_in_answer(self, answer: DialInAnswer) -> tuple[bytes, str]:
        """Return the body of an answer, and its content type.

        Whatever a text has in it stays a text, and becomes no instruction. Raises ValueError for a
        language or a number that is none.
        """
        ...
