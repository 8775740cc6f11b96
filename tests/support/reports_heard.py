"""Reports as the inbox keeps them, and jobs that they are about."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from dispatcher.model.job import Job
from dispatcher.model.outcome import Outcome
from dispatcher.policy import after_report, after_window
from dispatcher.provider import AnswerLost
from dispatcher.store import Store
from dispatcher.store.callbacks import Callback
from support.clock import Clock
from support.reports import ended
from support.store_jobs import POLICY, assert_sound, claim, enqueue, placed, refused, snapshot
from workers.engine.apply_callbacks import ApplyReports
from workers.engine.turn import Turn

LOST = AnswerLost("the connection was cut")


WINDOW = POLICY.evidence_window


def said(
    id_: str, status: str = "ANSWERED", callid: str = "call-1", *, attempt: int = 1, **more: Any
) -> Callback:
    """Return what the inbox keeps of a report; only IN PROGRESS is not the end."""
    going_on = status == "IN PROGRESS"
    outcome = Outcome.IN_PROGRESS if going_on else ended(status).outcome
    return Callback(id_, attempt, callid, status, outcome, **more)


def report(
    apply: ApplyReports, id_: str, status: str = "ANSWERED", *, attempt: int = 1, **more: Any
) -> Turn:
    """Have a report come in and be applied; return how it left its job."""
    apply.inbox.receive([said(id_, status, attempt=attempt, **more)], {})
    (turn,) = apply()
    assert apply.inbox.take() == []
    assert_sound(snapshot(apply.store))
    return turn


def counted(store: Store) -> dict[str, int]:
    return {
        name.removeprefix("callbacks."): number
        for name, number in store.statistics.counters().items()
        if name.startswith("callbacks.")
    }


def dialing(store: Store, **fields: Any) -> str:
    id_ = enqueue(store, **fields)
    claim(store, id_)
    return id_


def in_progress(store: Store, **fields: Any) -> str:
    id_ = dialing(store, **fields)
    store.calls.settle(id_, 1, placed())
    return id_


def uncertain(store: Store, **fields: Any) -> str:
    id_ = enqueue(store, **fields)
    made = claim(store, id_)
    store.calls.settle(id_, 1, refused(LOST, made.job))
    return id_


def window_over(store: Store, clock: Clock, id_: str) -> Job:
    clock.forward(WINDOW)
    store.calls.settle(id_, 1, after_window(store.jobs.get(id_), POLICY), actor="rescue")
    return store.jobs.get(id_)


OPEN = [dialing, in_progress, uncertain]


def a_check_told(store: Store, cost: Decimal) -> None:
    """Have a status check tell what a call cost: callbacks are believed that much from then on."""
    id_ = enqueue(store)
    claim(store, id_)
    store.calls.settle(id_, 1, placed("checked"))
    decision = after_report(ended("ANSWERED", cost), store.jobs.get(id_), POLICY)
    assert decision is not None
    store.calls.settle(id_, 1, decision, actor="reconcile")
