"""Countries by their ISO 3166 codes, as telephone numbers have them."""

from __future__ import annotations

from collections.abc import Iterable

from phonenumbers import SUPPORTED_REGIONS

from dispatcher.errors import UsageError
from dispatcher.values.numbers import NOWHERE


class UnknownCountry(UsageError, ValueError):
    """There is no such country; the message says how to write one."""


def parse_countries(texts: Iterable[str]) -> frozenset[str]:
    """Read codes such as `JP`, and `001` for numbers of no country. Raises UnknownCountry."""
    codes = frozenset(text.strip().upper() for text in texts if text.strip())
    unknown = sorted(codes - SUPPORTED_REGIONS - {NOWHERE})
    if unknown:
        raise UnknownCountry(
            f"{unknown[0][:40]!r} is not a country: write ISO 3166 codes such as JP,US, or"
            f" {NOWHERE} for satellite and other numbers of no country"
        )
    return codes
