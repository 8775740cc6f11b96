"""Calls that may have been placed: what evidence, time and people make of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest

from dispatcher.model.job import Job
from dispatcher.model.states import Reason, State
from dispatcher.policy import Decision, after_deadline, after_report, after_window
from dispatcher.provider import AnswerLost, NeverReached
from dispatcher.store import Store
from dispatcher.store.values import Refused, UnknownJob
from support.claims import claim_one, take
from support.clock import Clock
from support.redis_inside import key_of, redis_of, root_of
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
    snapshot,
)

LEASE, WINDOW = 30, 300
LOST = AnswerLost("the connection was cut")
ANSWERED = ended("ANSWERED", Decimal(7), 12)


def uncertain(store: Store, **fields: object) -> str:
    id_ = enqueue(store, **fields)
    made = claim(store, id_)
    store.calls.settle(id_, made.attempt, refused(LOST, made.job))
    return id_


def given_up(store: Store, clock: Clock, **fields: object) -> str:
    """A job whose evidence window is over, and what its policy wants was done."""
    id_ = uncertain(store, **fields)
    clock.forward(WINDOW)
    store.calls.settle(id_, 1, after_window(store.jobs.get(id_), POLICY))
    return id_


def answered(job: Job) -> Decision:
    decision = after_report(ANSWERED, job, POLICY)
    assert decision is not None
    return decision


# -- evidence ------------------------------------------------------------------------------


@pytest.mark.parametrize("to", [State.IN_PROGRESS, State.COMPLETED])
def test_evidence_within_the_window_makes_it_the_call_it_is(store: Store, to: State) -> None:
    id_ = uncertain(store)
    decision = placed("found") if to is State.IN_PROGRESS else answered(store.jobs.get(id_))
    assert store.calls.settle(id_, 1, decision) is to
    assert store.jobs.get(id_).spent == 1


@contextmanager
def nothing(store: Store, id_: str) -> Iterator[None]:
    yield


@contextmanager
def a_hold(store: Store, id_: str) -> Iterator[None]:
    store.holds.start("auth", "401")
    take(store)
    yield
    store.holds.end("auth")


@pytest.mark.parametrize("hindrance", [nothing, a_hold])
@pytest.mark.parametrize("to", [State.IN_PROGRESS, State.COMPLETED])
def test_evidence_that_comes_before_the_redial_is_dialled_saves_the_second_call(
    store: Store, clock: Clock, to: State, hindrance: Callable[..., Iterator[None]]
) -> None:
    id_ = given_up(store, clock, on_uncertain="redial")
    with hindrance(store, id_):  # type: ignore[attr-defined]
        decision = placed("found") if to is State.IN_PROGRESS else answered(store.jobs.get(id_))
        assert store.calls.settle(id_, 1, decision) is to
        assert_sound(snapshot(store))
    assert take(store) == []
    assert claim_one(store, id_, token="t", lease=LEASE) is to
    assert store.statistics.counters()["second_calls"] == 0


def test_a_call_that_evidence_brought_back_keeps_its_number_from_others(
    store: Store, clock: Clock
) -> None:
    redis_of(store).hset(key_of(store, "config"), "one_at_a_time", 1)
    id_ = given_up(store, clock, on_uncertain="redial")
    store.calls.settle(id_, 1, placed("found"))
    other = enqueue(store)
    assert claim_one(store, other, token="t", lease=LEASE) is State.SCHEDULED


def test_that_nobody_was_asked_does_not_stop_the_redial(store: Store, clock: Clock) -> None:
    """A worker that was stopped before it asked comes back, and says so."""
    id_ = given_up(store, clock, on_uncertain="redial")
    job = store.jobs.get(id_)
    assert store.calls.settle(id_, 1, refused(NeverReached("refused"), job)) is State.QUEUED
    assert store.jobs.get(id_).attempts[0].result == "never_reached"
    assert claim(store, id_).attempt == 2


@pytest.mark.parametrize("late", ["placed", "answered"])
def test_evidence_of_a_redialled_attempt_is_the_second_call_it_is_and_counted_once(
    store: Store, clock: Clock, late: str
) -> None:
    id_ = given_up(store, clock, on_uncertain="redial")
    claim(store, id_)
    decision = placed("first") if late == "placed" else answered(store.jobs.get(id_))
    for _ in range(2):
        assert store.calls.settle(id_, 1, decision) is State.DIALING
    job = store.jobs.get(id_)
    assert [item.result for item in job.attempts] == [late, None]
    assert "redialled as unknown" in job.timeline[-1].why
    assert store.statistics.counters()["second_calls"] == 1
    store.calls.settle(id_, 2, placed("second"))
    assert store.jobs.get(id_).state is State.IN_PROGRESS


def test_that_an_old_attempt_asked_nobody_is_no_second_call(store: Store, clock: Clock) -> None:
    id_ = given_up(store, clock, on_uncertain="redial")
    job = claim(store, id_).job
    store.calls.settle(id_, 1, refused(NeverReached("refused"), job))
    assert store.statistics.counters()["second_calls"] == 0


def test_an_attempt_stays_marked_as_maybe_placed_where_nothing_is_heard(
    store: Store, clock: Clock
) -> None:
    id_ = given_up(store, clock, on_uncertain="redial")
    store.calls.settle(id_, claim(store, id_).attempt, placed("second"))
    store.calls.settle(id_, 2, answered(store.jobs.get(id_)))
    job = store.jobs.get(id_)
    assert [item.result for item in job.attempts] == ["maybe_placed", "answered"]


def test_what_is_heard_after_the_deadline_is_kept_with_the_attempt(store: Store) -> None:
    id_ = in_progress(store)
    store.calls.settle(id_, 1, after_deadline(store.jobs.get(id_), POLICY))
    assert store.calls.settle(id_, 1, answered(store.jobs.get(id_))) is State.FAILED
    job = store.jobs.get(id_)
    assert (job.reason, job.attempts[0].result) == (Reason.OUTCOME_UNKNOWN, "answered")


# -- people --------------------------------------------------------------------------------


@pytest.mark.parametrize("held", [True, False])
def test_a_person_who_asked_marks_it_as_reached(store: Store, clock: Clock, held: bool) -> None:
    id_ = given_up(store, clock, on_uncertain="hold") if held else uncertain(store)
    store.jobs.mark_reached(id_, actor="cli:kim", note="rang her desk")
    job = store.jobs.get(id_)
    assert (job.state, job.reason, job.outcome) == (
        State.COMPLETED,
        Reason.MARKED_REACHED,
        "MARKED AS REACHED",
    )
    assert (job.timeline[-1].actor, job.timeline[-1].why) == ("cli:kim", "rang her desk")
    assert job.attempts[0].result == "maybe_placed"
    assert_sound(snapshot(store))
    with pytest.raises(Refused, match="it was reached"):
        store.jobs.retry(id_, actor="cli:kim")


@pytest.mark.parametrize("make", [enqueue, failed, in_progress])
def test_only_what_nobody_can_know_is_marked_by_a_person(
    store: Store, make: Callable[[Store], str]
) -> None:
    id_ = make(store)
    before = snapshot(store)
    with pytest.raises(Refused, match="only one whose outcome is unknown"):
        store.jobs.mark_reached(id_, actor="cli")
    assert snapshot(store) == before


def test_an_unknown_job_is_not_marked(store: Store) -> None:
    with pytest.raises(UnknownJob):
        store.jobs.mark_reached("nosuchjob", actor="cli")


# -- what Redis forgot ---------------------------------------------------------------------


@pytest.mark.parametrize("since", ["queued", "scheduled"])
def test_a_claim_that_redis_lost_when_it_was_killed_stands_when_its_worker_reports(
    store: Store, clock: Clock, since: str
) -> None:
    id_ = enqueue(store, at=5) if since == "scheduled" else enqueue(store)
    lost = snapshot_to_restore(store)
    clock.forward(5)
    store.queue.pump()
    made = claim(store, id_)
    restore(store, lost)
    assert store.calls.settle(id_, made.attempt, placed("call-1")) is State.IN_PROGRESS
    job = store.jobs.get(id_)
    assert (len(job.attempts), job.spent, job.attempts[0].callid) == (1, 1, "call-1")
    assert [event.to for event in job.timeline][-2:] == ["dialing", "in_progress"]
    assert_sound(snapshot(store))


def snapshot_to_restore(store: Store) -> dict[bytes, bytes]:
    return {
        name: redis_of(store).dump(name) for name in redis_of(store).keys(f"{root_of(store)}:*")
    }


def restore(store: Store, dumped: dict[bytes, bytes]) -> None:
    redis_of(store).delete(*redis_of(store).keys(f"{root_of(store)}:*"))
    for name, value in dumped.items():
        redis_of(store).restore(name, 0, value)
