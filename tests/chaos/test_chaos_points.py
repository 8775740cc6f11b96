"""A worker killed at each named point of the dial path, or stopped there beyond its lease."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest

from dispatcher.model.job import Job
from dispatcher.model.states import OnUncertain, Reason, State
from support.chaos_points import (
    AFTER_ANSWER,
    AFTER_POST,
    AFTER_RECORD,
    AFTER_TAKE,
    BEFORE_POST,
    BEFORE_RECORD,
    BEFORE_TAKE,
    BEFORE_WINDOW,
    POINTS,
)
from support.chaos_stage import Stage, Verdict
from support.polling import eventually

WISHES = (OnUncertain.HOLD, OnUncertain.REDIAL)
CLEAR = (BEFORE_WINDOW, BEFORE_TAKE)
"""Where no record is left of the worker; played at the end, as others would take the job too."""
UNCALLED = {AFTER_TAKE, BEFORE_POST}
CALLED = {AFTER_POST, AFTER_ANSWER, BEFORE_RECORD}
ANY_TIME = "Mon-Sun 00:00-24:00"
MANY = 4


@dataclass(frozen=True)
class Played:
    """What became of the jobs that workers were caught at: (killed or stopped, point, wish); and
    of those that one worker had taken in one step.
    """

    verdict: Verdict
    met: dict[tuple[str, str, str], Job]
    together: list[Job]


def caught_at_each_point(folder: Path) -> Played:
    # Those who die keep their connections for a while, which others want.
    account = {"DISPATCHER_RATE_LIMIT": "none", "DISPATCHER_MAX_CONNECTIONS": "100"}
    with Stage(folder, sandbox=["--latency=0.05"], **account) as stage:
        ids: list[str] = []
        met: dict[tuple[str, str, str], str] = {}
        for wish in WISHES:
            for point in (point for point in POINTS if point not in CLEAR):
                ids += stage.enqueue(2, start=len(ids), on_uncertain=wish)
                met["killed", point, wish] = _met(stage, point, wish, "killed")[0]
            ids += stage.enqueue(1, start=len(ids), on_uncertain=wish)
            stopped = _met(stage, AFTER_TAKE, wish, f"stopped-{wish}")
            met["stopped", AFTER_TAKE, wish] = stopped[0]
        ids += stage.enqueue(MANY, start=len(ids), on_uncertain=OnUncertain.HOLD, priority="urgent")
        together = _met(stage, AFTER_TAKE, OnUncertain.HOLD, "killed", concurrency=MANY)
        for point in CLEAR:
            hours = ANY_TIME if point == BEFORE_WINDOW else None
            for wish in WISHES:
                ids += stage.enqueue(2, start=len(ids), on_uncertain=wish, hours=hours)
                met["killed", point, wish] = _met(stage, point, wish, "killed")[0]
        stage.start("dial", "survivor", concurrency=4)
        stage.until_ended(ids, 180)
        for wish in WISHES:
            os.kill(stage.alive[f"stopped-{wish}"], signal.SIGCONT)
            _has_its_say(stage, met["stopped", AFTER_TAKE, wish])
        found = {job.id: job for job in stage.jobs(ids)}
        caught = {what: found[id_] for what, id_ in met.items()}
        return Played(stage.verdict(ids), caught, [found[id_] for id_ in together])


def _met(stage: Stage, point: str, wish: str, name: str, concurrency: int = 1) -> list[str]:
    """Run a worker until it is caught at the point with jobs of this wish; return their ids."""
    how = signal.SIGKILL if name == "killed" else signal.SIGSTOP
    before = _caught(stage)
    trap = {"point": point, "wish": wish, "how": int(how)}
    stage.start("dial", name, trap=trap, concurrency=concurrency)
    what = f"a worker gets {point} with {wish}"
    (line,) = eventually(lambda: _caught(stage)[len(before) :], what, more=stage.told)
    return str(line).split()[1:]


def _caught(stage: Stage) -> list[str]:
    return stage.traps.read_text().splitlines() if stage.traps.exists() else []


def _has_its_say(stage: Stage, id_: str) -> None:
    """Wait until a worker that goes on has written what it did."""
    eventually(
        lambda: stage.jobs([id_])[0].attempts[0].result != "maybe_placed",
        "the stopped worker goes on",
        more=stage.told,
    )


pytestmark = pytest.mark.played(by=caught_at_each_point)


def test_whatever_point_a_worker_dies_at_every_job_ends_and_nothing_is_hidden(
    outcome: Played,
) -> None:
    outcome.verdict.assert_nothing_hidden()


@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("point", [*CLEAR, AFTER_RECORD])
def test_where_the_record_is_clear_the_call_is_made_once(
    outcome: Played, point: str, wish: str
) -> None:
    job = outcome.met["killed", point, wish]
    assert (job.state, len(job.attempts), outcome.verdict.calls[job.id]) == (State.COMPLETED, 1, 1)


@pytest.mark.parametrize("point", sorted(UNCALLED | CALLED))
def test_with_hold_nobody_is_called_again_and_the_job_says_that_its_outcome_is_unknown(
    outcome: Played, point: str
) -> None:
    job = outcome.met["killed", point, OnUncertain.HOLD]
    assert (job.state, job.reason) == (State.FAILED, Reason.OUTCOME_UNKNOWN)
    assert [item.result for item in job.attempts] == ["maybe_placed"]
    assert outcome.verdict.calls[job.id] == (point in CALLED)


def test_of_many_taken_in_one_step_by_a_worker_that_dies_each_outcome_is_unknown(
    outcome: Played,
) -> None:
    assert len(outcome.together) > 1
    for job in outcome.together:
        assert (job.state, job.reason) == (State.FAILED, Reason.OUTCOME_UNKNOWN)
        assert outcome.verdict.calls[job.id] == 0


@pytest.mark.parametrize("point", sorted(UNCALLED | CALLED))
def test_with_redial_everybody_is_called_and_the_lost_attempt_stays_marked(
    outcome: Played, point: str
) -> None:
    job = outcome.met["killed", point, OnUncertain.REDIAL]
    assert job.state is State.COMPLETED
    # A busy machine may come too late for the second, and give it back.
    results = [item.result for item in job.attempts if item.result != "not_sent"]
    assert results == ["maybe_placed", "answered"]
    assert outcome.verdict.calls[job.id] == 1 + (point in CALLED)


@pytest.mark.parametrize(
    ("wish", "results", "calls"),
    [(OnUncertain.HOLD, ["not_sent"], 0), (OnUncertain.REDIAL, ["not_sent", "answered"], 1)],
)
def test_a_worker_stopped_beyond_its_lease_sends_nothing_when_it_goes_on(
    outcome: Played, wish: str, results: list[str], calls: int
) -> None:
    """Its job was rescued and decided meanwhile: it neither calls nor writes over that."""
    job = outcome.met["stopped", AFTER_TAKE, wish]
    assert [item.result for item in job.attempts] == results
    assert outcome.verdict.calls[job.id] == calls
    assert job.state is (State.COMPLETED if calls else State.FAILED)


def test_with_hold_nobody_was_called_twice(outcome: Played) -> None:
    twice = {job.on_uncertain for job in outcome.verdict.called_twice}
    assert twice <= {OnUncertain.REDIAL}
