"""What became of an attempt is written once, and what comes too late changes nothing else."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dispatcher.model.call import CallRef
from dispatcher.model.states import State
from dispatcher.policy import Decision, after_report, after_window
from dispatcher.provider import (
    AnswerLost,
    BadCredentials,
    InvalidRequest,
    NeverReached,
    NotAllowed,
    NotEnoughCredits,
    ProviderError,
    Throttled,
    Unavailable,
)
from dispatcher.store import Store
from support.clock import Clock
from support.reports import ended
from support.store_jobs import (
    POLICY,
    RECIPIENT,
    START,
    assert_sound,
    at,
    claim,
    enqueue,
    failed,
    in_progress,
    placed,
    refused,
    request,
    snapshot,
    states,
)

LEASE = 30


@pytest.mark.parametrize(
    ("error", "end", "spent", "result"),
    [
        (AnswerLost("lost"), (State.UNCERTAIN, None), 1, "maybe_placed"),
        (InvalidRequest("no"), (State.FAILED, "invalid_request"), 0, "invalid_request"),
        (NotAllowed("no"), (State.FAILED, "not_allowed"), 0, "not_allowed"),
        (Unavailable("503"), (State.SCHEDULED, None), 0, "not_placed"),
        (Throttled("429", retry_after=3), (State.SCHEDULED, None), 0, "throttled"),
        (NeverReached("refused"), (State.SCHEDULED, None), 0, "never_reached"),
        (NotEnoughCredits("credit"), (State.HELD, None), 0, "held_credit"),
        (BadCredentials("auth"), (State.HELD, None), 0, "held_auth"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_the_provider_answers_decides_where_the_job_goes(
    store: Store, error: ProviderError, end: tuple[State, str | None], spent: int, result: str
) -> None:
    id_ = enqueue(store)
    made = claim(store, id_)
    assert store.calls.settle(id_, made.attempt, refused(error, made.job)) is end[0]
    job = store.jobs.get(id_)
    assert ((job.state, job.reason), job.spent) == (end, spent)
    assert job.attempt is not None
    assert (job.attempt.result, job.attempt.error) == (result, str(error))
    assert (job.attempt.ended_at is None) is (job.state is State.UNCERTAIN)
    assert_sound(snapshot(store))


def test_a_placed_call_is_in_progress_and_found_by_its_callid(store: Store) -> None:
    id_ = in_progress(store, "call-7")
    job = store.jobs.get(id_)
    assert job.state is State.IN_PROGRESS
    assert job.attempt is not None
    assert (job.attempt.callid, job.spent) == ("call-7", 1)
    assert store.jobs.id_of_call("call-7") == id_
    assert store.jobs.id_of_call("call-8") is None


def test_each_call_of_a_conference_is_found(store: Store) -> None:
    fields = {"participants": [RECIPIENT, "+14155550123"]}
    id_ = store.jobs.enqueue(request(recipient=None, say=None, **fields)).id
    decision = Decision(
        State.IN_PROGRESS, "placed", "", delay=20, call=CallRef(("c1", "c2"), "conf")
    )
    store.calls.settle(id_, claim(store, id_).attempt, decision)
    assert (store.jobs.id_of_call("c1"), store.jobs.id_of_call("c2")) == (id_, id_)
    attempt = store.jobs.get(id_).attempt
    assert attempt is not None
    assert (attempt.callids, attempt.conferenceid) == (("c1", "c2"), "conf")


def test_an_answered_call_completes_its_job_with_cost_and_duration(
    store: Store, clock: Clock
) -> None:
    id_ = in_progress(store)
    clock.forward(40)
    report = ended("ANSWERED", Decimal("12.5"), 31)
    decision = after_report(report, store.jobs.get(id_), POLICY)
    assert decision is not None
    assert store.calls.settle(id_, 1, decision, actor="reconcile") is State.COMPLETED
    job = store.jobs.get(id_)
    assert (job.outcome, job.cost, job.duration) == ("ANSWERED", Decimal("12.5"), 31)
    assert job.finished_at == at(START + 40_000)
    assert states(job) == ["queued", "dialing", "in_progress", "completed"]
    assert job.timeline[-1].actor == "reconcile"
    assert job.next_action is None


def test_a_call_nobody_answered_is_redialled_after_the_delay_and_then_fails(
    store: Store, clock: Clock
) -> None:
    id_ = enqueue(store, redial=1, redial_after=60)
    unanswered = ended("NO ANSWER")
    ends = []
    for attempt in (1, 2):
        store.calls.settle(id_, claim(store, id_).attempt, placed(f"call-{attempt}"))
        decision = after_report(unanswered, store.jobs.get(id_), POLICY)
        assert decision is not None
        ends.append(store.calls.settle(id_, attempt, decision))
        clock.forward(60)
        store.queue.pump()
    assert ends == [State.SCHEDULED, State.FAILED]
    job = store.jobs.get(id_)
    assert (job.reason, job.spent) == ("no_answer", 2)
    assert [attempt.callid for attempt in job.attempts] == ["call-1", "call-2"]


def test_an_attempt_that_would_come_after_the_deadline_ends_the_job_now(store: Store) -> None:
    id_ = enqueue(store, expires=60)
    made = claim(store, id_)
    decision = Decision(State.SCHEDULED, "not_placed", "503", delay=60)
    assert store.calls.settle(id_, made.attempt, decision) is State.EXPIRED
    assert "after the deadline" in store.jobs.get(id_).timeline[-1].why
    assert_sound(snapshot(store))  # nothing happens to it any more


def test_settling_twice_is_settling_once(store: Store) -> None:
    id_ = enqueue(store)
    made = claim(store, id_)
    decision = refused(Unavailable("503"), made.job)
    store.calls.settle(id_, made.attempt, decision)
    before = snapshot(store)
    assert store.calls.settle(id_, made.attempt, decision) is State.SCHEDULED
    assert snapshot(store) == before


def test_a_late_word_that_the_call_may_be_placed_is_noted_once(store: Store, clock: Clock) -> None:
    id_ = enqueue(store)
    made = claim(store, id_)
    clock.forward(LEASE)
    store.calls.rescue(300)
    lost = refused(AnswerLost("cut off"), made.job)
    store.calls.settle(id_, made.attempt, lost)
    before = snapshot(store)
    store.calls.settle(id_, made.attempt, lost)
    assert snapshot(store) == before
    attempt = store.jobs.get(id_).attempt
    assert attempt is not None
    assert (attempt.result, attempt.error) == ("maybe_placed", "cut off")


def test_a_late_answer_of_an_older_attempt_is_kept_and_changes_nothing_else(
    store: Store, clock: Clock
) -> None:
    id_ = enqueue(store, on_uncertain="redial")
    claim(store, id_)
    clock.forward(LEASE)
    store.calls.rescue(300)
    store.calls.settle(id_, 1, after_window(store.jobs.get(id_), POLICY))
    claim(store, id_)
    assert store.calls.settle(id_, 1, placed("late-call")) is State.DIALING
    job = store.jobs.get(id_)
    assert (job.attempts[0].callid, job.attempts[0].result) == ("late-call", "placed")
    assert (job.state, len(job.attempts)) == (State.DIALING, 2)
    assert "too late to change anything" in job.timeline[-1].why
    assert store.jobs.id_of_call("late-call") == id_
    assert_sound(snapshot(store))


def test_what_is_said_of_an_attempt_that_ended_long_ago_leaves_no_trace(store: Store) -> None:
    id_ = failed(store)
    before = snapshot(store)
    assert store.calls.settle(id_, 1, placed("stray")) is State.FAILED
    assert snapshot(store) == before


def test_a_job_that_is_gone_is_not_settled(store: Store) -> None:
    assert store.calls.settle("nosuchjob", 1, placed()) is None
    assert snapshot(store) == {}


def test_a_shorter_error_replaces_the_whole_of_a_longer_one(store: Store, clock: Clock) -> None:
    id_ = enqueue(store)
    made = claim(store, id_)
    store.calls.settle(id_, 1, refused(AnswerLost("a long story " * 20), made.job))
    clock.forward(POLICY.evidence_window)
    decision = after_window(store.jobs.get(id_), POLICY)
    store.calls.settle(id_, 1, decision)
    attempt = store.jobs.get(id_).attempt
    assert attempt is not None
    assert attempt.error == decision.why


def test_an_attempt_counted_as_spent_is_given_back_when_it_turns_out_that_nobody_was_asked(
    store: Store, clock: Clock
) -> None:
    id_ = enqueue(store)
    made = claim(store, id_)
    clock.forward(LEASE)
    store.calls.rescue(300)
    assert store.jobs.get(id_).spent == 1
    store.calls.settle(id_, 1, refused(NeverReached("no route"), made.job))
    job = store.jobs.get(id_)
    assert (job.state, job.spent) == (State.SCHEDULED, 0)


def test_a_decision_without_a_delay_schedules_for_now(store: Store) -> None:
    id_ = enqueue(store)
    claim(store, id_)
    assert (
        store.calls.settle(id_, 1, Decision(State.SCHEDULED, "not_placed", "again")) == "scheduled"
    )
    assert store.queue.pump().due == 1
    assert_sound(snapshot(store))


def test_a_call_is_looked_at_again_when_it_was_put_off_to(store: Store, clock: Clock) -> None:
    id_ = in_progress(store)
    assert store.calls.reschedule_check(id_, 1, 45, "RINGING")
    job = store.jobs.get(id_)
    assert (job.next_at, job.outcome) == (at(START + 45_000), "RINGING")
    clock.forward(44.999)
    assert store.calls.take_due(State.IN_PROGRESS) == []
    clock.forward(0.001)
    assert store.calls.take_due(State.IN_PROGRESS) == [id_]


def test_a_call_that_is_over_or_of_an_older_attempt_is_not_put_off(store: Store) -> None:
    id_ = in_progress(store)
    assert not store.calls.reschedule_check(id_, 2, 45)
    assert not store.calls.reschedule_check(failed(store), 1, 45)
    assert not store.calls.reschedule_check("nosuchjob", 1, 45)
    assert_sound(snapshot(store))
