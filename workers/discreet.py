"""What Celery's events, and so Flower, get to see of a task."""

from __future__ import annotations

from typing import Any

from celery.worker.request import Request


class DiscreetRequest(Request):
    """A task whose arguments stay out of events: they hold a number and what is said.

    The producer's own Celery wrote them into the message's headers in clear.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._argsrepr = self._kwargsrepr = "(not shown)"
        # The tracer reads these for its log of failures.
        self._request_dict["argsrepr"] = self._request_dict["kwargsrepr"] = "(not shown)"


class QuietRequest(Request):
    """A tick that leaves no trace where it found nothing to do: several come each second.

    Its task is declared with `send_events=False`; what is worth telling is told here, whole.
    """

    def send_event(self, type: str, **fields: Any) -> None:  # noqa: A002 - Celery's own name
        if not (self._eventer and self._eventer.enabled):
            return
        if type == "task-failed" or (type == "task-succeeded" and fields.get("result") != "{}"):
            self._eventer.send(
                "task-received", uuid=self.id, name=self.name, args="()", kwargs="{}", retries=0
            )
            self._eventer.send("task-started", uuid=self.id)
            self._eventer.send(type, uuid=self.id, **fields)
