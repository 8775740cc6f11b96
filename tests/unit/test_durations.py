"""Durations and moments as people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.values.durations import InvalidDuration, InvalidMoment, moment, seconds, spoken

TOKYO = timezone(timedelta(hours=9))


@pytest.mark.parametrize(
    ("written", "length"),
    [
        (90, 90),
        (0, 0),
        (0.5, 0.5),
        ("90", 90),
        ("30s", 30),
        ("15m", 900),
        ("2h", 7200),
        ("7d", 604_800),
        ("1.5h", 5400),
        (" 15 m ", 900),
        (timedelta(minutes=2), 120),
    ],
    ids=str,
)
def test_a_duration_is_seconds_whatever_form_it_has(written: Any, length: float) -> None:
    assert seconds(written) == length


NO_DURATIONS = [
    pytest.param("5x", id="unknown unit"),
    pytest.param("", id="empty"),
    pytest.param(" ", id="blank"),
    pytest.param("m", id="unit alone"),
    pytest.param("-3", id="negative text"),
    pytest.param("+3", id="sign"),
    pytest.param("1e3", id="exponent"),
    pytest.param("1e9999", id="huge exponent"),
    pytest.param("9" * 400, id="digits beyond a float"),
    pytest.param("inf", id="inf"),
    pytest.param("nan", id="nan"),
    pytest.param("\uff11\uff15m", id="full-width digits"),
    pytest.param("1h30m", id="two units"),
    pytest.param(-3, id="negative number"),
    pytest.param(float("inf"), id="infinity"),
    pytest.param(float("nan"), id="not a number"),
    pytest.param(timedelta(seconds=-1), id="negative timedelta"),
    pytest.param(True, id="bool"),
    pytest.param(10**400, id="int beyond a float"),
    pytest.param(10**5000, id="int beyond what Python writes"),
    pytest.param(None, id="None"),
    pytest.param([], id="list"),
    pytest.param({"seconds": 3}, id="dict"),
    pytest.param(b"15m", id="bytes"),
]


@pytest.mark.parametrize("written", NO_DURATIONS)
def test_what_is_no_duration_is_refused(written: Any) -> None:
    with pytest.raises(InvalidDuration, match="duration: "):
        seconds(written)


@pytest.mark.parametrize("written", NO_DURATIONS)
def test_what_is_no_duration_is_no_delay_either(written: Any) -> None:
    with pytest.raises(InvalidMoment, match="zone"):
        moment(written)


def test_a_refusal_names_the_value_and_what_is_accepted() -> None:
    with pytest.raises(InvalidDuration) as caught:
        seconds("5x")
    assert str(caught.value) == "'5x' is not a duration: write seconds or 30s, 15m, 2h, 7d"


@pytest.mark.parametrize(
    "written",
    [
        "2030-01-31T09:00:00+09:00",
        "2030-01-31T00:00:00Z",
        " 2030-01-31 00:00Z ",
        datetime(2030, 1, 31, tzinfo=UTC),
        datetime(2030, 1, 31, 9, tzinfo=TOKYO),
    ],
    ids=str,
)
def test_a_moment_is_utc_whatever_zone_it_was_written_in(written: Any) -> None:
    at = moment(written)
    assert at == datetime(2030, 1, 31, tzinfo=UTC)
    assert isinstance(at, datetime)
    assert at.tzinfo is UTC


@pytest.mark.parametrize("written", ["15m", "900", 900, timedelta(minutes=15)], ids=str)
def test_a_delay_is_a_moment_from_now(written: Any) -> None:
    assert moment(written) == timedelta(minutes=15)


@pytest.mark.parametrize("written", ["20300131", " 20261231 "])
def test_a_day_without_hyphens_is_not_taken_for_seconds(written: str) -> None:
    with pytest.raises(InvalidMoment, match=r"may be a day or seconds: write 20..-..-31T09:00:00"):
        moment(written)
    assert moment(f"{written.strip()}s") == timedelta(seconds=int(written))
    assert moment("20301331") == timedelta(seconds=20301331)  # no day


@pytest.mark.parametrize(
    "written",
    ["2030-01-31T09:00:00", "2030-01-31", datetime(2030, 1, 31)],  # noqa: DTZ001
    ids=str,
)
def test_a_moment_without_a_zone_is_refused(written: Any) -> None:
    with pytest.raises(InvalidMoment, match="has no zone: end it with Z"):
        moment(written)


@pytest.mark.parametrize(
    "written",
    [
        "tomorrow",
        "2030-13-01T00:00:00Z",
        date(2030, 1, 31),
        "0001-01-01T00:00:00+09:00",
        "9999-12-31T23:59:59-09:00",
        1e300,
        "999999999999d",
    ],
    ids=str,
)
def test_a_moment_that_the_calendar_does_not_have_is_refused(written: Any) -> None:
    with pytest.raises(InvalidMoment):
        moment(written)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.timedeltas(), st.datetimes()))
def test_anything_is_a_moment_or_refused_as_none(written: Any) -> None:
    try:
        at = moment(written)
    except InvalidMoment:
        return
    assert at >= timedelta(0) if isinstance(at, timedelta) else at.tzinfo is UTC


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (0.25, "250 ms"),
        (45, "45 s"),
        (180, "3 min"),
        (7200, "2 h"),
        (7800, "2 h 10 min"),
        (4 * 86400, "4 d"),
        (4 * 86400 + 7200, "4 d 2 h"),
    ],
)
def test_a_length_is_spoken_in_its_two_largest_units(length: float, words: str) -> None:
    assert spoken(length) == words
