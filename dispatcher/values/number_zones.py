"""In which time zones a number may be: a rule that is safe where nobody knows.

A number belongs to one country or several (toll-free ones of North America), and may be wherever
that country's clocks are. Only an area code says more. `phonenumbers` names zones of a calling
code: for a mobile of Kazakhstan most of Russia's, for one of Morocco the Canaries'.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType
from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

from dispatcher.values.places import all_zones, country_name, zones_of_country

_OF_A_PLACE = frozenset({PhoneNumberType.FIXED_LINE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
"""The second is every number of a country whose mobiles have area codes, such as the US."""
_FAR = frozenset({"AS", "GU", "MP"})
"""Islands of the Pacific with +1. A number that is not theirs alone does not wait for their clocks:
between Guam and Newfoundland no working day would have an hour in common."""

_AMERICAN = 4  # digits: 1 and an area code
_BESIDE = {
    newer: older
    for older, codes in {
        "1250": ("1236", "1257", "1672", "1778"),  # British Columbia
        "1270": ("1364",),  # Kentucky
        "1418": ("1367", "1581"),  # Quebec
        "1423": ("1729",),  # Tennessee
        "1541": ("1458",),  # Oregon
        "1709": ("1879",),  # Newfoundland
        "1812": ("1930",),  # Indiana
        "1850": ("1448",),  # Florida
    }.items()
    for newer in codes
}
"""Newer area codes of places that have two clocks: the older code there, whose exchanges are known
(NANPA's overlays)."""


@dataclass(frozen=True, slots=True)
class NumberZones:
    """`zones` are the names of all zones in which a number may be, `words` says whose they are.

    `known` is false where nobody knows where it is, and it may be anywhere.
    """

    zones: tuple[str, ...]
    words: str
    known: bool = True


def number_zones(number: str) -> NumberZones:
    """Return where a valid number in E.164 may be."""
    return _number_zones(number)


def in_words(numbers: Iterable[str]) -> str:
    """Say whose clocks these numbers go by, in order, each once."""
    return " and ".join(dict.fromkeys(number_zones(number).words for number in numbers))


@lru_cache(maxsize=1024)
def _number_zones(text: str) -> NumberZones:
    number = phonenumbers.parse(text)
    countries = _countries(number)
    zones = tuple(dict.fromkeys(zone for each in countries for zone in zones_of_country(each)))
    if not zones:
        return NumberZones(all_zones(), "all time zones", known=False)
    if (area := _of_area(number)) and set(area) <= set(zones):
        return NumberZones(area, _words(area, "its area"))
    names = [country_name(each) for each in countries]
    few = " and ".join(names[:2]) if len(names) <= 2 else f"{names[0]} and others of its plan"  # noqa: PLR2004
    return NumberZones(zones, _words(zones, few))


def _words(zones: tuple[str, ...], of: str) -> str:
    if len(zones) == 1:
        return zones[0]
    return f"{'both' if len(zones) == 2 else f'all {len(zones)}'} time zones of {of}"  # noqa: PLR2004


def _countries(number: PhoneNumber) -> tuple[str, ...]:
    """Return the countries in whose numbering plan a number is, the most likely one first."""
    if not (main := phonenumbers.region_code_for_number(number)):
        return ()
    sharing = phonenumbers.region_codes_for_country_code(number.country_code or 0)
    others = (each for each in sharing if each != main and each not in _FAR)
    return (main, *(o for o in others if phonenumbers.is_valid_number_for_region(number, o)))


def _of_area(number: PhoneNumber) -> tuple[str, ...]:
    """Return the zones of a number's whole area code, () where the metadata says none."""
    if phonenumbers.number_type(number) not in _OF_A_PLACE:
        return ()
    digits = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]
    if number.country_code == 1:
        area = digits[:_AMERICAN]
        return _below(_BESIDE.get(area, area))
    code = len(str(number.country_code))
    lengths = range(code + 1, min(TIMEZONE_LONGEST_PREFIX, len(digits)) + 1)
    return next((_below(digits[:n]) for n in lengths if digits[:n] in TIMEZONE_DATA), ())


@lru_cache(maxsize=1024)
def _below(area: str) -> tuple[str, ...]:
    """Return the zones of all numbers that begin so. An area code may have two clocks, of which the
    metadata knows some exchanges: what it says of the others, and of numbers that were taken along,
    is a guess.
    """
    found = (zones for prefix, zones in TIMEZONE_DATA.items() if prefix.startswith(area))
    return tuple(sorted({zone for zones in found for zone in zones}))
