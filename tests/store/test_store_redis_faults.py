"""Redis loses its scripts or its life between operations: what was written stands as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dispatcher.model.states import State
from dispatcher.policy import after_report
from dispatcher.provider import AnswerLost
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnavailable
from dispatcher.store.redis_url import connect
from support.claims import take, taken
from support.clock import Clock
from support.redis_inside import redis_of
from support.reports import ended
from support.store_jobs import (
    POLICY,
    assert_sound,
    claim,
    enqueue,
    failed,
    in_progress,
    placed,
    refused,
    request,
    snapshot,
)
from workers.devstack.embedded_server import EmbeddedServer


@pytest.fixture
def durable(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """A Redis that has written to its disk whatever it has answered."""
    with EmbeddedServer(tmp_path / "redis", appendfsync="always") as server:
        yield server


@pytest.fixture
def durable_store(durable: EmbeddedServer, clock: Clock) -> Iterator[Store]:
    with connect(durable.url) as client:
        yield Store(client, clock=clock)


def life_of_a_job(store: Store, clock: Clock, between: Callable[[], None]) -> None:
    """Take jobs through every operation, with something done in between each of them."""
    (scheduled,) = store.jobs.enqueue_many([request(at=1, tags=["t"], key="k")])
    between()
    clock.forward(1)
    assert store.queue.pump().due == 1
    between()
    (made,) = taken(store, token="t").claims
    between()
    assert [again.attempt for again in taken(store, token="t").claims] == [made.attempt]
    between()
    lost = refused(AnswerLost("cut off"), made.job)
    assert store.calls.settle(scheduled.id, made.attempt, lost) is State.UNCERTAIN
    between()
    clock.forward(POLICY.evidence_window)
    assert store.calls.take_due(State.UNCERTAIN) == [scheduled.id]
    between()
    store.jobs.cancel(scheduled.id, actor="cli")
    between()
    store.jobs.retry(scheduled.id, actor="cli")
    between()
    store.holds.start("credit", "empty", 60)
    between()
    assert take(store) == []
    between()
    assert store.budget.take_check(lease=60) is not None
    between()
    assert store.holds.end("credit")
    assert store.queue.pump().released == 1
    between()
    (second,) = taken(store).claims
    clock.forward(30)
    between()
    assert store.calls.rescue(300) == 1
    between()
    assert store.calls.settle(scheduled.id, second.attempt, placed()) is State.IN_PROGRESS
    between()
    assert store.calls.reschedule_check(scheduled.id, second.attempt, 5)
    between()
    done = after_report(ended("ANSWERED"), store.jobs.get(scheduled.id), POLICY)
    assert done is not None
    assert store.calls.settle(scheduled.id, second.attempt, done) is State.COMPLETED
    between()
    assert store.jobs.purge(scheduled.id, clock.ms + 1)


def test_every_operation_loads_the_library_again_where_it_is_gone(
    store: Store, clock: Clock
) -> None:
    life_of_a_job(store, clock, between=lambda: _forget_functions(store))
    assert_sound(snapshot(store))


def _forget_functions(store: Store) -> None:
    assert redis_of(store).execute_command("FUNCTION", "FLUSH", "SYNC")


def test_the_library_may_be_gone_in_the_middle_of_a_batch_of_requests(store: Store) -> None:
    for _ in range(3):
        _forget_functions(store)
        assert all(outcome.unwrap().new for outcome in store.jobs.enqueue_many([request()] * 3))
    assert sum(store.search.counts()["queued"].values()) == 9


def test_a_killed_redis_comes_back_with_everything_between_any_two_operations(
    durable: EmbeddedServer, durable_store: Store, clock: Clock
) -> None:
    kills = 0

    def crash() -> None:
        nonlocal kills
        before = snapshot(durable_store)
        durable.kill()
        durable.start()
        assert snapshot(durable_store) == before
        assert_sound(before)
        kills += 1

    life_of_a_job(durable_store, clock, between=crash)
    assert kills > 15


def test_jobs_in_every_state_outlive_a_killed_redis(
    durable: EmbeddedServer, durable_store: Store, clock: Clock
) -> None:
    store = durable_store
    enqueue(store, at="1h", tags=["t"])
    in_progress(store, "call-1", say="ディスクがいっぱいです。" * 50, lang="ja")
    failed(store)
    store.jobs.cancel(enqueue(store), actor="cli")
    enqueue(store, expires=1)
    clock.forward(1)
    store.queue.pump()
    claim(store, enqueue(store, key="stuck"))
    clock.forward(30)
    store.calls.rescue(300)
    enqueue(store)
    store.holds.start("credit", "empty")
    take(store)
    store.holds.end("credit")
    claim(store, enqueue(store))
    enqueue(store, hours="08:00-21:00")
    assert len(taken(store).hours) == 1
    enqueue(store)
    before = snapshot(store)
    table = store.search.counts()
    assert {state for state, reasons in table.items() if sum(reasons.values())} == set(State) - {
        State.COMPLETED
    }

    durable.kill()
    with pytest.raises(StoreUnavailable):
        take(store)
    durable.start()

    assert snapshot(store) == before
    assert store.search.counts() == table
    assert not store.jobs.enqueue(request(key="stuck")).new
