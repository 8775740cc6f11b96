"""Reports that come by themselves: whatever they find of the job, late, doubled, out of order."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from dispatcher.model.call import CallRef
from dispatcher.model.job import Job
from dispatcher.model.outcome import Outcome
from dispatcher.model.request import JobRequest
from dispatcher.model.states import OnUncertain, Reason, State
from dispatcher.policy import after_report, after_window
from dispatcher.provider import AnswerLost, NotAllowed, Throttled
from dispatcher.store import Store
from dispatcher.store.callbacks import Callback
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from support.reports import ended
from support.store_jobs import POLICY, assert_sound, claim, enqueue, placed, refused, snapshot
from workers.engine.apply_callbacks import ApplyReports
from workers.engine.dial import Turn
from workers.engine.ticks import Pump, Rescue

LOST = AnswerLost("the connection was cut")
WINDOW = POLICY.evidence_window


@pytest.fixture
def apply(store: Store) -> ApplyReports:
    return ApplyReports(store, store.callbacks, POLICY)


def said(
    id_: str, status: str = "ANSWERED", callid: str = "call-1", *, attempt: int = 1, **more: Any
) -> Callback:
    """Return what the inbox keeps of a report; only IN PROGRESS is not the end."""
    going_on = status == "IN PROGRESS"
    outcome = Outcome.IN_PROGRESS if going_on else ended(status).outcome
    return Callback(id_, attempt, callid, status, outcome, **more)


def report(
    apply: ApplyReports, id_: str, status: str = "ANSWERED", *, attempt: int = 1, **more: Any
) -> Turn:
    """Have a report come in and be applied; return how it left its job."""
    apply.inbox.receive([said(id_, status, attempt=attempt, **more)], {})
    (turn,) = apply()
    assert apply.inbox.take() == []
    assert_sound(snapshot(apply.store))
    return turn


def counted(store: Store) -> dict[str, int]:
    return {
        name.removeprefix("callbacks."): number
        for name, number in store.statistics.counters().items()
        if name.startswith("callbacks.")
    }


def dialing(store: Store, **fields: Any) -> str:
    id_ = enqueue(store, **fields)
    claim(store, id_)
    return id_


def in_progress(store: Store, **fields: Any) -> str:
    id_ = dialing(store, **fields)
    store.calls.settle(id_, 1, placed())
    return id_


def uncertain(store: Store, **fields: Any) -> str:
    id_ = enqueue(store, **fields)
    made = claim(store, id_)
    store.calls.settle(id_, 1, refused(LOST, made.job))
    return id_


def window_over(store: Store, clock: Clock, id_: str) -> Job:
    clock.forward(WINDOW)
    store.calls.settle(id_, 1, after_window(store.jobs.get(id_), POLICY), actor="rescue")
    return store.jobs.get(id_)


OPEN = [dialing, in_progress, uncertain]


def a_check_told(store: Store, cost: Decimal) -> None:
    """Have a status check tell what a call cost: callbacks are believed that much from then on."""
    id_ = enqueue(store)
    claim(store, id_)
    store.calls.settle(id_, 1, placed("checked"))
    decision = after_report(ended("ANSWERED", cost), store.jobs.get(id_), POLICY)
    assert decision is not None
    store.calls.settle(id_, 1, decision, actor="reconcile")


# -- in time -------------------------------------------------------------------------------


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


# -- late, doubled, of others --------------------------------------------------------------


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


# -- after the evidence window -------------------------------------------------------------


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


# -- with a check to confirm it ------------------------------------------------------------


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


# -- many ----------------------------------------------------------------------------------


def test_one_that_cannot_be_applied_stays_and_holds_up_no_other(
    store: Store, apply: ApplyReports, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = in_progress(store), uncertain(store)
    settled = store.calls.settled

    def stumble(id_: str, *args: Any, **kwargs: Any) -> Any:
        if id_ == bad:
            raise Throttled("something unforeseen")
        return settled(id_, *args, **kwargs)

    monkeypatch.setattr(store.calls, "settled", stumble)
    apply.inbox.receive([said(bad, "ANSWERED", "call-1")], {})
    apply.inbox.receive([said(good, "ANSWERED", "call-9")], {})
    assert [turn.job_id for turn in apply()] == [good]
    monkeypatch.undo()
    clock.forward(60)
    assert [turn.job_id for turn in apply()] == [bad]


def test_refused_after_all_is_what_the_report_says(store: Store, apply: ApplyReports) -> None:
    """The provider contradicts itself: what it says of the call goes before its refusal."""
    id_ = dialing(store)
    report(apply, id_)
    store.calls.settle(id_, 1, refused(NotAllowed("no"), store.jobs.get(id_)))
    assert store.jobs.get(id_).state is State.COMPLETED


# -- swept ---------------------------------------------------------------------------------


class Woken:
    """A messenger that counts, and sends nothing."""

    def __init__(self) -> None:
        self.times = 0

    def apply_reports(self) -> None:
        self.times += 1

    def dial(self, dispatched: Any, together: int = 1) -> int:
        return len(list(dispatched))


def test_the_pump_wakes_for_reports_that_nobody_was_woken_for(
    store: Store, apply: ApplyReports
) -> None:
    woken = Woken()
    pump = Pump(store, woken)  # type: ignore[arg-type]
    assert (pump(), woken.times) == ({}, 0)
    apply.inbox.receive([said(in_progress(store), "ANSWERED", "call-1")], {})
    assert (pump(), woken.times) == ({"wake-ups": 1}, 1)
    apply()
    assert (pump(), woken.times) == ({}, 1)


def test_no_window_is_over_while_evidence_waits_to_be_applied(
    store: Store, apply: ApplyReports, clock: Clock
) -> None:
    id_ = uncertain(store, on_uncertain="hold")
    apply.inbox.receive([said(id_, "ANSWERED", "call-1")], {})
    clock.forward(WINDOW)
    Rescue(store, POLICY, apply)()
    assert store.jobs.get(id_).state is State.COMPLETED


@pytest.mark.parametrize(
    ("minutes", "state"), [(None, State.FAILED), (-61, State.FAILED), (-59, State.QUEUED)]
)
def test_silence_is_evidence_only_where_callbacks_are_seen_to_arrive(
    store: Store, apply: ApplyReports, clock: Clock, minutes: float | None, state: State
) -> None:
    """A public URL that is wrong brings none, whoever was called."""
    if minutes is not None:
        apply.inbox.receive([said(in_progress(store), "ANSWERED", "call-1")], {})
        apply()
        clock.forward(-60 * minutes)
    id_ = uncertain(store)
    clock.forward(WINDOW)
    Rescue(store, replace(POLICY, reported=True), apply)()
    assert store.jobs.get(id_).state is state


def test_a_callback_that_came_since_shows_that_they_arrive(
    store: Store, apply: ApplyReports, clock: Clock
) -> None:
    id_, other = uncertain(store), in_progress(store)
    clock.forward(1)
    apply.inbox.receive([said(other, "ANSWERED", "call-1")], {})
    apply()
    clock.forward(WINDOW)
    Rescue(store, replace(POLICY, reported=True), apply)()
    assert store.jobs.get(id_).state is State.QUEUED


def test_what_a_killed_process_had_taken_comes_again_within_a_short_evidence_window(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else its job would be redialled while the evidence lies in the inbox."""

    def die(*_: object) -> None:
        raise SystemExit

    apply = ApplyReports(store, store.callbacks, replace(POLICY, evidence_window=8))
    id_ = uncertain(store)
    apply.inbox.receive([said(id_)], {})
    with monkeypatch.context() as killed:
        killed.setattr(ApplyReports, "_apply_all", die)
        with pytest.raises(SystemExit):
            apply()
    assert apply() == []
    clock.forward(4)
    (turn,) = apply()
    assert turn.state is State.COMPLETED
