"""What Celery's events and inspection, and so Flower, get to see of a task."""

from __future__ import annotations

from typing import Any

from celery.worker.request import Request

from dispatcher.values.masking import mask_all

NOT_SHOWN = "(not shown)"
SHOWN = ("args", "kwargs", "result", "exception", "traceback")
"""What events tell of a task beside its name and times."""


class MaskedRequest(Request):
    """A task of which events tell no telephone number: not in its result, error or traceback."""

    def send_event(self, type: str, **fields: Any) -> None:  # noqa: A002 - Celery's own name
        super().send_event(type, **mask_all(fields))


class RedactedRequest(MaskedRequest):
    """A task whose arguments stay with it: they hold a number and what is said.

    The producer's own Celery wrote them into the message's headers in clear.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._argsrepr = self._kwargsrepr = NOT_SHOWN
        # The tracer reads these for its log of failures.
        self._request_dict["argsrepr"] = self._request_dict["kwargsrepr"] = NOT_SHOWN

    def info(self, safe: bool = False) -> dict[str, Any]:  # noqa: ARG002 - Celery's own signature
        """Return what inspection tells of a task that runs or waits: Flower's page of a worker."""
        told: dict[str, Any] = super().info(safe=True)
        return told


class QuietRequest(MaskedRequest):
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
            self._eventer.send(type, uuid=self.id, **mask_all(fields))


def hide_what_others_tell() -> None:
    """Keep from Flower, in its own process, what others' Celery tells of tasks.

    With `task_send_sent_event` a producer's Celery sends the arguments in clear as an event, and
    Flower would show them until a worker takes up the task, or for good where none does. Other
    workers on the broker mask nothing.
    """
    from flower.events import EventsState  # noqa: PLC0415 - only Flower's own process needs it

    take = EventsState.event

    def take_redacted(state: Any, event: dict[str, Any]) -> None:
        if event["type"] == "task-sent":
            event = event | {"args": NOT_SHOWN, "kwargs": NOT_SHOWN}
        take(state, event | {name: mask_all(event[name]) for name in SHOWN if name in event})

    EventsState.event = take_redacted
