"""What is counted for good, and what `statistics` tells of it."""

from __future__ import annotations

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.job import iso_of
from dispatcher.model.states import Priority
from dispatcher.policy import after_report
from dispatcher.statistics import statistics
from dispatcher.store import Store
from support.claims import take
from support.clock import Clock
from support.reports import ended
from support.store_jobs import POLICY, enqueue, failed, in_progress, snapshot


def answer(store: Store, id_: str) -> None:
    decision = after_report(ended("ANSWERED"), store.jobs.get(id_), POLICY)
    assert decision is not None
    store.calls.settle(id_, 1, decision)


def test_ends_attempts_and_requests_are_counted_for_good(store: Store, clock: Clock) -> None:
    store.limiter.publish(AccountConfig(rate=None, gap=0, one_at_a_time=False))
    done = in_progress(store, "call-1")
    answer(store, done)
    failed(store)
    store.jobs.cancel(failed_and_retried(store), actor="sam")
    assert store.limiter.take_slot("a status check")[0]
    clock.forward(1)
    assert store.jobs.purge(done, clock.ms)
    found = statistics(store)
    assert found["ended"] == {
        "completed": {"": 1},
        "failed": {"invalid_request": 2},
        "cancelled": {"": 1},
        "expired": {},
    }
    assert (found["attempts"], found["requests"]) == (3, 4)


def failed_and_retried(store: Store) -> str:
    id_ = failed(store)
    store.jobs.retry(id_, actor="sam")
    return id_


def test_nothing_counted_is_told_as_none(store: Store) -> None:
    found = statistics(store)
    assert (found["attempts"], found["requests"]) == (0, 0)
    assert found["ended"] == {"completed": {}, "failed": {}, "expired": {}, "cancelled": {}}
    assert found["waiting_since"] == {"urgent": None, "normal": None, "bulk": None}


def test_the_longest_waiting_is_told_whether_ready_or_held(store: Store, clock: Clock) -> None:
    start = clock.ms
    enqueue(store, at="1h", priority="bulk")  # waits for nothing but its time
    enqueue(store, priority="bulk", tags=["campaign:a"])
    clock.forward(1)
    enqueue(store, priority="bulk")
    store.holds.start("paused", "a pause")
    enqueue(store, priority="urgent")
    take(store)
    assert "held:paused:urgent" in snapshot(store)
    assert store.queue.waiting_since() == {
        Priority.URGENT: start + 1000,
        Priority.NORMAL: None,
        Priority.BULK: start,
    }
    assert statistics(store)["waiting_since"]["bulk"] == iso_of(start)
