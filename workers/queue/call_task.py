"""The call task, for Celery apps that install nothing: `send_task("dispatcher.call", kwargs=…)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import Celery, Task
from celery.utils.log import get_task_logger

from dispatcher.client.dispatcher import Dispatcher
from dispatcher.errors import DispatcherError
from dispatcher.model.invalid_job import InvalidJob
from dispatcher.tracing import spans
from dispatcher.values.masking import mask_text
from dispatcher.values.traceparent import HEADER, traceparent_or_none
from workers.engine.retrying import retry_until_available

log = get_task_logger(__name__)


class CallRefused(Exception):
    """The request was not accepted; the message says what to mend, with numbers masked."""


class CallFailed(Exception):
    """The request met a fault of ours: numbers are masked, and the log has the traceback.

    Its sender's result backend keeps the message, and Flower shows it.
    """


def register(app: Celery, dispatcher: Callable[[], Dispatcher]) -> None:
    """Give the app the call task; `dispatcher` makes what it stands on when it is first used."""

    @app.task(
        bind=True,
        name="dispatcher.call",
        Request="workers.queue.redaction:RedactedRequest",
        throws=(CallRefused,),
        shared=False,  # not for any other app in this process
    )
    def call(task: Task, *args: Any, **kwargs: Any) -> str:
        """Accept a job and return its id. Without a key the task's id is the key, so that a message
        delivered twice makes one job; and none where that one was purged meanwhile. A traceparent
        may be among the message's headers, as OpenTelemetry for Celery puts it there.
        """
        header = getattr(task.request, HEADER, None)
        told = traceparent_or_none(header if isinstance(header, str) else None)
        try:
            with spans().message(task.name, told) as step:
                fields = {HEADER: step.traceparent, **kwargs}
                return retry_until_available(
                    lambda: accept(dispatcher(), task.request.id, args, fields)
                )
        except DispatcherError as error:
            raise CallRefused(mask_text(str(error), asked=True)) from None
        except Exception as error:
            log.exception("a call task failed")
            raise CallFailed(mask_text(f"{type(error).__name__}: {error}", asked=True)) from None


def accept(
    dispatcher: Dispatcher, task_id: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> str:
    """Enqueue what a message asks for; return the job's id. Raises InvalidJob, KeyConflict."""
    if args:
        raise InvalidJob([("request", "give every argument by name: recipient=…, say=…")])
    key = kwargs.get("key") or f"task:{task_id}"
    return dispatcher.submit(dispatcher.request({**kwargs, "key": key}), message=task_id).id
