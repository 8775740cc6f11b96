"""A wake-up that carries several jobs, at a worker without a broker."""

from __future__ import annotations

from typing import Any

import pytest
from celery import Celery

import workers.queue.tasks
from dispatcher.model.states import Priority, State
from workers.engine.dial import Turn
from workers.queue.task_events import TaskEvents


class Container:
    """Dials as told, and keeps what is handed back."""

    def __init__(self, failing: str = "") -> None:
        self.failing = failing
        self.dialled: list[str] = []
        self.handed_back: list[tuple[str, Priority]] = []
        self.messenger: Any = self

    def __call__(self) -> Any:
        return self

    def dial(self, what: Any) -> Any:
        if not isinstance(what, str):
            self.handed_back += list(what)
            return None
        self.dialled.append(what)
        if what == self.failing:
            return Turn(what, State.FAILED, "no_answer", "NO ANSWER")
        return Turn(what, State.IN_PROGRESS)


def wake_up(container: Container, *ids: str) -> None:
    app = Celery("test", set_as_current=False)
    workers.queue.tasks.register(app, container, TaskEvents())
    task = app.tasks["dispatcher.dial"]
    task.push_request(delivery_info={"routing_key": "vd.bulk"})
    try:
        task.run(*ids)
    finally:
        task.pop_request()


def test_all_of_them_are_dialled_in_order() -> None:
    container = Container()
    wake_up(container, "a", "b", "c")
    assert (container.dialled, container.handed_back) == (["a", "b", "c"], [])


def test_one_that_fails_stops_none_of_the_others() -> None:
    container = Container(failing="a")
    wake_up(container, "a", "b")
    assert container.dialled == ["a", "b"]


def test_after_a_long_turn_the_others_go_to_whoever_is_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers.queue.tasks, "LONG", -1.0)
    container = Container()
    wake_up(container, "a", "b", "c")
    assert container.dialled == ["a"]
    assert container.handed_back == [("b", Priority.BULK), ("c", Priority.BULK)]


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
