"""What ended is counted by the minute, and what waits by its gate."""

from __future__ import annotations

from collections import Counter

import pytest

from dispatcher.model.states import Priority
from dispatcher.policy import Policy, after_report
from dispatcher.store import Store
from dispatcher.store.holds import PauseScope
from support.claims import take
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from support.reports import ended
from support.store_jobs import claim, enqueue, failed, placed


def answered(store: Store) -> str:
    id_ = enqueue(store)
    store.calls.settle(id_, claim(store, id_).attempt, placed(f"call-{id_}"))
    decision = after_report(ended("ANSWERED"), store.jobs.get(id_), Policy())
    assert decision
    store.calls.settle(id_, 1, decision)
    return id_


def test_ends_are_counted_in_the_minute_in_which_they_come(store: Store, clock: Clock) -> None:
    failed(store)
    clock.forward(60)
    answered(store)
    failed(store)
    clock.forward(60)
    before, then, now = store.statistics.outcome_counts(3)
    assert before.outcomes == Counter({"failed:invalid_request": 1})
    assert then.outcomes == Counter({"failed:invalid_request": 1, "completed": 1})
    assert now.outcomes == Counter()
    assert now.at.timestamp() * 1000 == clock.ms // 60_000 * 60_000


def test_an_hour_ends_and_nothing_is_lost_or_counted_twice(store: Store, clock: Clock) -> None:
    for _ in range(90):
        failed(store)
        clock.forward(60)
    assert [minute.outcomes.total() for minute in store.statistics.outcome_counts(91)] == [
        1
    ] * 90 + [0]
    assert sum(minute.outcomes.total() for minute in store.statistics.outcome_counts()) == 59


def test_counts_are_forgotten_after_a_day(store: Store) -> None:
    failed(store)
    (key,) = redis_of(store).keys(key_of(store, "outcomes", "*"))
    assert 86_000 < redis_of(store).ttl(key) <= 86_400


def test_a_retry_counts_as_an_end_of_its_own(store: Store) -> None:
    id_ = failed(store)
    store.jobs.retry(id_, actor="test")
    store.jobs.cancel(id_, actor="test")
    assert store.statistics.outcome_counts(1)[0].outcomes == Counter(
        {"failed:invalid_request": 1, "cancelled": 1}
    )


def test_nobody_waits_at_first(store: Store) -> None:
    assert store.statistics.behind() == {}
    assert set(store.queue.waits().since.values()) == {None}
    assert set(store.queue.waits().late.values()) == {None}


@pytest.mark.parametrize("priority", Priority)
def test_the_oldest_is_found_in_each_line(store: Store, clock: Clock, priority: Priority) -> None:
    since = clock.ms
    enqueue(store, priority=priority)
    clock.forward(5)
    enqueue(store, tags=["campaign:x"])
    waits = store.queue.waits()
    assert waits.since[priority] == waits.late[priority] == since


def test_a_held_job_waits_and_is_not_late_in_line(store: Store, clock: Clock) -> None:
    since = clock.ms
    store.holds.pause(PauseScope(), actor="test")
    enqueue(store, priority=Priority.URGENT)
    take(store)
    waits = store.queue.waits()
    assert (waits.since[Priority.URGENT], waits.late[Priority.URGENT]) == (since, None)


def test_a_scheduled_job_that_nobody_moves_into_line_is_past_its_time(
    store: Store, clock: Clock
) -> None:
    """As where neither beat nor a worker runs."""
    enqueue(store, at="1h")
    assert store.queue.waits().late["scheduled"] is None
    due = clock.ms + 3_600_000
    clock.forward(3700)
    assert store.queue.waits().late["scheduled"] == due
    store.queue.pump()
    assert store.queue.waits().late["scheduled"] is None


def test_the_scheduled_are_counted_by_when_they_are_due(store: Store, clock: Clock) -> None:
    for hours in (1, 2, 30):
        enqueue(store, at=f"{hours}h")
    assert store.queue.scheduled(clock.ms + 4 * 3_600_000) == (2, 3)


def test_the_held_are_counted_by_their_gate(store: Store) -> None:
    store.holds.pause(PauseScope(tag="zoo"), actor="test")
    store.holds.pause(PauseScope(priority=Priority.BULK), actor="test")
    for priority in (Priority.NORMAL, Priority.URGENT):
        enqueue(store, tags=["zoo"], priority=priority)
    enqueue(store, priority=Priority.BULK)
    take(store)
    assert store.statistics.behind() == {"paused:tag:zoo": 2, "paused:priority:bulk": 1}
