"""The one table of transitions."""

from __future__ import annotations

import pytest

from dispatcher.model.states import (
    LIVE,
    TERMINAL,
    TRANSITIONS,
    WAITING,
    Priority,
    State,
    UnknownWord,
)


def reachable(start: State) -> set[State]:
    seen, ahead = {start}, [start]
    while ahead:
        new = TRANSITIONS[ahead.pop()] - seen
        seen |= new
        ahead += new
    return seen


def test_every_state_has_its_line_in_the_table() -> None:
    assert set(TRANSITIONS) == set(State)


def test_a_state_is_either_terminal_or_live() -> None:
    assert {State.COMPLETED, State.FAILED, State.EXPIRED, State.CANCELLED} == TERMINAL
    assert set(State) == TERMINAL | LIVE
    assert not TERMINAL & LIVE
    assert WAITING <= LIVE


@pytest.mark.parametrize("state", [State.QUEUED, State.SCHEDULED])
def test_every_state_can_be_reached_by_an_accepted_job(state: State) -> None:
    assert reachable(state) == set(State)


@pytest.mark.parametrize("state", sorted(LIVE))
def test_every_live_state_is_left_for_others_and_can_end(state: State) -> None:
    assert TRANSITIONS[state] - {state}
    assert reachable(state) & TERMINAL


@pytest.mark.parametrize("state", sorted(LIVE))
def test_from_every_live_state_somebody_may_still_be_reached(state: State) -> None:
    assert State.COMPLETED in reachable(state)


@pytest.mark.parametrize("state", [State.EXPIRED, State.CANCELLED])
def test_an_ended_job_goes_nowhere_but_into_the_line_again(state: State) -> None:
    assert TRANSITIONS[state] == {State.QUEUED}


def test_a_failed_job_is_dialled_again_or_marked_as_reached() -> None:
    assert TRANSITIONS[State.FAILED] == {State.QUEUED, State.COMPLETED}


def test_a_completed_job_stays_completed() -> None:
    assert TRANSITIONS[State.COMPLETED] == frozenset()


@pytest.mark.parametrize("state", sorted(set(State) - {State.QUEUED}))
def test_only_what_is_ready_is_dialled(state: State) -> None:
    assert State.DIALING not in TRANSITIONS[state]


@pytest.mark.parametrize("state", sorted(WAITING))
def test_what_waits_can_be_cancelled_and_can_expire(state: State) -> None:
    assert {State.CANCELLED, State.EXPIRED} <= TRANSITIONS[state]


@pytest.mark.parametrize("state", [State.DIALING, State.IN_PROGRESS])
def test_what_may_be_ringing_cannot_be_cancelled(state: State) -> None:
    assert State.CANCELLED not in TRANSITIONS[state]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (State, "'ringing' is not a state: choose one of scheduled, queued, held, "),
        (Priority, "'ringing' is not a priority: choose one of urgent, normal, bulk"),
    ],
)
def test_a_word_that_is_none_is_told_with_those_there_are(
    kind: type[State | Priority], words: str
) -> None:
    with pytest.raises(UnknownWord) as raised:
        kind("ringing")
    assert str(raised.value).startswith(words)
