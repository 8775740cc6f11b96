"""Regions: in which country a number without + is as people dial it."""

from __future__ import annotations

from phonenumbers import SUPPORTED_REGIONS

from dispatcher.errors import UsageError
from dispatcher.values.places import country_name


class UnknownRegion(UsageError, ValueError):
    """There is no such region; the message says how to write one."""


def parse_region(text: str) -> str:
    """Read an ISO 3166 code such as `JP`, in any case. Raises UnknownRegion."""
    code = text.strip().upper()
    if code not in SUPPORTED_REGIONS:
        write = _likely(text) or "ISO 3166, such as JP"
        raise UnknownRegion(f"{text[:40]!r} is not a country code: write {write}")
    return code


def _likely(text: str) -> str | None:
    """Return the code of the country of this name, or of this abbreviation, such as UK."""
    name = text.strip().casefold()
    for code in sorted(SUPPORTED_REGIONS):
        full = country_name(code).casefold()
        if name and (full == name or full.endswith(f"({name})")):
            return code
    return None
