"""Numbers as people of a region write them: read as they are dialled there, or refused."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumber, PhoneNumberFormat

from dispatcher.values.national import read
from dispatcher.values.numbers import InvalidNumber
from dispatcher.values.regions import UnknownRegion, parse_region
from support import number_writings


def e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def test_numbers_of_every_plan_are_read_as_their_country_writes_them() -> None:
    for number in number_writings.examples():
        national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
        region = phonenumbers.region_code_for_number(number)
        if phonenumbers.is_valid_number(number) and region:
            assert read(national, region) == e164(number), (region, national)
            assert read(national.replace(" ", "\u3000"), region) == e164(number)


@settings(max_examples=300)
@given(st.data(), number_writings.numbers(), st.sampled_from(["JP", "US", "DE", "GB", "MX", "IT"]))
def test_no_writing_is_ever_read_as_another_number(
    data: st.DataObject, number: PhoneNumber, elsewhere: str
) -> None:
    text = data.draw(number_writings.written_as(number))
    home = phonenumbers.region_code_for_number(number)
    for region in {home, elsewhere, None}:
        try:
            found = read(text, region)
        except InvalidNumber:
            continue
        # As dialled from elsewhere; 0113114020 is a number of Zeeland, and another one from the US.
        abroad = number_writings.digits(text).startswith(("00", "010", "011"))
        alone = text.strip().startswith(("+", "\uff0b")) or (region == home and not abroad)
        assert found == e164(number) or not alone, (text, region)
        assert "ext" not in text


@given(st.text(), st.sampled_from(["JP", "US", "DE", "GB"]))
def test_any_text_is_read_as_a_valid_number_or_refused(text: str, region: str) -> None:
    try:
        number = read(text, region)
    except InvalidNumber:
        return
    assert phonenumbers.is_valid_number(phonenumbers.parse(number))


@pytest.mark.parametrize(
    "extension", ["x1", " x123", " ext. 45", "#9", ",,12", ";ext=7", " доб. 3"]
)
@pytest.mark.parametrize("text", ["+14155552671", "415-555-2671", "(415) 555 2671"])
def test_an_extension_is_never_dropped(text: str, extension: str) -> None:
    for region in ("US", None):
        with pytest.raises(InvalidNumber, match="an extension cannot be dialled"):
            read(text + extension, region)


@pytest.mark.parametrize(
    ("region", "text", "number"),
    [
        ("US", "011 44 20 8366 1177", "+442083661177"),
        ("DE", "0044 20 8366 1177", "+442083661177"),
        ("RU", "8~10 44 20 8366 1177", "+442083661177"),
        ("AU", "0011 44 20 8366 1177", "+442083661177"),
    ],
)
def test_a_prefix_for_calls_abroad_is_read(region: str, text: str, number: str) -> None:
    assert read(text, region) == number


@pytest.mark.parametrize(
    ("region", "text"),
    [
        pytest.param("SC", "011 248 4 217 123", id="as from the US, or 01 and a number of the US"),
        pytest.param("BR", "0021 44 20 8366 1177", id="a carrier's code within it"),
    ],
)
def test_another_prefix_for_calls_abroad_is_no_certain_one(region: str, text: str) -> None:
    with pytest.raises(InvalidNumber, match=r"write it with \+"):
        read(text, region)


@pytest.mark.parametrize(("text", "code"), [("JP", "JP"), ("jp", "JP"), (" gb ", "GB")])
def test_a_region_is_the_code_of_a_country(text: str, code: str) -> None:
    assert parse_region(text) == code


@pytest.mark.parametrize(
    ("text", "write"),
    [("UK", "write GB"), ("Japan", "write JP"), ("Bavaria", "such as JP"), ("", "JP")],
)
def test_another_word_is_refused_with_the_code_that_it_may_be(text: str, write: str) -> None:
    with pytest.raises(UnknownRegion, match=write):
        parse_region(text)
