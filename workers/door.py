"""The door for Celery apps that install nothing: `send_task("dispatcher.call", kwargs=…)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import Celery, Task

from dispatcher.client import Dispatcher
from dispatcher.errors import DispatcherError
from dispatcher.masking import mask_text
from dispatcher.request import InvalidJob, JobRequest
from workers.patience import persist


class CallRefused(Exception):
    """The request was not accepted; the message says what to mend, with numbers masked."""


def register(app: Celery, dispatcher: Callable[[], Dispatcher]) -> None:
    """Give the app the door task; `dispatcher` makes what it stands on when it is first used."""

    @app.task(
        bind=True,
        name="dispatcher.call",
        Request="workers.discreet:DiscreetRequest",
        throws=(CallRefused,),
    )
    def call(task: Task, *args: Any, **kwargs: Any) -> str:
        """Accept a job and return its id. Without a key the task's id is the key, so that a message
        delivered twice makes one job.
        """
        try:
            return persist(lambda: accept(dispatcher(), task.request.id, args, kwargs))
        except DispatcherError as error:
            raise CallRefused(mask_text(str(error))) from None


def accept(
    dispatcher: Dispatcher, task_id: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> str:
    """Enqueue what a message asks for; return the job's id. Raises InvalidJob, KeyConflict."""
    if args:
        raise InvalidJob([("request", "give every argument by name: recipient=…, say=…")])
    key = kwargs.get("key") or f"task:{task_id}"
    return dispatcher.submit(JobRequest.of({**kwargs, "key": key})).id
