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
    AFTER_CLAIM,
    AFTER_POST,
    AFTER_RECORD,
    BEFORE_CLAIM,
    BEFORE_POST,
    POINTS,
)
from support.chaos_stage import Stage, Verdict
from support.polling import eventually

WISHES = (OnUncertain.HOLD, OnUncertain.REDIAL)
UNCALLED = {AFTER_CLAIM, BEFORE_POST}
CALLED = {AFTER_POST, AFTER_ANSWER}


@dataclass(frozen=True)
class Played:
    """What became of the jobs that workers were caught at: (killed or stopped, point, wish)."""

    verdict: Verdict
    met: dict[tuple[str, str, str], Job]


def caught_at_each_point(folder: Path) -> Played:
    with Stage(folder, sandbox=["--latency=0.05"]) as stage:
        ids: list[str] = []
        met: dict[tuple[str, str, str], str] = {}
        for wish in WISHES:
            for point in POINTS:
                ids += stage.enqueue(2, start=len(ids), on_uncertain=wish)
                met["killed", point, wish] = _met(stage, point, wish, "killed")
            ids += stage.enqueue(1, start=len(ids), on_uncertain=wish)
            met["stopped", AFTER_CLAIM, wish] = _met(stage, AFTER_CLAIM, wish, f"stopped-{wish}")
        stage.start("dial", "survivor", concurrency=4)
        stage.until_ended(ids, 60)
        for wish in WISHES:
            os.kill(stage.alive[f"stopped-{wish}"], signal.SIGCONT)
            _has_its_say(stage, met["stopped", AFTER_CLAIM, wish])
        found = {job.id: job for job in stage.jobs(ids)}
        return Played(stage.verdict(ids), {what: found[id_] for what, id_ in met.items()})


def _met(stage: Stage, point: str, wish: str, name: str) -> str:
    """Run a worker until it is caught at the point with a job of this wish; return the job's id."""
    how = signal.SIGKILL if name == "killed" else signal.SIGSTOP
    before = _caught(stage)
    trap = {"point": point, "wish": wish, "how": int(how)}
    stage.start("dial", name, trap=trap, concurrency=1)
    what = f"a worker gets {point} with {wish}"
    (line,) = eventually(lambda: _caught(stage)[len(before) :], what, more=stage.told)
    return str(line.split()[1])


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
@pytest.mark.parametrize("point", [BEFORE_CLAIM, AFTER_RECORD])
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


@pytest.mark.parametrize("point", sorted(UNCALLED | CALLED))
def test_with_redial_everybody_is_called_and_the_lost_attempt_stays_marked(
    outcome: Played, point: str
) -> None:
    job = outcome.met["killed", point, OnUncertain.REDIAL]
    assert job.state is State.COMPLETED
    assert [item.result for item in job.attempts] == ["maybe_placed", "answered"]
    assert outcome.verdict.calls[job.id] == 1 + (point in CALLED)


@pytest.mark.parametrize(
    ("wish", "results", "calls"),
    [(OnUncertain.HOLD, ["not_sent"], 0), (OnUncertain.REDIAL, ["not_sent", "answered"], 1)],
)
def test_a_worker_stopped_beyond_its_lease_sends_nothing_when_it_goes_on(
    outcome: Played, wish: str, results: list[str], calls: int
) -> None:
    """Its job was rescued and decided meanwhile: it neither calls nor writes over that."""
    job = outcome.met["stopped", AFTER_CLAIM, wish]
    assert [item.result for item in job.attempts] == results
    assert outcome.verdict.calls[job.id] == calls
    assert job.state is (State.COMPLETED if calls else State.FAILED)


def test_with_hold_nobody_was_called_twice(outcome: Played) -> None:
    twice = {job.on_uncertain for job in outcome.verdict.called_twice}
    assert twice <= {OnUncertain.REDIAL}
