"""What holds for every operation of the store: one step, plain errors, whatever the clock does."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal

import pytest
import redis

from dispatcher.model.states import State
from dispatcher.store import Store
from dispatcher.store.budget import CheckRight
from dispatcher.store.calls import Answer
from dispatcher.store.errors import StoreUnavailable
from dispatcher.store.later import LATER
from dispatcher.store.redis_url import connect
from dispatcher.store.values import Refused
from support.claims import take, taken
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from support.store_jobs import (
    claim,
    enqueue,
    placed,
    snapshot,
    states,
)


def test_many_jobs_are_read_in_the_order_asked_for(store: Store) -> None:
    one, two = enqueue(store), enqueue(store)
    found = store.jobs.get_many([two, "nosuchjob", one])
    assert [job and job.id for job in found] == [two, None, one]


def test_what_is_made_later_is_what_the_store_says(store: Store) -> None:
    told = {name: kind for name, kind in Store.__annotations__.items() if name in LATER}
    assert told == {name: each.name for name, each in LATER.items()}
    assert {name: type(getattr(store, name)).__name__ for name in LATER} == told


def test_what_is_made_later_is_made_once(redis_client: redis.Redis) -> None:
    store = Store(redis_client)
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: store.retention, range(8)))
    assert made == {store.retention}
    with pytest.raises(AttributeError, match="'Store' object has no attribute 'retentoin'"):
        _ = store.retentoin  # type: ignore[attr-defined]


def test_without_a_clock_of_its_own_the_store_goes_by_redis_time(
    redis_client: redis.Redis,
) -> None:
    store = Store(redis_client, namespace=f"real{random.getrandbits(32)}")
    before = store.now()
    job = store.jobs.get(enqueue(store))
    assert before - 1 <= job.created_at.timestamp() * 1000 <= store.now()


def test_a_clock_that_steps_back_loses_no_line_of_the_timeline(store: Store, clock: Clock) -> None:
    id_ = enqueue(store)
    clock.forward(-3)
    claim(store, id_)
    store.calls.settle(id_, 1, placed())
    assert states(store.jobs.get(id_)) == ["queued", "dialing", "in_progress"]


def test_records_deleted_by_hand_stop_nothing(store: Store, clock: Clock) -> None:
    held = enqueue(store)
    store.holds.start("credit", "empty")
    take(store)
    store.holds.end("credit")
    aside = enqueue(store, hours="08:00-21:00")
    assert len(taken(store).hours) == 1
    ready, scheduled = enqueue(store), enqueue(store, at=10)
    other = enqueue(store)
    gone = {held, aside, ready, scheduled}
    for id_ in gone:
        redis_of(store).delete(key_of(store, "job", id_))
    clock.forward(60)
    store.queue.pump()
    store.holds.start("credit", "empty")
    take(store)
    assert store.jobs.get(other).state is State.HELD
    lines = {name: ids for name, ids in snapshot(store).items() if not name.startswith("by_")}
    assert {id_ for ids in lines.values() for id_ in ids}.isdisjoint(gone)


def test_a_redis_that_is_away_is_said_in_plain_words() -> None:
    store = Store(connect("redis://:secret@127.0.0.1:1/0"))
    with pytest.raises(StoreUnavailable, match="start it, or correct") as caught:
        enqueue(store)
    assert "secret" not in str(caught.value)


OPERATIONS: dict[str, Callable[[Store, str], object]] = {
    "enqueue": lambda store, _: enqueue(store),
    "take": lambda store, _: take(store),
    "wake": lambda store, _: store.queue.wake(),
    "set_calling_window": lambda store, id_: store.queue.set_calling_window(id_, None, "", ""),
    "settle": lambda store, id_: store.calls.settle(id_, 1, placed()),
    "settle_many": lambda store, id_: store.calls.settle_many([Answer(id_, 1, placed())] * 9),
    "put_off": lambda store, id_: store.calls.reschedule_check(id_, 1, 5),
    "owe": lambda store, id_: store.calls.schedule_cost_check(id_, 1, None),
    "learn": lambda store, _: store.calls.learn_duration("tts", 20),
    "pump": lambda store, _: store.queue.pump(),
    "rescue": lambda store, _: store.calls.rescue(300),
    "take_due": lambda store, _: store.calls.take_due(State.UNCERTAIN),
    "purge": lambda store, id_: store.jobs.purge(id_, 0),
    "cancel": lambda store, id_: store.jobs.cancel(id_, actor="cli"),
    "mark_reached": lambda store, id_: _refused_at_most(
        lambda: store.jobs.mark_reached(id_, actor="cli")
    ),
    "close_gate": lambda store, _: store.holds.start("credit", "empty"),
    "open_gate": lambda store, _: store.holds.end("credit"),
    "watch": lambda store, _: store.budget.take_check(lease=60),
    "note_balance": lambda store, _: store.budget.note_balance(Decimal(100), CheckRight(0, 0), 300),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_is_one_step_in_redis(store: Store, operation: str) -> None:
    id_ = enqueue(store)
    OPERATIONS[operation](store, enqueue(store))  # loads the library, where it is the first use
    before = _operations_run(store)
    OPERATIONS[operation](store, id_)
    assert _operations_run(store) == before + 1


def _refused_at_most(act: Callable[[], object]) -> None:
    with suppress(Refused):
        act()


def _operations_run(store: Store) -> int:
    calls = redis_of(store).info("commandstats")
    return int(calls.get("cmdstat_fcall", {}).get("calls", 0))


def test_a_claim_carries_the_job_as_it_now_stands(store: Store) -> None:
    id_ = enqueue(store, say="long " * 100)
    (made,) = taken(store).claims
    assert made.job.id == id_
    assert made.job.say == "long " * 100
    assert (made.job.state, len(made.job.attempts)) == (State.DIALING, 1)
