"""Wake-ups from producers and beat reach an idle worker: here it looks for nothing by itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dispatcher.model.states import State
from support.chaos_stage import Stage
from support.polling import eventually


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A worker that has dialled, and is idle."""
    with Stage(tmp_path_factory.mktemp("stage")) as stage:
        stage.start("dial", looks=False)
        eventually(lambda: stage.ready("dial"), "the worker listens", 60, more=stage.told)
        stage.until_ended(stage.enqueue(3), within=180)
        yield stage


def test_an_idle_worker_dials_what_is_enqueued(stage: Stage) -> None:
    (job,) = stage.until_ended(stage.enqueue(1, start=10), within=30)
    assert job.state is State.COMPLETED


def test_an_idle_worker_dials_what_comes_into_line_when_it_is_due(stage: Stage) -> None:
    (job,) = stage.until_ended(stage.enqueue(1, start=20, at="2s"), within=30)
    assert job.state is State.COMPLETED
    assert job.attempts[0].sent_at is not None
    assert job.attempts[0].sent_at >= job.due_at


def test_an_idle_worker_dials_what_a_hold_lets_go(stage: Stage) -> None:
    store = stage.dispatcher.store
    store.holds.start("paused", "a storm")
    ids = stage.enqueue(1, start=30)
    eventually(lambda: stage.jobs(ids)[0].state is State.HELD, "it is held", more=stage.told)
    store.holds.end("paused")
    (job,) = stage.until_ended(ids, within=30)
    assert job.state is State.COMPLETED
