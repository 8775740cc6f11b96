"""The tasks, at a worker without a broker."""

from __future__ import annotations

from typing import Any

from celery import Celery

import workers.queue.tasks
from dispatcher.model.states import State
from workers.engine.turn import Turn
from workers.queue.task_events import TaskEvents


class Woken:
    """A container whose dialler counts its wake-ups."""

    def __init__(self) -> None:
        self.dialler, self.times = self, 0

    def wake(self) -> None:
        self.times += 1


def test_a_wake_up_has_the_worker_look_for_jobs() -> None:
    woken: Any = Woken()
    app = Celery("test", set_as_current=False)
    workers.queue.tasks.register(app, lambda: woken, TaskEvents())
    assert (app.tasks["dispatcher.dial"].run(), woken.times) == ({}, 1)


def test_each_report_is_told_as_a_task_of_its_own_and_a_failed_job_fails_no_other() -> None:
    told: list[tuple[str, str]] = []

    class Overheard(TaskEvents):
        def _send(self, kind: str, **fields: Any) -> None:
            if kind in {"task-failed", "task-succeeded"}:
                told.append((kind, str(fields.get("exception") or fields.get("result"))))

    class Applying:
        def __call__(self) -> Any:
            return self

        def apply_reports(self) -> list[Turn]:
            return [
                Turn("a", State.FAILED, "no_answer", "NO ANSWER"),
                Turn("b", State.COMPLETED, why="ANSWERED"),
                Turn("c", State.FAILED, why="it came too late to change anything"),
                Turn("d", None, why="the job is not kept any more"),
            ]

    app = Celery("test", set_as_current=False)
    workers.queue.tasks.register(app, Applying(), Overheard())
    app.tasks["dispatcher.apply_report"].run()
    assert [kind for kind, _ in told] == ["task-failed", *["task-succeeded"] * 3]
    assert "job a failed: no_answer: NO ANSWER" in told[0][1]
    assert [
        state in said
        for state, (_, said) in zip(("completed", "too late", "gone"), told[1:], strict=True)
    ] == [True] * 3
