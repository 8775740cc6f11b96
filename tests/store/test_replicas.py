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
from dispatcher.store.calls import Answer
from dispatcher.store.errors import TooFewReplicas
from dispatcher.store.redis_url import connect
from dispatcher.store.schema import REPLICA_GRACE, Field
from dispatcher.values.steady_clock import since_boot
from dispatcher.why import why
from support.claims import claim_one, fresh_token, take, taken
from support.clock import Clock
from support.polling import eventually
from support.redis_inside import redis_of
from support.redis_servers import RedisProcess
from support.standby import Standby, standby
from support.store_jobs import claim, enqueue, placed
from workers.devstack.redis_server import find_servers
from workers.engine.dial import Dial
from workers.engine.lease import Lease
from workers.engine.replicated import Replicated
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
        found = client.hget(f"{store._connection.root}:jobs:{job_id}", Field.STATE)
    return State(found.decode()) if found else None


def dial(store: Store, provider: FakeProvider, most: int = 1, lease: float = 30) -> list[str]:
    """Take jobs, have them dialled and write what became of them, as a worker does; return those
    that it was given.
    """
    replicated, dial_ = Replicated(store), Dial(store, provider, Policy(), "+815012345678")
    held = Lease(lease, 0, since_boot())
    claims = replicated.take(most, held, token=fresh_token()).claims
    answers = [Answer(each.job.id, each.attempt, dial_(each, held)) for each in claims]
    if answers:
        replicated.settle(answers, held)
    return [each.job.id for each in claims]


def test_a_claim_is_on_the_replica_before_it_is_told(pair: Standby, store: Store) -> None:
    job = enqueue(store)
    assert take(store, replicas=1) == [job]
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
        taken(store, token="t", replicas=1)
    (answer,) = told.value.answers
    assert [(made.job.id, made.attempt) for made in answer.claims] == [(job, 1)]
    assert on_replica(pair, store, job) is not State.DIALING


def test_a_claim_that_is_repeated_for_want_of_the_library_waits_again(store: Store) -> None:
    enqueue(store)
    client = redis_of(store)
    assert len(take(store)) == 1  # what is looked at before the first claim is
    job = enqueue(store)
    client.function_flush()
    client.config_resetstat()
    assert take(store, replicas=1) == [job]
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
        assert dial(limited, provider, lease=0.5) == []
    assert store.jobs.get(job).state is State.HELD
    assert "WAIT" in store.holds.all()[0].why
    assert not provider.calls


def test_what_calls_nobody_needs_no_replica(pair: Standby, store: Store) -> None:
    pair.cut_off()
    claim(store, enqueue(store))
    cancelled = enqueue(store)
    store.jobs.cancel(cancelled, actor="cli")
    overdue = enqueue(store, at="5m")
    assert taken(store, replicas=1).claims == ()
    assert store.jobs.get(overdue).state is State.SCHEDULED


@pytest.mark.parametrize("binary", find_servers(), ids=lambda server: server.name)
def test_nobody_is_called_while_the_replica_is_cut_off_and_then_it_goes_on_by_itself(
    tmp_path: Path, binary: Path
) -> None:
    with standby(tmp_path, binary=binary) as pair, connect(pair.master.url) as client:
        held_and_on_again(pair, Store(client))


def held_and_on_again(pair: Standby, store: Store) -> None:
    assert store.replicas.needed() == 1
    store.limiter.publish(AccountConfig(one_at_a_time=False))
    jobs, provider = [enqueue(store) for _ in range(3)], FakeProvider()
    pair.cut_off()
    # a short lease: it ends the wait for the replica
    assert dial(store, provider, most=3, lease=0.5) == []
    assert not provider.calls
    (hold,) = store.holds.all()
    assert (hold.name, "0 of 1 replica" in hold.why) == (Reason.REPLICAS, True)
    for held in map(store.jobs.get, jobs):
        assert (held.state, held.hold_reason) == (State.HELD, Reason.REPLICAS)
        assert "it is held: 0 of 1 replica of Redis" in why(store, held).because
        assert (held.spent, [each.result for each in held.attempts]) == (0, ["not_sent"])

    watch = WatchReplicas(store)
    assert not watch()
    pair.mend()
    eventually(watch, "the hold ends")
    assert store.holds.all() == []
    assert store.queue.pump().released == 3
    assert sorted(dial(store, provider, most=3)) == sorted(jobs)
    assert {store.jobs.get(job).state for job in jobs} == {State.IN_PROGRESS}
    assert len(provider.calls) == 3


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
        turn = pool.submit(dial, store, CutOff())
        placed.wait(180)
        eventually(lambda: store.jobs.get(job).state is State.IN_PROGRESS, "the master has it")
        assert not turn.done()
        pair.mend()
        assert turn.result(180) == [job]
    assert on_replica(pair, store, job) is State.IN_PROGRESS


def test_no_answer_is_written_for_longer_than_the_lease(pair: Standby, store: Store) -> None:
    class CutOff(FakeProvider):
        def place(self, *given, **how):  # type: ignore[no-untyped-def]
            pair.cut_off()
            return super().place(*given, **how)

    job = enqueue(store)
    assert dial(store, CutOff(), lease=1) == [job]
    assert store.jobs.get(job).state is State.IN_PROGRESS


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
        assert dial(store, provider) == [job]
        assert store.jobs.get(job).state is State.IN_PROGRESS
        assert store.replicas.needed() == 0
        assert store.holds.all() == []
        assert len(provider.calls) == 1
