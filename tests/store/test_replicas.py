"""What replicas must have before anything follows from it, with a real one that is cut off."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.states import Reason, State
from dispatcher.policy import Policy, too_few_replicas
from dispatcher.provider.fake import FakeProvider
from dispatcher.store import Store
from dispatcher.store.errors import TooFewReplicas
from dispatcher.store.redis_url import connect
from dispatcher.store.schema import REPLICA_GRACE
from dispatcher.why import why
from support.claims import claim_one
from support.clock import Clock
from support.polling import eventually
from support.redis_inside import redis_of
from support.redis_servers import RedisProcess
from support.standby import Standby, standby
from support.store_jobs import claim, enqueue, placed
from workers.devstack.redis_server import find_servers
from workers.engine.dial import Dial
from workers.engine.ticks import WatchReplicas

_NUMBERS = count(1)


@pytest.fixture
def store(pair: Standby) -> Iterator[Store]:
    with connect(pair.master.url) as client:
        store = Store(client, namespace=f"test{next(_NUMBERS)}")
        store.limiter.publish(AccountConfig(one_at_a_time=False))
        assert store.replicas.needed() == 1  # who asks first looks
        yield store


def on_replica(pair: Standby, store: Store, job_id: str) -> State | None:
    """Return the state of a job as the replica has it."""
    with pair.replica.client() as client:
        found = client.hget(f"{store._connection.root}:jobs:{job_id}", "state")
    return State(found.decode()) if found else None


def dial(store: Store, provider: FakeProvider, lease: float = 30) -> Dial:
    return Dial(store, provider, Policy(), lease, "+815012345678")


def test_a_claim_is_on_the_replica_before_it_is_told(pair: Standby, store: Store) -> None:
    job = enqueue(store)
    claim_one(store, job, token="t", lease=30, replicas=1)
    assert on_replica(pair, store, job) is State.DIALING


@pytest.mark.parametrize("library", ["there", "missing"])
def test_a_claim_that_the_replica_lacks_is_said_with_what_was_claimed(
    pair: Standby, store: Store, library: str
) -> None:
    job = enqueue(store)
    pair.cut_off()
    if library == "missing":
        redis_of(store).function_flush()
    with pytest.raises(TooFewReplicas, match=r"0 of 1 replica.*DISPATCHER_REDIS_REPLICAS") as told:
        claim_one(store, job, token="t", lease=30, replicas=1)
    assert [made.attempt for made in told.value.answers] == [1]
    assert on_replica(pair, store, job) is not State.DIALING


def test_a_claim_that_is_repeated_for_want_of_the_library_waits_again(store: Store) -> None:
    job, client = enqueue(store), redis_of(store)
    claim(store, enqueue(store))  # what is looked at before the first claim is
    client.function_flush()
    client.config_resetstat()
    claim_one(store, job, token="t", lease=30, replicas=1)
    assert client.info("commandstats")["cmdstat_wait"]["calls"] == 2


def test_a_user_who_may_not_wait_for_replicas_claims_nothing_for_good(
    pair: Standby, store: Store
) -> None:
    job, provider = enqueue(store), FakeProvider()
    redis_of(store).acl_setuser(
        "nowait", enabled=True, nopass=True, keys="*", channels="*", commands=["+@all", "-wait"]
    )
    url = pair.master.url.replace("//", "//nowait:any@")
    with connect(url) as client:
        limited = Store(client, namespace=store._connection.root[1:-1])
        assert dial(limited, provider, lease=0.5)(job).state is State.HELD
    assert "WAIT" in store.holds.all()[0].why
    assert not provider.calls


def test_what_calls_nobody_needs_no_replica(pair: Standby, store: Store) -> None:
    pair.cut_off()
    job = enqueue(store)
    claim(store, job)
    assert claim_one(store, job, token="other", lease=30, replicas=1) is State.DIALING


@pytest.mark.parametrize("binary", find_servers(), ids=lambda server: server.name)
def test_nobody_is_called_while_the_replica_is_cut_off_and_then_it_goes_on_by_itself(
    tmp_path: Path, binary: Path
) -> None:
    with standby(tmp_path, binary=binary) as pair, connect(pair.master.url) as client:
        held_and_on_again(pair, Store(client))


def held_and_on_again(pair: Standby, store: Store) -> None:
    assert store.replicas.needed() == 1
    job, provider = enqueue(store), FakeProvider()
    pair.cut_off()
    done = dial(store, provider, lease=0.5)(job)  # a short lease: it ends the wait for the replica
    assert (done.state, done.reason) == (State.HELD, Reason.REPLICAS)
    assert not provider.calls
    (hold,) = store.holds.all()
    assert (hold.name, "0 of 1 replica" in hold.why) == (Reason.REPLICAS, True)
    held = store.jobs.get(job)
    assert "it is held: 0 of 1 replica of Redis" in why(store, held).because
    assert (held.spent, [each.result for each in held.attempts]) == (0, ["not_sent"])

    watch = WatchReplicas(store)
    assert not watch()
    pair.mend()
    eventually(watch, "the hold ends")
    assert store.holds.all() == []
    assert store.queue.pump().released == 1
    assert dial(store, provider)(job).state is State.IN_PROGRESS
    assert len(provider.calls) == 1


def test_the_answer_to_a_placed_call_is_written_until_the_replica_has_it(
    pair: Standby, store: Store
) -> None:
    job, placed = enqueue(store), threading.Event()

    class CutOff(FakeProvider):
        """A provider whose answer comes when the replica is gone."""

        def place(self, *given, **how):  # type: ignore[no-untyped-def]
            call = super().place(*given, **how)
            pair.cut_off()
            placed.set()
            return call

    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(dial(store, CutOff()), job)
        placed.wait(60)
        eventually(lambda: store.jobs.get(job).state is State.IN_PROGRESS, "the master has it")
        assert not turn.done()
        pair.mend()
        assert turn.result(60).state is State.IN_PROGRESS
    assert on_replica(pair, store, job) is State.IN_PROGRESS


def test_no_answer_is_written_for_longer_than_the_lease(pair: Standby, store: Store) -> None:
    class CutOff(FakeProvider):
        def place(self, *given, **how):  # type: ignore[no-untyped-def]
            pair.cut_off()
            return super().place(*given, **how)

    assert dial(store, CutOff(), lease=1)(enqueue(store)).state is State.IN_PROGRESS


def test_who_gives_a_claim_back_leaves_that_of_another_alone(store: Store) -> None:
    """After a failover that forgot it, another worker may have got the same number."""
    job = enqueue(store)
    made = claim(store, job, "another")
    back = too_few_replicas("cut off")
    assert store.calls.settle(job, made.attempt, back, token="mine") is State.DIALING
    assert store.calls.settle(job, made.attempt, placed()) is State.IN_PROGRESS


# -- where no number is set ----------------------------------------------------------------


@pytest.fixture
def timed(pair: Standby) -> Callable[[RedisProcess], Store]:
    """Makes stores of one namespace on either server, by one clock."""
    namespace, clock = f"test{next(_NUMBERS)}", Clock()

    def make(server: RedisProcess) -> Store:
        store = Store(connect(server.url), namespace=namespace, clock=clock)
        store.clock = clock  # type: ignore[attr-defined]
        return store

    return make


def test_a_lost_replica_counts_for_a_while(
    pair: Standby, timed: Callable[[RedisProcess], Store]
) -> None:
    store = timed(pair.master)
    assert store.replicas.look() == 1
    pair.cut_off()
    assert store.replicas.look() == 1
    store.clock.forward(REPLICA_GRACE / 1000 - 1)  # type: ignore[attr-defined]
    assert store.replicas.look() == 1
    store.clock.forward(1)  # type: ignore[attr-defined]
    assert store.replicas.look() == 0
    pair.mend()
    assert store.replicas.look() == 1


@pytest.mark.parametrize(("wanted", "needed"), [(None, 1), (0, 0), (2, 2)])
def test_a_number_that_is_set_holds_whatever_there_is(
    store: Store, wanted: int | None, needed: int
) -> None:
    store.limiter.publish(AccountConfig(replicas=wanted))
    assert store.replicas.look() == needed


def test_a_server_that_never_had_a_replica_needs_none(store: Store, tmp_path: Path) -> None:
    with RedisProcess(tmp_path / "alone") as alone, connect(alone.url) as client:
        assert Store(client).replicas.look() == 0


def test_a_promoted_server_goes_on_alone(tmp_path: Path) -> None:
    with standby(tmp_path) as pair, connect(pair.replica.url) as client:
        with connect(pair.master.url) as before:
            old = Store(before)
            assert old.replicas.look() == 1
            job = enqueue(old)
            claim_one(old, enqueue(old), token="t", lease=30, replicas=1)
        pair.cut_off()
        pair.promote()
        store, provider = Store(client), FakeProvider()
        assert dial(store, provider)(job).state is State.IN_PROGRESS
        assert store.replicas.needed() == 0
        assert store.holds.all() == []
        assert len(provider.calls) == 1
