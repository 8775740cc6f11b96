"""The Celery tasks: thin covers over use cases that know no Celery."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import Celery
from celery.utils.log import get_task_logger

from dispatcher.client.messages import APPLY_REPORT, DELIVER_WEBHOOK, RETRIGGER
from workers.container import Container
from workers.engine.turn import Turn
from workers.queue.task_events import JobFailed, TaskEvents

log = get_task_logger(__name__)

OURS: dict[str, Any] = {
    "shared": False,  # not for any other app in this process
    "Request": "workers.queue.redaction:MaskedRequest",
}
QUIET = OURS | {"send_events": False, "Request": "workers.queue.redaction:QuietRequest"}


class WebhookFailed(Exception):
    """A try to deliver a webhook failed: Flower shows the task as FAILURE, with the reason."""


def told(turn: Turn) -> dict[str, str]:
    """Return what Flower shows of a job's turn, or raise JobFailed where the job has failed now."""
    if turn.failed:
        raise JobFailed(turn.sentence)
    return turn.shown


def register(app: Celery, container: Callable[[], Container], task_events: TaskEvents) -> None:
    """Give the app its tasks; `parts` makes what they stand on when the first one runs."""
    _register_check(app, container)
    _register_apply(app, container, task_events)
    _register_retrigger(app, container)
    _register_ticks(app, container)


def _register_check(app: Celery, container: Callable[[], Container]) -> None:
    @app.task(name="dispatcher.check_call", **OURS, throws=(JobFailed,))
    def check_call(job_id: str) -> dict[str, str]:
        turn = container().check_call(job_id)
        log.info("check %s: %s %s", turn.job_id, turn.state, turn.reason)
        return told(turn)


def _register_apply(
    app: Celery, container: Callable[[], Container], task_events: TaskEvents
) -> None:
    @app.task(name=APPLY_REPORT, **QUIET)
    def apply_report() -> dict[str, str]:
        for turn in container().apply_reports():
            log.info("callback for %s: %s %s", turn.job_id, turn.state, turn.reason)
            task_events.begin(APPLY_REPORT, turn.job_id)(turn)
        return {}


def _register_retrigger(app: Celery, container: Callable[[], Container]) -> None:
    @app.task(name=RETRIGGER, **OURS)
    def retrigger(action: str) -> dict[str, str | int]:
        found = container().retrigger(action)
        log.info("action %s: %s", action, found)
        return found


def register_webhooks(app: Celery, container: Callable[[], Container]) -> None:
    """Give the app the task of the process that delivers webhooks."""

    @app.task(name=DELIVER_WEBHOOK, **OURS, throws=(WebhookFailed,))
    def deliver_webhook(delivery: str) -> dict[str, str]:
        verdict = container().deliver_webhook(delivery)
        if verdict is None:
            return {"webhook": delivery, "result": "nothing to do"}
        log.info("webhook %s: %s %s", delivery, verdict.what, verdict.error)
        if verdict.error:
            raise WebhookFailed(f"webhook {delivery}: {verdict.error}; {verdict.follows}")
        return {"webhook": delivery, "result": "delivered"}


def _register_ticks(app: Celery, container: Callable[[], Container]) -> None:
    def tick(name: str) -> None:
        @app.task(name=f"dispatcher.{name}", **QUIET)
        def run() -> Any:
            return getattr(container(), name)()

    ticks = (
        "pump",
        "rescue",
        "reconcile",
        "watch_credit",
        "watch_replicas",
        "test_callbacks",
        "ring_drills",
        "keep_history",
        "summarise_alerts",
        "purge",
    )
    for name in ticks:
        tick(name)
