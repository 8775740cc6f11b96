"""Telephone numbers as the provider takes them: E.164, and nothing that needs repair."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    NumberParseException,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
    shortnumberinfo,
)

from dispatcher.errors import DispatcherError

_STRICT = re.compile(r"\+[1-9][0-9]{4,14}", re.ASCII)
_CALLER = re.compile(r"\+?[0-9]{3,15}", re.ASCII)

NOWHERE = "001"
"""Stands for the country of numbers of none, such as satellite ones (phonenumbers' word)."""

LONGEST_EMERGENCY = 6
"""Digits of the longest number of an emergency service (as the metadata has them)."""
_BEFORE = 6  # digits: an international prefix, a country's code and a local 0

_WRITE = "write it in E.164: +, country code and number, as dialled from abroad"
_WHY_UNREADABLE = {
    NumberParseException.INVALID_COUNTRY_CODE: "no country has that code",
    NumberParseException.TOO_SHORT_AFTER_IDD: "it is too short",
    NumberParseException.TOO_SHORT_NSN: "it is too short",
    NumberParseException.TOO_LONG: "it is too long",
}
_WHY_IMPOSSIBLE = {
    ValidationResult.TOO_SHORT: "it is too short for its country",
    ValidationResult.TOO_LONG: "it is too long for its country",
    ValidationResult.INVALID_LENGTH: "no number of its country has that length",
    ValidationResult.INVALID_COUNTRY_CODE: "no country has that code",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "the area code is missing",
}


_parsed = lru_cache(maxsize=1024)(phonenumbers.parse)  # more than a batch of call_many
"""A number is looked at from several sides, one after another; parsing it is most of each look."""


@lru_cache(maxsize=1024)
def _type(text: str) -> int:
    """Return the type of a number; one of an UNKNOWN type is in no numbering plan: not valid."""
    return phonenumbers.number_type(_parsed(text))


def is_mobile(number: str) -> bool:
    """Whether a valid number is one of a mobile network, and of no place."""
    return _type(number) == phonenumbers.PhoneNumberType.MOBILE


class InvalidNumber(DispatcherError, ValueError):
    """Not a number the provider can call; the message holds the correction where there is one."""


def recipient(text: str) -> str:
    """Return `text` if it is a strict, valid E.164 number such as `+818011234567`.

    Nothing is repaired silently: a number that has an obvious correction is refused with
    it, because a digit dropped by a guess rings at somebody else's home. That the provider
    wants E.164 without the local leading 0 is from its playback page.
    Raises InvalidNumber.
    """
    number = _parse(text)
    corrected = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if corrected != text:
        hint = f": write {corrected}" if _obvious(text, number) else ""
        raise InvalidNumber(f"{text!r} is not E.164 as the provider accepts it{_flaw(text)}{hint}")
    if _type(text) == PhoneNumberType.UNKNOWN:
        raise InvalidNumber(f"{text!r} is not a telephone number: {_why(number)}")
    if not _STRICT.fullmatch(text):
        raise InvalidNumber(f"{text!r} is not E.164: + and 5 to 15 digits")
    return text


def country(text: str) -> str:
    """Return the ISO 3166 code of a valid number's country, `001` for those of none."""
    return phonenumbers.region_code_for_number(_parsed(text)) or "ZZ"


def _parse(text: str) -> phonenumbers.PhoneNumber:
    try:
        return _parsed(text)
    except NumberParseException as error:
        unknown = error.error_type == NumberParseException.INVALID_COUNTRY_CODE
        if unknown and not text.strip().startswith("+"):
            raise InvalidNumber(f"{text!r} has no country code: {_WRITE}") from None
        why = _WHY_UNREADABLE.get(error.error_type, _WRITE)
        raise InvalidNumber(f"{text!r} is not a telephone number: {why}") from None


def _obvious(text: str, number: phonenumbers.PhoneNumber) -> bool:
    """Tell whether the correction is no guess; one that reads letters as digits is."""
    letters = any(character.isalpha() for character in text)
    return phonenumbers.is_valid_number(number) and not letters


def _flaw(text: str) -> str:
    if not _STRICT.fullmatch(text):
        return " (only + and digits)"
    return " (a local prefix, such as a leading 0, after the country code)"


def _why(number: phonenumbers.PhoneNumber) -> str:
    if shortnumberinfo.is_possible_short_number(number) and shortnumberinfo.is_valid_short_number(
        number
    ):
        return "it is a short number, which cannot be dialled from abroad"
    result = phonenumbers.is_possible_number_with_reason(number)
    return _WHY_IMPOSSIBLE.get(result, "no such number is in use in its country's numbering plan")


def caller(text: str) -> str:
    """Return `text` if it can stand as the caller: 3 to 15 digits, a leading + or none.

    Both `+8190…` and `8145…` are in use with the provider. Raises InvalidNumber, also for a number
    of the police or another emergency service anywhere, with its country's code or without: nobody
    but they call from it.
    """
    if not _CALLER.fullmatch(text):
        raise InvalidNumber(
            f"{text!r} cannot be a caller: write 3 to 15 digits, with or without a leading +"
        )
    if _is_emergency(text.removeprefix("+")):
        raise InvalidNumber(
            f"{text!r} cannot be a caller: it is the number of an emergency service"
        )
    return text


@lru_cache(maxsize=64)
def _is_emergency(digits: str) -> bool:
    if len(digits) > LONGEST_EMERGENCY + _BEFORE:
        return False
    if any(_serves(digits, region) for region in shortnumberinfo.SUPPORTED_SHORT_REGIONS):
        return True
    return any(_serves_abroad(digits.removeprefix("00"), code) for code in (1, 2, 3))


def _serves_abroad(digits: str, code: int) -> bool:
    """Tell whether it is an emergency number behind a country's code of so many digits."""
    number = digits[code:]
    regions = COUNTRY_CODE_TO_REGION_CODE.get(int(digits[:code] or 0), ())
    return any(
        _serves(each, region) for region in regions for each in (number, number.removeprefix("0"))
    )


def _serves(digits: str, region: str) -> bool:
    return shortnumberinfo.is_emergency_number(digits, region)
