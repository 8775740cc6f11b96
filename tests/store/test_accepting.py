"""What producers are told where they wait for replicas, with a real one that is cut off."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.do_not_call import Wish
from dispatcher.model.job import Job
from dispatcher.model.states import Reason, State
from dispatcher.policy import too_few_replicas
from dispatcher.store import Store
from dispatcher.store.accepting import AT_ONCE
from dispatcher.store.errors import StoreUnavailable, TooFewReplicas
from dispatcher.store.redis_url import connect
from support.polling import eventually
from support.standby import Standby
from support.store_jobs import claim, enqueue, placed, request, snapshot

_NUMBERS = count(1)
KEY = "alert-1"


@pytest.fixture
def store(pair: Standby) -> Iterator[Store]:
    with connect(pair.master.url) as client:
        store = Store(client, namespace=f"test{next(_NUMBERS)}")
        store.limiter.publish(AccountConfig(replicas=1, accept_durable=True, one_at_a_time=False))
        assert store.replicas.needed() == 1
        yield store


def jobs(store: Store) -> list[Job]:
    ids = snapshot(store).keys()
    names = [name.removeprefix("jobs:") for name in ids if name.startswith("jobs:")]
    return [job for job in store.jobs.get_many(names) if job]


def end_hold(store: Store) -> None:
    eventually(store.replicas.watch, "the hold ends")


def test_an_accepted_job_is_on_the_replica(pair: Standby, store: Store) -> None:
    job = enqueue(store)
    with connect(pair.replica.url) as client:
        assert client.exists(f"{store._connection.root}:jobs:{job}")


def test_a_job_that_the_replica_lacks_is_not_there_and_leaves_no_trace(
    pair: Standby, store: Store
) -> None:
    enqueue(store, key="another", tags=("a",))
    before = snapshot(store)
    pair.cut_off()
    with pytest.raises(TooFewReplicas, match="0 of 1 replica"):
        store.jobs.enqueue(request(key=KEY, tags=("a", "b")), message="m")
    (hold,) = store.holds.all()
    assert hold.name == Reason.REPLICAS
    left = {"replicas", "holds", "events"}
    assert {k: v for k, v in snapshot(store).items() if k not in left} == {
        k: v for k, v in before.items() if k not in left
    }


def test_while_the_hold_stands_nothing_is_written(pair: Standby, store: Store) -> None:
    pair.cut_off()
    with pytest.raises(TooFewReplicas):
        enqueue(store)
    before = snapshot(store)
    with pytest.raises(StoreUnavailable, match="no job is accepted for now: 0 of 1 replica"):
        enqueue(store)
    assert snapshot(store) == before


def test_it_is_accepted_when_it_is_sent_again(pair: Standby, store: Store) -> None:
    pair.cut_off()
    with pytest.raises(TooFewReplicas):
        enqueue(store, key=KEY)
    pair.mend()
    end_hold(store)
    assert store.jobs.enqueue(request(key=KEY)).new


def test_of_many_each_is_told_its_own(pair: Standby, store: Store) -> None:
    many = [request(key=f"k{n}") for n in range(AT_ONCE + 5)]
    store.jobs.enqueue(request(key="k3", say="Another text"))
    pair.cut_off()
    outcomes = store.jobs.enqueue_many(many)
    assert [type(each.answer) for each in outcomes].count(TooFewReplicas) == len(many) - 1
    assert outcomes[3].answer == "other"
    assert len(jobs(store)) == 1


def test_what_somebody_else_asked_for_as_well_is_not_withdrawn(pair: Standby, store: Store) -> None:
    """The other one may be told that it is accepted."""
    pair.cut_off()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(enqueue, store, key=KEY)
        eventually(lambda: jobs(store), "it is written")
        second = pool.submit(enqueue, store, key=KEY)
        for told in (first, second):
            with pytest.raises(TooFewReplicas):
                told.result()
    assert len(jobs(store)) == 1


@pytest.mark.parametrize(("asked", "accepted"), [(True, True), (False, False)])
def test_a_job_that_a_worker_took_is_accepted_if_somebody_was_called_for_it(
    pair: Standby, store: Store, asked: bool, accepted: bool
) -> None:
    pair.cut_off()
    with ThreadPoolExecutor(1) as pool:
        producer = pool.submit(enqueue, store, key=KEY)
        (job,) = eventually(lambda: jobs(store), "it is written")
        made = claim(store, job.id, "mine")
        eventually(store.holds.all, "the producer takes it back")
        decision = placed() if asked else too_few_replicas("cut off")
        store.calls.settle(job.id, made.attempt, decision, token="mine")
        if accepted:
            assert producer.result() == job.id
            assert store.jobs.get(job.id).state is State.IN_PROGRESS
        else:
            with pytest.raises(TooFewReplicas):
                producer.result()
            assert jobs(store) == []


def test_without_that_rule_a_producer_waits_for_nobody(pair: Standby, store: Store) -> None:
    store.limiter.publish(AccountConfig(replicas=1))
    store.replicas.look()
    pair.cut_off()
    assert enqueue(store)
    assert store.holds.all() == []


def test_an_entry_of_the_do_not_call_list_is_on_the_replica_or_is_told_to_be_added_again(
    pair: Standby, store: Store
) -> None:
    store.do_not_call.add([Wish("+818011234567")], actor="cli")
    with connect(pair.replica.url) as client:
        assert client.hlen(f"{store._connection.root}:do_not_call") == 2
    pair.cut_off()
    with pytest.raises(TooFewReplicas, match="0 of 1 replica"):
        store.do_not_call.add([Wish("+818011234568")], actor="cli")
    assert store.do_not_call.size() == 2
