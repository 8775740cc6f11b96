"""Who wakes idle workers, and when: one at a time, and on where there is more to do."""

from __future__ import annotations

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.states import Priority
from dispatcher.store import Store
from support.claims import take, taken
from support.clock import Clock
from support.polling import eventually
from support.redis_inside import key_of, redis_of
from support.store_jobs import enqueue


def test_where_nobody_waits_nobody_is_woken(store: Store) -> None:
    assert store.queue.wake() is None
    enqueue(store, at=5)
    assert store.queue.wake() is None


def test_one_is_woken_for_many_jobs_of_the_most_urgent_priority(store: Store) -> None:
    enqueue(store, priority="bulk")
    enqueue(store)
    assert store.queue.wake() is Priority.NORMAL
    enqueue(store, priority="urgent")
    assert store.queue.wake() is None


def test_once_a_worker_has_taken_all_that_waited_the_next_is_woken_again(store: Store) -> None:
    enqueue(store)
    assert store.queue.wake() is Priority.NORMAL
    assert len(take(store, 5)) == 1
    assert store.queue.wake() is None
    enqueue(store, priority="bulk")
    assert store.queue.wake() is Priority.BULK


def test_a_worker_that_looks_by_itself_counts_as_woken(store: Store) -> None:
    enqueue(store)
    assert store.queue.wake()
    assert taken(store, 5).wake is None
    assert taken(store, 5).wake is None
    enqueue(store)
    assert store.queue.wake()


def test_others_are_woken_where_there_is_more_than_a_worker_can_dial(store: Store) -> None:
    store.limiter.publish(AccountConfig(one_at_a_time=False))
    for priority in ("normal", "normal", "bulk", "bulk"):
        enqueue(store, priority=priority)
    assert taken(store, 1).wake is Priority.NORMAL
    assert taken(store, 1).wake is None  # the one that was told is on its way
    assert store.queue.wake() is None
    assert taken(store, 2).wake is None  # nothing is left


def test_the_one_that_was_woken_wakes_the_next(store: Store) -> None:
    """For each that is woken takes as much as it can, and says where that was not all."""
    store.limiter.publish(AccountConfig(one_at_a_time=False))
    for _ in range(6):
        enqueue(store)
    assert store.queue.wake()
    assert taken(store, 2).wake is None
    redis_of(store).delete(key_of(store, "woken"))
    assert taken(store, 2).wake is Priority.NORMAL


def test_nobody_is_woken_for_what_the_account_cannot_dial_yet(store: Store) -> None:
    store.limiter.publish(AccountConfig(connections=2, one_at_a_time=False))
    for _ in range(4):
        enqueue(store)
    assert taken(store, 2).wake is None


def test_a_wake_up_that_was_lost_is_made_up_for_within_a_second(store: Store, clock: Clock) -> None:
    """By Redis' own time: it forgets that somebody was told."""
    enqueue(store)
    assert store.queue.wake()
    left = redis_of(store).pttl(key_of(store, "woken"))
    assert 0 < left <= 1000
    eventually(lambda: store.queue.wake() is Priority.NORMAL, "somebody is woken again")
