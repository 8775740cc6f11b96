"""What is unusual of an account's calls: it may be somebody else who makes them."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from dispatcher.values.choices import parse_choices


class Unusual(StrEnum):
    """Each is told as an account event `unusual.<kind>`; lua/lib/unusual.lua decides."""

    COUNTRY = "country"
    """A country is called that was never called before."""
    COUNTRIES = "countries"
    """Many countries are called for the first time within an hour."""
    SPENDING = "spending"
    """An hour costs ten times as much as is usual."""


def parse_unusual(texts: Iterable[str]) -> frozenset[Unusual]:
    """Read the names of kinds. Raises UnknownChoice."""
    return parse_choices(Unusual, texts, what="nothing that can hold calls")
