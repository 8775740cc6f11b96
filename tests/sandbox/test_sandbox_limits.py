"""The sliding window, on a clock of its own."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.sandbox.limits import Throttle, WorstSecond

GAPS = st.lists(st.floats(0, 3), max_size=80)
RATES = st.sampled_from([0.25, 0.5, 1.0, 2.5, 3.0, 10.0])


def test_the_window_slides_with_each_request() -> None:
    """Two per second: the third waits for the first to leave the window, not for a full second."""
    throttle = Throttle()
    assert [throttle.wait(now, 2) for now in (10.0, 10.6, 10.9)] == [None, None, 1]
    assert [throttle.wait(now, 2) for now in (11.0, 11.5, 11.6)] == [None, 1, None]


def test_a_fraction_of_one_per_second_is_one_in_a_longer_window() -> None:
    throttle = Throttle()
    assert [throttle.wait(now, 0.25) for now in (0.0, 0.5, 3.9, 4.0)] == [None, 4, 1, None]


def test_without_a_rate_everything_passes() -> None:
    throttle = Throttle()
    assert [throttle.wait(0.0, None) for _ in range(1000)] == [None] * 1000


def test_a_rate_that_was_lowered_waits_until_enough_have_left() -> None:
    throttle = Throttle()
    assert [throttle.wait(tenth / 10, 5) for tenth in range(5)] == [None] * 5
    assert throttle.wait(0.5, 1) == 1
    assert throttle.wait(1.39, 1) == 1
    assert throttle.wait(1.41, 1) is None


@given(gaps=GAPS, rate=RATES)
def test_no_window_ever_holds_more_than_the_rate(gaps: list[float], rate: float) -> None:
    throttle, now, accepted = Throttle(), 0.0, []
    most = math.ceil(rate)
    for gap in gaps:
        now += gap
        if throttle.wait(now, rate) is None:
            accepted.append(now)
    for first, last in zip(accepted, accepted[most:], strict=False):
        assert first <= last - most / rate


@given(gaps=GAPS, rate=RATES)
def test_who_waits_as_told_gets_through(gaps: list[float], rate: float) -> None:
    throttle, now = Throttle(), 0.0
    for gap in gaps:
        now += gap
        if (wait := throttle.wait(now, rate)) is not None:
            now += wait + 1e-6  # the sums are floats
            assert throttle.wait(now, rate) is None


@pytest.mark.parametrize(
    ("times", "worst"), [([], 0), ([0, 0.5, 0.99], 3), ([0, 1, 2], 1), ([0, 0.9, 1.0, 1.89, 5], 3)]
)
def test_the_worst_second_is_the_fullest_one(times: list[float], worst: int) -> None:
    seconds = WorstSecond()
    for each in times:
        seconds.add(each)
    assert seconds.worst == worst
