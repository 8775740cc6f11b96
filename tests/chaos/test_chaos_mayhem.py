"""Workers and Redis killed at random, answers cut, callbacks lost or late: who was called?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dispatcher.model.states import OnUncertain, Reason, State
from support.chaos_stage import Mayhem, Stage, Verdict

HOUR = 3600.0
ENDS_WITHIN = 300.0
SOMETIMES = "--cut=0.1"


def polling(folder: Path) -> Verdict:
    """Without callbacks, by both wishes; Redis killed, one clock fast and one slow, two beats."""
    with Stage(folder, sandbox=["--cut=0.2", "--latency=0.05"]) as stage:
        stage.start("beat", "beat-2", skew=-HOUR)
        ids = stage.enqueue(40, on_uncertain="hold")
        ids += stage.enqueue(40, start=40, on_uncertain="redial")
        return Mayhem(stage, redis_kills=1, skews=(HOUR, -HOUR)).run(ids, ENDS_WITHIN)


def callbacks(folder: Path) -> Verdict:
    """With callbacks that come late and often twice; nobody has said what uncertainty is to do.

    Status checks come after the evidence: on a busy machine they would see calls end before their
    callbacks come, and then silence says nothing of the calls that were never placed.
    """
    faults = [SOMETIMES, "--latency=0.05", "--callback-delay=0.5", "--callback-duplicate=0.5"]
    times = {"DISPATCHER_EVIDENCE_WINDOW": "15s", "DISPATCHER_CHECK_FIRST": "20s"}
    with Stage(folder, callbacks=True, sandbox=faults, **times) as stage:
        return Mayhem(stage, redis_kills=1).run(stage.enqueue(60), ENDS_WITHIN)


def lost_callbacks(folder: Path) -> Verdict:
    """With callbacks of which many never come; with `hold` nobody is called twice all the same."""
    faults = [SOMETIMES, "--latency=0.05", "--callback-drop=0.5"]
    with Stage(folder, callbacks=True, sandbox=faults) as stage:
        return Mayhem(stage).run(stage.enqueue(40, on_uncertain="hold"), ENDS_WITHIN)


def each(*runs: Callable[[Path], Verdict]) -> pytest.MarkDecorator:
    """Have a test judge each of these runs."""
    plays = [pytest.param(marks=pytest.mark.played(by=run), id=run.__name__) for run in runs]
    return pytest.mark.parametrize((), plays)


@each(polling, callbacks, lost_callbacks)
def test_every_job_ends_and_no_call_is_hidden(outcome: Verdict) -> None:
    outcome.assert_nothing_hidden()


@pytest.mark.played(by=callbacks)
def test_with_callbacks_nobody_is_left_out_and_nobody_called_twice(outcome: Verdict) -> None:
    others = [(job.attempts, job.timeline) for job in outcome.jobs if job.state != State.COMPLETED]
    assert not others
    assert (outcome.uncalled, outcome.called_twice) == ([], [])


@each(polling, lost_callbacks)
def test_with_hold_nobody_is_called_twice_and_the_unknown_ones_say_so(outcome: Verdict) -> None:
    held = [job for job in outcome.jobs if job.on_uncertain is OnUncertain.HOLD]
    assert {outcome.calls[job.id] for job in held} <= {0, 1}
    unknown = [job for job in held if job.state is not State.COMPLETED]
    assert {(job.state, job.reason) for job in unknown} <= {(State.FAILED, Reason.OUTCOME_UNKNOWN)}


@pytest.mark.played(by=polling)
def test_without_callbacks_some_are_unknown(outcome: Verdict) -> None:
    """A fifth of the answers is cut; with callbacks, all of these may be found by luck."""
    assert any(job.reason == Reason.OUTCOME_UNKNOWN for job in outcome.jobs)


@pytest.mark.played(by=polling)
def test_with_redial_nobody_is_left_out_and_second_calls_are_those_marked_as_maybe_placed(
    outcome: Verdict,
) -> None:
    redialled = [job for job in outcome.jobs if job.on_uncertain is OnUncertain.REDIAL]
    assert {job.state for job in redialled} == {State.COMPLETED}
    for job in redialled:
        known = len(job.attempts) and sum(bool(item.callids) for item in job.attempts)
        assert outcome.calls[job.id] - known == outcome.unowned[job.id]
        assert outcome.unowned[job.id] <= outcome.unknown_attempts(job)
    assert any(outcome.calls[job.id] > 1 for job in redialled)
