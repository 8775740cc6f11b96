"""Tells Flower of each job's turn, as a task of its own, and of all of them in few messages.

Celery's own events would tell of wake-ups only. And it sends them as they come, which under load
costs more than the dialling does: here what comes within a moment goes out together.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from celery import bootsteps
from celery.worker.consumer.events import Events

from dispatcher.values.masking import mask_text
from workers.engine.turn import Turn

TOGETHER_WITHIN = 0.2  # seconds; nobody watches Flower more closely
MOST_TOGETHER = 500  # events; more go out at once


class JobFailed(Exception):
    """The turn ended its job in `failed`: Flower shows a FAILURE, with the reason."""


class TaskEvents:
    """Sends task events for turns. `eventer` is set while a consumer is connected."""

    def __init__(self) -> None:
        self.eventer: Any = None

    def begin(self, name: str, job_id: str) -> Callable[[Turn], None]:
        """Tell that a job's turn begins, as a task of this name; return what tells how it ended: as
        a failure where the job has failed now.
        """
        task, began = str(uuid.uuid4()), time.monotonic()
        shown = f"({job_id!r},)"
        self._send("task-received", uuid=task, name=name, args=shown, kwargs="{}", retries=0)
        self._send("task-started", uuid=task)
        return partial(self._end, task, began)

    def _end(self, task: str, began: float, turn: Turn) -> None:
        if turn.failed:
            why = mask_text(repr(JobFailed(turn.sentence)))
            self._send("task-failed", uuid=task, exception=why, traceback="")
        else:
            took = time.monotonic() - began
            shown = mask_text(repr(turn.shown))
            self._send("task-succeeded", uuid=task, result=shown, runtime=took)

    def _send(self, kind: str, **fields: Any) -> None:
        if self.eventer is not None and self.eventer.enabled:
            self.eventer.send(kind, **fields)


def step(task_events: TaskEvents) -> type[bootsteps.StartStopStep]:
    """Return the consumer's step that gives `events` an eventer, each time there is a new one."""

    class PacedEvents(bootsteps.StartStopStep):
        requires = (Events,)

        def start(self, consumer: Any) -> None:
            eventer = task_events.eventer = consumer.event_dispatcher
            if consumer.hub is None:
                return
            eventer.buffer_limit = MOST_TOGETHER
            eventer.on_send_buffered = None
            self._pace = consumer.hub.call_repeatedly(TOGETHER_WITHIN, eventer.flush)

        def stop(self, consumer: Any) -> None:
            if consumer.hub is not None:
                self._pace.cancel()
                consumer.event_dispatcher.flush()  # what the last moment brought

    return PacedEvents
