"""What is unusual of an account's calls: it may be somebody else who makes them."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from dispatcher.errors import UsageError


class Unusual(StrEnum):
    """Each is told as an account event `unusual.<kind>`; lua/lib/unusual.lua decides."""

    COUNTRY = "country"
    """A country is called that was never called before."""
    COUNTRIES = "countries"
    """Many countries are called for the first time within an hour."""
    SPENDING = "spending"
    """An hour costs ten times as much as is usual."""


class UnknownUnusual(UsageError, ValueError):
    """There is no such kind; the message says which there are."""


def parse_unusual(texts: Iterable[str]) -> frozenset[Unusual]:
    """Read the names of kinds. Raises UnknownUnusual."""
    names = [text.strip().lower() for text in texts if text.strip()]
    unknown = sorted(set(names) - set(Unusual))
    if unknown:
        raise UnknownUnusual(
            f"{unknown[0][:40]!r} is nothing that can hold calls: choose from {', '.join(Unusual)}"
        )
    return frozenset(map(Unusual, names))
