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
from dispatcher.values.changed_plans import as_it_is_today
from dispatcher.values.numbering_plans import known
from dispatcher.values.writings import undialled

_STRICT = re.compile(r"\+[1-9][0-9]{4,14}", re.ASCII)
_CALLER = re.compile(r"\+?[0-9]{3,15}", re.ASCII)

NOWHERE = "001"
"""Stands for the country of numbers of none, such as satellite ones (phonenumbers' word)."""

LONGEST_EMERGENCY = 6
"""Digits of the longest number of an emergency service (as the metadata has them)."""
_BEFORE = 6  # digits: an international prefix, a country's code and a local 0

_WRITE = "write it in E.164: +, country code and number, as dialled from abroad"
_OR_REGION = "or say as in which country it is dialled (region, such as JP)"
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


def metadata_type(text: str) -> int:
    """Return the type that the metadata gives a number; one of an UNKNOWN type is in no numbering
    plan: not valid.
    """
    found = known(text)
    return found.type if found else phonenumbers.number_type(_parsed(text))


def is_mobile(number: str) -> bool:
    """Whether a valid number is one of a mobile network, and of no place."""
    return metadata_type(number) == PhoneNumberType.MOBILE


class InvalidNumber(DispatcherError, ValueError):
    """Not a number the provider can call; the message holds the correction where there is one."""


def recipient(text: str) -> str:
    """Return `text` if it is a strict, valid E.164 number such as `+818011234567`.

    Nothing is repaired silently: a number that has an obvious correction is refused with
    it, because a digit dropped by a guess rings at somebody else's home. That the provider
    wants E.164 without the local leading 0 is from its playback page.
    Raises InvalidNumber.
    """
    if known(text):
        return text
    number = _parse(text)
    corrected = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if corrected != text:
        raise InvalidNumber(
            f"{text!r} is not E.164 as the provider accepts it{_flaw(text)}{_cure(text, number)}"
        )
    if metadata_type(text) == PhoneNumberType.UNKNOWN:
        raise InvalidNumber(f"{text!r} is not a telephone number: {why_invalid(number)}")
    if not _STRICT.fullmatch(text):
        raise InvalidNumber(f"{text!r} is not E.164: + and 5 to 15 digits")
    return text


def country(text: str) -> str:
    """Return the ISO 3166 code of a valid number's country, `001` for those of none."""
    found = known(text)
    return found.country if found else phonenumbers.region_code_for_number(_parsed(text)) or "ZZ"


def _parse(text: str) -> phonenumbers.PhoneNumber:
    try:
        return _parsed(text)
    except NumberParseException as error:
        if why := undialled(text):
            raise InvalidNumber(
                f"{text!r} is not a telephone number: {why}, and {_WRITE}"
            ) from None
        unknown = error.error_type == NumberParseException.INVALID_COUNTRY_CODE
        if unknown and not text.strip().startswith("+"):
            raise InvalidNumber(f"{text!r} has no country code: {_WRITE}, {_OR_REGION}") from None
        raise InvalidNumber(f"{text!r} is not a telephone number: {why_unread(error)}") from None


def _cure(text: str, number: phonenumbers.PhoneNumber) -> str:
    """Return what to do about a number that is not written as it should be, where that is sure."""
    if why := undialled(text):
        return f": {why}"
    if today := as_it_is_today(number):
        return f": {today[1]}: write {today[0]}"
    if not phonenumbers.is_valid_number(number):
        return ""
    return f": write {phonenumbers.format_number(number, PhoneNumberFormat.E164)}"


def _flaw(text: str) -> str:
    if not _STRICT.fullmatch(text):
        return " (only + and digits)"
    return " (a local prefix, such as a leading 0, after the country code)"


def why_unread(error: NumberParseException) -> str:
    """Return why a text is no number at all."""
    return _WHY_UNREADABLE.get(error.error_type, _WRITE)


def why_invalid(number: phonenumbers.PhoneNumber) -> str:
    """Return why there is no such number, and the one that it became, where that is known."""
    if today := as_it_is_today(number):
        return f"{today[1]}: write {today[0]}"
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
    # Longer ones are not looked for: what is known of a region is loaded when it is first asked.
    return len(digits) <= LONGEST_EMERGENCY and shortnumberinfo.is_emergency_number(digits, region)
