"""Many jobs in one take: each is judged by itself, at the moment of dialling."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.do_not_call import Wish
from dispatcher.model.states import Priority, State
from dispatcher.store import Store
from dispatcher.store.holds import PauseScope
from dispatcher.store.spending import Period, SpendingLimit
from dispatcher.values.calling_hours import Window
from support.claims import take, taken
from support.clock import Clock
from support.store_jobs import (
    START,
    assert_sound,
    at,
    enqueue,
    placed,
    snapshot,
)

HOURS = "08:00-21:00"
NUMBERS = [f"+8180123400{number:02}" for number in range(20)]
NOW = datetime.fromtimestamp(START / 1000, UTC)


def some(store: Store, many: int, **fields: Any) -> list[str]:
    """Enqueue so many jobs, each for a number of its own; return them in their order in line."""
    return sorted(enqueue(store, recipient=NUMBERS[at], **fields) for at in range(many))


def states(store: Store, ids: list[str]) -> list[State]:
    return [store.jobs.get(id_).state for id_ in ids]


def window(opens: float, closes: float) -> Window:
    """Seconds from the start."""
    return Window(NOW + timedelta(seconds=opens), NOW + timedelta(seconds=closes))


def test_a_claim_is_written_before_it_is_given(store: Store, clock: Clock) -> None:
    ids = some(store, 3)
    clock.forward(2)
    claims = taken(store, lease=30, provider="xoxzo").claims
    assert [claim.job.id for claim in claims] == ids
    for claim in claims:
        job = store.jobs.get(claim.job.id)
        assert claim.job == replace(job, next_at=None, timeline=())  # which are not given
        assert (claim.attempt, job.state, job.spent) == (1, State.DIALING, 0)
        assert job.attempt is not None
        assert (job.attempt.sent_at, job.next_at) == (at(START + 2000), at(START + 32_000))
        assert job.attempt.provider == "xoxzo"
    assert taken(store).claims == ()


def test_one_that_was_cancelled_is_not_claimed_and_the_others_are(store: Store) -> None:
    ids = some(store, 3)
    store.jobs.cancel(ids[1], actor="cli")
    assert take(store) == [ids[0], ids[2]]
    assert store.jobs.get(ids[1]).attempts == ()


@pytest.mark.parametrize(
    "scope", [PauseScope(tag="x"), PauseScope(priority=Priority.BULK)], ids=str
)
def test_those_that_a_pause_stops_are_parked_and_the_others_claimed(
    store: Store, scope: PauseScope
) -> None:
    paused, going = enqueue(store, tags=["x"], priority="bulk"), enqueue(store)
    store.holds.pause(scope, actor="kim")
    assert take(store) == [going]
    job = store.jobs.get(paused)
    assert (job.state, job.attempts) == (State.HELD, ())
    assert_sound(snapshot(store))


def test_those_that_a_hold_of_all_stops_are_parked_in_one_take(store: Store) -> None:
    ids = some(store, 5)
    store.holds.pause(PauseScope(), actor="kim")
    answer = taken(store, 2)
    assert (answer.claims, answer.again) == ((), None)
    assert states(store, ids) == [State.HELD] * 5
    store.holds.resume(PauseScope(), actor="kim")
    assert store.queue.pump().released == 5
    assert take(store) == ids


def test_those_who_are_overdue_expire_and_the_others_are_claimed(
    store: Store, clock: Clock
) -> None:
    overdue, just, going = enqueue(store, expires=5), enqueue(store, expires=5.001), enqueue(store)
    clock.forward(5)
    assert sorted(take(store)) == sorted([just, going])
    assert store.jobs.get(overdue).state is State.EXPIRED


def test_somebody_who_is_on_the_do_not_call_list_is_not_called_and_the_others_are(
    store: Store,
) -> None:
    ids = some(store, 3)
    listed = store.jobs.get(ids[1]).numbers[0]
    store.do_not_call.add([Wish.of(listed)], actor="cli:ann")
    assert take(store) == [ids[0], ids[2]]
    job = store.jobs.get(ids[1])
    assert (job.state, job.reason, job.attempts) == (State.FAILED, "do_not_call", ())


def test_a_number_is_claimed_once_in_one_take(store: Store) -> None:
    store.limiter.publish(AccountConfig(one_at_a_time=True))
    ids = sorted(enqueue(store) for _ in range(3))
    other = enqueue(store, recipient=NUMBERS[0])
    conference = enqueue(
        store, recipient=None, say=None, participants=[NUMBERS[0], NUMBERS[1]], priority="bulk"
    )
    claimed = take(store)
    assert len(claimed) == 2
    assert other in claimed
    assert sorted(states(store, ids)) == [State.DIALING, State.SCHEDULED, State.SCHEDULED]
    assert store.jobs.get(conference).state is State.SCHEDULED
    assert_sound(snapshot(store))


# -- credit and limits ---------------------------------------------------------------------


def test_credit_that_ends_in_the_middle_of_a_take_holds_the_rest(store: Store) -> None:
    store.limiter.publish(AccountConfig(floor=50, expected_cost=20, one_at_a_time=False))
    look = store.budget.take_check(lease=60, now=True)
    assert look is not None
    store.budget.note_balance(Decimal(100), look, 300)
    ids = some(store, 5)
    assert take(store) == ids[:3]  # the last one is paid for by what is left above the floor
    assert states(store, ids[3:]) == [State.HELD] * 2
    assert [hold.name for hold in store.holds.all()] == ["credit"]
    assert_sound(snapshot(store))


def test_a_limit_that_is_reached_in_the_middle_of_a_take_holds_those_it_counts(
    store: Store, clock: Clock
) -> None:
    store.limiter.publish(AccountConfig(expected_cost=10, one_at_a_time=False))
    store.spending.set(SpendingLimit("tag:x", Decimal(25), Period.TOTAL))
    clock.forward(0.001)  # it counts from then on
    limited, free = some(store, 4, tags=["x"]), enqueue(store, priority="bulk")
    assert take(store) == [*limited[:2], free]
    assert states(store, limited[2:]) == [State.HELD] * 2
    assert [hold.name for hold in store.holds.all()] == ["limit:tag:x"]


def test_a_day_that_is_over_is_set_before_anything_goes_on(store: Store, clock: Clock) -> None:
    store.limiter.publish(AccountConfig(spend_per_day=100, expected_cost=10, one_at_a_time=False))
    store.spending.begin_day("UTC")
    ids = some(store, 3)
    assert take(store, 1) == ids[:1]
    clock.forward(86_400)
    answer = taken(store)
    assert (answer.claims, answer.day) == ((), "UTC")
    assert states(store, ids[1:]) == [State.QUEUED] * 2
    store.spending.begin_day(answer.day)
    assert take(store) == ids[1:]


def test_one_job_tries_where_a_hold_is_half_open_and_the_others_wait(store: Store) -> None:
    ids = some(store, 3)
    store.holds.start("auth", "401", refused=True)
    look = store.budget.take_check(lease=60, now=True)
    assert look is not None
    store.budget.note_balance(Decimal(100), look, 300)
    assert [hold.half_open for hold in store.holds.all()] == [True]
    assert take(store) == ids[:1]
    assert states(store, ids[1:]) == [State.HELD] * 2
    store.calls.settle(ids[0], 1, placed())
    assert store.holds.all() == []
    assert store.queue.pump().released == 2
    assert take(store) == ids[1:]


# -- calling hours -------------------------------------------------------------------------


def test_those_whose_calling_windows_are_to_be_set_hold_up_no_others(store: Store) -> None:
    first = enqueue(store, recipient=NUMBERS[0], hours=HOURS, priority="urgent")
    second = enqueue(store, recipient=NUMBERS[1], hours=HOURS)
    going = enqueue(store, recipient=NUMBERS[2], priority="bulk")
    answer = taken(store)
    assert [claim.job.id for claim in answer.claims] == [going]
    assert [(each.job.id, each.text) for each in answer.hours] == [(first, HOURS), (second, HOURS)]
    assert taken(store).hours == ()  # a worker sets them
    assert_sound(snapshot(store))
    store.queue.set_calling_window(second, window(60, 120), "too early", HOURS)
    store.queue.set_calling_window(first, window(-60, 60), "", HOURS)
    assert take(store) == [first]
    assert states(store, [first, second]) == [State.DIALING, State.SCHEDULED]
    assert_sound(snapshot(store))


def test_a_worker_that_dies_while_it_sets_a_window_holds_its_job_up_for_moments(
    store: Store, clock: Clock
) -> None:
    id_ = enqueue(store, hours=HOURS)
    assert len(taken(store).hours) == 1
    clock.forward(14.999)
    assert store.queue.pump().aside == 0
    assert taken(store).hours == ()
    clock.forward(0.001)
    assert store.queue.pump().aside == 1
    assert_sound(snapshot(store))
    assert [hours.job.id for hours in taken(store).hours] == [id_]


def test_a_window_that_is_set_late_is_set(store: Store, clock: Clock) -> None:
    id_ = enqueue(store, hours=HOURS)
    taken(store)
    clock.forward(15)
    store.queue.pump()
    assert store.queue.set_calling_window(id_, window(0, 60), "", HOURS) is State.QUEUED
    assert_sound(snapshot(store))
    assert take(store) == [id_]


def test_one_whose_window_is_being_set_can_be_cancelled_and_expires(
    store: Store, clock: Clock
) -> None:
    cancelled, overdue = enqueue(store, hours=HOURS), enqueue(store, hours=HOURS, expires=5)
    assert len(taken(store).hours) == 2
    store.jobs.cancel(cancelled, actor="cli")
    clock.forward(5)
    assert store.queue.pump().expired == 1
    assert states(store, [cancelled, overdue]) == [State.CANCELLED, State.EXPIRED]
    for id_ in (cancelled, overdue):
        state = store.jobs.get(id_).state
        assert store.queue.set_calling_window(id_, window(0, 60), "", HOURS) is state
    assert_sound(snapshot(store))


def test_one_whose_window_is_being_set_goes_by_its_new_priority(store: Store) -> None:
    id_ = enqueue(store, hours=HOURS, priority="bulk")
    taken(store)
    store.jobs.prioritise(id_, Priority.URGENT, actor="cli")
    assert_sound(snapshot(store))
    store.queue.set_calling_window(id_, window(0, 60), "", HOURS)
    assert_sound(snapshot(store))
    other = enqueue(store)
    assert take(store) == [id_, other]
