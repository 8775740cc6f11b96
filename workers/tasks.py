"""The Celery tasks: thin covers over use cases that know no Celery."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import Celery
from celery.utils.log import get_task_logger

from dispatcher.states import State
from workers.dial import Turn
from workers.parts import Parts

log = get_task_logger(__name__)


class JobFailed(Exception):
    """The task ended its job in `failed`: Flower shows the task as FAILURE, with the reason."""


def told(turn: Turn) -> dict[str, str | None]:
    """Return what Flower shows of a job's turn, or raise JobFailed where the job has failed now."""
    if turn.state is State.FAILED and turn.reason:
        raise JobFailed(f"job {turn.job_id} failed: {turn.reason}: {turn.why}")
    shown = {
        "job": turn.job_id,
        "state": turn.state or "gone",
        "reason": turn.reason,
        "why": turn.why,
    }
    return {name: value for name, value in shown.items() if value}


def register(app: Celery, parts: Callable[[], Parts]) -> None:
    """Give the app its tasks; `parts` makes what they stand on when the first one runs."""
    _register_calls(app, parts)
    _register_ticks(app, parts)


def _register_calls(app: Celery, parts: Callable[[], Parts]) -> None:
    @app.task(name="dispatcher.dial", throws=(JobFailed,))
    def dial(job_id: str) -> dict[str, str | None]:
        turn = parts().dial(job_id)
        log.info("dial %s: %s %s", turn.job_id, turn.state, turn.reason)
        return told(turn)

    @app.task(name="dispatcher.check_call", throws=(JobFailed,))
    def check_call(job_id: str) -> dict[str, str | None]:
        turn = parts().check_call(job_id)
        log.info("check %s: %s %s", turn.job_id, turn.state, turn.reason)
        return told(turn)


def _register_ticks(app: Celery, parts: Callable[[], Parts]) -> None:
    def tick(name: str) -> None:
        @app.task(
            name=f"dispatcher.{name}", send_events=False, Request="workers.discreet:QuietRequest"
        )
        def run() -> Any:
            return getattr(parts(), name)()

    for name in ("pump", "rescue", "reconcile", "watch_credit", "purge"):
        tick(name)
