"""What kind of number one is: ordinary, or one that costs more than calls to its country do.

Who earns by calls has us call such numbers. So each kind is refused unless the account allows it,
at the door and again before every dial.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from phonenumbers import PhoneNumberType

from dispatcher.model.number_type import NumberType
from dispatcher.values.choices import parse_choices
from dispatcher.values.numbers import NOWHERE, country, metadata_type

_OF_METADATA = {
    PhoneNumberType.PREMIUM_RATE: NumberType.PREMIUM,
    PhoneNumberType.SHARED_COST: NumberType.SHARED_COST,
    PhoneNumberType.PERSONAL_NUMBER: NumberType.PERSONAL,
    PhoneNumberType.PAGER: NumberType.PAGER,
    PhoneNumberType.VOICEMAIL: NumberType.VOICEMAIL,
    PhoneNumberType.UAN: NumberType.UNIVERSAL,
}
_OF_NO_COUNTRY = {
    800: NumberType.UNIVERSAL,
    808: NumberType.SHARED_COST,
    870: NumberType.SATELLITE,
    878: NumberType.PERSONAL,
    881: NumberType.SATELLITE,
    882: NumberType.SATELLITE,
    883: NumberType.SATELLITE,
    979: NumberType.PREMIUM,
}
"""By the code: the metadata calls most of these mobile, toll-free or VoIP."""


@lru_cache(maxsize=1024)  # as of numbers: each is asked for by rights, tariff and record
def number_type(text: str) -> NumberType | None:
    """Return the type of a valid number in E.164, None for an ordinary one.

    Ordinary are those of a place, mobile and internet numbers, and those that are free to call.
    """
    if country(text) == NOWHERE:
        code = int(text[1:4])  # all of these have three digits
        return _OF_NO_COUNTRY.get(code, NumberType.UNIVERSAL)
    return _OF_METADATA.get(metadata_type(text))


def number_types(texts: Iterable[str]) -> tuple[NumberType, ...]:
    """Return the types of these numbers that are not ordinary, each once, in order."""
    return tuple(sorted({found for text in texts if (found := number_type(text))}))


def parse_number_types(texts: Iterable[str]) -> frozenset[NumberType]:
    """Read names of types. Raises UnknownChoice."""
    return parse_choices(NumberType, texts, what="not a type of numbers")
