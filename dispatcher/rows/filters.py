"""The filters of a template: how the value of a column is said, as in `{due|date}`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from dispatcher.provider import registry
from dispatcher.rows import spoken_dates
from dispatcher.rows.dates import Dates
from dispatcher.values.zones import zone

_BETWEEN: Final = frozenset(" -./()+_\u00a0\u3000\u2010\u2011\u2013")
"""What people write between the digits of a number; it is not said."""
_AMOUNT = re.compile(
    r"(-?)(\d+|\d{1,3}(?:,\d{3})+|\d{1,3}(?:\.\d{3})+)(?:([.,])(\d{1,3}))?", re.ASCII
)
_MADE_AMOUNT = re.compile(r"\d+\.0+", re.ASCII)
"""What programs make of digits that they take for a number: 471.0 of 0471."""
_MOST_DIGITS = 15
"""Of an amount: more than any bank keeps, and fewer than decimals are exact for."""


class Voice(NamedTuple):
    """In which language a value is said, and how dates of the file are meant."""

    lang: str
    dates: Dates = Dates()


class Filter(NamedTuple):
    """`check` says what is wrong with an argument, '' for none; `say` takes a value's text and the
    argument, and raises ValueError that says what is wrong with the value.
    """

    check: Callable[[str], str]
    say: Callable[[str, str, Voice], str]


@dataclass(frozen=True, slots=True)
class Gap:
    """A gap in a template: the column (casefolded), and how its value is said."""

    column: str
    filter: str = ""
    argument: str = ""

    def said(self, value: object, voice: Voice) -> str:
        """Return a value as it is said. Raises ValueError."""
        text = str(value)
        return FILTERS[self.filter].say(text.strip(), self.argument, voice) if self.filter else text


def parse(field: str, argument: str) -> Gap:
    """Return the gap that braces hold. Raises ValueError that says what is wrong."""
    column, bar, name = (part.strip() for part in field.partition("|"))
    if not column:
        raise ValueError("braces hold the name of a column")
    if not bar and not argument:
        return Gap(column.casefold())
    if name not in FILTERS:
        raise ValueError(f"{name!r} is not a filter: {', '.join(FILTERS)}")
    if wrong := FILTERS[name].check(argument.strip()):
        raise ValueError(wrong)
    return Gap(column.casefold(), name, argument.strip())


def _digits(text: str, _: str, __: Voice) -> str:
    if _MADE_AMOUNT.fullmatch(text.strip()):
        raise ValueError(
            "it is an amount (.0 at the end), and a zero may be lost: keep the column as text"
        )
    kept = [each for each in text if each not in _BETWEEN]
    digits = [str(unicodedata.decimal(each, "")) for each in kept]
    if not kept or "" in digits:
        # Not shown: what is read digit by digit is a code as often as not.
        raise ValueError("there is more than digits in it: only these are read one by one")
    return registry.registration().rules.spelled("".join(digits))


def _of_moment(say: Callable[[spoken_dates.Moment, str], str]) -> Callable[[str, str, Voice], str]:
    def said(text: str, zone: str, voice: Voice) -> str:
        require_locale(voice.lang)
        try:
            return say(spoken_dates.read(text, zone, voice.dates), voice.lang)
        except ValueError as error:
            raise ValueError(
                str(error) if repr(text) in str(error) else f"{text!r}: {error}"
            ) from None

    return said


def _money(text: str, currency: str, voice: Voice) -> str:
    from babel.numbers import format_currency, get_currency_precision  # noqa: PLC0415 - it is large

    require_locale(voice.lang)
    amount = _amount(text, get_currency_precision(currency))
    whole = amount == amount.to_integral_value()
    return format_currency(
        amount.to_integral_value() if whole else amount,
        currency,
        locale=voice.lang,
        format_type="name",
        currency_digits=not whole,
        group_separator=False,  # a voice reads digits between commas one by one
    )


def _amount(text: str, precision: int) -> Decimal:
    """Return an amount as it is surely meant: `1,234` may be one and a bit, or a thousand.

    Raises ValueError.
    """
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not an amount: write 1234.50, without currency")
    sign, whole, mark, rest = found[1], found[2], found[3] or "", found[4] or ""
    grouped = not whole.isdecimal()
    if mark and mark in whole:
        raise ValueError(f"{text!r} is not an amount: write 1234.50")
    if len(rest) == 3:  # noqa: PLR2004 - as many as stand between marks of thousands
        if grouped or precision:
            raise ValueError(f"{text!r} may be a thousand, or one and a bit: write 1234 or 1.23")
        whole, rest = whole + rest, ""
    digits = whole.replace(",", "").replace(".", "")
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"{text[:_MOST_DIGITS]!r}… has too many digits for an amount")
    return Decimal(f"{sign}{digits}.{rest or 0}")


@lru_cache(maxsize=256)
def require_locale(lang: str) -> None:
    """Raise ValueError where dates and amounts cannot be said in a language."""
    from babel.core import Locale, UnknownLocaleError  # noqa: PLC0415 - as above

    try:
        Locale.parse(lang)
    except (UnknownLocaleError, ValueError):
        raise ValueError(f"dates and amounts cannot be said in {lang!r}") from None


def _nothing(argument: str) -> str:
    return f"the filter digits takes nothing after it, and has {argument!r}" if argument else ""


def _zone(argument: str) -> str:
    try:
        if argument:
            zone(argument)
    except ValueError as error:
        return str(error)
    return ""


def _currency(argument: str) -> str:
    from babel.numbers import list_currencies  # noqa: PLC0415 - as above

    if argument in list_currencies():
        return ""
    return f"{argument!r} is not a currency: {{column|money:EUR}}"


FILTERS: Final = {
    "digits": Filter(_nothing, _digits),
    "date": Filter(_zone, _of_moment(spoken_dates.say_date)),
    "time": Filter(_zone, _of_moment(spoken_dates.say_time)),
    "datetime": Filter(_zone, _of_moment(spoken_dates.say_both)),
    "money": Filter(_currency, _money),
}
DATES: Final = frozenset({"date", "time", "datetime"})
"""Filters that say a moment."""
