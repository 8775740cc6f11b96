"""One job's turn at the provider, with a store and a provider that are told what to answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, repeat
from typing import Any

import pytest

from dispatcher.model.call import CallRef
from dispatcher.model.job import Job
from dispatcher.model.kinds import Kind
from dispatcher.model.states import Reason, State
from dispatcher.policy import Decision, Policy
from dispatcher.provider import OutgoingCall, Throttled
from dispatcher.provider.fake import FakeProvider, Lost, Step
from dispatcher.store import codec
from dispatcher.store.errors import StoreUnavailable, TooFewReplicas
from dispatcher.store.values import Claim, Hours, Wait
from dispatcher.values.callback_urls import CallbackUrls, Signer
from dispatcher.values.calling_hours import Window
from workers.engine.dial import Dial, Turn

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
JOB = codec.job("a" * 16, RECORD)
HELD = codec.job(
    JOB.id,
    RECORD
    | {"state": "held", "reason": "credit", "events": "1", "t0": "0 held:credit worker poor"},
)
CALLER = "+815012345678"
NOON_IN_TOKYO = datetime(2026, 7, 1, 3, tzinfo=UTC)
CLAIMED = Claim(JOB, 1)


class FakeStore:
    """Answers claims from a list, and writes down all that is asked of it."""

    def __init__(self, *claims: Any) -> None:
        self.jobs = self.queue = self.calls = self.limiter = self.replicas = self.holds = self
        self.claims = list(claims)
        self.asked: list[tuple[str, str]] = []
        self.windows: list[tuple[Window | None, str]] = []
        self.settled: list[Decision] = []
        self.log: list[str] = []
        self.held: Job | None = HELD

    def claim(
        self,
        id_: str,
        *,
        token: str,
        lease: float,
        slot: str = "",
        provider: str = "",
        replicas: int = 0,
    ) -> Any:
        assert replicas == 1
        assert (id_, lease, provider) == (JOB.id, 30, "fake")
        self.asked.append((token, slot))
        self.log.append("claim")
        answer = self.claims.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def set_calling_window(self, id_: str, window: Window | None, why: str, hours: str) -> State:
        assert id_ == JOB.id
        self.windows.append((window, why))
        return State.QUEUED

    def get_many(self, ids: list[str]) -> list[Job | None]:
        assert ids == [JOB.id]
        return [self.held]

    def now(self) -> float:
        return NOON_IN_TOKYO.timestamp() * 1000 + 0.9

    def needed(self) -> int:
        return 1

    def look(self) -> int:
        return 0

    def settle(
        self,
        id_: str,
        attempt: int,
        decision: Decision,
        *,
        token: str | None = None,
        replicas: int = 0,
    ) -> State:
        assert (id_, attempt) == (JOB.id, 1)
        self.settled.append(decision)
        return decision.to


class Provider(FakeProvider):
    """Tells the store's log when it is asked."""

    def __init__(self, store: FakeStore, *script: Step) -> None:
        super().__init__()
        self.store = store
        self.next(*script)

    @property
    def asked(self) -> list[OutgoingCall]:
        """Every call that was placed."""
        return [call.asked for call in self.calls]

    def place(self, call: OutgoingCall, *, before_sending: Callable[[], None]) -> CallRef:
        self.store.log.append("ask")
        return super().place(call, before_sending=before_sending)


def turn(
    store: FakeStore,
    *script: Step,
    caller: str | None = CALLER,
    sleep: Callable[[float], None] = lambda seconds: None,
    callbacks: CallbackUrls | None = None,
) -> tuple[Turn, Provider]:
    provider = Provider(store, *script)
    dial = Dial(
        store,  # type: ignore[arg-type]
        provider,
        policy=Policy(),
        lease=30,
        caller=caller,
        callbacks=callbacks,
        token=lambda: "token",
        sleep=sleep,
        nudge=lambda: store.log.append("nudge"),
    )
    return dial(JOB.id), provider


def test_a_claimed_job_is_asked_for_once_and_settled() -> None:
    store = FakeStore(CLAIMED)
    done, provider = turn(store)
    assert done == Turn(JOB.id, State.IN_PROGRESS)
    (asked,) = provider.asked
    assert (asked.caller, asked.numbers) == (CALLER, ("+818011234567",))
    assert (asked.say, asked.lang, asked.play) == ("Disk full", "en", None)
    assert [decision.call for decision in store.settled] == [CallRef(("call-1",))]


def test_the_provider_is_told_where_to_report_this_very_attempt() -> None:
    store = FakeStore(CLAIMED)
    urls = CallbackUrls("https://voice.example.com", Signer(["k" * 16]), 3600)
    _, provider = turn(store, callbacks=urls)
    (asked,) = provider.asked
    assert asked.callback_url == urls.of(JOB.id, 1, datetime.fromtimestamp(SENT / 1000, UTC))


def test_a_conference_is_asked_for_its_status_and_reports_nowhere() -> None:
    several = replace(JOB, kind=Kind.CONFERENCE, numbers=("+818011234567", "+818011234568"))
    urls = CallbackUrls("https://voice.example.com", Signer(["k" * 16]), 3600)
    _, provider = turn(FakeStore(Claim(several, 1)), callbacks=urls)
    assert {asked.callback_url for asked in provider.asked} == {None}


def test_the_jobs_own_params_go_with_its_call() -> None:
    _, provider = turn(FakeStore(Claim(replace(JOB, params={"jp_line": "1"}), 1)))
    assert [asked.params for asked in provider.asked] == [{"jp_line": "1"}]


def test_without_a_public_url_the_provider_is_told_none() -> None:
    _, provider = turn(FakeStore(CLAIMED))
    assert [asked.callback_url for asked in provider.asked] == [None]


def test_others_are_fed_before_the_provider_is_asked() -> None:
    store = FakeStore(CLAIMED)
    turn(store)
    assert store.log == ["claim", "nudge", "ask"]


def test_a_master_that_has_no_replica_any_more_is_asked_again_with_the_same_token() -> None:
    store = FakeStore(TooFewReplicas(1, 0, [CLAIMED]), CLAIMED)
    done, provider = turn(store)
    assert store.asked == [("token", ""), ("token", "")]
    assert (done.state, len(provider.asked)) == (State.IN_PROGRESS, 1)


def test_a_wait_is_slept_and_its_slot_brought_back_with_the_same_token() -> None:
    store = FakeStore(Wait(0.2, "slot-1"), Wait(0.05, "slot-2"), CLAIMED)
    slept: list[float] = []
    done, provider = turn(store, sleep=slept.append)
    assert slept == [0.2, 0.05]
    assert store.asked == [("token", ""), ("token", "slot-1"), ("token", "slot-2")]
    assert done.state is State.IN_PROGRESS
    assert len(provider.asked) == 1


@pytest.mark.parametrize(
    "state", [State.CANCELLED, State.HELD, State.EXPIRED, State.SCHEDULED, State.FAILED, None]
)
def test_what_comes_up_during_the_wait_keeps_the_provider_unasked(state: State | None) -> None:
    store = FakeStore(Wait(0.2, "slot-1"), state)
    done, provider = turn(store)
    assert (done.job_id, done.state) == (JOB.id, state)
    assert provider.asked == []
    assert store.settled == []


def test_a_message_that_came_too_late_asks_nobody() -> None:
    store = FakeStore(State.COMPLETED)
    done, provider = turn(store)
    assert (done.state, provider.asked) == (State.COMPLETED, [])


def test_within_its_calling_hours_a_job_is_admitted_and_claimed_again() -> None:
    store = FakeStore(Hours(JOB, "08:00-21:00"), CLAIMED)
    done, provider = turn(store)
    ((window, _),) = store.windows
    assert window == Window(NOON_IN_TOKYO, datetime(2026, 7, 1, 12, tzinfo=UTC))
    assert (done.state, len(provider.asked)) == (State.IN_PROGRESS, 1)


def test_a_window_that_is_open_now_opens_no_later_than_now_as_redis_counts() -> None:
    store = FakeStore(Hours(JOB, "00:00-24:00"), CLAIMED)
    turn(store)
    ((window, _),) = store.windows
    assert window
    assert window.opens.timestamp() * 1000 <= int(store.now())


def test_outside_its_calling_hours_a_job_waits_for_the_next_ones() -> None:
    store = FakeStore(Hours(JOB, "14:00-21:00"), State.SCHEDULED)
    done, provider = turn(store)
    ((window, why),) = store.windows
    assert window
    assert window.opens == datetime(2026, 7, 1, 5, tzinfo=UTC)
    assert why == "outside the calling hours: 14:00-21:00, in Asia/Tokyo"
    assert (done.state, provider.asked) == (State.SCHEDULED, [])


def test_hours_that_never_meet_are_said_never_to_open() -> None:
    far = replace(JOB, numbers=("+818011234567", "+12025550123"))
    store = FakeStore(Hours(far, "09:00-17:00"), State.FAILED)
    done, provider = turn(store)
    ((window, why),) = store.windows
    assert window is None
    assert "09:00-17:00: they are never open at once in Asia/Tokyo and America/New_York" in why
    assert (done.state, provider.asked) == (State.FAILED, [])


def test_without_a_caller_nobody_is_asked_and_the_job_fails_with_the_remedy() -> None:
    store = FakeStore(CLAIMED)
    done, provider = turn(store, caller=None)
    assert (done.state, done.reason) == (State.FAILED, Reason.INVALID_REQUEST)
    assert "DISPATCHER_CALLER" in done.why
    assert provider.asked == []
    assert [decision.spent for decision in store.settled] == [False]


def test_a_jobs_own_caller_goes_before_the_accounts() -> None:
    store = FakeStore(Claim(replace(JOB, caller="0312345678"), 1))
    _, provider = turn(store, caller=None)
    assert [asked.caller for asked in provider.asked] == ["0312345678"]


def test_a_429_says_for_how_long_the_whole_account_waits() -> None:
    store = FakeStore(CLAIMED)
    done, _ = turn(store, Throttled("too many", retry_after=7))
    (decision,) = store.settled
    assert (done.state, decision.throttled, decision.delay) == (State.SCHEDULED, 7, 7)


def test_a_lost_answer_leaves_the_job_uncertain() -> None:
    store = FakeStore(CLAIMED)
    done, provider = turn(store, Lost())
    assert done.state is State.UNCERTAIN
    assert len(provider.asked) == 1


@pytest.mark.parametrize(
    ("moments", "bookings"),
    [
        pytest.param([0.0, 0.001], [], id="in time"),
        pytest.param([0.0, 0.3, 0.301], ["1"], id="late"),
        pytest.param([0.0, 0.3, 0.6, 0.601], ["1", "1'"], id="late again"),
        pytest.param([0.0, *range(1, 9)], ["1", "1'", "1''"], id="always late"),
    ],
)
def test_a_request_that_goes_out_late_is_booked_anew(
    moments: list[float], bookings: list[str]
) -> None:
    store = FakeStore(replace(CLAIMED, booked="1"))
    asked: list[str] = []

    def rebook(booked: str) -> str:
        asked.append(booked)
        return booked + "'"

    store.limiter.rebook = rebook  # type: ignore[attr-defined]
    dial = Dial(
        store,  # type: ignore[arg-type]
        Provider(store),
        Policy(),
        30,
        CALLER,
        monotonic=chain(moments, repeat(moments[-1])).__next__,
    )
    assert dial(JOB.id).state is State.IN_PROGRESS
    assert asked == bookings


def test_where_no_limit_counts_a_request_it_is_not_booked_anew() -> None:
    store = FakeStore(CLAIMED)  # which has no method to book with
    late = iter(range(100)).__next__
    dial = Dial(store, Provider(store), Policy(), 30, CALLER, monotonic=late)  # type: ignore[arg-type]
    assert dial(JOB.id).state is State.IN_PROGRESS


def test_a_late_request_waits_for_no_redis_that_is_away() -> None:
    store = FakeStore(replace(CLAIMED, booked="1"))

    def rebook(booked: str) -> str:
        raise StoreUnavailable("away")

    store.limiter.rebook = rebook  # type: ignore[attr-defined]
    late = iter(range(100)).__next__
    dial = Dial(store, Provider(store), Policy(), 30, CALLER, monotonic=late)  # type: ignore[arg-type]
    assert dial(JOB.id).state is State.IN_PROGRESS


def test_a_job_that_is_held_says_behind_which_gate_and_why() -> None:
    done, provider = turn(FakeStore(State.HELD))
    assert done == Turn(JOB.id, State.HELD, "credit", "poor")
    assert provider.asked == []


def test_a_worker_that_was_stopped_after_its_claim_sends_nothing() -> None:
    """Its lease may be over by the time of the answer, and the job dialled by another."""
    store = FakeStore(CLAIMED)
    store.limiter.rebook = lambda booked: booked  # type: ignore[attr-defined]
    provider = Provider(store)
    moments = iter([0.0, 21.0, 21.001, 21.002])
    dial = Dial(
        store,  # type: ignore[arg-type]
        provider,
        Policy(),
        30,
        CALLER,
        monotonic=moments.__next__,
        answer=10,
    )
    assert dial(JOB.id).state is State.SCHEDULED
    assert provider.asked == []
    assert not store.settled[0].spent
