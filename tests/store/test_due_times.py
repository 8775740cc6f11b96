"""What is due, overdue, left by the dead, or past its retention."""

from __future__ import annotations

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.states import State
from dispatcher.policy import after_report, after_window
from dispatcher.provider import (
    InvalidRequest,
)
from dispatcher.store import Store
from dispatcher.store.values import Pumped, UnknownJob
from support.claims import take
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from support.reports import ended
from support.store_jobs import (
    POLICY,
    RECIPIENT,
    assert_sound,
    at,
    claim,
    enqueue,
    in_progress,
    placed,
    refused,
    snapshot,
)

LEASE = 30
DAY = 86_400_000


def test_due_jobs_go_into_line_by_their_due_time(store: Store, clock: Clock) -> None:
    late, early = enqueue(store, at=20), enqueue(store, at=10)
    clock.forward(9.999)
    assert store.queue.pump().due == 0
    clock.forward(10.001)
    assert store.queue.pump() == Pumped(due=2, expired=0, aside=0, released=0)
    assert take(store) == [early, late]


def test_jobs_past_their_deadline_expire_where_they_wait(store: Store, clock: Clock) -> None:
    aside = enqueue(store, expires=5, hours="08:00-21:00")
    assert take(store) == []
    ready = enqueue(store, expires=5)
    clock.forward(5)
    assert store.queue.pump().expired == 2
    assert {store.jobs.get(ready).state, store.jobs.get(aside).state} == {State.EXPIRED}
    assert_sound(snapshot(store))


def test_a_held_job_expires_although_its_gate_stays_closed(store: Store, clock: Clock) -> None:
    store.holds.start("credit", "empty")
    id_ = enqueue(store, expires=5)
    take(store)
    assert store.jobs.get(id_).state is State.HELD
    clock.forward(5)
    assert store.queue.pump().expired == 1
    assert "while it was held" in store.jobs.get(id_).timeline[-1].why


def test_opened_gates_release_the_most_urgent_and_oldest_first_a_batch_at_a_time(
    store: Store, clock: Clock
) -> None:
    store.holds.start("credit", "empty")
    ids = []
    for priority in ("bulk", "urgent", "urgent"):
        ids.append(enqueue(store, priority=priority))
        clock.forward(1)
    take(store)
    store.holds.end("credit")
    released = []
    for _ in range(3):
        assert store.queue.pump(1).released == 1
        released += take(store)
    assert released == [ids[1], ids[2], ids[0]]
    assert store.queue.pump() == Pumped(0, 0, 0, 0)
    assert_sound(snapshot(store))


def test_nothing_is_released_while_any_gate_is_closed(store: Store) -> None:
    store.holds.start("credit", "empty")
    enqueue(store)
    take(store)
    store.holds.start("auth", "bad credentials")
    store.holds.end("credit")
    assert store.queue.pump().released == 0
    store.holds.end("auth")
    assert store.queue.pump().released == 1


def test_a_job_whose_worker_died_may_have_been_dialled(store: Store, clock: Clock) -> None:
    id_ = enqueue(store)
    claim(store, id_)
    clock.forward(LEASE - 0.001)
    assert store.calls.rescue(300) == 0
    clock.forward(0.001)
    assert store.calls.rescue(300) == 1
    job = store.jobs.get(id_)
    assert (job.state, job.spent, job.attempts[0].result) == (State.UNCERTAIN, 1, "maybe_placed")
    assert job.next_at == at(clock.ms + 300_000)
    assert store.calls.rescue(300) == 0


def test_the_evidence_window_of_a_job_goes_before_the_general_one(
    store: Store, clock: Clock
) -> None:
    id_ = enqueue(store, evidence_window=90)
    claim(store, id_)
    clock.forward(LEASE)
    store.calls.rescue(300)
    assert store.jobs.get(id_).next_at == at(clock.ms + 90_000)


def test_rescue_recovers_a_batch_at_a_time(store: Store, clock: Clock) -> None:
    for _ in range(3):
        claim(store, enqueue(store))
    clock.forward(LEASE)
    assert [store.calls.rescue(300, most=2), store.calls.rescue(300, most=2)] == [2, 1]


def test_a_worker_that_answers_after_its_rescue_still_settles_its_attempt(
    store: Store, clock: Clock
) -> None:
    id_ = enqueue(store)
    claim(store, id_)
    clock.forward(LEASE)
    store.calls.rescue(300)
    assert store.calls.settle(id_, 1, placed()) is State.IN_PROGRESS
    assert store.jobs.get(id_).spent == 1


def test_what_a_dead_process_took_comes_again_after_its_lease(store: Store, clock: Clock) -> None:
    id_ = in_progress(store)
    clock.forward(POLICY.check_first)
    assert store.calls.take_due(State.IN_PROGRESS, lease=60) == [id_]
    assert store.calls.take_due(State.IN_PROGRESS, lease=60) == []
    clock.forward(60)
    assert store.calls.take_due(State.IN_PROGRESS, lease=60) == [id_]


def test_an_ended_window_is_decided_by_the_jobs_wish(store: Store, clock: Clock) -> None:
    wishes = {"redial": State.QUEUED, "hold": State.FAILED}
    ids = {wish: enqueue(store, on_uncertain=wish) for wish in wishes}
    for id_ in ids.values():
        claim(store, id_)
    clock.forward(LEASE)
    store.calls.rescue(300)
    clock.forward(300)
    assert sorted(store.calls.take_due(State.UNCERTAIN)) == sorted(ids.values())
    for wish, id_ in ids.items():
        assert store.calls.settle(id_, 1, after_window(store.jobs.get(id_), POLICY)) is wishes[wish]
    assert store.jobs.get(ids["hold"]).reason == "outcome_unknown"


def test_a_purged_job_leaves_nothing_behind(store: Store, clock: Clock) -> None:
    store.limiter.publish(AccountConfig(per_day=20))
    id_ = in_progress(store, "call-1", tags=["a", "b"], say="long " * 100)
    decision = after_report(ended("ANSWERED"), store.jobs.get(id_), POLICY)
    assert decision is not None
    store.calls.settle(id_, 1, decision)
    assert not store.jobs.purge(id_, clock.ms)
    assert store.jobs.purge(id_, clock.ms + 1)
    called = f"called:{RECIPIENT[1:]}"
    account = {
        "credit",
        "waiting",
        "counters",
        "countries_called",
        "states",
    }  # what it has cost, and that it was: for good
    chart = {f"outcomes:{int(clock.ms // 3_600_000)}"}  # figures without names, for a day
    assert snapshot(store).keys() == {"config", "pace", called} | account | chart
    assert 0 < redis_of(store).pttl(key_of(store, "called", RECIPIENT[1:])) <= DAY
    with pytest.raises(UnknownJob):
        store.jobs.get(id_)
    assert not store.jobs.purge(id_, clock.ms + 1)


def test_a_late_callid_is_purged_with_its_job(store: Store, clock: Clock) -> None:
    id_ = enqueue(store)
    made = claim(store, id_)
    store.calls.settle(id_, 1, refused(InvalidRequest("no"), made.job))
    store.calls.settle(id_, 1, placed("stray"))
    assert store.jobs.purge(id_, clock.ms + 1)
    assert store.jobs.id_of_call("stray") is None


def test_a_live_job_is_never_purged(store: Store, clock: Clock) -> None:
    id_ = in_progress(store)
    assert not store.jobs.purge(id_, clock.ms + 10**9)
    assert store.jobs.get(id_).state is State.IN_PROGRESS
