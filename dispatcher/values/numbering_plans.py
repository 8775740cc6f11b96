"""What a number in E.164 is, read straight from the tables of `phonenumbers`: a tenth of the time.

The package reads what people write: it looks for a number in a text, and compiles the patterns of
a country for each. What comes in is nearly always E.164, in which nothing is to be found or left
out: the code, and a national number to which no local prefix belongs. For these alone the answer
is the package's own, from its own patterns in its own order; all others are left to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, NamedTuple

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumberType

_E164 = re.compile(r"\+[1-9][0-9]{4,14}", re.ASCII)
_REGIONS = {str(code): regions for code, regions in COUNTRY_CODE_TO_REGION_CODE.items()}
_SHORTEST = 2
"""Digits of the shortest national number that the package reads at all."""
_SPECIAL = (
    ("premium_rate", PhoneNumberType.PREMIUM_RATE),
    ("toll_free", PhoneNumberType.TOLL_FREE),
    ("shared_cost", PhoneNumberType.SHARED_COST),
    ("voip", PhoneNumberType.VOIP),
    ("personal_number", PhoneNumberType.PERSONAL_NUMBER),
    ("pager", PhoneNumberType.PAGER),
    ("uan", PhoneNumberType.UAN),
    ("voicemail", PhoneNumberType.VOICEMAIL),
)
"""In the order in which the package asks for them: the first that matches counts."""

Match = Callable[[str], object]
Pattern = tuple[frozenset[int], Match]
"""The lengths that a pattern is for (none: all), and whether a national number matches it."""


class Known(NamedTuple):
    """A valid number: the country as the package names it, and the package's type."""

    country: str
    type: int


@lru_cache(maxsize=1024)
def known(text: str) -> Known | None:
    """Return what a number is if it is valid E.164; None: ask the package, also for why not."""
    if not _E164.fullmatch(text):
        return None
    for end in (2, 3, 4):
        if (code := text[1:end]) in _REGIONS:
            return _within(_plans(code), text[end:])
    return None


def _within(plans: tuple[Plan, ...], national: str) -> Known | None:
    if len(national) < _SHORTEST or plans[0].may_strip(national):
        return None
    for plan in plans:
        if plan.claims(national):
            kind = plan.type_of(national)
            return None if kind == PhoneNumberType.UNKNOWN else Known(plan.country, kind)
    return None


class Plan:
    """One country's numbering plan. `alone`: no other country shares its code."""

    def __init__(self, country: str, metadata: Any, *, alone: bool) -> None:
        self.country = country
        self._alone = alone
        self._local_prefix = _compiled(metadata.national_prefix_for_parsing)
        self._leading = _compiled(metadata.leading_digits)
        self._general = _pattern(metadata.general_desc)
        found = [(_pattern(getattr(metadata, name)), kind) for name, kind in _SPECIAL]
        self._special = [(*pattern, kind) for pattern, kind in found if pattern]
        self._fixed = _pattern(metadata.fixed_line)
        self._mobile = _pattern(metadata.mobile)
        self._same = bool(metadata.same_mobile_and_fixed_line_pattern)

    def may_strip(self, national: str) -> bool:
        """Whether the package may take something off: a local prefix, or a carrier's code."""
        found = self._local_prefix.match(national) if self._local_prefix else None
        return found is not None and (found.end() > 0 or found.lastindex is not None)

    def claims(self, national: str) -> bool:
        """Whether the number is of this country, of those that share the code."""
        if self._alone:
            return True
        if self._leading:
            return self._leading.match(national) is not None
        return self.type_of(national) != PhoneNumberType.UNKNOWN

    def type_of(self, national: str) -> int:
        """Return the type, UNKNOWN where the number is in no part of the plan."""
        if not _matches(self._general, national):
            return PhoneNumberType.UNKNOWN
        length = len(national)
        for lengths, match, kind in self._special:
            if (not lengths or length in lengths) and match(national):
                return kind
        mobile = not self._same and _matches(self._mobile, national)
        if _matches(self._fixed, national):
            either = self._same or mobile
            return PhoneNumberType.FIXED_LINE_OR_MOBILE if either else PhoneNumberType.FIXED_LINE
        return PhoneNumberType.MOBILE if mobile else PhoneNumberType.UNKNOWN


@cache
def _plans(code: str) -> tuple[Plan, ...]:
    """Return the plans of a country's code, compiled when the first of its numbers comes."""
    regions = _REGIONS[code]
    found = [
        (region, PhoneMetadata.metadata_for_region_or_calling_code(int(code), region))
        for region in regions
    ]
    return tuple(
        Plan(region, metadata, alone=len(regions) == 1) for region, metadata in found if metadata
    )


def _pattern(described: Any) -> Pattern | None:
    if described is None or not described.national_number_pattern:
        return None
    match = re.compile(described.national_number_pattern).fullmatch
    return frozenset(described.possible_length), match


def _compiled(text: str | None) -> re.Pattern[str] | None:
    return re.compile(text) if text else None


def _matches(pattern: Pattern | None, national: str) -> bool:
    if pattern is None:
        return False
    lengths, match = pattern
    return (not lengths or len(national) in lengths) and match(national) is not None
