"""Numbers as people of a region write them, read by its numbering plan; nothing is guessed.

What can be read in two ways is refused with both: `4312345678` in Germany is Kiel without its 0, or
Vienna without its plus. So is a number of another country that shares the region's code, because
calls to it are of another country, at another price.
"""

from __future__ import annotations

import phonenumbers
from phonenumbers import (
    CountryCodeSource,
    NumberParseException,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberFormat,
)

from dispatcher.values.changed_plans import as_it_is_today
from dispatcher.values.numbers import InvalidNumber, recipient, why_invalid, why_unread
from dispatcher.values.places import country_name
from dispatcher.values.writings import plain, undialled


def read(text: str, region: str | None = None) -> str:
    """Return the E.164 of a number as it is written in a region (ISO 3166).

    Without a region only E.164 itself will do. Raises InvalidNumber, with the likely number where
    there is one.
    """
    if region is None or text == "":
        return recipient(text)
    digits = plain(text)
    if digits is None:
        why = undialled(text) or "write digits, with spaces or hyphens between them if you like"
        raise InvalidNumber(f"{text!r} is not a telephone number: {why}")
    return recipient(digits) if digits.startswith("+") else _within(text, digits, region)


def _within(text: str, digits: str, region: str) -> str:
    """Return the number that the digits are in a region."""
    there = country_name(region)
    try:
        number = phonenumbers.parse(digits, region, keep_raw_input=True)
    except NumberParseException as error:
        why = why_unread(error)
        raise InvalidNumber(f"{text!r} is not a telephone number of {there}: {why}") from None
    if number.country_code_source == CountryCodeSource.FROM_NUMBER_WITH_IDD:
        return _from_abroad(text, digits, number, region)
    if whole := _lost_plus(digits, region, number):
        raise InvalidNumber(f"{text!r} {whole}")
    if not phonenumbers.is_valid_number_for_region(number, region):
        raise InvalidNumber(f"{text!r} is not a telephone number of {there}: {_why(number)}")
    if not _says(digits, number):
        raise InvalidNumber(f"{text!r} is not a number as {there} dials it: write {_e164(number)}")
    return _e164(number)


def _from_abroad(text: str, digits: str, number: PhoneNumber, region: str) -> str:
    """Return what was written with the region's prefix for calls abroad (00, 010, 011)."""
    if not phonenumbers.is_valid_number(number):
        raise InvalidNumber(f"{text!r} is not a telephone number: {why_invalid(number)}")
    found = _e164(number)
    if not digits.endswith(found[1:]):
        raise InvalidNumber(
            f"{text!r} has a local prefix, such as a 0, after the country code: write {found}"
        )
    if digits.removesuffix(found[1:]) != _prefix_abroad(region):
        raise InvalidNumber(
            f"{text!r} does not begin as {country_name(region)} dials abroad: write it with +,"
            f" such as {found}"
        )
    return found


def _prefix_abroad(region: str) -> str | None:
    """Return what a region dials before a country code, where that is one prefix alone."""
    metadata = PhoneMetadata.metadata_for_region(region)
    if metadata is None:
        return None
    prefix = metadata.preferred_international_prefix or metadata.international_prefix or ""
    plain_prefix = prefix.replace("~", "")
    return plain_prefix if plain_prefix.isdecimal() else None


def _lost_plus(digits: str, region: str, number: PhoneNumber) -> str | None:
    """Return what to do where the digits may be another number that lost its plus; else None."""
    other = None if _as_dialled(digits, region, number) else _whole(digits)
    if other is None or _e164(other) == _e164(number):
        return None
    elsewhere = country_name(phonenumbers.region_code_for_number(other) or "")
    here = _likely(number)
    if not here:
        there = country_name(region)
        return (
            f"is not a telephone number of {there}, but may be one of {elsewhere}: write +{digits}"
        )
    return f"may be two numbers: write {here}, or if the plus is missing +{digits} ({elsewhere})"


def _whole(digits: str) -> PhoneNumber | None:
    """Return the number that the digits are with a plus before them, if there is such a one."""
    try:
        number = phonenumbers.parse(f"+{digits}")
    except NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) and _e164(number)[1:] == digits else None


def _likely(number: PhoneNumber) -> str | None:
    if today := as_it_is_today(number):
        return today[0]
    return _e164(number) if phonenumbers.is_valid_number(number) else None


def _as_dialled(digits: str, region: str, number: PhoneNumber) -> bool:
    """Whether the digits are what people of the region dial, with all that stands before them."""
    if not phonenumbers.is_valid_number(number):
        return False
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    trunk = phonenumbers.ndd_prefix_for_region(region, True) or ""
    within = phonenumbers.national_significant_number(number)
    return digits in {"".join(filter(str.isdigit, national)), trunk + within}


def _says(digits: str, number: PhoneNumber) -> bool:
    """Whether the digits end with the number itself, or are its national writing."""
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    written = "".join(filter(str.isdigit, national))
    return digits == written or digits.endswith(phonenumbers.national_significant_number(number))


def _why(number: PhoneNumber) -> str:
    """Return why a number is none of the region, and the likely one."""
    if not phonenumbers.is_valid_number(number) or as_it_is_today(number):
        return why_invalid(number)
    elsewhere = phonenumbers.region_code_for_number(number) or ""
    code = f"+{number.country_code}"
    return (
        f"it is one of {country_name(elsewhere)}, which shares {code}: write {_e164(number)},"
        f" or give the region {elsewhere}"
    )


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
