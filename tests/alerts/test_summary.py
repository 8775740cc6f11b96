"""What alerts of a span came to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.alerts.summary import Times, is_night, summarise
from dispatcher.model.alert import Alert, AlertCall, AlertReason, AlertState
from support.alerts import BEGAN, alert

TOKYO = ZoneInfo("Asia/Tokyo")
WEEK = (BEGAN - timedelta(days=6), BEGAN + timedelta(days=1))


def call(number: int, contact: str, at: datetime, job_id: str | None = "j") -> AlertCall:
    return AlertCall(number, contact, 1, 1, at, job_id, None if job_id else "on the list")


def taken(after: float, **fields: object) -> Alert:
    """Return an alert that rang after 2 seconds and that somebody had after so many."""
    return alert(
        state=AlertState.ACKNOWLEDGED,
        rung_at=BEGAN + timedelta(seconds=2),
        acknowledged_at=BEGAN + timedelta(seconds=after),
        acknowledged_by="ann",
        **fields,
    )


def test_a_week_in_figures() -> None:
    night = datetime(2026, 11, 28, 18, 0, tzinfo=UTC)  # 03:00 in Tokyo
    day = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
    found = summarise(
        [
            taken(60, calls=(call(1, "ann", night), call(2, "bob +818012345678", day))),
            taken(10, calls=(call(1, "ann", day),)),
            alert(
                state=AlertState.UNREACHED,
                reason=AlertReason.NOBODY_ANSWERED,
                chain="web",
                calls=(call(1, "ann", night), call(2, "cat", night, None)),
            ),
            alert(state=AlertState.NOT_CALLED, chain=None),
        ],
        *WEEK,
        TOKYO,
    ).to_dict()
    assert found["alerts"] == 4
    assert found["by_state"] == {"acknowledged": 2, "unreached": 1, "not_called": 1}
    assert found["to_first_ring"] == {"alerts": 2, "median": 2, "p95": 2}
    assert found["to_acknowledge"] == {"alerts": 2, "median": 10, "p95": 60}
    assert found["unreached"] == {"nobody_answered": 1}
    assert found["calls"] == 4  # nobody called cat
    assert set(found["chains"]) == {"", "database", "web"}
    assert found["chains"]["web"]["unreached"] == {"nobody_answered": 1}
    assert found["people"] == {
        "ann": {"calls": 3, "at_night": 2},
        "bob +8180****5678": {"calls": 1, "at_night": 0},
    }
    assert found["zone"] == "Asia/Tokyo"


def test_nights_are_those_of_who_is_called() -> None:
    night = datetime(2026, 11, 28, 18, 0, tzinfo=UTC)  # 03:00 in Tokyo, 10:00 in Los Angeles
    calls = (call(1, "ann", night), call(2, "eve", night))
    zones = {"eve": ZoneInfo("America/Los_Angeles")}
    found = summarise([taken(1, calls=calls)], *WEEK, TOKYO, zones)
    assert {name: each.at_night for name, each in found.people.items()} == {"ann": 1, "eve": 0}


def test_a_storm_counts_its_alerts_and_its_calls_once() -> None:
    """Its alerts were acknowledged together: that is one acknowledgement."""
    members = [taken(60, id=str(n), told_by="b") for n in range(50)]
    bundle = taken(60, id="b", source="bundle", members=50, calls=(call(1, "ann", BEGAN),))
    found = summarise([bundle, *members], *WEEK, TOKYO).to_dict()
    assert (found["alerts"], found["bundles"], found["calls"]) == (50, 1, 1)
    assert found["to_acknowledge"]["alerts"] == 1
    assert found["people"] == {"ann": {"calls": 1, "at_night": 1}}


def test_a_drill_counts_only_among_the_calls() -> None:
    drill = taken(1, source="drill", calls=(call(1, "ann", BEGAN),))
    found = summarise([drill], *WEEK, TOKYO).to_dict()
    assert (found["alerts"], found["drills"], found["calls"]) == (0, 1, 1)
    assert found["to_acknowledge"]["alerts"] == 0


def test_nothing_came() -> None:
    found = summarise([], *WEEK, TOKYO).to_dict()
    assert (found["alerts"], found["chains"], found["people"]) == (0, {}, {})
    assert found["to_first_ring"] == {"alerts": 0, "median": None, "p95": None}


@pytest.mark.parametrize(
    ("clock", "night"),
    [("21:59", False), ("22:00", True), ("00:00", True), ("06:59", True), ("07:00", False)],
)
def test_nights_go_by_the_zone(clock: str, night: bool) -> None:
    at = datetime.fromisoformat(f"2026-11-28T{clock}").replace(tzinfo=TOKYO)
    assert is_night(at.astimezone(UTC), TOKYO) == night


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_shares_are_of_those_that_there_are(seconds: list[float]) -> None:
    found, ordered = Times.of(seconds), sorted(seconds)
    assert found.median is not None
    assert found.most is not None
    assert ordered[0] - 0.001 <= found.median <= found.most <= ordered[-1] + 0.001
    for value, share in ((found.median, 0.5), (found.most, 0.95)):
        within = sum(each <= value + 0.001 for each in ordered)
        assert within >= share * len(ordered)
