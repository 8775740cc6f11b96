"""Each operation of the store, by example, on a real Redis."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import redis
from store_parts import (
    POLICY,
    RECIPIENT,
    START,
    Clock,
    assert_sound,
    claim,
    enqueue,
    failed,
    in_progress,
    placed,
    records,
    refused,
    request,
    snapshot,
    window,
)

from dispatcher.job import Job
from dispatcher.policy import Decision, Report, after_report, after_window
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
from dispatcher.redis_url import StoreUnavailable, connect
from dispatcher.rules import Rules
from dispatcher.states import Priority, State
from dispatcher.store import Claim, KeyConflict, Pumped, Refused, Store, UnknownJob, job_id
from dispatcher.store.credit import Look, note_balance, watch
from dispatcher.store.store import LOST_AFTER

LEASE = 30
DAY = 86_400_000


def at(milliseconds: float) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def states(job: Job) -> list[str]:
    return [event.to for event in job.timeline]


# -- enqueue -------------------------------------------------------------------------------


def test_a_new_job_is_queued_and_keeps_all_that_was_asked_for(store: Store) -> None:
    done = store.enqueue(
        request(
            tags=["db1", "disk"],
            key="alert-1",
            caller="815012345678",
            priority="urgent",
            expires="15m",
            redial=1,
            redial_after=60,
            max_attempts=4,
            on_uncertain="redial",
            evidence_window=90,
            call_deadline="1h",
        )
    )
    job = store.get(done.id)
    assert done.new
    assert (job.state, job.priority, job.numbers) == (State.QUEUED, Priority.URGENT, (RECIPIENT,))
    assert (job.say, job.lang, job.tags, job.key) == ("Disk full", "en", ("db1", "disk"), "alert-1")
    assert (job.caller, job.max_attempts) == ("815012345678", 4)
    assert (job.redial, job.redial_after) == (1, 60)
    assert (job.on_uncertain, job.evidence_window, job.call_deadline) == ("redial", 90, 3600)
    assert (job.created_at, job.due_at) == (at(START), at(START))
    assert job.expires_at == at(START) + timedelta(minutes=15)
    assert (job.attempts, job.spent, states(job)) == ((), 0, ["queued"])
    assert_sound(snapshot(store))


def test_a_job_for_later_is_scheduled_and_says_when_it_goes_on(store: Store, clock: Clock) -> None:
    job = store.get(enqueue(store, at="10m"))
    assert job.state is State.SCHEDULED
    assert job.next_action is not None
    assert job.next_action.at == job.due_at == at(START) + timedelta(minutes=10)
    assert store.feed() == []


def test_a_moment_that_has_passed_means_now(store: Store) -> None:
    job = store.get(enqueue(store, at=at(START - 5000)))
    assert (job.state, job.due_at) == (State.QUEUED, at(START))


def test_long_texts_come_back_whole_whatever_their_alphabet(store: Store) -> None:
    text = "ディスクがいっぱいです。" * 300
    assert store.get(enqueue(store, say=text, lang="ja")).say == text


@pytest.mark.parametrize("length", [59, 60, 61, 120, 121])
def test_texts_come_back_whole_at_the_edges_of_their_pieces(store: Store, length: int) -> None:
    assert store.get(enqueue(store, say="x" * length)).say == "x" * length


def test_the_same_key_and_request_is_the_same_job(store: Store) -> None:
    first = store.enqueue(request(key="k"))
    assert store.enqueue(request(key="k")) == type(first)(first.id, new=False)
    assert states(store.get(first.id)) == ["queued"]


def test_the_same_key_with_another_request_is_refused_and_changes_nothing(store: Store) -> None:
    enqueue(store, key="k")
    before = snapshot(store)
    with pytest.raises(KeyConflict, match="belongs to another request"):
        enqueue(store, key="k", say="Something else")
    assert snapshot(store) == before


def test_a_key_conflict_shows_no_telephone_number(store: Store) -> None:
    enqueue(store, key=f"alert-{RECIPIENT}")
    with pytest.raises(KeyConflict) as caught:
        enqueue(store, key=f"alert-{RECIPIENT}", say="Something else")
    assert RECIPIENT[1:] not in str(caught.value)


def test_the_same_key_in_another_scope_is_another_job(store: Store) -> None:
    one = store.enqueue(request(key="k"), scope="alice")
    assert store.enqueue(request(key="k"), scope="bob").new
    assert one.id == job_id("k", "alice")


def test_a_batch_answers_in_the_order_of_its_requests(store: Store) -> None:
    batch = [request(key="a"), request(), request(key="a"), request(key="a", say="Other")]
    made, other, same, conflict = store.enqueue_many(batch)
    assert [made.unwrap().new, other.unwrap().new, same.unwrap().new] == [True, True, False]
    assert same.id == made.id
    with pytest.raises(KeyConflict):
        conflict.unwrap()


# -- feed ----------------------------------------------------------------------------------


def test_the_most_urgent_are_fed_first_and_the_oldest_of_these(store: Store, clock: Clock) -> None:
    ids = {}
    for name, priority in (("b", "bulk"), ("n1", "normal"), ("n2", "normal"), ("u", "urgent")):
        ids[name] = enqueue(store, priority=priority)
        clock.forward(1)
    assert store.feed() == [
        (ids["u"], Priority.URGENT),
        (ids["n1"], Priority.NORMAL),
        (ids["n2"], Priority.NORMAL),
        (ids["b"], Priority.BULK),
    ]
    assert store.feed() == []


def test_no_more_are_out_at_a_time_than_the_window_allows(store: Store) -> None:
    window(store, 2)
    for _ in range(4):
        enqueue(store)
    fed = store.feed()
    assert len(fed) == 2
    assert store.feed() == []
    claim(store, fed[0][0])
    assert len(store.feed()) == 1


def test_no_more_are_fed_than_asked_for(store: Store) -> None:
    for priority in ("urgent", "urgent", "normal"):
        enqueue(store, priority=priority)
    assert [len(store.feed(2)), len(store.feed(2))] == [2, 1]


def test_an_urgent_job_overtakes_a_backlog(store: Store, clock: Clock) -> None:
    window(store, 1)
    first = enqueue(store, priority="bulk")
    clock.forward(1)
    enqueue(store, priority="bulk")
    assert [id_ for id_, _ in store.feed()] == [first]
    clock.forward(5)
    urgent = enqueue(store, priority="urgent")
    claim(store, first)
    assert [id_ for id_, _ in store.feed()] == [urgent]


def test_a_message_that_nobody_took_up_is_sent_again(store: Store, clock: Clock) -> None:
    id_ = enqueue(store)
    store.feed()
    clock.forward(LOST_AFTER - 0.001)
    assert store.pump() == Pumped(0, 0, 0, 0)
    clock.forward(0.001)
    assert store.pump().lost == 1
    assert store.feed() == [(id_, Priority.NORMAL)]
    assert_sound(snapshot(store))


def test_the_ready_are_parked_a_batch_at_a_time_while_a_gate_is_closed(store: Store) -> None:
    ids = [enqueue(store) for _ in range(3)]
    store.close_gate("credit", "not enough credits", 20)
    assert store.feed(2) == []
    assert sorted(store.get(id_).state for id_ in ids) == ["held", "held", "queued"]
    assert store.feed(2) == []
    job = store.get(ids[0])
    assert (job.hold_reason, job.timeline[-1].why) == ("credit", "not enough credits")
    assert_sound(snapshot(store))


# -- claim ---------------------------------------------------------------------------------


def test_a_claim_is_the_only_one_and_is_written_before_it_is_used(
    store: Store, clock: Clock
) -> None:
    id_ = enqueue(store)
    clock.forward(2)
    made = claim(store, id_)
    job = store.get(id_)
    assert (made.attempt, job.state, job.spent) == (1, State.DIALING, 0)
    assert job.attempt is not None
    assert job.attempt.sent_at == at(START + 2000)
    assert job.next_at == at(START + 2000 + LEASE * 1000)
    assert store.claim(id_, token="another", lease=LEASE) is State.DIALING


def test_the_same_token_gets_the_same_claim_until_the_attempt_is_settled(store: Store) -> None:
    id_ = enqueue(store)
    first = claim(store, id_, "t")
    assert claim(store, id_, "t") == first
    store.settle(id_, first.attempt, placed())
    assert store.claim(id_, token="t", lease=LEASE) is State.IN_PROGRESS
    assert "token" not in records(snapshot(store))[id_]


def test_an_unknown_job_cannot_be_claimed(store: Store) -> None:
    assert store.claim("nosuchjob", token="t", lease=LEASE) is None


def test_a_job_cannot_be_claimed_before_it_is_due(store: Store) -> None:
    assert store.claim(enqueue(store, at="5m"), token="t", lease=LEASE) is State.SCHEDULED


def test_a_job_is_not_claimed_at_its_deadline_but_expires(store: Store, clock: Clock) -> None:
    id_ = enqueue(store, expires=60)
    clock.forward(60)
    assert store.claim(id_, token="t", lease=LEASE) is State.EXPIRED
    assert store.get(id_).attempts == ()


def test_a_job_is_claimed_just_before_its_deadline(store: Store, clock: Clock) -> None:
    id_ = enqueue(store, expires=60)
    clock.forward(59.999)
    assert claim(store, id_).attempt == 1


def test_nothing_is_claimed_while_a_gate_is_closed(store: Store) -> None:
    id_ = enqueue(store)
    store.feed()
    store.close_gate("auth", "bad credentials")
    assert store.claim(id_, token="t", lease=LEASE) is State.HELD
    job = store.get(id_)
    assert (job.hold_reason, job.attempts, job.spent) == ("auth", (), 0)
    assert_sound(snapshot(store))


# -- settle --------------------------------------------------------------------------------


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
    assert store.settle(id_, made.attempt, refused(error, made.job)) is end[0]
    job = store.get(id_)
    assert ((job.state, job.reason), job.spent) == (end, spent)
    assert job.attempt is not None
    assert (job.attempt.result, job.attempt.error) == (result, str(error))
    assert (job.attempt.ended_at is None) is (job.state is State.UNCERTAIN)
    assert_sound(snapshot(store))


def test_a_placed_call_is_in_progress_and_found_by_its_callid(store: Store) -> None:
    id_ = in_progress(store, "call-7")
    job = store.get(id_)
    assert job.state is State.IN_PROGRESS
    assert job.attempt is not None
    assert (job.attempt.callid, job.spent) == ("call-7", 1)
    assert store.job_of_call("call-7") == id_
    assert store.job_of_call("call-8") is None


def test_each_call_of_a_conference_is_found(store: Store) -> None:
    fields = {"participants": [RECIPIENT, "+14155550123"]}
    id_ = store.enqueue(request(recipient=None, say=None, **fields)).id
    decision = Decision(
        State.IN_PROGRESS, "placed", "", delay=20, fields={"callid": "c1,c2", "conf": "conf"}
    )
    store.settle(id_, claim(store, id_).attempt, decision)
    assert (store.job_of_call("c1"), store.job_of_call("c2")) == (id_, id_)
    attempt = store.get(id_).attempt
    assert attempt is not None
    assert (attempt.callids, attempt.conferenceid) == (("c1", "c2"), "conf")


def test_an_answered_call_completes_its_job_with_cost_and_duration(
    store: Store, clock: Clock
) -> None:
    id_ = in_progress(store)
    clock.forward(40)
    report = Report("ANSWERED", True, Decimal("12.5"), 31)
    decision = after_report(report, store.get(id_), POLICY)
    assert decision is not None
    assert store.settle(id_, 1, decision, actor="reconcile") is State.COMPLETED
    job = store.get(id_)
    assert (job.outcome, job.cost, job.duration) == ("ANSWERED", Decimal("12.5"), 31)
    assert job.finished_at == at(START + 40_000)
    assert states(job) == ["queued", "dialing", "in_progress", "completed"]
    assert job.timeline[-1].actor == "reconcile"
    assert job.next_action is None


def test_a_call_nobody_answered_is_redialled_after_the_delay_and_then_fails(
    store: Store, clock: Clock
) -> None:
    id_ = enqueue(store, redial=1, redial_after=60)
    unanswered = Report("NO ANSWER", True)
    ends = []
    for attempt in (1, 2):
        store.settle(id_, claim(store, id_).attempt, placed(f"call-{attempt}"))
        decision = after_report(unanswered, store.get(id_), POLICY)
        assert decision is not None
        ends.append(store.settle(id_, attempt, decision))
        clock.forward(60)
        store.pump()
    assert ends == [State.SCHEDULED, State.FAILED]
    job = store.get(id_)
    assert (job.reason, job.spent) == ("no_answer", 2)
    assert [attempt.callid for attempt in job.attempts] == ["call-1", "call-2"]


def test_an_attempt_that_would_come_after_the_deadline_ends_the_job_now(store: Store) -> None:
    id_ = enqueue(store, expires=60)
    made = claim(store, id_)
    decision = Decision(State.SCHEDULED, "not_placed", "503", delay=60)
    assert store.settle(id_, made.attempt, decision) is State.EXPIRED
    assert "after the deadline" in store.get(id_).timeline[-1].why


def test_settling_twice_is_settling_once(store: Store) -> None:
    id_ = enqueue(store)
    made = claim(store, id_)
    decision = refused(Unavailable("503"), made.job)
    store.settle(id_, made.attempt, decision)
    before = snapshot(store)
    assert store.settle(id_, made.attempt, decision) is State.SCHEDULED
    assert snapshot(store) == before


def test_a_late_word_that_the_call_may_be_placed_is_noted_once(store: Store, clock: Clock) -> None:
    id_ = enqueue(store)
    made = claim(store, id_)
    clock.forward(LEASE)
    store.rescue(300)
    lost = refused(AnswerLost("cut off"), made.job)
    store.settle(id_, made.attempt, lost)
    before = snapshot(store)
    store.settle(id_, made.attempt, lost)
    assert snapshot(store) == before
    attempt = store.get(id_).attempt
    assert attempt is not None
    assert (attempt.result, attempt.error) == ("maybe_placed", "cut off")


def test_a_late_answer_of_an_older_attempt_is_kept_and_changes_nothing_else(
    store: Store, clock: Clock
) -> None:
    id_ = enqueue(store, on_uncertain="redial")
    claim(store, id_)
    clock.forward(LEASE)
    store.rescue(300)
    store.settle(id_, 1, after_window(store.get(id_), POLICY))
    claim(store, id_)
    assert store.settle(id_, 1, placed("late-call")) is State.DIALING
    job = store.get(id_)
    assert (job.attempts[0].callid, job.attempts[0].result) == ("late-call", "placed")
    assert (job.state, len(job.attempts)) == (State.DIALING, 2)
    assert "too late to matter" in job.timeline[-1].why
    assert store.job_of_call("late-call") == id_
    assert_sound(snapshot(store))


def test_what_is_said_of_an_attempt_that_ended_long_ago_leaves_no_trace(store: Store) -> None:
    id_ = failed(store)
    before = snapshot(store)
    assert store.settle(id_, 1, placed("stray")) is State.FAILED
    assert snapshot(store) == before


def test_a_job_that_is_gone_is_not_settled(store: Store) -> None:
    assert store.settle("nosuchjob", 1, placed()) is None
    assert snapshot(store) == {}


def test_a_shorter_error_replaces_the_whole_of_a_longer_one(store: Store, clock: Clock) -> None:
    id_ = enqueue(store)
    made = claim(store, id_)
    store.settle(id_, 1, refused(AnswerLost("a long story " * 20), made.job))
    clock.forward(POLICY.evidence_window)
    decision = after_window(store.get(id_), POLICY)
    store.settle(id_, 1, decision)
    attempt = store.get(id_).attempt
    assert attempt is not None
    assert attempt.error == decision.why


def test_an_attempt_counted_as_spent_is_given_back_when_it_turns_out_that_nobody_was_asked(
    store: Store, clock: Clock
) -> None:
    id_ = enqueue(store)
    made = claim(store, id_)
    clock.forward(LEASE)
    store.rescue(300)
    assert store.get(id_).spent == 1
    store.settle(id_, 1, refused(NeverReached("no route"), made.job))
    job = store.get(id_)
    assert (job.state, job.spent) == (State.SCHEDULED, 0)


def test_a_decision_without_a_delay_schedules_for_now(store: Store) -> None:
    id_ = enqueue(store)
    claim(store, id_)
    assert store.settle(id_, 1, Decision(State.SCHEDULED, "not_placed", "again")) == "scheduled"
    assert store.pump().due == 1
    assert_sound(snapshot(store))


def test_a_call_is_looked_at_again_when_it_was_put_off_to(store: Store, clock: Clock) -> None:
    id_ = in_progress(store)
    assert store.put_off(id_, 1, 45, "RINGING")
    job = store.get(id_)
    assert (job.next_at, job.outcome) == (at(START + 45_000), "RINGING")
    clock.forward(44.999)
    assert store.take_due(State.IN_PROGRESS) == []
    clock.forward(0.001)
    assert store.take_due(State.IN_PROGRESS) == [id_]


def test_a_call_that_is_over_or_of_an_older_attempt_is_not_put_off(store: Store) -> None:
    id_ = in_progress(store)
    assert not store.put_off(id_, 2, 45)
    assert not store.put_off(failed(store), 1, 45)
    assert not store.put_off("nosuchjob", 1, 45)
    assert_sound(snapshot(store))


# -- what time moves on --------------------------------------------------------------------


def test_due_jobs_go_into_line_by_their_due_time(store: Store, clock: Clock) -> None:
    late, early = enqueue(store, at=20), enqueue(store, at=10)
    clock.forward(9.999)
    assert store.pump().due == 0
    clock.forward(10.001)
    assert store.pump() == Pumped(due=2, expired=0, lost=0, released=0)
    assert [id_ for id_, _ in store.feed()] == [early, late]


def test_jobs_past_their_deadline_expire_where_they_wait(store: Store, clock: Clock) -> None:
    ready, fed = enqueue(store, expires=5, priority="bulk"), enqueue(store, expires=5)
    store.feed(1)
    clock.forward(5)
    assert store.pump().expired == 2
    assert {store.get(ready).state, store.get(fed).state} == {State.EXPIRED}
    assert_sound(snapshot(store))


def test_a_held_job_expires_although_its_gate_stays_closed(store: Store, clock: Clock) -> None:
    store.close_gate("credit", "empty")
    id_ = enqueue(store, expires=5)
    store.feed()
    assert store.get(id_).state is State.HELD
    clock.forward(5)
    assert store.pump().expired == 1
    assert "while it was held" in store.get(id_).timeline[-1].why


def test_opened_gates_release_the_most_urgent_and_oldest_first_a_batch_at_a_time(
    store: Store, clock: Clock
) -> None:
    store.close_gate("credit", "empty")
    ids = []
    for priority in ("bulk", "urgent", "urgent"):
        ids.append(enqueue(store, priority=priority))
        clock.forward(1)
    store.feed()
    store.open_gate("credit")
    released = []
    for _ in range(3):
        assert store.pump(1).released == 1
        released += [id_ for id_, _ in store.feed()]
    assert released == [ids[1], ids[2], ids[0]]
    assert store.pump() == Pumped(0, 0, 0, 0)
    assert_sound(snapshot(store))


def test_nothing_is_released_while_any_gate_is_closed(store: Store) -> None:
    store.close_gate("credit", "empty")
    enqueue(store)
    store.feed()
    store.close_gate("auth", "bad credentials")
    store.open_gate("credit")
    assert store.pump().released == 0
    store.open_gate("auth")
    assert store.pump().released == 1


def test_a_job_whose_worker_died_may_have_been_dialled(store: Store, clock: Clock) -> None:
    id_ = enqueue(store)
    claim(store, id_)
    clock.forward(LEASE - 0.001)
    assert store.rescue(300) == 0
    clock.forward(0.001)
    assert store.rescue(300) == 1
    job = store.get(id_)
    assert (job.state, job.spent, job.attempts[0].result) == (State.UNCERTAIN, 1, "maybe_placed")
    assert job.next_at == at(clock.ms + 300_000)
    assert store.rescue(300) == 0


def test_the_evidence_window_of_a_job_goes_before_the_general_one(
    store: Store, clock: Clock
) -> None:
    id_ = enqueue(store, evidence_window=90)
    claim(store, id_)
    clock.forward(LEASE)
    store.rescue(300)
    assert store.get(id_).next_at == at(clock.ms + 90_000)


def test_rescue_recovers_a_batch_at_a_time(store: Store, clock: Clock) -> None:
    for _ in range(3):
        claim(store, enqueue(store))
    clock.forward(LEASE)
    assert [store.rescue(300, most=2), store.rescue(300, most=2)] == [2, 1]


def test_a_worker_that_answers_after_its_rescue_still_settles_its_attempt(
    store: Store, clock: Clock
) -> None:
    id_ = enqueue(store)
    claim(store, id_)
    clock.forward(LEASE)
    store.rescue(300)
    assert store.settle(id_, 1, placed()) is State.IN_PROGRESS
    assert store.get(id_).spent == 1


def test_what_a_dead_process_took_comes_again_after_its_lease(store: Store, clock: Clock) -> None:
    id_ = in_progress(store)
    clock.forward(POLICY.check_first)
    assert store.take_due(State.IN_PROGRESS, lease=60) == [id_]
    assert store.take_due(State.IN_PROGRESS, lease=60) == []
    clock.forward(60)
    assert store.take_due(State.IN_PROGRESS, lease=60) == [id_]


def test_an_ended_window_is_decided_by_the_jobs_wish(store: Store, clock: Clock) -> None:
    wishes = {"redial": State.QUEUED, "hold": State.FAILED}
    ids = {wish: enqueue(store, on_uncertain=wish) for wish in wishes}
    for id_ in ids.values():
        claim(store, id_)
    clock.forward(LEASE)
    store.rescue(300)
    clock.forward(300)
    assert sorted(store.take_due(State.UNCERTAIN)) == sorted(ids.values())
    for wish, id_ in ids.items():
        assert store.settle(id_, 1, after_window(store.get(id_), POLICY)) is wishes[wish]
    assert store.get(ids["hold"]).reason == "outcome_unknown"


def test_a_purged_job_leaves_nothing_behind(store: Store, clock: Clock) -> None:
    store.publish(Rules(per_day=20))
    id_ = in_progress(store, "call-1", tags=["a", "b"], say="long " * 100)
    decision = after_report(Report("ANSWERED", True), store.get(id_), POLICY)
    assert decision is not None
    store.settle(id_, 1, decision)
    assert not store.purge(id_, clock.ms)
    assert store.purge(id_, clock.ms + 1)
    person = f"person:{RECIPIENT[1:]}"
    account = {"credit", "waiting", "counts"}  # what it has cost, and that it was: for good
    assert snapshot(store).keys() == {"reasons", "limits", "pace", person} | account
    assert 0 < store.redis.pttl(store.key(person)) <= DAY
    with pytest.raises(UnknownJob):
        store.get(id_)
    assert not store.purge(id_, clock.ms + 1)


def test_a_late_callid_is_purged_with_its_job(store: Store, clock: Clock) -> None:
    id_ = enqueue(store)
    made = claim(store, id_)
    store.settle(id_, 1, refused(InvalidRequest("no"), made.job))
    store.settle(id_, 1, placed("stray"))
    assert store.purge(id_, clock.ms + 1)
    assert store.job_of_call("stray") is None


def test_a_live_job_is_never_purged(store: Store, clock: Clock) -> None:
    id_ = in_progress(store)
    assert not store.purge(id_, clock.ms + 10**9)
    assert store.get(id_).state is State.IN_PROGRESS


# -- people --------------------------------------------------------------------------------


def test_a_waiting_job_can_be_cancelled_and_is_not_dialled(store: Store) -> None:
    id_ = enqueue(store, expires=60)
    store.feed()
    store.cancel(id_, actor="cli:kim", why="wrong list")
    job = store.get(id_)
    assert (job.state, job.timeline[-1].actor, job.timeline[-1].why) == (
        State.CANCELLED,
        "cli:kim",
        "wrong list",
    )
    assert store.claim(id_, token="t", lease=LEASE) is State.CANCELLED
    assert_sound(snapshot(store))


@pytest.mark.parametrize("make", [in_progress, failed])
def test_what_is_being_dialled_or_over_cannot_be_cancelled(
    store: Store, make: Callable[[Store], str]
) -> None:
    id_ = make(store)
    before = snapshot(store)
    with pytest.raises(Refused, match="cannot be cancelled"):
        store.cancel(id_, actor="cli")
    assert snapshot(store) == before


def test_an_unknown_job_is_neither_cancelled_nor_retried_nor_shown(store: Store) -> None:
    for act in (store.cancel, store.retry):
        with pytest.raises(UnknownJob, match="check the id"):
            act("nosuchjob", actor="cli")
    with pytest.raises(UnknownJob):
        store.get("nosuchjob")


def test_a_retriggered_job_goes_into_line_again_with_all_its_history(
    store: Store, clock: Clock
) -> None:
    id_ = failed(store, expires=60)
    clock.forward(3600)
    store.retry(id_, actor="cli:kim", why="number mended")
    job = store.get(id_)
    assert (job.state, job.reason, job.spent, job.since) == (State.QUEUED, None, 0, 1)
    assert job.expires_at == at(clock.ms + 60_000)
    assert job.finished_at is None
    assert states(job) == ["queued", "dialing", "failed", "queued"]
    assert claim(store, id_).attempt == 2
    assert_sound(snapshot(store))


def test_a_retrigger_can_set_a_new_deadline(store: Store, clock: Clock) -> None:
    id_ = enqueue(store, expires=60)
    clock.forward(60)
    store.pump()
    store.retry(id_, actor="cli", expires=600)
    assert store.get(id_).expires_at == at(clock.ms + 600_000)


def test_a_job_that_reached_somebody_or_still_waits_is_not_retriggered(store: Store) -> None:
    done = in_progress(store)
    store.settle(done, 1, Decision(State.COMPLETED, "answered", "ANSWERED"))
    for id_, why in ((done, "it was reached"), (enqueue(store), "queued, not ended")):
        with pytest.raises(Refused, match=why):
            store.retry(id_, actor="cli")
    assert store.get(done).state is State.COMPLETED


def test_who_acted_is_one_word_in_the_timeline_whatever_their_name(store: Store) -> None:
    id_ = enqueue(store)
    store.cancel(id_, actor="cli:Kim Lee", why="wrong list")
    event = store.get(id_).timeline[-1]
    assert (event.to, event.actor, event.why) == ("cancelled", "cli:Kim_Lee", "wrong list")


# -- gates ---------------------------------------------------------------------------------


def test_a_gate_is_closed_once_and_keeps_the_highest_price(store: Store) -> None:
    assert store.close_gate("credit", "required: 60", 60)
    assert not store.close_gate("credit", "required: 20", 20)
    (gate,) = store.gates()
    assert (gate.name, gate.since, gate.why, gate.required) == ("credit", START, "required: 20", 60)
    assert store.open_gate("credit")
    assert not store.open_gate("credit")
    assert store.gates() == []


def test_a_refusal_for_lack_of_credit_closes_the_gate_for_all(store: Store) -> None:
    first, second = enqueue(store), enqueue(store)
    made = claim(store, first)
    store.settle(first, 1, refused(NotEnoughCredits("60", required=Decimal(60)), made.job))
    assert [(gate.name, gate.required) for gate in store.gates()] == [("credit", 60)]
    assert store.claim(second, token="t", lease=LEASE) is State.HELD


# -- looking and robustness ----------------------------------------------------------------


def test_many_jobs_are_read_in_the_order_asked_for(store: Store) -> None:
    one, two = enqueue(store), enqueue(store)
    found = store.get_many([two, "nosuchjob", one])
    assert [job and job.id for job in found] == [two, None, one]


def test_without_a_clock_of_its_own_the_store_goes_by_redis_time(
    redis_client: redis.Redis,
) -> None:
    store = Store(redis_client, namespace=f"real{random.getrandbits(32)}")
    before = store.now()
    job = store.get(enqueue(store))
    assert before - 1 <= job.created_at.timestamp() * 1000 <= store.now()


def test_a_clock_that_steps_back_loses_no_line_of_the_timeline(store: Store, clock: Clock) -> None:
    id_ = enqueue(store)
    clock.forward(-3)
    claim(store, id_)
    store.settle(id_, 1, placed())
    assert states(store.get(id_)) == ["queued", "dialing", "in_progress"]


def test_records_deleted_by_hand_stop_nothing(store: Store, clock: Clock) -> None:
    window(store, 3)
    held, fed, ready = (enqueue(store, priority=p) for p in ("urgent", "normal", "bulk"))
    store.close_gate("credit", "empty")
    store.feed(1)
    store.open_gate("credit")
    store.feed(1)
    other = enqueue(store, priority="bulk")
    for id_ in (held, fed, ready):
        store.redis.delete(store.key("job", id_))
    clock.forward(LOST_AFTER)
    store.pump()
    store.close_gate("credit", "empty")
    store.feed()
    assert store.get(other).state is State.HELD
    lines = {name: ids for name, ids in snapshot(store).items() if not name.startswith("idx")}
    assert {id_ for ids in lines.values() for id_ in ids}.isdisjoint({held, fed, ready})


def test_a_redis_that_is_away_is_said_in_plain_words() -> None:
    store = Store(connect("redis://:secret@127.0.0.1:1/0"))
    with pytest.raises(StoreUnavailable, match="is it running") as caught:
        enqueue(store)
    assert "secret" not in str(caught.value)


OPERATIONS: dict[str, Callable[[Store, str], object]] = {
    "enqueue": lambda store, _: enqueue(store),
    "feed": lambda store, _: store.feed(),
    "claim": lambda store, id_: store.claim(id_, token="t", lease=LEASE),
    "settle": lambda store, id_: store.settle(id_, 1, placed()),
    "put_off": lambda store, id_: store.put_off(id_, 1, 5),
    "owe": lambda store, id_: store.owe(id_, 1, None),
    "learn": lambda store, _: store.learn("tts", 20),
    "pump": lambda store, _: store.pump(),
    "rescue": lambda store, _: store.rescue(300),
    "take_due": lambda store, _: store.take_due(State.UNCERTAIN),
    "purge": lambda store, id_: store.purge(id_, 0),
    "cancel": lambda store, id_: store.cancel(id_, actor="cli"),
    "mark_reached": lambda store, id_: _refused_at_most(
        lambda: store.mark_reached(id_, actor="cli")
    ),
    "close_gate": lambda store, _: store.close_gate("credit", "empty"),
    "open_gate": lambda store, _: store.open_gate("credit"),
    "watch": lambda store, _: watch(store, lease=60),
    "note_balance": lambda store, _: note_balance(store, Decimal(100), Look(0, 0), 300),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_is_one_step_in_redis(store: Store, operation: str) -> None:
    id_ = enqueue(store)
    OPERATIONS[operation](store, enqueue(store))  # loads the script, where it is the first use
    before = _scripts_run(store)
    OPERATIONS[operation](store, id_)
    assert _scripts_run(store) == before + 1


def _refused_at_most(act: Callable[[], object]) -> None:
    with suppress(Refused):
        act()


def _scripts_run(store: Store) -> int:
    calls = store.redis.info("commandstats")
    return sum(calls.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("evalsha", "eval"))


def test_a_claim_carries_the_job_as_it_now_stands(store: Store) -> None:
    id_ = enqueue(store, say="long " * 100)
    made = store.claim(id_, token="t", lease=LEASE)
    assert isinstance(made, Claim)
    assert made.job.say == "long " * 100
    assert (made.job.state, len(made.job.attempts)) == (State.DIALING, 1)
