"""The sliding window, on a clock of its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.sandbox.limits import NO_TIME, Limit, Throttle, WorstSecond

GAPS = st.lists(st.floats(0, 3), max_size=80)
RATES = st.sampled_from([0.25, 0.5, 1.0, 2.5, 3.0, 10.0, "2/s", "7/min"])


def test_the_window_slides_with_each_request() -> None:
    """Two per second: the third waits for the first to leave the window, not for a full second."""
    throttle = Throttle()
    two = Limit.parse(2)
    assert [throttle.wait(now, two) for now in (10.0, 10.6, 10.9)] == [None, None, 1]
    assert [throttle.wait(now, two) for now in (11.0, 11.5, 11.6)] == [None, 1, None]


@pytest.mark.parametrize(
    ("rate", "most", "window"),
    [
        (5, 5, 1),
        (0.5, 1, 2),
        (2.5, 3, 1.2),
        ("5/s", 5, 1),
        ("60/min", 60, 60),
        ("60/m", 60, 60),
        ("1000/hour", 1000, 3600),
        ("5000/day", 5000, 86_400),
    ],
)
def test_a_limit_is_a_number_in_a_window(rate: float | str, most: int, window: float) -> None:
    limit = Limit.parse(rate)
    assert (limit.most, limit.window) == (most, pytest.approx(window))


@pytest.mark.parametrize(
    "rate", ["0/min", "60/week", "60", "1.5/min", "-1/s", "", "60/minutes", []]
)
def test_anything_else_is_refused_with_what_may_be_written(rate: object) -> None:
    with pytest.raises(ValueError, match=r"rate is .*: it must be .* or such as 60/min"):
        Limit.parse(rate)


def test_a_window_of_a_minute_may_be_used_up_at_once_and_the_oldest_makes_room() -> None:
    """As the provider's framework counts: what was refused is not among them."""
    throttle, limit = Throttle(), Limit.parse("3/min")
    assert [throttle.wait(now, limit) for now in (0.0, 0.1, 20.0)] == [None] * 3
    assert [throttle.wait(now, limit) for now in (20.1, 59.0, 59.99)] == [40, 1, 1]
    assert [throttle.wait(now, limit) for now in (60.0, 60.05, 60.1)] == [None, 1, None]
    assert throttle.wait(60.2, limit) == 20


def test_a_fraction_of_one_per_second_is_one_in_a_longer_window() -> None:
    throttle = Throttle()
    limit = Limit.parse(0.25)
    assert [throttle.wait(now, limit) for now in (0.0, 0.5, 3.9, 4.0)] == [None, 4, 1, None]


def test_without_a_rate_everything_passes() -> None:
    throttle = Throttle()
    assert [throttle.wait(0.0, None) for _ in range(1000)] == [None] * 1000


def test_a_rate_that_was_lowered_waits_until_enough_have_left_and_tells_no_time() -> None:
    throttle, one = Throttle(), Limit.parse(1)
    assert [throttle.wait(tenth / 10, Limit.parse(5)) for tenth in range(5)] == [None] * 5
    assert throttle.wait(0.5, one) == NO_TIME
    assert throttle.wait(1.29, one) == NO_TIME
    assert throttle.wait(1.39, one) == 1
    assert throttle.wait(1.41, one) is None


@given(gaps=GAPS, rate=RATES)
def test_no_window_ever_holds_more_than_the_rate(gaps: list[float], rate: float | str) -> None:
    throttle, now, accepted = Throttle(), 0.0, []
    limit = Limit.parse(rate)
    for gap in gaps:
        now += gap
        if throttle.wait(now, limit) is None:
            accepted.append(now)
    for first, last in zip(accepted, accepted[limit.most :], strict=False):
        assert first <= last - limit.window


@given(gaps=GAPS, rate=RATES)
def test_who_waits_as_told_gets_through(gaps: list[float], rate: float | str) -> None:
    throttle, now, limit = Throttle(), 0.0, Limit.parse(rate)
    for gap in gaps:
        now += gap
        if (wait := throttle.wait(now, limit)) is not None:
            now += wait + 1e-6  # the sums are floats
            assert throttle.wait(now, limit) is None


@pytest.mark.parametrize(
    ("times", "worst"), [([], 0), ([0, 0.5, 0.99], 3), ([0, 1, 2], 1), ([0, 0.9, 1.0, 1.89, 5], 3)]
)
def test_the_worst_second_is_the_fullest_one(times: list[float], worst: int) -> None:
    seconds = WorstSecond()
    for each in times:
        seconds.add(each)
    assert seconds.worst == worst
