"""Which processes run, as they tell it."""

from __future__ import annotations

import pytest

from dispatcher.model.process import Role
from dispatcher.policy.processes import SILENT_AFTER, STILL_AFTER
from dispatcher.store import Store
from dispatcher.store.schema import PROCESS_FORGOTTEN
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from workers.engine.heartbeat import Heartbeat, Work

SETTINGS = {"DISPATCHER_RATE_LIMIT": "0a1b2c3d"}


def test_a_process_runs_until_it_is_silent_for_some_time(store: Store, clock: Clock) -> None:
    heart = Heartbeat(store, Role.WORKER, "worker-1", SETTINGS)
    heart.beat()
    began = store.now()
    clock.forward(5)
    heart.beat()
    (found,) = store.heartbeats.roll().of(Role.WORKER)
    assert (found.name, found.settings, found.started) == ("worker-1", SETTINGS, began)
    assert found.heard == store.now()
    clock.forward(SILENT_AFTER / 1000 + 1)
    roll = store.heartbeats.roll()
    assert roll.running == ()
    assert roll.last_heard(Role.WORKER) == found.heard
    assert roll.last_heard(Role.BEAT) is None


def test_what_ends_in_order_is_not_missed(store: Store) -> None:
    heart = Heartbeat(store, Role.GATEWAY, "gateway", {})
    heart.beat()
    heart.stop()
    assert store.heartbeats.roll().heard_of == ()


def test_what_is_gone_is_forgotten_after_an_hour(store: Store, clock: Clock) -> None:
    Heartbeat(store, Role.BEAT, "beat", {}).beat()
    other = Heartbeat(store, Role.WORKER, "worker", {})
    clock.forward(PROCESS_FORGOTTEN / 1000 - 1)
    other.beat()
    assert len(store.heartbeats.roll().heard_of) == 2
    clock.forward(2)
    other.beat()
    (left,) = store.heartbeats.roll().heard_of
    assert left.role is Role.WORKER
    assert redis_of(store).pttl(key_of(store, "processes")) > 0


def test_a_clock_that_goes_back_has_nobody_run_for_longer(store: Store, clock: Clock) -> None:
    """What was heard of by a clock an hour ahead does not seem to run for that hour."""
    heart = Heartbeat(store, Role.BEAT, "beat", {})
    clock.forward(3600)
    heart.beat()
    clock.forward(-3600)
    assert store.heartbeats.roll().running == ()
    heart.beat()
    assert len(store.heartbeats.roll().of(Role.BEAT)) == 1


class Begun:
    """How many tasks a worker has begun, and a clock that nobody sets."""

    number = 0
    now = 0.0


def test_a_worker_that_begins_nothing_is_told_apart_while_beat_runs(
    store: Store, clock: Clock
) -> None:
    """As one whose threads all hang, or that has lost its broker."""
    begun = Begun()
    worker = Heartbeat(
        store,
        Role.WORKER,
        "worker",
        {},
        works=[Work(lambda: begun.number, "has begun no task")],
        steady=lambda: begun.now,
    )
    beat = Heartbeat(store, Role.BEAT, "beat", {})

    def after(seconds: float) -> None:
        clock.forward(seconds)
        begun.now += seconds
        worker.beat()
        beat.beat()

    after(0)
    after(STILL_AFTER - 1)
    assert store.heartbeats.roll().stuck == ()
    after(2)
    roll = store.heartbeats.roll()
    assert [p.name for p in roll.stuck] == ["worker"]
    assert roll.working == ()
    begun.number += 1
    after(1)
    assert len(store.heartbeats.roll().working) == 1


def test_of_several_things_that_a_worker_does_none_may_stand_still(
    store: Store, clock: Clock
) -> None:
    tasks, takes = Begun(), Begun()
    works = [Work(lambda: tasks.number, "a"), Work(lambda: takes.number, "b")]
    worker = Heartbeat(store, Role.WORKER, "worker", {}, works=works, steady=lambda: tasks.now)
    beat = Heartbeat(store, Role.BEAT, "beat", {})
    beat.beat()
    worker.beat()
    tasks.now, takes.number = STILL_AFTER + 1, 5
    clock.forward(tasks.now)
    beat.beat()
    worker.beat()
    assert [p.name for p in store.heartbeats.roll().stuck] == ["worker"]


def test_a_worker_that_nobody_has_begin_anything_is_not_stuck(store: Store, clock: Clock) -> None:
    """Without beat, or where beat has only just started."""
    begun = Begun()
    worker = Heartbeat(
        store,
        Role.WORKER,
        "worker",
        {},
        works=[Work(lambda: begun.number, "has begun no task")],
        steady=lambda: begun.now,
    )
    worker.beat()
    begun.now = STILL_AFTER + 100
    clock.forward(begun.now)
    worker.beat()
    assert store.heartbeats.roll().stuck == ()
    Heartbeat(store, Role.BEAT, "beat", {}).beat()
    assert store.heartbeats.roll().stuck == ()


@pytest.mark.parametrize(
    "told",
    ["", "nonsense", "1700000000000 {", '1700000000000 {"role": "oracle"}', "1700000000000 []"],
)
def test_what_another_release_tells_otherwise_is_left_out(store: Store, told: str) -> None:
    """While one is replaced by another, both look."""
    Heartbeat(store, Role.BEAT, "beat", {}).beat()
    redis_of(store).hset(key_of(store, "processes"), "other", told or "x")
    assert [p.role for p in store.heartbeats.roll().running] == [Role.BEAT]
