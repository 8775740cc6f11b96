"""When drills are due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.policy.drills import EVERY, WEEKDAYS, is_late, last_due


@dataclass
class Plan:
    every: str
    at: str = "10:00"
    zone: str = "UTC"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


NOW = at("2026-11-28T12:00:00+00:00")  # a Saturday


@pytest.mark.parametrize(
    ("plan", "due"),
    [
        (Plan("day"), "2026-11-28T10:00:00+00:00"),
        (Plan("day", "12:00"), "2026-11-28T12:00:00+00:00"),
        (Plan("day", "12:01"), "2026-11-27T12:01:00+00:00"),
        (Plan("mon"), "2026-11-23T10:00:00+00:00"),
        (Plan("sat", "13:00"), "2026-11-21T13:00:00+00:00"),
        (Plan("day", "20:30", "Asia/Tokyo"), "2026-11-28T20:30:00+09:00"),
        (Plan("sun", "00:10", "Pacific/Kiritimati"), "2026-11-29T00:10:00+14:00"),
        (Plan("sat", "23:50", "America/New_York"), "2026-11-21T23:50:00-05:00"),
    ],
)
def test_the_latest_that_was_due_by_the_clock_of_its_zone(plan: Plan, due: str) -> None:
    assert last_due(plan, NOW) == at(due)


def test_a_time_that_the_clocks_leave_out_or_have_twice_comes_once() -> None:
    spring, autumn = Plan("day", "02:30", "Europe/Berlin"), Plan("sun", "02:30", "Europe/Berlin")
    assert last_due(spring, at("2026-03-29T12:00:00+02:00")) == at("2026-03-29T03:30:00+02:00")
    for hour in ("02:45:00+02:00", "02:15:00+01:00", "02:45:00+01:00"):
        due = last_due(autumn, at(f"2026-10-25T{hour}"))
        assert due == at("2026-10-25T02:30:00+02:00")


@given(
    every=st.sampled_from(EVERY),
    clock=st.times().map(lambda t: t.strftime("%H:%M")),
    zone=st.sampled_from(["UTC", "Asia/Tokyo", "America/Los_Angeles", "Europe/Berlin"]),
    now=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_what_was_due_is_never_ahead_nor_further_back_than_its_period(
    every: str, clock: str, zone: str, now: datetime
) -> None:
    due = last_due(Plan(every, clock, zone), now)
    most = {"day": 1}.get(every, len(WEEKDAYS))
    assert timedelta() <= now - due <= timedelta(days=most, hours=2)
    assert last_due(Plan(every, clock, zone), due) == due


def test_an_hour_late_is_too_late() -> None:
    assert not is_late(NOW - timedelta(minutes=59), NOW)
    assert is_late(NOW - timedelta(minutes=61), NOW)
