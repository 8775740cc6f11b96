"""Alerts where Redis is full, read-only or without its replica, and where its clock steps."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.alert import Acknowledgement, AlertState
from dispatcher.model.alert_change import AlertChange, PlannedCall
from dispatcher.model.states import State
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnavailable, TooFewReplicas
from dispatcher.store.redis_url import connect
from support.alert_books import alerts_of, assert_alerts_sound
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from support.redis_servers import RedisProcess
from support.refusals import STANDING, WRITES
from support.standby import Standby
from support.store_alerts import ANN, call, call_request, firing, record, resolved, ring, soon
from support.store_jobs import snapshot

HOUR = 3600.0
_NUMBERS = count(1)


@pytest.fixture
def refusing(process: RedisProcess) -> Iterator[Store]:
    with connect(process.url) as client:
        yield Store(client, namespace=f"test{next(_NUMBERS)}")


@pytest.mark.parametrize("code", WRITES)
def test_what_redis_refuses_is_not_half_written(
    process: RedisProcess, refusing: Store, code: str
) -> None:
    alert = ring(refusing)
    change = AlertChange(1, 0, calls=(PlannedCall(1, "ann", call_request(ANN)),))
    before = snapshot(refusing)
    with STANDING[code](process):
        for refused in (
            lambda: record(refusing, firing("f2"), resolved("f1")),
            lambda: refusing.alerts.advance(alert.id, alert.version, change),
        ):
            with pytest.raises(StoreUnavailable) as caught:
                refused()
            assert caught.value.code == code
    assert snapshot(refusing) == before
    assert refusing.alerts.advance(alert.id, alert.version, change)
    record(refusing, firing("f2"))
    assert_alerts_sound(snapshot(refusing), refusing.now())


def test_an_acknowledgement_gets_through_to_a_redis_that_is_full(
    process: RedisProcess, refusing: Store
) -> None:
    alert = ring(refusing)
    job = call(refusing, alert.id)
    with STANDING["OOM"](process):
        assert refusing.alerts.get(alert.id).state is AlertState.RINGING
        acted = refusing.alerts.acknowledge(alert.id, by="ann", how=Acknowledgement.DIAL_IN)
        assert acted.done
        assert refusing.jobs.get(job).state is State.CANCELLED


# -- replicas ------------------------------------------------------------------------------


@pytest.fixture
def durable(pair: Standby) -> Iterator[Store]:
    with connect(pair.master.url) as client:
        store = Store(client, namespace=f"test{next(_NUMBERS)}")
        store.limiter.publish(AccountConfig(replicas=1, accept_durable=True))
        assert store.replicas.needed() == 1
        yield store


def test_an_alert_that_was_taken_survives_a_failover(pair: Standby, durable: Store) -> None:
    alert = ring(durable)
    with connect(pair.replica.url) as client:
        there = Store(client, namespace=durable._connection.root[1:-1])
        assert alert.id in alerts_of(snapshot(there))


def test_one_that_the_replica_lacks_is_not_taken_and_rings_once_when_it_comes_again(
    pair: Standby, durable: Store
) -> None:
    pair.cut_off()
    with pytest.raises(TooFewReplicas, match="0 of 1 replica"):
        record(durable, firing())
    pair.mend()
    (again,) = record(durable, firing())
    assert again.what == "repeat"
    assert durable.alerts.take_due() == [again.id]
    with connect(pair.replica.url) as client:
        there = Store(client, namespace=durable._connection.root[1:-1])
        assert alerts_of(snapshot(there)).keys() == {again.id}


def test_what_rings_is_looked_at_though_redis_lost_when(store: Store) -> None:
    alert = ring(store)
    assert store.alerts.take_due() == [alert.id]
    assert redis_of(store).delete(key_of(store, "alerts_due")) == 1
    assert store.alerts.take_due() == [alert.id]
    assert store.alerts.take_due() == []


# -- clocks --------------------------------------------------------------------------------


def test_a_clock_that_goes_back_keeps_no_chain_waiting(store: Store, clock: Clock) -> None:
    clock.forward(HOUR)
    alert = ring(store)
    assert store.alerts.take_due() == [alert.id]
    change = AlertChange(1, 1, next_at=soon(store, 300))
    assert store.alerts.advance(alert.id, alert.version, change)
    clock.forward(-HOUR)
    assert store.alerts.take_due() == [alert.id]
    since = store.alerts.get(alert.id).since
    assert since is not None
    assert since.timestamp() * 1000 == clock.ms
    assert store.alerts.take_due() == []


def test_a_ringing_alert_is_looked_at_each_minute(store: Store, clock: Clock) -> None:
    """Whatever was decided, nothing depends on one moment alone."""
    alert = ring(store)
    change = AlertChange(1, 1, next_at=soon(store, 1000))
    assert store.alerts.advance(alert.id, alert.version, change)
    clock.forward(59)
    assert store.alerts.take_due() == []
    clock.forward(1)
    assert store.alerts.take_due() == [alert.id]


def test_what_rang_in_a_time_that_was_ahead_rings_again(store: Store, clock: Clock) -> None:
    """Rather once too often than not at all."""
    clock.forward(9 * HOUR)
    alert = ring(store)
    store.alerts.acknowledge(alert.id, by="ann", how=Acknowledgement.CLI)
    clock.forward(-9 * HOUR)
    assert record(store, firing())[0].what == "again"


def test_a_storm_of_a_time_that_was_ahead_is_over_by_its_own_window(
    store: Store, clock: Clock
) -> None:
    rules = {"storm": {"more_than": 1, "within": 60}}
    clock.forward(HOUR)
    record(store, firing("f1"), **rules)
    clock.forward(-HOUR)
    assert record(store, firing("f2"), **rules)[0].what == "folded"
    clock.forward(61)
    assert record(store, firing("f3"), **rules)[0].what == "new"


# -- lengths -------------------------------------------------------------------------------


def test_of_a_long_history_the_latest_is_kept(store: Store, clock: Clock) -> None:
    alert = ring(store)
    for n in range(1, 400):
        found = store.alerts.get(alert.id)
        calls = (PlannedCall(n, "ann", skipped="nobody is there"),)
        change = AlertChange(1, 0, turn=n, calls=calls, lines=(f"turn {n}",))
        assert store.alerts.advance(alert.id, found.version, change)
    found = store.alerts.get(alert.id)
    assert found.last_call == 399
    assert [each.number for each in found.calls] == list(range(100, 400))
    assert [line.what for line in found.timeline] == [f"turn {n}" for n in range(100, 400)]
