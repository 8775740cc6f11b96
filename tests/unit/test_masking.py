from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.values.masking import mask_number, mask_text


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("+818011234567", "+8180****4567"),
        ("+12025550123", "+120****0123"),
        ("818011234567", "8180****4567"),
        ("+123456789012345", "+1234****2345"),
        ("+4912345", "+4****45"),
        ("+4912", "+****"),
        ("110", "****"),
        ("", "****"),
    ],
)
def test_a_number_shows_its_ends_and_a_short_one_less(number: str, masked: str) -> None:
    assert mask_number(number) == masked


@given(st.from_regex(r"\+[1-9][0-9]{4,14}", fullmatch=True))
def test_four_characters_of_every_number_are_hidden(number: str) -> None:
    masked = mask_number(number)
    assert len(masked.replace("****", "")) <= len(number) - 4
    assert number not in masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("+818011234567 is busy", "+8180****4567 is busy"),
        ("call +81 80-1123-4567, please", "call +8180****4567, please"),
        ("+81 (80) 1123 4567", "+8180****4567"),
        ("+1.202.555.0123", "+120****0123"),
        ("+818011234567,+818011234568", "+8180****4567,+8180****4568"),
        ('{"recipient": "818011234567"}', '{"recipient": "8180****4567"}'),
        ("recipient=%2B818011234567&x=1", "recipient=+8180****4567&x=1"),
        ("recipient=%2b818011234567", "recipient=+8180****4567"),
        ("番号+818011234567番", "番号+8180****4567番"),
        ("番号818011234567番", "番号8180****4567番"),
        ("08012345678", "0801****678"),
        ("x+818011234567x", "x+8180****4567x"),
        ("+8180112345678901234567890", "+8180****7890"),
    ],
)
def test_numbers_in_a_text_are_masked(text: str, masked: str) -> None:
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "2030-01-31T09:00:30+09:00",
        "2030-01-31 09:00:30.123456789+0900",
        "2030-01-31",
        "20300131",
        "b160f404-f1d1-47a0-9ab2-3df1b4b1a2c3",
        "12345678-1234-1234-1234-123456789012",
        "5f0c1234567890abcdef1234567890ab",
        "job-1893456000000-0",
        "1893456000000-0",
        "key:1893456000000",
        "HTTP 404, 20 credits, 1234567",
        "+5 minutes, 1 + 12345678901234567890",
        "[Errno 111] Connection refused",
        "",
    ],
)
def test_dates_and_ids_stay_as_they_are(text: str) -> None:
    assert mask_text(text) == text


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True), st.text(), st.text())
def test_a_number_with_a_plus_never_stays_in_a_text(number: str, before: str, after: str) -> None:
    assert number not in mask_text(before + number + after)


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_what_is_masked_stays_as_it_is(number: str) -> None:
    assert mask_text(mask_text(number)) == mask_number(number)
