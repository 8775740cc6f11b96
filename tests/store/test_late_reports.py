"""Reports that come late, doubled, or of other calls than the known one."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from dispatcher.model.call import CallRef
from dispatcher.model.request import JobRequest
from dispatcher.model.states import OnUncertain, Reason, State
from dispatcher.policy import after_report
from dispatcher.store import Store
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from support.reports import ended
from support.reports_heard import (
    counted,
    dialing,
    in_progress,
    report,
    said,
    uncertain,
    window_over,
)
from support.store_jobs import POLICY, assert_sound, claim, enqueue, placed, snapshot
from workers.engine.apply_callbacks import ApplyReports


@pytest.mark.parametrize("status", ["ANSWERED", "NO ANSWER", "IN PROGRESS"])
def test_an_ended_job_is_not_touched(store: Store, apply: ApplyReports, status: str) -> None:
    id_ = in_progress(store)
    report(apply, id_, "ANSWERED", cost=Decimal(20))
    before = store.jobs.get(id_)
    report(apply, id_, status)
    assert store.jobs.get(id_) == before
    assert counted(store) == {"applied": 1, "late": 1}


def test_a_forgotten_job_stays_forgotten(store: Store, apply: ApplyReports) -> None:
    turn = report(apply, "a" * 16)
    assert (turn.state, counted(store)) == (None, {"gone": 1})
    assert redis_of(store).exists(key_of(store, "job", "a" * 16)) == 0


def test_a_call_whose_claim_redis_has_lost_is_not_made_again(
    store: Store, apply: ApplyReports
) -> None:
    id_ = enqueue(store)
    assert report(apply, id_).state is State.COMPLETED
    assert [each.callid for each in store.jobs.get(id_).attempts] == ["call-1"]


@pytest.mark.parametrize("where", [in_progress, uncertain, dialing])
def test_a_call_after_one_whose_end_redis_has_lost_is_not_made_again(
    store: Store, apply: ApplyReports, where: Any
) -> None:
    """Redis stands where it did before the first call ended, as after a backup of then."""
    id_ = where(store)
    assert report(apply, id_, callid="call-2", attempt=2).state is State.COMPLETED
    job = store.jobs.get(id_)
    assert [each.result for each in job.attempts] == ["outcome_unknown", "answered"]
    assert job.attempts[1].callid == "call-2"
    assert job.spent == 2
    assert_sound(snapshot(store))


def test_a_call_after_the_end_of_a_job_is_kept_out_of_it(store: Store, apply: ApplyReports) -> None:
    id_ = in_progress(store)
    report(apply, id_)
    before = store.jobs.get(id_)
    report(apply, id_, callid="call-2", attempt=2)
    assert (store.jobs.get(id_), counted(store)["other_call"]) == (before, 1)


@pytest.mark.parametrize("status", ["ANSWERED", "IN PROGRESS"])
def test_another_call_than_the_known_one_is_a_second_call_and_changes_nothing_else(
    store: Store, apply: ApplyReports, status: str
) -> None:
    """Redis lost a claim and gave it again: two calls were made of one attempt."""
    id_ = in_progress(store)
    before = store.jobs.get(id_)
    for _ in range(2):
        report(apply, id_, status, callid="call-2")
    after = store.jobs.get(id_)
    assert replace(after, timeline=before.timeline) == before
    assert "another call was made of it, call-2" in after.timeline[-1].why
    assert len(after.timeline) == len(before.timeline) + 1
    assert counted(store) == {"other_call": 2}
    assert store.jobs.id_of_call("call-2") is None
    assert store.statistics.counters()["second_calls"] == 1


def test_a_second_call_of_an_attempt_is_counted_once_whoever_tells_of_it(
    store: Store, apply: ApplyReports
) -> None:
    id_ = in_progress(store)
    for _ in range(2):  # the other worker, whose first answer was lost
        assert store.calls.settle(id_, 1, placed("call-2")) is State.IN_PROGRESS
    report(apply, id_, callid="call-2")
    assert store.statistics.counters()["second_calls"] == 1
    report(apply, id_, callid="call-3")
    assert store.statistics.counters()["second_calls"] == 2
    report(apply, id_)
    assert store.jobs.get(id_).state is State.COMPLETED


def test_a_redialled_call_is_counted_where_a_check_finds_that_it_was_answered(
    store: Store, apply: ApplyReports, clock: Clock
) -> None:
    """What is asked for by its callid, and by whoever: it is counted when it is known."""
    id_ = uncertain(store, on_uncertain="redial")
    window_over(store, clock, id_)
    claim(store, id_)
    decision = after_report(ended("ANSWERED"), store.jobs.get(id_), POLICY)
    assert decision is not None
    found = replace(decision, call=CallRef(("call-1",)))
    for actor in ("reconcile", "worker"):
        store.calls.settle(id_, 1, found, actor=actor)
    report(apply, id_)
    assert store.statistics.counters()["second_calls"] == 1


def test_two_reports_of_different_calls_at_once_make_one_call(
    store: Store, apply: ApplyReports
) -> None:
    id_ = uncertain(store)
    apply.inbox.receive([said(id_, "IN PROGRESS", "call-1")], {})
    apply.inbox.receive([said(id_, "ANSWERED", "call-2")], {})
    apply()
    job = store.jobs.get(id_)
    assert job.attempts[0].callid in {"call-1", "call-2"}
    assert sum(store.jobs.id_of_call(each) is not None for each in ("call-1", "call-2")) == 1
    assert_sound(snapshot(store))


def test_a_conference_is_no_matter_of_callbacks(store: Store, apply: ApplyReports) -> None:
    asked = JobRequest.of({"participants": ["+818011234567", "+818011234568"]})
    id_ = store.jobs.enqueue(asked).id
    claim(store, id_)
    report(apply, id_)
    assert (store.jobs.get(id_).state, counted(store)) == (State.DIALING, {"other_call": 1})


def test_given_up_as_unknown_the_outcome_is_kept_with_the_attempt(
    store: Store, apply: ApplyReports, clock: Clock
) -> None:
    id_ = uncertain(store, on_uncertain="hold")
    assert window_over(store, clock, id_).reason == Reason.OUTCOME_UNKNOWN
    report(apply, id_)
    job = store.jobs.get(id_)
    assert (job.state, job.reason) == (State.FAILED, Reason.OUTCOME_UNKNOWN)
    assert (job.attempts[0].result, job.attempts[0].callid) == ("answered", "call-1")
    assert "ANSWERED" in job.timeline[-1].why


def test_evidence_that_comes_before_the_redial_saves_it(
    store: Store, apply: ApplyReports, clock: Clock
) -> None:
    id_ = uncertain(store, on_uncertain="redial")
    assert window_over(store, clock, id_).state is State.QUEUED
    assert report(apply, id_).state is State.COMPLETED
    assert store.statistics.counters()["second_calls"] == 0


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("ANSWERED", State.COMPLETED),
        ("IN PROGRESS", State.IN_PROGRESS),
        ("NO ANSWER", State.QUEUED),
        ("FAILED", State.QUEUED),
    ],
)
def test_what_a_person_retried_is_dialled_again_unless_somebody_was_reached(
    store: Store, apply: ApplyReports, clock: Clock, status: str, state: State
) -> None:
    id_ = uncertain(store, on_uncertain="hold")
    window_over(store, clock, id_)
    store.jobs.retry(id_, actor="sam")
    assert report(apply, id_, status).state is state
    assert store.statistics.counters()["second_calls"] == 0


def test_the_outcome_of_a_second_call_is_kept_when_it_is_known(
    store: Store, apply: ApplyReports, clock: Clock
) -> None:
    id_ = uncertain(store, on_uncertain="redial")
    window_over(store, clock, id_)
    store.calls.settle(id_, claim(store, id_).attempt, placed("call-2"))
    report(apply, id_, "IN PROGRESS")
    report(apply, id_, "ANSWERED")
    assert store.jobs.get(id_).attempts[0].result == "answered"
    assert store.statistics.counters()["second_calls"] == 1


@pytest.mark.parametrize("status", ["ANSWERED", "NO ANSWER", "IN PROGRESS"])
def test_the_call_of_a_redialled_attempt_is_the_second_call_that_it_is(
    store: Store, apply: ApplyReports, clock: Clock, status: str
) -> None:
    id_ = uncertain(store, on_uncertain=OnUncertain.REDIAL.value)
    window_over(store, clock, id_)
    store.calls.settle(id_, claim(store, id_).attempt, placed("call-2"))
    report(apply, id_, status)
    report(apply, id_, status)  # and doubled
    job = store.jobs.get(id_)
    assert job.state is State.IN_PROGRESS
    results = {"ANSWERED": "answered", "NO ANSWER": "no_answer", "IN PROGRESS": "placed"}
    assert [each.result for each in job.attempts] == [results[status], "placed"]
    assert [each.callid for each in job.attempts] == ["call-1", "call-2"]
    assert status in job.timeline[-1].why
    assert store.statistics.counters()["second_calls"] == 1
    report(apply, id_, attempt=2, callid="call-2")
    assert store.jobs.get(id_).state is State.COMPLETED
