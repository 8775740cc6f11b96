"""Reports that come by themselves, in time: whatever they find of the job."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dispatcher.model.states import Reason, State
from dispatcher.store import Store
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from support.reports_heard import (
    LOST,
    OPEN,
    a_check_told,
    counted,
    dialing,
    in_progress,
    report,
    uncertain,
    window_over,
)
from support.store_jobs import POLICY, assert_sound, claim, placed, refused, snapshot
from workers.engine.apply_callbacks import ApplyReports


@pytest.mark.parametrize("where", OPEN)
def test_an_answered_call_completes_the_job_wherever_it_is(
    store: Store, apply: ApplyReports, where: Any
) -> None:
    a_check_told(store, cost=Decimal(20))
    id_ = where(store)
    turn = report(apply, id_, cost=Decimal(20), duration=12.5)
    job = store.jobs.get(id_)
    assert (turn.state, job.state, job.outcome) == (State.COMPLETED, State.COMPLETED, "ANSWERED")
    assert (job.cost, job.duration, job.spent) == (20, 12.5, 1)
    assert (job.attempts[0].result, job.attempts[0].callid) == ("answered", "call-1")
    assert job.timeline[-1].actor == "callback"
    assert store.jobs.id_of_call("call-1") == id_
    assert counted(store) == {"applied": 1}


@pytest.mark.parametrize("where", OPEN)
@pytest.mark.parametrize(
    ("status", "reason"), [("NO ANSWER", Reason.NO_ANSWER), ("FAILED", Reason.CALL_FAILED)]
)
def test_a_call_that_reached_nobody_fails_the_job_with_the_reason(
    store: Store, apply: ApplyReports, where: Any, status: str, reason: Reason
) -> None:
    id_ = where(store)
    turn = report(apply, id_, status)
    assert (turn.state, turn.reason) == (State.FAILED, reason)
    assert store.jobs.get(id_).outcome == status


@pytest.mark.parametrize("where", OPEN)
def test_nobody_answered_and_a_redial_is_wished(
    store: Store, apply: ApplyReports, where: Any
) -> None:
    id_ = where(store, redial=1, redial_after=60)
    assert report(apply, id_, "NO ANSWER").state is State.SCHEDULED
    assert store.jobs.get(id_).attempts[0].result == "no_answer"


def test_an_answer_that_is_too_short_is_redialled_and_its_cost_counts(
    store: Store, apply: ApplyReports
) -> None:
    a_check_told(store, cost=Decimal(20))
    id_ = in_progress(store, redial=1, answered_after="4s")
    assert report(apply, id_, cost=Decimal(20), duration=2).state is State.SCHEDULED
    job = store.jobs.get(id_)
    assert (job.attempts[0].result, job.cost) == ("too_short", 20)
    assert "2 s, which is less than answered_after (4 s); redial 1 of 1" in job.timeline[-1].why


def test_an_answer_of_unknown_length_is_checked_where_the_length_decides(
    store: Store, apply: ApplyReports
) -> None:
    id_ = in_progress(store, answered_after="4s")
    assert report(apply, id_).state is State.IN_PROGRESS
    assert store.calls.take_due(State.IN_PROGRESS) == [id_]
    usual = in_progress(store, recipient="+818011234568")
    assert report(apply, usual).state is State.COMPLETED


def test_a_report_before_the_answer_counts_the_attempt_that_it_ends(
    store: Store, apply: ApplyReports, clock: Clock
) -> None:
    """Both attempts are made, though the second one is not counted as spent yet."""
    id_ = uncertain(store, on_uncertain="redial", redial=1, max_attempts=2)
    window_over(store, clock, id_)
    claim(store, id_)
    assert report(apply, id_, "NO ANSWER", attempt=2).state is State.FAILED


@pytest.mark.parametrize("where", [dialing, uncertain])
def test_a_call_that_is_not_over_is_evidence_of_it(
    store: Store, apply: ApplyReports, where: Any
) -> None:
    id_ = where(store)
    assert report(apply, id_, "IN PROGRESS").state is State.IN_PROGRESS
    job = store.jobs.get(id_)
    assert job.attempts[0].callid == "call-1"
    assert job.next_at is not None
    assert store.jobs.id_of_call("call-1") == id_


def test_a_known_call_that_is_not_over_changes_nothing(store: Store, apply: ApplyReports) -> None:
    id_ = in_progress(store)
    before = store.jobs.get(id_)
    report(apply, id_, "IN PROGRESS")
    assert store.jobs.get(id_) == before
    assert counted(store) == {"not_final": 1}


def test_what_an_older_version_wrote_is_evidence_and_a_check_tells_its_meaning(
    store: Store, apply: ApplyReports
) -> None:
    """It kept the provider's word alone."""
    id_ = uncertain(store)
    written = f'["{id_}",1,"call-1","ANSWERED","20",12.0]'
    redis_of(store).zadd(key_of(store, "callbacks"), {written: store.now()})
    (turn,) = apply()
    assert (turn.state, store.jobs.get(id_).attempts[0].callid) == (State.IN_PROGRESS, "call-1")
    assert not apply.inbox.due()
    assert redis_of(store).zcard(key_of(store, "callbacks")) == 0


@pytest.mark.parametrize("redial", [0, 1])
def test_a_call_that_ended_with_a_word_of_its_own_reached_nobody(
    store: Store, apply: ApplyReports, redial: int
) -> None:
    id_ = in_progress(store, redial=redial)
    turn = report(apply, id_, "CANCELLED")
    job = store.jobs.get(id_)
    assert turn.state is (State.SCHEDULED if redial else State.FAILED)
    assert (job.outcome, job.attempts[0].result) == ("CANCELLED", "no_answer")


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("status", ["ANSWERED", "IN PROGRESS"])
def test_the_answer_to_the_request_changes_nothing_any_more(
    store: Store, apply: ApplyReports, status: str, answered: bool
) -> None:
    id_ = dialing(store)
    answer = placed("call-1") if answered else refused(LOST, store.jobs.get(id_))
    report(apply, id_, status)
    before = store.jobs.get(id_)
    store.calls.settle(id_, 1, answer)
    after = store.jobs.get(id_)
    assert (after.state, after.attempts[0].result) == (before.state, before.attempts[0].result)
    assert_sound(snapshot(store))


@pytest.mark.parametrize("where", OPEN)
@pytest.mark.parametrize("status", ["ANSWERED", "IN PROGRESS"])
def test_to_be_confirmed_a_report_makes_the_check_due_and_no_more(
    store: Store, where: Any, status: str
) -> None:
    confirming = ApplyReports(store, store.callbacks, POLICY, confirm=True)
    id_ = where(store)
    assert report(confirming, id_, status).state is State.IN_PROGRESS
    job = store.jobs.get(id_)
    assert (job.state, job.outcome, job.attempts[0].callid) == (State.IN_PROGRESS, None, "call-1")
    assert store.calls.take_due(State.IN_PROGRESS) == [id_]


def test_to_be_confirmed_a_late_report_leaves_an_ended_job(store: Store) -> None:
    confirming = ApplyReports(store, store.callbacks, POLICY, confirm=True)
    id_ = in_progress(store)
    report(ApplyReports(store, store.callbacks, POLICY), id_)
    before = store.jobs.get(id_)
    report(confirming, id_)
    assert store.jobs.get(id_) == before
