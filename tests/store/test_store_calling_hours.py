"""Calling hours at the moment of dialling: who is asked about them, and that they are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.states import State
from dispatcher.store import Store
from dispatcher.store.values import Claim, Hours
from dispatcher.values.calling_hours import CallingHours, Window
from support.claims import claim_one
from support.clock import Clock
from support.store_jobs import RECIPIENT, START, assert_sound, claim, enqueue, snapshot

NOW = datetime.fromtimestamp(START / 1000, UTC)
HOURS = CallingHours.parse("09:00-17:00 Asia/Tokyo")


def ask(store: Store, id_: str) -> object:
    return claim_one(store, id_, token="t", lease=30)


def window(opens: float, closes: float) -> Window:
    """Seconds from the start."""
    return Window(NOW + timedelta(seconds=opens), NOW + timedelta(seconds=closes))


def test_a_job_with_hours_is_not_claimed_before_its_window_is_known(store: Store) -> None:
    id_ = enqueue(store, hours="08:00-21:00")
    answer = ask(store, id_)
    assert isinstance(answer, Hours)
    assert (answer.text, answer.job.id, answer.job.numbers) == ("08:00-21:00", id_, (RECIPIENT,))
    assert store.jobs.get(id_).attempts == ()
    assert store.queue.set_calling_window(id_, window(0, 60), "", "08:00-21:00") is State.QUEUED
    assert claim(store, id_).attempt == 1


def test_the_hours_of_the_account_are_for_all_but_urgent_jobs_and_those_of_any_time(
    store: Store,
) -> None:
    store.limiter.publish(AccountConfig(hours=HOURS, one_at_a_time=False))
    for fields in ({}, {"priority": "bulk"}):
        answer = ask(store, enqueue(store, **fields))
        assert isinstance(answer, Hours)
        assert answer.text == HOURS.text
    for fields in ({"priority": "urgent"}, {"hours": "any"}):
        assert isinstance(ask(store, enqueue(store, **fields)), Claim)


def test_hours_of_its_own_are_for_an_urgent_job_too(store: Store) -> None:
    store.limiter.publish(AccountConfig(hours=HOURS))
    answer = ask(store, enqueue(store, priority="urgent", hours="10:00-11:00"))
    assert isinstance(answer, Hours)
    assert answer.text == "10:00-11:00"


def test_a_job_outside_of_its_hours_waits_for_them_and_spends_nothing(
    store: Store, clock: Clock
) -> None:
    id_ = enqueue(store, hours="08:00-21:00")
    assert (
        store.queue.set_calling_window(id_, window(60, 120), "too early", "08:00-21:00")
        is State.SCHEDULED
    )
    job = store.jobs.get(id_)
    assert (job.due_at, job.spent, job.timeline[-1].why) == (
        NOW + timedelta(seconds=60),
        0,
        "too early",
    )
    clock.forward(60)
    store.queue.pump()
    assert claim(store, id_).attempt == 1
    assert_sound(snapshot(store))


def test_a_window_that_closes_before_the_turn_comes_is_asked_for_again(
    store: Store, clock: Clock
) -> None:
    id_ = enqueue(store, hours="08:00-21:00")
    store.queue.set_calling_window(id_, window(0, 60), "", "08:00-21:00")
    clock.forward(60)
    assert isinstance(ask(store, id_), Hours)


def test_a_window_of_hours_that_were_changed_since_does_not_count(store: Store) -> None:
    store.limiter.publish(AccountConfig(hours=HOURS))
    id_ = enqueue(store)
    store.queue.set_calling_window(id_, window(0, 60), "", HOURS.text)
    store.limiter.publish(AccountConfig(hours=CallingHours.parse("10:00-11:00 Asia/Tokyo")))
    assert isinstance(ask(store, id_), Hours)


def test_hours_that_never_come_fail_the_job_and_too_late_ones_expire_it(store: Store) -> None:
    never, late = enqueue(store, hours="08:00-21:00"), enqueue(store, expires=50, hours="any")
    assert (
        store.queue.set_calling_window(never, None, "no common hours", "08:00-21:00")
        is State.FAILED
    )
    assert store.jobs.get(never).reason == "not_allowed"
    assert store.queue.set_calling_window(late, window(60, 120), "", "any") is State.EXPIRED


def test_what_is_not_queued_any_more_is_not_admitted(store: Store) -> None:
    id_ = enqueue(store)
    claim(store, id_)
    assert store.queue.set_calling_window(id_, window(60, 120), "", "any") is State.DIALING
    assert store.queue.set_calling_window("nosuchjob", window(60, 120), "", "any") is None


@pytest.mark.parametrize("fraction", [0.0, 0.4, 0.6, 0.999])
def test_a_window_that_is_open_now_is_open_whatever_the_fraction_of_the_clock(
    store: Store, clock: Clock, fraction: float
) -> None:
    id_ = enqueue(store, hours="00:00-24:00")
    clock.ms = START + fraction
    now = datetime.fromtimestamp(store.now() / 1000, UTC)
    found = CallingHours.parse("00:00-24:00").window([RECIPIENT], now)
    assert store.queue.set_calling_window(id_, found, "", "00:00-24:00") is State.QUEUED
    assert claim(store, id_).attempt == 1


@settings(max_examples=40)
@given(waits=st.lists(st.integers(1, 30 * 3600), min_size=1, max_size=6))
def test_no_claim_is_ever_granted_outside_of_the_hours(store: Store, waits: list[int]) -> None:
    clock = Clock()
    store._connection._clock = clock
    store.limiter.publish(AccountConfig(hours=HOURS, one_at_a_time=False, connections=1000))
    id_ = enqueue(store)
    for wait in waits:
        clock.forward(wait)
        store.queue.pump()
        now = datetime.fromtimestamp(clock.ms / 1000, UTC)
        answer = ask(store, id_)
        if isinstance(answer, Hours):
            store.queue.set_calling_window(
                id_, HOURS.window(answer.job.numbers, now), "not now", HOURS.text
            )
            answer = ask(store, id_)
        open_now = 0 <= now.hour < 8  # 9 to 17 in Tokyo
        assert isinstance(answer, Claim) == open_now
        if open_now:
            return
