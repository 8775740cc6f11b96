"""Numbering plans that changed: how an old number is written today.

Address books keep old numbers for years. Each line is what the authority of the country decided;
a correction is only told where the metadata has the new number, and the old one no more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumber


@dataclass(frozen=True, slots=True)
class Change:
    """In the plan of `code` (without +) numbers like `old` became `new`; `words` say how."""

    code: int
    old: str
    new: str
    words: str


CHANGES = (
    Change(
        52, r"(?:0?1|04[45])(\d{10})", r"\1", "Mexico has had no 1 before ten digits since 2019"
    ),
    Change(
        54,
        r"9?(\d{2,4})15(\d{6,8})",
        r"9\1\2",
        "from abroad, a mobile of Argentina has 9 before its area code and no 15",
    ),
    Change(
        55,
        r"(\d{2})([6-9]\d{7})",
        r"\g<1>9\2",
        "mobiles of Brazil have had a 9 before eight digits since 2016",
    ),
    Change(229, r"(\d{8})", r"01\1", "numbers of Benin have begun with 01 since 2024"),
)


def as_it_is_today(number: PhoneNumber) -> tuple[str, str] | None:
    """Return the E.164 that an old number became and why; None where that is not known."""
    national = phonenumbers.national_significant_number(number)
    for change in CHANGES:
        if change.code != number.country_code or phonenumbers.is_valid_number(number):
            continue
        if found := re.fullmatch(change.old, national):
            today = f"+{change.code}{found.expand(change.new)}"
            if phonenumbers.is_valid_number(phonenumbers.parse(today)):
                return today, change.words
    return None
