"""Rates as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.values.rate import FASTEST, SLOWEST, InvalidRate, Rate


@pytest.mark.parametrize(
    ("written", "per_second"),
    [
        ("5", 5),
        (5, 5),
        (0.5, 0.5),
        ("0.5", 0.5),
        (" 7 ", 7),
        ("5/s", 5),
        ("5 / second", 5),
        ("30/minute", 0.5),
        ("30/min", 0.5),
        ("30/M", 0.5),
        ("1/hour", 1 / 3600),
        ("1/h", 1 / 3600),
        ("10000", 10_000),
    ],
)
def test_a_rate_is_read_as_requests_per_second(written: str | float, per_second: float) -> None:
    assert Rate.parse(written) == Rate(per_second)


@pytest.mark.parametrize(
    "written",
    ["fast", "", "-1", "5/day", "5/", "/s", "1,5", "5 5", "nan", "inf", "1e3", "\u0665", "5/s\n5"],
)
def test_what_is_no_rate_is_refused_with_how_to_write_one(written: str) -> None:
    with pytest.raises(InvalidRate) as caught:
        Rate.parse(written)
    assert str(caught.value) == (
        f"{written!r} is not a rate: write requests per second (5, 0.5), or 30/minute"
    )


@pytest.mark.parametrize("written", ["0", "0.0", "0/minute", "0.5/hour", "10001", "9" * 400])
def test_a_rate_of_nothing_or_beyond_reason_is_refused_with_the_bounds(written: str) -> None:
    with pytest.raises(InvalidRate) as caught:
        Rate.parse(written)
    assert str(caught.value) == (
        f"{written!r} is not a sensible rate: from 1/hour to 10000 a second"
    )


@pytest.mark.parametrize(
    ("rate", "shown"),
    [(Rate(5), "5/s"), (Rate(1), "1/s"), (Rate(0.5), "30/min"), (Rate(1 / 3600), "1/h")],
)
def test_a_rate_is_shown_in_the_unit_that_suits_it(rate: Rate, shown: str) -> None:
    assert str(rate) == shown


@given(st.floats(SLOWEST, FASTEST))
def test_what_is_shown_is_read_back_as_about_the_same(per_second: float) -> None:
    rate = Rate(per_second)
    shown = f"{rate}".replace("e+0", "e")  # %g keeps six digits
    assert Rate.parse(shown).per_second == pytest.approx(per_second, rel=1e-4)
