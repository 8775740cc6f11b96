"""A claim is given once, at the moment of dialling, and written before it is used."""

from __future__ import annotations

from dispatcher.model.states import State
from dispatcher.policy import after_report
from dispatcher.store import Store
from support.claims import claim_one
from support.clock import Clock
from support.reports import ended
from support.store_jobs import (
    POLICY,
    START,
    assert_sound,
    at,
    claim,
    enqueue,
    placed,
    records,
    snapshot,
)

LEASE = 30


def test_a_claim_is_the_only_one_and_is_written_before_it_is_used(
    store: Store, clock: Clock
) -> None:
    id_ = enqueue(store)
    clock.forward(2)
    made = claim(store, id_)
    job = store.jobs.get(id_)
    assert (made.attempt, job.state, job.spent) == (1, State.DIALING, 0)
    assert job.attempt is not None
    assert job.attempt.sent_at == at(START + 2000)
    assert job.next_at == at(START + 2000 + LEASE * 1000)
    assert claim_one(store, id_, token="another", lease=LEASE) is State.DIALING


def test_the_same_token_gets_the_same_claim_until_the_attempt_is_settled(store: Store) -> None:
    id_ = enqueue(store)
    first = claim(store, id_, "t")
    assert claim(store, id_, "t") == first
    store.calls.settle(id_, first.attempt, placed())
    assert claim_one(store, id_, token="t", lease=LEASE) is State.IN_PROGRESS
    assert records(snapshot(store))[id_]["token"] == ""
    over = after_report(ended("ANSWERED"), store.jobs.get(id_), POLICY)
    assert over is not None
    store.calls.settle(id_, first.attempt, over)
    assert "token" not in records(snapshot(store))[id_]


def test_an_unknown_job_cannot_be_claimed(store: Store) -> None:
    assert claim_one(store, "nosuchjob", token="t", lease=LEASE) is None


def test_a_job_cannot_be_claimed_before_it_is_due(store: Store) -> None:
    assert claim_one(store, enqueue(store, at="5m"), token="t", lease=LEASE) is State.SCHEDULED


def test_a_job_is_not_claimed_at_its_deadline_but_expires(store: Store, clock: Clock) -> None:
    id_ = enqueue(store, expires=60)
    clock.forward(60)
    assert claim_one(store, id_, token="t", lease=LEASE) is State.EXPIRED
    assert store.jobs.get(id_).attempts == ()


def test_a_job_is_claimed_just_before_its_deadline(store: Store, clock: Clock) -> None:
    id_ = enqueue(store, expires=60)
    clock.forward(59.999)
    assert claim(store, id_).attempt == 1


def test_nothing_is_claimed_while_a_gate_is_closed(store: Store) -> None:
    id_ = enqueue(store)
    store.holds.start("auth", "bad credentials")
    assert claim_one(store, id_, token="t", lease=LEASE) is State.HELD
    job = store.jobs.get(id_)
    assert (job.hold_reason, job.attempts, job.spent) == ("auth", (), 0)
    assert_sound(snapshot(store))
