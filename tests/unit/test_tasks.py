"""The tasks, at a worker without a broker."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from celery import Celery
from celery.contrib.testing import worker
from celery.worker.state import all_total_count

import workers.queue.tasks
from dispatcher.client.messages import Messenger
from dispatcher.client.queues import in_broker
from dispatcher.model.states import Priority, State
from dispatcher.values.namespace import DEFAULT_NAMESPACE
from workers.engine.turn import Turn
from workers.queue.task_events import TaskEvents


def test_a_wake_up_has_the_worker_look_for_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    # It would set up logs, and the default app, for all later tests in this process.
    monkeypatch.setattr(worker, "setup_app_for_worker", lambda app, *_: app.finalize())
    woken, tasks = threading.Event(), all_total_count[0]

    class Woken(Celery):
        def wake(self) -> None:
            woken.set()

    app = Woken("test", broker="memory://", set_as_current=False)
    app.conf.update(
        worker_consumer="workers.queue.consumer:Consumer",
        task_default_queue=in_broker(DEFAULT_NAMESPACE, Priority.NORMAL),
    )
    with worker.start_worker(app, perform_ping_check=False, shutdown_timeout=30):
        Messenger(lambda: app).wake(Priority.NORMAL)
        assert woken.wait(30)
    assert all_total_count[0] == tasks


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
