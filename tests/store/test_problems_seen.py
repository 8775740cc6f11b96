"""One look at a real store finds what is wrong with it, and nothing where nothing is."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.callbacks_seen import ENOUGH
from dispatcher.model.process import Role
from dispatcher.policy import after_report
from dispatcher.problems.finding import problems
from dispatcher.problems.snapshot import look
from dispatcher.statistics import statistics
from dispatcher.store import Store
from dispatcher.values.rate import Rate
from support.clock import Clock
from support.reports import ended
from support.store_jobs import POLICY, enqueue, failed, in_progress
from workers.engine.heartbeat import Heartbeat


@pytest.fixture(autouse=True)
def beats(store: Store) -> Callable[[], None]:
    """A worker and beat tell that they run, now and whenever this is called."""
    hearts = [Heartbeat(store, role, role, {}) for role in (Role.WORKER, Role.BEAT)]

    def all_beat() -> None:
        for heart in hearts:
            heart.beat()

    all_beat()
    return all_beat


def names(store: Store) -> list[str]:
    return [str(each.name) for each in problems(look(store))]


def balance(store: Store, credits_: int) -> None:
    store.limiter.publish(AccountConfig(rate=Rate(10), floor=50, gap=0, one_at_a_time=False))
    right = store.budget.take_check(lease=60, now=True)
    assert right is not None
    store.budget.note_balance(Decimal(credits_), right, 300)


def test_where_all_is_well_there_is_none(store: Store) -> None:
    balance(store, 1000)
    enqueue(store)
    enqueue(store, at="1h")
    assert names(store) == []
    assert statistics(store)["problems"] == []


def test_the_credit_goes_by_what_is_due_within_four_hours(store: Store) -> None:
    balance(store, 100)
    enqueue(store, at="5h")
    enqueue(store)
    enqueue(store)
    assert names(store) == []  # 40 of 50
    enqueue(store, at="3h")
    assert names(store) == ["credit_short"]
    ahead = statistics(store)["credit"]["ahead"]
    assert (ahead["waiting"], ahead["usual"], ahead["left"]) == (60, 0, 50)


def test_what_was_spent_at_this_hour_a_week_ago_is_usual(
    store: Store, clock: Clock, beats: Callable[[], None]
) -> None:
    balance(store, 1000)
    id_ = in_progress(store)
    decision = after_report(ended("ANSWERED", Decimal(400), 12), store.jobs.get(id_), POLICY)
    assert decision is not None
    store.calls.settle(id_, 1, decision)
    clock.forward(3600)
    store.history.keep()
    clock.forward(167 * 3600 - clock.ms % 3_600_000 / 1000)
    beats()
    balance(store, 300)
    assert names(store) == ["credit_short"]
    assert statistics(store)["credit"]["ahead"]["usual"] == 400


def test_a_provider_that_refuses_again_and_again_is_seen(store: Store, clock: Clock) -> None:
    balance(store, 1000)
    for _ in range(3):
        assert store.limiter.take_slot("a check")[0]
        store.limiter.throttle(1, told=True)
        clock.forward(2)
    assert names(store) == ["throttled"]
    assert statistics(store)["throttled"] == 3


def test_a_campaign_that_fails_is_seen(store: Store) -> None:
    for _ in range(20):
        failed(store, tags=["campaign:spring"])
    assert names(store) == ["campaign_fails"]


def test_callbacks_that_do_not_come_are_seen(store: Store) -> None:
    for number in range(ENOUGH):
        id_ = in_progress(store, f"call-{number}")
        decision = after_report(ended("ANSWERED", Decimal(7), 12), store.jobs.get(id_), POLICY)
        assert decision is not None
        store.calls.settle(id_, 1, decision, actor="reconcile", callback="due")
    assert names(store) == ["callbacks_missing"]


def test_scheduled_jobs_that_nobody_moves_are_late(
    store: Store, clock: Clock, beats: Callable[[], None]
) -> None:
    enqueue(store, at="1h")
    clock.forward(3700)
    beats()
    assert names(store) == ["scheduled_late"]
    assert statistics(store)["late"]["scheduled"] == 100


def test_a_process_that_falls_silent_is_seen_beside_one_that_runs(
    store: Store, clock: Clock, beats: Callable[[], None]
) -> None:
    Heartbeat(store, Role.WORKER, "other", {}).beat()
    clock.forward(20)
    beats()
    assert names(store) == ["process_silent"]
    Heartbeat(store, Role.WORKER, "another", {}).beat()
    assert names(store) == []
