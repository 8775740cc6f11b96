"""Rates as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.values.rate import FASTEST, SLOWEST, InvalidRate, Rate


@pytest.mark.parametrize(
    ("written", "rate"),
    [
        ("5", Rate(5)),
        (5, Rate(5)),
        (0.5, Rate(0.5)),
        ("0.5", Rate(0.5)),
        (" 7 ", Rate(7)),
        ("5/s", Rate(5)),
        ("5 / second", Rate(5)),
        ("30/minute", Rate(0.5, 60)),
        ("30/min", Rate(0.5, 60)),
        ("30/M", Rate(0.5, 60)),
        ("1/hour", Rate(1 / 3600, 3600)),
        ("1/h", Rate(1 / 3600, 3600)),
        ("5/day", Rate(5 / 86_400, 86_400)),
        ("10000", Rate(10_000)),
    ],
)
def test_a_rate_is_read_as_requests_per_second_and_the_span_they_are_counted_in(
    written: str | float, rate: Rate
) -> None:
    assert Rate.parse(written) == rate


@pytest.mark.parametrize(
    ("written", "count", "window"),
    [
        ("5", 5, 1),
        ("2.5", 2, 0.8),
        ("0.5", 1, 2),
        ("60/minute", 60, 60),
        ("100/hour", 100, 3600),
        ("5000/day", 5000, 86_400),
        ("0.5/minute", 1, 120),
    ],
)
def test_it_is_so_many_requests_in_a_window(written: str, count: int, window: float) -> None:
    rate = Rate.parse(written)
    assert (rate.count, rate.window) == (count, pytest.approx(window))


@given(st.floats(SLOWEST, FASTEST), st.sampled_from([1, 60, 3600, 86_400]))
def test_a_window_never_holds_more_than_the_rate(per_second: float, period: int) -> None:
    rate = Rate(per_second, period)
    assert rate.count / rate.window == pytest.approx(per_second)
    assert rate.window <= max(2 * period, 1 / per_second) * (1 + 1e-9)


@pytest.mark.parametrize(
    "written",
    ["fast", "", "-1", "5/week", "5/", "/s", "1,5", "5 5", "nan", "inf", "1e3", "\u0665", "5/s\n5"],
)
def test_what_is_no_rate_is_refused_with_how_to_write_one(written: str) -> None:
    with pytest.raises(InvalidRate) as caught:
        Rate.parse(written)
    assert str(caught.value) == (
        f"{written!r} is not a rate: write requests per second (5, 0.5), or"
        " 60/minute, 1000/hour, 5000/day"
    )


@pytest.mark.parametrize("written", ["0", "0.0", "0/minute", "0.5/day", "10001", "9" * 400])
def test_a_rate_of_nothing_or_beyond_reason_is_refused_with_the_bounds(written: str) -> None:
    with pytest.raises(InvalidRate) as caught:
        Rate.parse(written)
    assert str(caught.value) == (
        f"{written!r} is not a sensible rate: from 1/day to 10000 a second"
    )


@pytest.mark.parametrize(
    ("rate", "shown"),
    [(Rate(5), "5/s"), (Rate(1), "1/s"), (Rate(0.5), "30/min"), (Rate(1 / 3600), "1/h")]
    + [(Rate.parse(text), text) for text in ("60/min", "1000/h", "5000/day")],
)
def test_a_rate_is_shown_in_the_unit_that_suits_it(rate: Rate, shown: str) -> None:
    assert str(rate) == shown


@given(st.floats(SLOWEST, FASTEST))
def test_what_is_shown_is_read_back_as_about_the_same(per_second: float) -> None:
    rate = Rate(per_second)
    shown = f"{rate}".replace("e+0", "e")  # %g keeps six digits
    assert Rate.parse(shown).per_second == pytest.approx(per_second, rel=1e-4)
