"""Where an alert stands, in words, whatever it came to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.alerts.story import CallStory, Story
from dispatcher.model.alert import Acknowledgement, AlertCall, AlertReason, AlertState
from dispatcher.policy.chain_position import Position
from dispatcher.policy.chain_values import Move, Ring
from support.alerts import BEGAN, alert

AT, UNDER_WAY = "2026-11-28 21:30:15 UTC", "the chain database is under way"
UNLESS = "unless somebody has it, it goes on in"
LATER = BEGAN + timedelta(seconds=90)


def told(**fields: Any) -> Story:
    return Story(alert(**fields), (), (), "", BEGAN)


@pytest.mark.parametrize(
    ("fields", "because"),
    [
        ({"state": AlertState.FOLDED, "told_by": "b1"}, "the calls of alert b1 tell of it"),
        ({"state": AlertState.NOT_CALLED}, "a route says that nobody is called for it"),
        (
            {
                "state": AlertState.ACKNOWLEDGED,
                "acknowledged_by": "ann +818012345678",
                "acknowledged_at": BEGAN,
                "acknowledged_how": Acknowledgement.DIAL_IN,
            },
            f"ann +8180****5678 has it since {AT}, by dial in; nobody else is called",
        ),
        (
            {"state": AlertState.UNREACHED, "reason": AlertReason.NO_CHAIN},
            "nobody has it: no chain fits it",
        ),
        (
            {"state": AlertState.CANCELLED, "ended_at": BEGAN},
            "its calls have been stopped since 2026-11-28 21:30:15 UTC",
        ),
        (
            {"round": 1, "step": 2, "next_at": LATER},
            f"{UNDER_WAY} (round 1, step 2); {UNLESS} 90 s (21:31:45 UTC)",
        ),
        ({}, f"{UNDER_WAY} (it begins)"),
    ],
)
def test_it_says_why_it_stands_there(fields: dict[str, Any], because: str) -> None:
    assert told(**fields).because == because


def test_it_says_who_is_called_next() -> None:
    rings = (Ring("ann", 1, 2, to="+818012340002"), Ring("bob", 1, 2, skipped="on the list"))
    then = Move(Position(), rings, next_at=LATER)
    found = Story(alert(next_at=LATER), (), (), "", BEGAN, then)
    assert found.because.endswith("(21:31:45 UTC): then ann is called")


def test_while_nobody_can_be_called_it_says_so() -> None:
    found = Story(alert(next_at=LATER), (), (), "paused", BEGAN)
    assert found.because.endswith("calls are held, and the chain waits: paused")


def test_a_call_that_was_not_made_says_why() -> None:
    skipped = AlertCall(1, "ann", 1, 1, BEGAN, None, "ann is on the do-not-call list")
    found = CallStory(skipped, None)
    assert found.became == "not called: ann is on the do-not-call list"
    assert not found.under_way
    purged = CallStory(AlertCall(1, "ann", 1, 1, BEGAN, "job"), None)
    assert purged.became == "its record was removed"


@given(
    state=st.sampled_from(AlertState),
    reason=st.sampled_from([None, *AlertReason]),
    chain=st.sampled_from([None, "database"]),
    moments=st.sampled_from([None, BEGAN]),
)
def test_every_alert_has_a_why(
    state: AlertState, reason: AlertReason | None, chain: str | None, moments: Any
) -> None:
    when = {"acknowledged_at": moments, "ended_at": moments, "next_at": moments}
    found = told(state=state, reason=reason, chain=chain, **when)
    assert found.because
    assert found.to_dict()["why"] == found.because
