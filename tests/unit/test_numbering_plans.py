"""Numbers that are read from the tables are read as the package itself reads them."""

from __future__ import annotations

import random
from collections.abc import Iterator

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    COUNTRY_CODES_FOR_NON_GEO_REGIONS,
    NumberParseException,
    PhoneNumberFormat,
    PhoneNumberType,
)

from dispatcher.values.numbering_plans import Known, known

TYPES = sorted(PhoneNumberType.values())
DIGITS = "0123456789"


def package(text: str) -> Known | None:
    """Return what `phonenumbers` says of a number that is valid as it is written, else None."""
    try:
        number = phonenumbers.parse(text)
    except NumberParseException:
        return None
    if phonenumbers.format_number(number, PhoneNumberFormat.E164) != text:
        return None
    kind = phonenumbers.number_type(number)
    country = phonenumbers.region_code_for_number(number)
    return None if kind == PhoneNumberType.UNKNOWN or not country else Known(country, kind)


def examples() -> Iterator[str]:
    """Yield the example number of every region and type, and of every code without a country."""
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in TYPES:
            if number := phonenumbers.example_number_for_type(region, kind):
                yield phonenumbers.format_number(number, PhoneNumberFormat.E164)
    for code in sorted(COUNTRY_CODES_FOR_NON_GEO_REGIONS):
        number = phonenumbers.example_number_for_non_geo_entity(code)
        assert number
        yield phonenumbers.format_number(number, PhoneNumberFormat.E164)


EXAMPLES = list(dict.fromkeys(examples()))


def changed(number: str, dice: random.Random) -> str:
    """Return a number with a digit changed, added or left out, or another end."""
    place = dice.randrange(1, len(number))
    return dice.choice(
        [
            number[:place] + dice.choice(DIGITS) + number[place + 1 :],
            number[:place] + dice.choice(DIGITS) + number[place:],
            number[:place] + number[place + 1 :],
            number[:place] + "".join(dice.choices(DIGITS, k=len(number) - place)),
        ]
    )


def test_every_example_of_every_region_and_type_is_what_the_package_says() -> None:
    assert len(EXAMPLES) > 1000
    wrong = [
        (text, known(text), package(text)) for text in EXAMPLES if known(text) != package(text)
    ]
    # To stay silent is right wherever the package would have to leave something out.
    assert [each for each in wrong if each[1] is not None] == []
    assert len(wrong) < len(EXAMPLES) / 50, "hardly any number may be left to the package"


def test_what_is_said_of_a_changed_example_is_what_the_package_says() -> None:
    dice = random.Random(1612)
    texts = [changed(number, dice) for number in EXAMPLES for _ in range(3)]
    assert [text for text in texts if known(text) not in {None, package(text)}] == []
    assert sum(known(text) is not None for text in texts) > len(texts) / 4


@settings(max_examples=400)
@given(
    st.sampled_from(sorted(COUNTRY_CODE_TO_REGION_CODE)),
    st.text(DIGITS, min_size=0, max_size=15),
)
def test_what_is_said_of_any_digits_is_what_the_package_says(code: int, national: str) -> None:
    text = f"+{code}{national}"
    assert known(text) in {None, package(text)}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("818012345678", id="no plus"),
        pytest.param("+818012345678\n", id="line end"),
        pytest.param("+8180 12345678", id="space"),
        pytest.param("+८१८०१२३४५६७८", id="digits of another script"),
        pytest.param("+8108012345678", id="a local 0"),
        pytest.param("+08012345678", id="begins with 0"),
        pytest.param("+999123456789", id="no such code"),
        pytest.param("+8180123456", id="too short"),
        pytest.param("+81" + "8" * 14, id="too long"),
        pytest.param("+5491123456789" * 2, id="two numbers"),
    ],
)
def test_what_is_not_plainly_a_valid_number_is_left_to_the_package(text: str) -> None:
    assert known(text) is None


def test_a_number_that_may_begin_with_a_local_prefix_is_left_to_the_package() -> None:
    number = "+78005553535"  # the 8 is also what is dialled before numbers in Russia
    assert known(number) is None
    assert package(number) == Known("RU", PhoneNumberType.TOLL_FREE)
