"""Telephone numbers: strict E.164, and refusals that say what to write instead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata, shortnumberinfo

from dispatcher.values.numbers import (
    LONGEST_EMERGENCY,
    InvalidNumber,
    caller,
    country,
    recipient,
)

FULL_WIDTH = "".join(chr(0xFF10 + int(digit)) for digit in "818012345678")


@pytest.mark.parametrize(
    "number",
    [
        pytest.param("+818011234567", id="Japan, mobile"),
        pytest.param("+81312345678", id="Japan, landline"),
        pytest.param("+12025550123", id="United States"),
        pytest.param("+390612345678", id="Italy, whose 0 belongs to the number"),
        pytest.param("+881612345678", id="satellite"),
    ],
)
def test_a_valid_number_is_taken_as_it_is(number: str) -> None:
    assert recipient(number) == number


@pytest.mark.parametrize(
    ("number", "corrected"),
    [
        pytest.param("+8108012345678", "+818012345678", id="local 0 left in"),
        pytest.param("+4402083661177", "+442083661177", id="local 0 left in, United Kingdom"),
        pytest.param("+112025550123", "+12025550123", id="local 1 left in"),
        pytest.param("+81 80 1234 5678", "+818012345678", id="spaces"),
        pytest.param("+81-80-1234-5678", "+818012345678", id="hyphens"),
        pytest.param("+81(0)8012345678", "+818012345678", id="bracketed 0"),
        pytest.param("+818012345678\n", "+818012345678", id="line end"),
        pytest.param("+" + FULL_WIDTH, "+818012345678", id="full-width digits"),
        pytest.param("\uff0b818012345678", "+818012345678", id="full-width plus"),
    ],
)
def test_a_repairable_number_is_refused_with_its_correction(number: str, corrected: str) -> None:
    with pytest.raises(InvalidNumber) as caught:
        recipient(number)
    assert str(caught.value).startswith(repr(number))
    assert str(caught.value).endswith(f"write {corrected}")


@pytest.mark.parametrize(
    ("number", "why"),
    [
        pytest.param("818012345678", "has no country code", id="no plus"),
        pytest.param("08012345678", "has no country code", id="local"),
        pytest.param("00818012345678", "has no country code", id="00 for plus"),
        pytest.param("8.18012E+11", "write it in E.164", id="rewritten by a spreadsheet"),
        pytest.param("", "write it in E.164", id="empty"),
        pytest.param("  ", "write it in E.164", id="blank"),
        pytest.param("+", "write it in E.164", id="plus alone"),
        pytest.param("abc", "write it in E.164", id="letters"),
        pytest.param("+818012", "too short", id="too short"),
        pytest.param("+81110", "it is a short number", id="emergency number"),
        pytest.param("+120255501234", "too long", id="too long for its country"),
        pytest.param("+81801234567890123456", "too long", id="too long for any country"),
        pytest.param("+999123456789", "no country has that code", id="unknown country"),
        pytest.param("+0818012345678", "no country has that code", id="0 after the plus"),
        pytest.param("+8118012345678", "no such number is in use", id="not in use"),
        pytest.param("+1800FLOWERS", "only + and digits", id="letters for digits"),
        pytest.param("+818012345678x", "only + and digits", id="a letter at the end"),
        pytest.param("+818012345678;ext=5", "only + and digits", id="extension"),
    ],
)
def test_a_number_that_cannot_be_called_is_refused_with_the_reason(number: str, why: str) -> None:
    with pytest.raises(InvalidNumber) as caught:
        recipient(number)
    assert str(caught.value).startswith(repr(number))
    assert why in str(caught.value)


def test_letters_are_never_guessed_to_be_digits() -> None:
    with pytest.raises(InvalidNumber) as caught:
        recipient("+1800FLOWERS")
    assert "+18003569377" not in str(caught.value)


@given(st.one_of(st.text(), st.from_regex("\\+[0-9\uff10-\uff19 .()-]{1,20}", fullmatch=True)))
def test_what_is_accepted_is_ascii_e164_and_unchanged(text: str) -> None:
    try:
        number = recipient(text)
    except InvalidNumber:
        return
    assert number == text
    assert number[0] == "+"
    assert number[1:].isascii()
    assert number[1:].isdigit()
    assert 5 <= len(number[1:]) <= 15


@pytest.mark.parametrize(
    "number", ["+819011112222", "81450000000", "0312345678", "22000", "+4411099"]
)
def test_a_caller_is_digits_with_or_without_a_plus(number: str) -> None:
    assert caller(number) == number


@pytest.mark.parametrize(
    "number",
    ["", "+", "12", "1" * 16, "+81 90", "abc", FULL_WIDTH, "110\n", "++81"],
    ids=repr,
)
def test_another_caller_is_refused_with_what_is_accepted(number: str) -> None:
    with pytest.raises(InvalidNumber, match="cannot be a caller: write 3 to 15 digits"):
        caller(number)


@pytest.mark.parametrize("number", ["110", "119", "112", "911", "999", "+110", "000"])
def test_nobody_calls_as_the_police(number: str) -> None:
    with pytest.raises(InvalidNumber, match="the number of an emergency service"):
        caller(number)


def test_no_emergency_service_has_a_longer_number_than_is_looked_for() -> None:
    known = map(PhoneMetadata.short_metadata_for_region, shortnumberinfo.SUPPORTED_SHORT_REGIONS)
    lengths = {n for each in known if each.emergency for n in each.emergency.possible_length}
    assert max(lengths) == LONGEST_EMERGENCY


@pytest.mark.parametrize(
    "number", ["+81110", "81119", "+810110", "0081110", "+44999", "+49112", "+1911", "+61000"]
)
def test_a_countrys_code_before_it_makes_nobody_the_police(number: str) -> None:
    with pytest.raises(InvalidNumber, match="the number of an emergency service"):
        caller(number)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("+818011234567", "JP"),
        ("+12025550123", "US"),
        ("+14165550123", "CA"),
        ("+881612345678", "001"),
    ],
)
def test_a_number_has_a_country_or_001(number: str, code: str) -> None:
    assert country(number) == code
