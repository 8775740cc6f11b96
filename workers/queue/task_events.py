"""Tells Flower of each job's turn, as a task of its own, and of all of them in few messages.

A wake-up may carry several jobs, and Celery's events would tell of the wake-up only. And it sends
its events as they come, which under load costs more than the dialling does: here what comes
within a moment goes out together.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from celery import bootsteps
from celery.worker.consumer.events import Events

from dispatcher.values.masking import mask_all

TOGETHER_WITHIN = 0.2  # seconds; nobody watches Flower more closely
MOST_TOGETHER = 500  # events; more go out at once


class JobFailed(Exception):
    """The turn ended its job in `failed`: Flower shows a FAILURE, with the reason."""


class TaskEvents:
    """Sends task events for turns. `eventer` is set while a consumer is connected."""

    def __init__(self) -> None:
        self.eventer: Any = None

    @contextmanager
    def turn(self, name: str, job_id: str) -> Iterator[Callable[[object], None]]:
        """Tell that a job's turn begins, and how it ends: by the result that the block gives to
        what is yielded, or what it raises. A JobFailed goes no further: it is the job's end, not
        ours.
        """
        task = str(uuid.uuid4())
        began = time.monotonic()
        shown = f"({job_id!r},)"
        self._send("task-received", uuid=task, name=name, args=shown, kwargs="{}", retries=0)
        self._send("task-started", uuid=task)
        results: list[object] = []
        try:
            yield results.append
        except Exception as error:
            self._send("task-failed", uuid=task, exception=repr(error), traceback="")
            if not isinstance(error, JobFailed):
                raise
        else:
            took = time.monotonic() - began
            shown = repr(results[-1]) if results else "None"
            self._send("task-succeeded", uuid=task, result=shown, runtime=took)

    def _send(self, kind: str, **fields: Any) -> None:
        if self.eventer is not None and self.eventer.enabled:
            self.eventer.send(kind, **mask_all(fields))


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
