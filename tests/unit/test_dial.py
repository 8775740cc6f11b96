"""One claimed job at the provider, which is told what to answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, repeat

import pytest

from dispatcher.errors import DispatcherError
from dispatcher.model.call import CallRef
from dispatcher.model.kinds import Kind
from dispatcher.model.states import Reason, State
from dispatcher.policy import Decision, Policy
from dispatcher.provider import OutgoingCall, Throttled
from dispatcher.provider.fake import FakeProvider, Lost, Step
from dispatcher.store import codec
from dispatcher.store.errors import NotAllowed, StoreUnavailable
from dispatcher.store.values import Claim
from dispatcher.values.callback_urls import CallbackUrls, Signer
from support.raw_records import as_written
from workers.engine.dial import Dial
from workers.engine.lease import Lease

SENT = 1_764_072_000_000
RECORD = {
    "state": "queued",
    "priority": "normal",
    "to": "818011234567",
    "say": "Disk full",
    "lang": "en",
    "attempts": "1",
    "1.sent": str(SENT),
    "spent": "0",
    "events": "0",
    "created": "0",
    "due": "0",
}
JOB = codec.job("a" * 16, as_written(RECORD))
CALLER = "+815012345678"
CLAIMED = Claim(JOB, 1)


class FakeStore:
    """Tells the time, and writes down what is booked anew."""

    def __init__(self) -> None:
        self.limiter = self
        self.rebooked: list[str] = []
        self.error: DispatcherError | None = None
        self.full_for = 0.0

    def now(self) -> float:
        return float(SENT)

    def rebook(self, booked: str) -> tuple[str, float]:
        if self.error:
            raise self.error
        self.rebooked.append(booked)
        return booked + "'", self.full_for


def ask(
    claim: Claim,
    *script: Step,
    store: FakeStore | None = None,
    caller: str | None = CALLER,
    sleep: Callable[[float], None] = lambda seconds: None,
    callbacks: CallbackUrls | None = None,
    monotonic: Callable[[], float] = lambda: 0.0,
    lease: float = 30,
    answer: float = 0,
) -> tuple[Decision, list[OutgoingCall]]:
    """Return what follows from a claim, and the calls that were placed."""
    provider = FakeProvider()
    provider.next(*script)
    dial = Dial(
        store or FakeStore(),  # type: ignore[arg-type]
        provider,
        Policy(),
        caller,
        callbacks,
        sleep=sleep,
        monotonic=monotonic,
    )
    decision = dial(claim, Lease(lease, answer, monotonic(), monotonic))
    return decision, [call.asked for call in provider.calls]


def test_a_claimed_job_is_asked_for_once() -> None:
    decision, (asked,) = ask(CLAIMED)
    assert (decision.to, decision.call) == (State.IN_PROGRESS, CallRef(("call-1",)))
    assert (asked.caller, asked.numbers) == (CALLER, ("+818011234567",))
    assert (asked.say, asked.lang, asked.play) == ("Disk full", "en", None)


def test_the_provider_is_told_where_to_report_this_very_attempt() -> None:
    urls = CallbackUrls("https://voice.example.com", Signer(["k" * 16]), 3600)
    _, (asked,) = ask(CLAIMED, callbacks=urls)
    assert asked.callback_url == urls.of(JOB.id, 1, datetime.fromtimestamp(SENT / 1000, UTC))


def test_a_conference_is_asked_for_its_status_and_reports_nowhere() -> None:
    several = replace(JOB, kind=Kind.CONFERENCE, numbers=("+818011234567", "+818011234568"))
    urls = CallbackUrls("https://voice.example.com", Signer(["k" * 16]), 3600)
    _, asked = ask(Claim(several, 1), callbacks=urls)
    assert {call.callback_url for call in asked} == {None}


def test_the_jobs_own_params_go_with_its_call() -> None:
    _, asked = ask(Claim(replace(JOB, params={"jp_line": "1"}), 1))
    assert [call.params for call in asked] == [{"jp_line": "1"}]


def test_without_a_public_url_the_provider_is_told_none() -> None:
    _, asked = ask(CLAIMED)
    assert [call.callback_url for call in asked] == [None]


def test_a_claim_that_is_ahead_of_its_slot_waits_for_it() -> None:
    slept: list[float] = []
    _, asked = ask(replace(CLAIMED, after=0.02), sleep=slept.append)
    assert (slept, len(asked)) == ([0.02], 1)
    ask(CLAIMED, sleep=slept.append)
    assert slept == [0.02]


def test_without_a_caller_nobody_is_asked_and_the_job_fails_with_the_remedy() -> None:
    decision, asked = ask(CLAIMED, caller=None)
    assert (decision.to, decision.reason) == (State.FAILED, Reason.INVALID_REQUEST)
    assert "DISPATCHER_CALLER" in decision.why
    assert (asked, decision.spent) == ([], False)


def test_a_jobs_own_caller_goes_before_the_accounts() -> None:
    _, asked = ask(Claim(replace(JOB, caller="0312345678"), 1), caller=None)
    assert [call.caller for call in asked] == ["0312345678"]


def test_a_429_says_for_how_long_the_whole_account_waits() -> None:
    decision, _ = ask(CLAIMED, Throttled("too many", retry_after=7))
    assert (decision.to, decision.throttled, decision.delay) == (State.SCHEDULED, 7, 7)


def test_a_lost_answer_leaves_the_job_uncertain() -> None:
    decision, asked = ask(CLAIMED, Lost())
    assert (decision.to, len(asked)) == (State.UNCERTAIN, 1)


@pytest.mark.parametrize(
    ("moments", "after", "bookings"),
    [
        pytest.param([0.0, 0.001], 0, [], id="in time"),
        pytest.param([0.0, 0.021], 0.02, [], id="in time for its slot"),
        pytest.param([0.0, 0.3, 0.301], 0, ["1"], id="late"),
        pytest.param([0.0, 0.3, 0.301], 0.02, ["1"], id="late for its slot"),
        pytest.param([0.0, 0.3, 0.6, 0.601], 0, ["1", "1'"], id="late again"),
        pytest.param([0.0, *range(1, 9)], 0, ["1", "1'", "1''"], id="always late"),
    ],
)
def test_a_request_that_goes_out_late_is_booked_anew(
    moments: list[float], after: float, bookings: list[str]
) -> None:
    store, clock = FakeStore(), chain(moments, repeat(moments[-1]))
    claim = replace(CLAIMED, booked="1", after=after)
    decision, _ = ask(claim, store=store, monotonic=clock.__next__)
    assert (decision.to, store.rebooked) == (State.IN_PROGRESS, bookings)


def test_how_a_request_went_is_told_to_the_limiter() -> None:
    clock = chain([0.0, 0.022, 0.023, 0.123], repeat(9.0))
    claim = replace(CLAIMED, booked="1", after=0.02)
    decision, _ = ask(claim, monotonic=clock.__next__)
    sent = decision.sent
    assert sent is not None
    assert (sent.booked, sent.took) == ("1", pytest.approx(8.877))
    assert sent.late == pytest.approx(0.103)


def test_a_late_request_waits_where_the_window_has_no_room_for_it() -> None:
    store, slept = FakeStore(), list[float]()
    store.full_for = 0.4
    clock = chain([0.0, 0.3, 0.3, 0.7, 0.7], repeat(0.71))
    claim = replace(CLAIMED, booked="1")
    decision, _ = ask(claim, store=store, monotonic=clock.__next__, sleep=slept.append)
    assert (store.rebooked, slept) == (["1"], [0.4])
    assert decision.sent
    assert decision.sent.booked == "1'"


def test_a_late_request_waits_for_no_room_that_comes_after_its_lease() -> None:
    """As after a 429 that says an hour: the job is given back now, not judged as lost."""
    store, slept = FakeStore(), list[float]()
    store.full_for = 3600
    clock = chain([0.0], repeat(0.3))
    claim = replace(CLAIMED, booked="1")
    decision, asked = ask(claim, store=store, monotonic=clock.__next__, sleep=slept.append)
    assert (slept, asked, decision.to, decision.spent) == ([], [], State.SCHEDULED, False)


def test_a_refused_request_is_told_with_its_booking() -> None:
    throttled = Throttled("too many", retry_after=7)
    decision, _ = ask(replace(CLAIMED, booked="1"), throttled)
    assert decision.wait_told
    assert decision.sent
    assert decision.sent.booked == "1"
    assert not ask(CLAIMED, Throttled("too many", retry_after=None))[0].wait_told


def test_where_no_limit_counts_a_request_it_is_not_booked_anew() -> None:
    store, late = FakeStore(), iter(range(100)).__next__
    decision, _ = ask(CLAIMED, store=store, monotonic=late)
    assert (decision.to, store.rebooked) == (State.IN_PROGRESS, [])


def test_a_late_request_waits_for_no_redis_that_is_away() -> None:
    store, late = FakeStore(), iter(range(100)).__next__
    store.error = StoreUnavailable("away")
    decision, _ = ask(replace(CLAIMED, booked="1"), store=store, monotonic=late)
    assert decision.to is State.IN_PROGRESS


def test_a_late_request_that_redis_will_not_book_is_given_back_and_spends_nothing() -> None:
    """Left to its lease it would be judged as lost, though nobody was asked."""
    store, late = FakeStore(), iter(range(100)).__next__
    store.error = NotAllowed("Redis does not allow its user +lrange: grant it with ACL SETUSER")
    decision, asked = ask(replace(CLAIMED, booked="1"), store=store, monotonic=late)
    assert (asked, decision.to, decision.spent) == ([], State.SCHEDULED, False)
    assert "+lrange" in decision.why


def test_a_worker_that_was_stopped_after_its_claim_sends_nothing() -> None:
    """Its lease may be over by the time of the answer, and the job dialled by another."""
    moments = iter([0.0, 21.0, 21.001, 21.002])
    decision, asked = ask(CLAIMED, monotonic=moments.__next__, answer=10)
    assert (decision.to, asked, decision.spent) == (State.SCHEDULED, [], False)
