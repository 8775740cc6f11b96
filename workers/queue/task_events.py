"""Tells Flower of each job's turn, as a task of its own, and of all of them in few messages.

Celery's own events would tell of wake-ups only. And it sends them as they come, which under load
costs more than the dialling does: here what comes within a moment goes out together, and by the
thread that serves the broker. One that hangs keeps nobody from dialling.
"""

from __future__ import annotations

import time
import uuid
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from celery import bootsteps
from celery.worker.consumer.events import Events

from dispatcher.values.masking import mask_text
from workers.engine.turn import Turn

TOGETHER_WITHIN = 0.2  # seconds; nobody watches Flower more closely
MOST_TOGETHER = 500  # events in one message
MOST_WAITING = 5000  # events, while the broker hangs; then the oldest are dropped


class JobFailed(Exception):
    """The turn ended its job in `failed`: Flower shows a FAILURE, with the reason."""


class TaskEvents:
    """Sends task events for turns. `eventer` is set while a consumer is connected; where it is
    `paced`, what it is told waits for `flush`.
    """

    def __init__(self) -> None:
        self.eventer: Any = None
        self.paced = False
        self._waiting: deque[tuple[str, dict[str, Any]]] = deque(maxlen=MOST_WAITING)

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
        if self.eventer is None or not self.eventer.enabled:
            return
        if self.paced:
            self._waiting.append((kind, {**fields, "timestamp": time.time()}))
        else:
            self.eventer.send(kind, **fields)

    def flush(self) -> None:
        """Send what waits, by the thread that serves the broker."""
        while self._waiting:
            kind, fields = self._waiting.popleft()
            self.eventer.send(kind, **fields)
        self.eventer.flush()


def step(task_events: TaskEvents) -> type[bootsteps.StartStopStep]:
    """Return the consumer's step that gives `events` an eventer, each time there is a new one."""

    class PacedEvents(bootsteps.StartStopStep):
        requires = (Events,)

        def start(self, consumer: Any) -> None:
            eventer = task_events.eventer = consumer.event_dispatcher
            task_events.paced = consumer.hub is not None
            if not task_events.paced:
                return
            eventer.buffer_limit = MOST_TOGETHER
            eventer.on_send_buffered = None
            self._pace = consumer.hub.call_repeatedly(TOGETHER_WITHIN, task_events.flush)

        def stop(self, consumer: Any) -> None:
            if consumer.hub is not None:
                self._pace.cancel()
                task_events.flush()  # what the last moment brought

    return PacedEvents
