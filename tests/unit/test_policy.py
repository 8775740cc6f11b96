"""What follows an answer, an error, a report or silence."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher import provider
from dispatcher.model.attempt import Attempt
from dispatcher.model.call import CallRef
from dispatcher.model.job import Job
from dispatcher.model.kinds import Kind
from dispatcher.model.states import TRANSITIONS, OnUncertain, Reason, State
from dispatcher.policy import (
    Decision,
    Policy,
    after_deadline,
    after_error,
    after_placing,
    after_report,
    after_window,
    backoff,
    first_check,
    next_check,
    next_cost_look,
)
from dispatcher.provider import ProviderError
from dispatcher.store import codec
from support.raw_records import as_written
from support.reports import ended, ringing

POLICY = Policy()
WHY = "the provider said no"
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def attempt(number: int, result: str | None = None) -> Attempt:
    return Attempt(number, None, None, result, None, None, None)


def job(*results: str | None, **wishes: Any) -> Job:
    """Return a job of so many attempts with these results; None is the one that is made now."""
    fresh = codec.job(
        "a" * 16,
        as_written(
            {
                "kind": "tts",
                "state": "dialing",
                "to": "818012345678",
                "events": "0",
                "created": "0",
            }
        ),
    )
    attempts = tuple(attempt(number, result) for number, result in enumerate(results, 1))
    return replace(fresh, attempts=attempts, **wishes)


def decide(error: ProviderError, of: Job | None = None, policy: Policy = POLICY) -> Decision:
    return after_error(error, of or job(None), policy, random.Random(1), NOW)


def concrete(error: type[ProviderError]) -> set[type[ProviderError]]:
    below = error.__subclasses__()
    return {error} if not below else {leaf for sub in below for leaf in concrete(sub)}


# -- errors ---------------------------------------------------------------------------------

DECISIONS = {
    provider.NeverReached: (State.SCHEDULED, "never_reached", "", False, ""),
    provider.NotSent: (State.SCHEDULED, "not_sent", "", False, ""),
    provider.Throttled: (State.SCHEDULED, "throttled", "", False, ""),
    provider.Unavailable: (State.SCHEDULED, "not_placed", "", False, ""),
    provider.UnknownCall: (State.SCHEDULED, "not_placed", "", False, ""),
    provider.InvalidRequest: (State.FAILED, "invalid_request", "invalid_request", False, ""),
    provider.NotAllowed: (State.FAILED, "not_allowed", "not_allowed", False, ""),
    provider.NotEnoughCredits: (State.HELD, "held_credit", "credit", False, "credit"),
    provider.BadCredentials: (State.HELD, "held_auth", "auth", False, "auth"),
    provider.Forbidden: (State.HELD, "held_auth", "auth", False, "auth"),
    provider.WrongAddress: (State.HELD, "held_auth", "auth", False, "auth"),
    provider.AnswerLost: (State.UNCERTAIN, "maybe_placed", "", True, ""),
    provider.ServerTrouble: (State.UNCERTAIN, "maybe_placed", "", True, ""),
    provider.UnreadableAnswer: (State.UNCERTAIN, "maybe_placed", "", True, ""),
}


@pytest.mark.parametrize("error", DECISIONS, ids=lambda error: error.__name__)
def test_every_error_has_its_decision(error: type[ProviderError]) -> None:
    decision = decide(error(WHY))
    to, result, reason, spent, gate = DECISIONS[error]
    assert decision.why == WHY
    assert (decision.to, decision.result, decision.reason) == (to, result, reason)
    assert decision.spent is spent
    assert decision.hold == gate


def test_no_error_is_without_a_decision() -> None:
    assert set(DECISIONS) == concrete(ProviderError)


@pytest.mark.parametrize("error", DECISIONS, ids=lambda error: error.__name__)
def test_a_decision_leads_where_the_table_of_states_allows(error: type[ProviderError]) -> None:
    assert decide(error(WHY)).to in TRANSITIONS[State.DIALING]


@pytest.mark.parametrize(
    ("error", "to"),
    [
        (provider.MaybePlaced, State.UNCERTAIN),
        (provider.NeverWillBe, State.FAILED),
        (provider.AccountStopped, State.HELD),
        (provider.TryAgain, State.SCHEDULED),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_an_error_of_a_new_class_is_treated_as_its_kind(
    error: type[ProviderError], to: State
) -> None:
    new = type("New", (error,), {})
    assert decide(new(WHY)).to is to


def test_the_credits_a_call_needs_are_kept() -> None:
    assert decide(provider.NotEnoughCredits(WHY, required=Decimal(70))).required == 70
    assert decide(provider.NotEnoughCredits(WHY)).required is None


def test_a_throttled_job_waits_as_long_as_it_was_told_and_hardly_longer() -> None:
    decision = decide(provider.Throttled(WHY, retry_after=7))
    assert (decision.delay, decision.throttled) == (7, 7)
    assert decide(provider.NeverReached(WHY)).throttled is None


def test_a_throttling_without_a_wait_pauses_the_account_for_the_backoff() -> None:
    decision = decide(provider.Throttled(WHY))
    assert decision.throttled is not None
    assert 0 <= decision.throttled == decision.delay <= POLICY.backoff_first


@pytest.mark.parametrize("error", [provider.Throttled, provider.NeverReached, provider.Unavailable])
def test_what_was_never_asked_for_is_tried_for_ever(error: type[ProviderError]) -> None:
    tried = job(*["throttled"] * 500, None, max_attempts=1)
    assert decide(error(WHY), tried).to is State.SCHEDULED


class _Longest(random.Random):
    """Draws the upper end of every range."""

    def uniform(self, a: float, b: float) -> float:
        return b


@pytest.mark.parametrize(
    ("before", "spent", "longest"),
    [
        pytest.param([], 0, 2, id="first"),
        pytest.param(["never_reached"], 0, 4, id="second"),
        pytest.param(["never_reached"] * 3, 0, 16, id="fourth"),
        pytest.param(["maybe_placed"] * 2, 2, 2, id="first after two that were spent"),
    ],
)
def test_waiting_for_the_way_grows_with_the_vain_tries(
    before: list[str], spent: int, longest: float
) -> None:
    tried = job(*before, None, spent=spent)
    decision = after_error(provider.NeverReached(WHY), tried, POLICY, _Longest(), NOW)
    assert decision.delay == longest


def test_a_retriggered_job_begins_with_short_waits_again() -> None:
    tried = job(*["not_placed"] * 3, None, spent=0, since=3)
    decision = after_error(provider.NeverReached(WHY), tried, POLICY, _Longest(), NOW)
    assert decision.delay == 2


def test_a_jobs_own_longest_wait_goes_before_the_accounts() -> None:
    tried = job(*["not_placed"] * 20, None, backoff_longest=7)
    decision = after_error(provider.Unavailable(WHY), tried, POLICY, _Longest(), NOW)
    assert decision.delay == 7


@pytest.mark.parametrize(("left", "longest"), [(100, 50), (2, 1), (-1, 0)])
def test_a_deadline_ahead_leaves_room_for_another_try(left: float, longest: float) -> None:
    expires = NOW + timedelta(seconds=left)
    tried = job(*["not_placed"] * 20, None, expires_at=expires)
    decision = after_error(provider.Unavailable(WHY), tried, POLICY, _Longest(), NOW)
    assert decision.delay == longest


FAILURES = {
    provider.NeverReached: "clear",
    provider.Unavailable: "clear",
    provider.AnswerLost: "unclear",
    provider.ServerTrouble: "unclear",
    provider.UnreadableAnswer: "unclear",
}
PROOF = {
    provider.Throttled: {"provider_down"},
    provider.InvalidRequest: {"auth", "provider_down"},
    provider.NotAllowed: {"auth", "provider_down"},
    provider.NotEnoughCredits: {"auth", "provider_down"},
    provider.BadCredentials: {"provider_down"},
    provider.Forbidden: {"provider_down"},
    provider.WrongAddress: {"provider_down"},
}


@pytest.mark.parametrize("error", DECISIONS, ids=lambda error: error.__name__)
def test_an_error_says_what_it_proves_of_the_provider(error: type[ProviderError]) -> None:
    decision = decide(error(WHY))
    assert decision.failure == FAILURES.get(error)
    assert set(decision.proves) == PROOF.get(error, set())
    assert not (decision.failure and decision.proves)


# -- attempts -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "wishes", "attempts", "redials"),
    [
        pytest.param({}, {}, 3, 0, id="defaults"),
        pytest.param({"max_attempts": 5}, {}, 5, 0, id="the account's attempts"),
        pytest.param({"max_attempts": 5}, {"max_attempts": 1}, 1, 0, id="the job's attempts"),
        pytest.param({"redial": 6}, {}, 7, 6, id="room for the account's redials"),
        pytest.param({}, {"redial": 6}, 7, 6, id="room for the job's redials"),
        pytest.param({"redial": 6}, {"redial": 0}, 3, 0, id="no redials wished"),
        pytest.param({"redial": 6}, {"max_attempts": 2}, 2, 6, id="attempts bound redials"),
    ],
)
def test_a_jobs_wishes_go_before_the_accounts_defaults(
    policy: dict[str, Any], wishes: dict[str, Any], attempts: int, redials: int
) -> None:
    assert Policy(**policy).attempts_for(job(**wishes)) == attempts
    assert Policy(**policy).redials_for(job(**wishes)) == redials


# -- backoff --------------------------------------------------------------------------------

policies = st.builds(Policy, backoff_first=st.floats(0, 1e6), backoff_longest=st.floats(0, 1e6))


@given(st.integers(0, 100_000), policies, st.integers())
def test_a_backoff_is_never_negative_and_never_beyond_its_cap(
    failures: int, policy: Policy, seed: int
) -> None:
    wait = backoff(failures, policy.backoff_longest, policy, random.Random(seed))
    assert 0 <= wait <= policy.backoff_longest
    assert wait <= policy.backoff_first * 2.0 ** min(failures, 1000)


def test_the_ceiling_of_the_backoff_doubles_up_to_its_cap() -> None:
    ceilings = [backoff(failures, 300, POLICY, _Longest()) for failures in range(10)]
    assert ceilings == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_the_jitter_uses_the_whole_range() -> None:
    rng = random.Random(1)
    waits = [backoff(2, 300, POLICY, rng) for _ in range(500)]
    assert min(waits) < 0.5
    assert max(waits) > 7.5


def test_equal_seeds_decide_alike() -> None:
    assert decide(provider.Unavailable(WHY)) == decide(provider.Unavailable(WHY))


# -- calls ----------------------------------------------------------------------------------


def test_a_placed_call_is_looked_at_soon() -> None:
    decision = after_placing(CallRef(("c1",)), POLICY)
    assert (decision.to, decision.result) == (State.IN_PROGRESS, "placed")
    assert decision.delay == POLICY.check_first
    assert decision.call == CallRef(("c1",))
    assert decision.spent


@pytest.mark.parametrize("status", ["IN PROGRESS", "ON THE MOON"])
def test_a_call_that_is_not_over_changes_nothing(status: str) -> None:
    assert after_report(ringing(status), job("placed"), POLICY) is None


def test_an_answered_call_completes_the_job_with_its_facts() -> None:
    report = ended("ANSWERED", cost=Decimal("12.5"), duration=30)
    decision = after_report(report, job("placed"), POLICY)
    assert decision is not None
    assert (decision.to, decision.result, decision.reason) == (State.COMPLETED, "answered", "")
    assert (decision.report, decision.cost_check_after) == (report, None)


def test_unknown_facts_are_not_made_up() -> None:
    decision = after_report(ended("ANSWERED"), job("placed"), POLICY)
    assert decision is not None
    assert (decision.report, decision.cost_check_after) == (ended("ANSWERED"), 60)


def test_a_cost_that_is_not_told_is_looked_for_twice() -> None:
    assert [next_cost_look(waited) for waited in (60, 600)] == [600, None]


@pytest.mark.parametrize(
    ("usual", "delay"), [(None, 20), (0.2, 1), (7.5, 7.5), (45, 45), (1000, 300)]
)
def test_a_call_is_first_looked_at_when_most_are_over(usual: float | None, delay: float) -> None:
    assert first_check(usual, Policy(check_first=20, check_longest=300)) == delay


@pytest.mark.parametrize(("age", "pause"), [(1, 20), (100, 50), (299, 149.5), (300, math.inf)])
def test_a_call_that_the_provider_does_not_know_is_looked_for_a_while(
    age: float, pause: float
) -> None:
    assert next_check(age, Policy(), known=False) == pause


def test_a_call_that_could_not_be_connected_fails_the_job_whatever_redials_it_wishes() -> None:
    decision = after_report(ended("FAILED"), job("placed", redial=3), POLICY)
    assert decision is not None
    assert (decision.to, decision.reason) == (State.FAILED, Reason.CALL_FAILED)
    assert decision.report == ended("FAILED")


@pytest.mark.parametrize(("redial", "to"), [(0, State.FAILED), (1, State.SCHEDULED)])
def test_a_call_that_ended_in_an_unknown_way_is_redialled_as_one_without_an_answer(
    redial: int, to: State
) -> None:
    decision = after_report(ended("BUSY"), job("placed", spent=1, redial=redial), POLICY)
    assert decision is not None
    assert (decision.to, decision.result) == (to, "no_answer")
    assert decision.why.startswith("BUSY")


@pytest.mark.parametrize(
    ("before", "wishes", "to"),
    [
        pytest.param([], {}, State.FAILED, id="no redials by default"),
        pytest.param([], {"redial": 2}, State.SCHEDULED, id="first redial"),
        pytest.param(["no_answer"], {"redial": 2}, State.SCHEDULED, id="second redial"),
        pytest.param(["no_answer"] * 2, {"redial": 2}, State.FAILED, id="no third redial"),
        pytest.param(["not_placed"], {"redial": 1}, State.SCHEDULED, id="a refusal is no redial"),
        pytest.param(
            ["not_placed"], {"redial": 2, "max_attempts": 2}, State.FAILED, id="attempts are spent"
        ),
        pytest.param(
            ["no_answer"],
            {"redial": 1, "since": 1, "spent": 1},
            State.SCHEDULED,
            id="retriggered",
        ),
    ],
)
def test_who_does_not_answer_is_called_again_as_often_as_wished(
    before: list[str], wishes: dict[str, Any], to: State
) -> None:
    counted = {"state": State.IN_PROGRESS, "spent": len(before) + 1}
    rung = job(*before, "placed", **{**counted, **wishes})
    decision = after_report(ended("NO ANSWER"), rung, POLICY)
    assert decision is not None
    assert (decision.to, decision.result) == (to, "no_answer")
    assert decision.reason == (Reason.NO_ANSWER if to is State.FAILED else "")
    assert decision.report == ended("NO ANSWER")
    assert decision.cost_check_after == (60 if to is State.FAILED else None)


@pytest.mark.parametrize(("wish", "delay"), [(None, 120), (30, 30), (0, 0)])
def test_a_redial_waits_as_the_job_wishes_or_the_account(wish: float | None, delay: float) -> None:
    rung = job("placed", spent=1, redial=2, redial_after=wish)
    decision = after_report(ended("NO ANSWER"), rung, POLICY)
    assert decision is not None
    assert decision.delay == delay
    assert decision.why == "NO ANSWER; redial 1 of 2"


# -- silence --------------------------------------------------------------------------------


@pytest.mark.parametrize(("wish", "delay"), [(None, 300), (60, 60), (0, 0)])
def test_evidence_is_waited_for_as_long_as_the_job_wishes_or_the_account(
    wish: float | None, delay: float
) -> None:
    decision = decide(provider.AnswerLost(WHY), job(None, evidence_window=wish))
    assert decision.delay == delay


def test_the_last_attempt_too_waits_for_evidence() -> None:
    decision = decide(provider.AnswerLost(WHY), job(None, max_attempts=1))
    assert decision.to is State.UNCERTAIN


@pytest.mark.parametrize(
    ("wish", "default", "spent", "to"),
    [
        (None, OnUncertain.HOLD, 1, State.FAILED),
        (None, OnUncertain.REDIAL, 1, State.QUEUED),
        (OnUncertain.REDIAL, OnUncertain.HOLD, 1, State.QUEUED),
        (OnUncertain.HOLD, OnUncertain.REDIAL, 1, State.FAILED),
        (None, OnUncertain.REDIAL, 3, State.FAILED),
    ],
    ids=["held", "redialled", "job redials", "job holds", "attempts spent"],
)
def test_after_the_window_nobody_is_called_again_unless_wished(
    wish: OnUncertain | None, default: OnUncertain, spent: int, to: State
) -> None:
    silent = job(*["maybe_placed"] * spent, spent=spent, on_uncertain=wish)
    decision = after_window(silent, Policy(on_uncertain=default))
    assert decision.to is to
    assert decision.to in TRANSITIONS[State.UNCERTAIN]
    assert decision.reason == (Reason.OUTCOME_UNKNOWN if to is State.FAILED else "")


@pytest.mark.parametrize(
    ("reported", "numbers", "to"),
    [(True, 1, State.QUEUED), (False, 1, State.FAILED), (True, 2, State.FAILED)],
    ids=["reported by callbacks", "not reported", "conference, never reported"],
)
def test_without_a_wish_silence_means_no_call_only_where_one_would_be_reported(
    reported: bool, numbers: int, to: State
) -> None:
    called = ("+818011234567", "+818011234568")[:numbers]
    kind = Kind.TTS if numbers == 1 else Kind.CONFERENCE
    silent = job("maybe_placed", spent=1, numbers=called, kind=kind)
    assert after_window(silent, Policy(reported=reported)).to is to


@pytest.mark.parametrize(("wish", "limit"), [(None, "7200 s"), (90.5, "90.5 s"), (0, "0 s")])
def test_a_call_that_never_ends_fails_visibly_with_its_last_word(
    wish: float | None, limit: str
) -> None:
    decision = after_deadline(job("placed", call_deadline=wish, outcome="ON THE MOON"), POLICY)
    assert (decision.to, decision.reason) == (State.FAILED, Reason.OUTCOME_UNKNOWN)
    assert decision.to in TRANSITIONS[State.IN_PROGRESS]
    assert limit in decision.why
    assert "ON THE MOON" in decision.why


def test_checks_of_a_call_become_rarer_as_it_grows_older() -> None:
    ages = [0, 20, 40, 60, 120, 400, 600, 10_000]
    assert [next_check(age, POLICY) for age in ages] == [20, 20, 20, 30, 60, 200, 300, 300]


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_an_older_call_is_never_checked_sooner_than_a_younger_one(one: float, other: float) -> None:
    younger, older = sorted((one, other))
    assert next_check(younger, POLICY) <= next_check(older, POLICY)
    assert POLICY.check_first <= next_check(older, POLICY) <= POLICY.check_longest


@pytest.mark.parametrize(
    ("lasted", "to", "result"),
    [(0, State.SCHEDULED, "too_short"), (3.9, State.SCHEDULED, "too_short")]
    + [(length, State.COMPLETED, "answered") for length in (4, 60, None)],
)
def test_an_answer_that_is_too_short_counts_as_not_reached(
    lasted: float | None, to: State, result: str
) -> None:
    asked = job("placed", answered_after=4.0, redial=1, spent=1)
    decision = after_report(ended("ANSWERED", Decimal(20), lasted), asked, POLICY)
    assert decision
    assert (decision.to, decision.result) == (to, result)
    assert decision.report
    assert decision.report.cost == 20


def test_short_answers_are_redialled_as_often_as_no_answer_and_say_why() -> None:
    tried = job("too_short", "placed", answered_after=4.0, redial=1, spent=2)
    decision = after_report(ended("ANSWERED", None, 2), tried, POLICY)
    assert decision
    assert (decision.to, decision.reason) == (State.FAILED, Reason.NO_ANSWER)
    assert decision.why == "ANSWERED for 2 s, which is less than answered_after (4 s)"
    assert decision.cost_check_after
    usual = after_report(ended("ANSWERED", None, 2), job("placed", redial=1, spent=1), POLICY)
    assert usual
    assert usual.to is State.COMPLETED


def test_what_is_reported_at_the_deadline_is_the_last_word_and_kept() -> None:
    last = ringing()
    decision = after_deadline(job("placed"), POLICY, last=last)
    assert f"last word: {last.word}" in decision.why
    assert decision.report == last
