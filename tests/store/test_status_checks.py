"""Looking at calls: when, how often, and what is made of each answer; on a real store."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dispatcher.model.call import CallRef, CallReport, Leg
from dispatcher.model.outcome import Outcome
from dispatcher.model.states import Reason, State
from dispatcher.policy import COST_LOOKS, UNKNOWN_FOR, Policy, after_placing
from dispatcher.provider import (
    ProviderError,
    Throttled,
    Unavailable,
    UnknownCall,
)
from dispatcher.store import Store
from dispatcher.store.slots import Slots
from support.clock import Clock
from support.reports import ended
from support.store_jobs import assert_sound, claim, enqueue, in_progress, snapshot
from workers.engine.check_call import CheckCall
from workers.engine.ticks import Reconcile
from workers.engine.typical_duration import REMEMBERED, TypicalDuration

POLICY = Policy(call_deadline=3600)
PARTICIPANTS = ["+818011110001", "+818011110002", "+14155550003"]


def status(word: str, *, final: bool = True, **facts: Any) -> CallReport:
    """Return the report of a call that ended with this word, or goes on."""
    outcome = ended(word).outcome if final else Outcome.IN_PROGRESS
    return CallReport(outcome, word, "call-1", **facts)


class Provider:
    """Answers status requests from a list; the last answer is given again and again."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.looks = 0

    def status(self, call: CallRef) -> CallReport:
        self.looks += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, ProviderError):
            raise answer
        return answer


class Sent:
    """Runs the checks that reconcile sends out, here and now."""

    def __init__(self, check: CheckCall) -> None:
        self._check = check

    def check(self, ids: list[str]) -> int:
        for id_ in ids:
            self._check(id_)
        return len(ids)


class Bench:
    """A store, a provider that is told what to answer, and a clock: what reconcile is made of."""

    def __init__(self, store: Store, clock: Clock, *answers: Any) -> None:
        self.store, self.clock, self.provider = store, clock, Provider(*answers)
        provider: Any = self.provider
        check = CheckCall(store, provider, POLICY, Slots(store.limiter))
        messenger: Any = Sent(check)
        self.reconcile = Reconcile(store, messenger, 0.1)

    def pass_by(self, seconds: float) -> list[float]:
        """Let time pass, with a tick each second; return the moments (s) of the looks."""
        moments = []
        for second in range(round(seconds)):
            self.clock.forward(1)
            before = self.provider.looks
            self.reconcile()
            moments += [second + 1.0] * (self.provider.looks - before)
        return moments


ANSWERED = status("ANSWERED", cost=Decimal(20), duration=12)


# -- when ----------------------------------------------------------------------------------


def test_a_call_is_looked_at_on_growing_intervals_until_its_deadline(
    store: Store, clock: Clock
) -> None:
    id_ = in_progress(store)
    desk = Bench(store, clock, status("IN PROGRESS", final=False))
    looks = desk.pass_by(3700)
    gaps = [after - before for before, after in itertools.pairwise(looks)]
    assert looks[0] == 20
    assert gaps[:-1] == sorted(gaps[:-1])
    assert max(gaps) <= 301
    assert len(looks) < 25
    job = store.jobs.get(id_)
    assert (job.state, job.reason) == (State.FAILED, Reason.OUTCOME_UNKNOWN)
    assert "last word: IN PROGRESS" in job.timeline[-1].why


def test_a_call_that_was_reported_is_not_looked_at(store: Store, clock: Clock) -> None:
    id_ = in_progress(store)
    desk = Bench(store, clock, ANSWERED)
    desk.pass_by(20)
    assert store.jobs.get(id_).state is State.COMPLETED
    assert desk.pass_by(400) == []
    assert desk.provider.looks == 1


def test_when_calls_usually_end_is_learned_from_those_that_ended(
    store: Store, clock: Clock
) -> None:
    """Four of five last 30 s and one 90 s: the first look comes when the four are over."""
    for n in range(200):
        store.calls.learn_duration("tts", 90 if n % 5 == 4 else 30)
    usual = store.calls.typical_duration("tts")
    assert usual is not None
    assert 28 <= usual <= 45
    assert store.calls.typical_duration("playback") is None
    assert after_placing(CallRef(("c",)), POLICY, usual).delay == usual


def test_what_is_usual_follows_when_calls_become_longer(store: Store) -> None:
    for _ in range(50):
        store.calls.learn_duration("tts", 10)
    for _ in range(40):
        usual = store.calls.learn_duration("tts", 120)
    assert usual > 100


def test_a_look_that_finds_the_end_teaches_how_long_it_took(store: Store, clock: Clock) -> None:
    began = datetime(2026, 1, 1, tzinfo=UTC)
    times = {"started_at": began, "ended_at": began + timedelta(seconds=41)}
    in_progress(store)
    Bench(store, clock, status("ANSWERED", cost=Decimal(1), **times)).pass_by(20)
    assert store.calls.typical_duration("tts") == 42


def test_what_is_usual_is_asked_for_seldom(store: Store) -> None:
    now = 0.0
    usual = TypicalDuration(store, clock=lambda: now)
    assert usual("tts") is None
    store.calls.learn_duration("tts", 33)
    now = REMEMBERED - 1
    assert usual("tts") is None
    now = REMEMBERED
    assert usual("tts") == 33


# -- what the provider does not know, or says in words of its own --------------------------


def test_a_status_page_that_lags_behind_is_waited_for(store: Store, clock: Clock) -> None:
    id_ = in_progress(store)
    unknown = UnknownCall("404")
    desk = Bench(store, clock, unknown, unknown, ANSWERED)
    desk.pass_by(61)
    assert store.jobs.get(id_).state is State.COMPLETED


def test_a_call_that_stays_unknown_is_looked_for_a_while_and_once_at_the_deadline(
    store: Store, clock: Clock
) -> None:
    id_ = in_progress(store)
    looks = Bench(store, clock, UnknownCall("404")).pass_by(3601)
    assert 4 <= len(looks) <= 9
    assert looks[-1] == 3600
    assert looks[-2] < UNKNOWN_FOR * 1.5
    job = store.jobs.get(id_)
    assert (job.state, job.reason) == (State.FAILED, Reason.OUTCOME_UNKNOWN)
    assert "the provider does not know it" in job.timeline[-1].why


def test_a_word_never_seen_is_kept_as_it_came_and_is_not_the_end(
    store: Store, clock: Clock
) -> None:
    id_ = in_progress(store)
    desk = Bench(store, clock, status("RINGING ON THE MOON", final=False), ANSWERED)
    desk.pass_by(20)
    job = store.jobs.get(id_)
    assert (job.state, job.outcome) == (State.IN_PROGRESS, "RINGING ON THE MOON")
    desk.pass_by(21)
    assert store.jobs.get(id_).state is State.COMPLETED


@pytest.mark.parametrize("error", [Unavailable("500"), Throttled("429", retry_after=90)])
def test_a_look_that_brings_no_word_changes_nothing_but_its_next_moment(
    store: Store, clock: Clock, error: ProviderError
) -> None:
    id_ = in_progress(store)
    looks = Bench(store, clock, error, ANSWERED).pass_by(120)
    assert looks[1] == (40 if isinstance(error, Unavailable) else 110)
    assert store.jobs.get(id_).state is State.COMPLETED


# -- costs that come late ------------------------------------------------------------------


@pytest.mark.parametrize("looks_in_vain", [0, 1])
def test_a_cost_that_comes_late_is_added_and_nothing_else_changes(
    store: Store, clock: Clock, looks_in_vain: int
) -> None:
    id_ = in_progress(store)
    free = status("ANSWERED", duration=12)
    desk = Bench(store, clock, *[free] * (1 + looks_in_vain), ANSWERED)
    desk.pass_by(20)
    ended = store.jobs.get(id_)
    assert (ended.state, ended.cost) == (State.COMPLETED, None)
    desk.pass_by(700)
    job = store.jobs.get(id_)
    assert job.cost == 20
    assert (job.state, job.finished_at) == (State.COMPLETED, ended.finished_at)
    assert "it cost 20" in job.timeline[-1].why
    assert job.timeline[:-1] == ended.timeline
    assert desk.pass_by(1000) == []
    assert_sound(snapshot(store))


def test_a_cost_that_never_comes_is_looked_for_twice(store: Store, clock: Clock) -> None:
    id_ = in_progress(store)
    looks = Bench(store, clock, status("NO ANSWER")).pass_by(3000)
    assert looks == [20, 20 + COST_LOOKS[0], 20 + sum(COST_LOOKS)]
    assert store.jobs.get(id_).cost is None
    assert_sound(snapshot(store))


def test_a_job_that_is_dialled_again_owes_no_cost(store: Store, clock: Clock) -> None:
    id_ = in_progress(store)
    desk = Bench(store, clock, status("NO ANSWER"))
    desk.pass_by(20)
    store.jobs.retry(id_, actor="cli")
    assert desk.pass_by(100) == []
    assert not store.calls.schedule_cost_check(id_, 1, 5)


# -- conferences ---------------------------------------------------------------------------


def conference(store: Store) -> str:
    id_ = enqueue(store, recipient=None, say=None, participants=PARTICIPANTS)
    ids = CallRef(("a", "b", "c"), "conf-1")
    store.calls.settle(id_, claim(store, id_).attempt, after_placing(ids, POLICY))
    return id_


def legs(*words: str, **whole: Any) -> CallReport:
    """Return the report of a conference whose participants' calls stand so."""
    calls = tuple(
        Leg("abc"[n], PARTICIPANTS[n], word, Decimal(n + 1), 10.0 * n)
        for n, word in enumerate(words)
    )
    going_on = "IN PROGRESS" in words
    outcome = Outcome.IN_PROGRESS if going_on else Outcome.ANSWERED
    word = "IN PROGRESS" if going_on else "ANSWERED"
    return CallReport(outcome, word, legs=calls, **whole)


def test_each_participants_call_shows_while_a_conference_is_under_way_and_after(
    store: Store, clock: Clock
) -> None:
    id_ = conference(store)
    begun = legs("ANSWERED", "IN PROGRESS", "NO ANSWER")
    over = legs("ANSWERED", "ANSWERED", "NO ANSWER", cost=Decimal(6), duration=25)
    desk = Bench(store, clock, begun, over)
    desk.pass_by(20)
    job = store.jobs.get(id_)
    assert (job.state, job.outcome) == (State.IN_PROGRESS, "IN PROGRESS")
    assert [leg.status for leg in job.attempts[0].legs] == ["ANSWERED", "IN PROGRESS", "NO ANSWER"]
    desk.pass_by(20)
    job = store.jobs.get(id_)
    assert (job.state, job.outcome, job.cost, job.duration) == (
        State.COMPLETED,
        "ANSWERED",
        6,
        25,
    )
    shown = job.to_dict()["attempts"][0]["participants"]
    assert shown[0] == {
        "recipient": PARTICIPANTS[0],
        "callid": "a",
        "status": "ANSWERED",
        "cost": 1,
        "duration": 0,
    }
    assert [leg["status"] for leg in shown] == ["ANSWERED", "ANSWERED", "NO ANSWER"]


def test_participants_are_masked_where_numbers_are(store: Store, clock: Clock) -> None:
    id_ = conference(store)
    Bench(store, clock, legs("ANSWERED", "ANSWERED", "FAILED")).pass_by(20)
    text = str(store.jobs.get(id_).to_dict(mask=True))
    assert not any(number in text for number in PARTICIPANTS)


def test_a_number_that_is_not_of_the_job_is_not_shown(store: Store, clock: Clock) -> None:
    id_ = conference(store)
    stray = Leg("x", "+815599998888", "IN PROGRESS")
    Bench(store, clock, CallReport(Outcome.IN_PROGRESS, "", legs=(stray,))).pass_by(20)
    assert [leg.number for leg in store.jobs.get(id_).attempts[0].legs] == [""]
