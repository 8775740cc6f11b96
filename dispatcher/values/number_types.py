"""What kind of number one is: ordinary, or one that costs more than calls to its country do.

Who earns by calls has us call such numbers. So each kind is refused unless the account allows it,
at the door and again before every dial.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache

from phonenumbers import PhoneNumberType

from dispatcher.model.number_type import NumberType
from dispatcher.values.choices import parse_choices
from dispatcher.values.numbering_plans import Known, known
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


def number_type(text: str) -> NumberType | None:
    """Return the type of a valid number in E.164, None for an ordinary one.

    Ordinary are those of a place, mobile and internet numbers, and those that are free to call.
    """
    found = known(text)
    if found and found.country != NOWHERE:
        return _OF_METADATA.get(found.type)
    return _looked_up(text)


@lru_cache(maxsize=1024)  # as of numbers: each is asked for by rights, tariff and record
def _looked_up(text: str) -> NumberType | None:
    if country(text) == NOWHERE:
        code = int(text[1:4])  # all of these have three digits
        return _OF_NO_COUNTRY.get(code, NumberType.UNIVERSAL)
    return _OF_METADATA.get(metadata_type(text))


MOBILE = "mobile"


def place(text: str) -> str:
    """Return the country of a valid number and, where it is none of a place, its type: `JP-mobile`,
    `GB-premium`, `JP`.
    """
    found = known(text)
    if found and found.country != NOWHERE:
        return _place_of(found)
    return _joined(country(text), number_type(text), metadata_type(text))


@cache
def _place_of(found: Known) -> str:
    return _joined(found.country, _OF_METADATA.get(found.type), found.type)


def _joined(country_: str, kind: NumberType | None, type_: int) -> str:
    where = kind or (MOBILE if type_ == PhoneNumberType.MOBILE else "")
    return f"{country_}-{where}" if where else country_


def number_types(texts: Iterable[str]) -> tuple[NumberType, ...]:
    """Return the types of these numbers that are not ordinary, each once, in order."""
    found = [kind for text in texts if (kind := number_type(text))]
    return tuple(sorted(set(found))) if found else ()


def parse_number_types(texts: Iterable[str]) -> frozenset[NumberType]:
    """Read names of types. Raises UnknownChoice."""
    return parse_choices(NumberType, texts, what="not a type of numbers")
