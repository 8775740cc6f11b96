"""Numbers as the provider takes them: `+`, country code, number without the local leading 0."""

from __future__ import annotations

import re

_E164 = re.compile(r"\+[1-9][0-9]{4,14}")

# ITU-T E.164 country codes of one and two digits; all others have three.
_ONE_DIGIT = frozenset("17")
_TWO_DIGITS = frozenset(
    [
        "20",
        "27",
        "30",
        "31",
        "32",
        "33",
        "34",
        "36",
        "39",
        "40",
        "41",
        "43",
        "44",
        "45",
        "46",
        "47",
        "48",
        "49",
        "51",
        "52",
        "53",
        "54",
        "55",
        "56",
        "57",
        "58",
        "60",
        "61",
        "62",
        "63",
        "64",
        "65",
        "66",
        "81",
        "82",
        "84",
        "86",
        "90",
        "91",
        "92",
        "93",
        "94",
        "95",
        "98",
    ]
)

# Where subscribers' numbers themselves begin with 0, abroad too (national numbering plans):
# Italy and the Vatican, Ivory Coast, Benin, Gabon, Congo, San Marino.
_ZERO_BELONGS = frozenset({"39", "225", "229", "241", "242", "378"})


def flaw(number: str) -> str | None:
    """Return why the provider refuses `number`, None where it takes it."""
    if not _E164.fullmatch(number):
        return "Enter a valid phone number in E.164 format."
    code = country_code(number[1:])
    if number[1 + len(code) :].startswith("0") and code not in _ZERO_BELONGS:
        return "Enter the phone number without the leading 0 after the country code."
    return None


def country_code(digits: str) -> str:
    """Return the country code of a number without its plus."""
    if digits[0] in _ONE_DIGIT:
        return digits[0]
    return digits[:2] if digits[:2] in _TWO_DIGITS else digits[:3]
