"""Valid telephone numbers of every country and type, in the writings of people and programs."""

from __future__ import annotations

import re
import string
from functools import cache

import phonenumbers
from hypothesis import strategies as st


@cache
def examples() -> list[phonenumbers.PhoneNumber]:
    """Return valid numbers of every country and type."""
    kinds = phonenumbers.PhoneNumberType.values()
    regions = sorted(phonenumbers.SUPPORTED_REGIONS)
    found = [phonenumbers.example_number_for_type(region, k) for region in regions for k in kinds]
    return [number for number in found if number is not None]


DASHES = {
    "as they are": None,
    "hyphens": "-",
    "dots": ".",
    "spaces": " ",
    "narrow spaces": "\u202f",
    "wide spaces": "\u3000",
    "dashes": " \u2013 ",
    "full-width hyphens": "\uff0d",
    "nothing": "",
}
SCRIPTS = {"ASCII": 0x30, "full-width": 0xFF10, "Arabic": 0x660, "Persian": 0x6F0, "Thai": 0xE50}


@st.composite
def numbers(draw: st.DrawFn) -> phonenumbers.PhoneNumber:
    """Draw a valid number: an example, its last digits changed."""
    example = draw(st.sampled_from(examples()))
    national = str(example.national_number)
    many = draw(st.integers(0, 4))
    last = "".join(draw(st.lists(st.sampled_from(string.digits), min_size=many, max_size=many)))
    changed = phonenumbers.PhoneNumber()
    changed.merge_from(example)
    changed.national_number = int(national[: len(national) - many] + last)
    return changed if phonenumbers.is_valid_number(changed) else example


@st.composite
def written(draw: st.DrawFn) -> str:
    """Draw a writing of a valid number, as a person or a program may send it."""
    return draw(written_as(draw(numbers())))


@st.composite
def written_as(draw: st.DrawFn, number: phonenumbers.PhoneNumber) -> str:
    """Draw a writing of this number."""
    copy = phonenumbers.PhoneNumber()
    copy.merge_from(number)
    number = copy
    if draw(st.booleans()):
        number.extension = draw(st.sampled_from(["1", "12", "1234"]))
    form = draw(st.sampled_from([*range(4), "JP", "US", "DE"]))
    if isinstance(form, str):
        text = phonenumbers.format_out_of_country_calling_number(number, form)
    else:
        text = phonenumbers.format_number(number, form)
    between = DASHES[draw(st.sampled_from(sorted(DASHES)))]
    if between is not None:
        text = re.sub(r"(?<=\d)[ -]+(?=\d)", between, text)
    return text


def digits(text: str) -> str:
    return "".join(each for each in text if each in string.digits)
