"""A moment of each week, as people write it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.values.weekly import Weekly

TOKYO = Weekly.parse("Mon 09:00 Asia/Tokyo")
BERLIN = Weekly.parse("sun 02:30 Europe/Berlin")


@pytest.mark.parametrize(
    ("now", "latest"),
    [
        ("2026-11-23T00:00:00", "2026-11-23T00:00:00"),
        ("2026-11-22T23:59:59", "2026-11-16T00:00:00"),
        ("2026-11-28T12:00:00", "2026-11-23T00:00:00"),
    ],
)
def test_the_latest_is_not_after_now(now: str, latest: str) -> None:
    found = TOKYO.latest(datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(latest).replace(tzinfo=UTC)


@given(
    now=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001 - given a zone below
    weekly=st.sampled_from([TOKYO, BERLIN, Weekly.parse("wed 23:59")]),
)
def test_weeks_follow_each_other_without_a_gap(now: datetime, weekly: Weekly) -> None:
    """Also where clocks change, and a moment does not exist or comes twice."""
    now = now.replace(tzinfo=UTC)
    latest = weekly.latest(now)
    assert latest <= now < latest + timedelta(days=7, hours=2)
    before = weekly.before(latest)
    assert timedelta(days=6, hours=22) <= latest - before <= timedelta(days=7, hours=2)
    assert weekly.latest(latest) == latest


@pytest.mark.parametrize("text", ["", "mon", "mon 9:00", "xyz 09:00", "mon 25:00"])
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write a day|not a time"):
        Weekly.parse(text)
