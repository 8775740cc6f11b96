"""The account's limiter, by example: what asks, when it goes out, and what it waits for."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.store import Store
from dispatcher.store.values import Claim
from dispatcher.values.rate import Rate
from support.claims import Wait, claim_one, take
from support.clock import Clock
from support.limiter_model import Crowd, Worker, least_gap
from support.provider_line import Steps
from support.store_jobs import claim, enqueue, placed, warm

RATES = ["30/minute", "90/minute", "5", "200"]


def limit(store: Store, rate: str, **fields: object) -> float:
    """Publish rules with this rate; return it per second."""
    parsed = Rate.parse(rate)
    given: dict[str, Any] = {"one_at_a_time": False, "connections": 1000, **fields}
    store.limiter.publish(AccountConfig(**{"rate": parsed, **given}))
    return parsed.per_second


def exactly(store: Store, rate: str, **fields: object) -> float:
    """The same without a margin, in the middle of work."""
    found = limit(store, rate, margin=0.0, margin_most=0.0, **fields)
    warm(store)
    return found


def granted(store: Store, holder: str) -> bool:
    return store.limiter.take_slot(holder, patience=0)[0]


def wait_of(store: Store, holder: str, **how: Any) -> float:
    """Return in how many seconds to ask again."""
    found, wait = store.limiter.take_slot(holder, patience=0, **how)
    assert not found
    return wait


def test_a_request_is_granted_for_its_slot_a_little_ahead(store: Store, clock: Clock) -> None:
    exactly(store, "5")
    assert store.limiter.take_slot("a", patience=0.3) == (True, 0)
    found, after = store.limiter.take_slot("b", patience=0.3)
    assert found
    assert after == pytest.approx(0.19)  # a twentieth before its even place
    found, again = store.limiter.take_slot("c", patience=0.3)
    assert not found
    assert again == pytest.approx(0.08)


def test_slots_are_even_and_make_good_what_a_late_request_cost(store: Store, clock: Clock) -> None:
    """The window alone decides in the long run."""
    exactly(store, "5")
    crowd = Crowd(store, clock, [Worker("normal")])
    moments = [grant.at - clock.ms for grant in crowd.run(10)]
    assert len(moments) == pytest.approx(50, abs=1)
    steps = Steps(store)
    booked, _ = steps.ask("late", 1000)
    steps.answered(booked, 30, 50)  # it came 30 ms late
    assert len(crowd.run(10)) >= 49


def test_the_first_second_after_a_pause_is_a_little_slower(store: Store, clock: Clock) -> None:
    """Connections are made then, and requests arrive less evenly."""
    limit(store, "100", margin=0.0, margin_most=0.0)
    crowd = Crowd(store, clock, [Worker("normal") for _ in range(4)])
    first = [grant.at for grant in crowd.run(1)]
    assert len(first) == pytest.approx(96, abs=2)
    assert first[50] - first[0] == pytest.approx(50 * 10.45, abs=1)
    assert len(crowd.run(1)) == pytest.approx(100, abs=1)


def test_a_request_that_goes_out_late_keeps_those_after_it_away(store: Store, clock: Clock) -> None:
    exactly(store, "2")
    first = claim(store, enqueue(store)).booked
    clock.ms += 500
    claim(store, enqueue(store))
    clock.ms += 100
    booked, after = store.limiter.rebook(first)  # 600 ms late, after the second
    assert (booked, after) == (f"{round(clock.ms * 1000)}", 0)
    clock.ms += 999  # a second after the first was booked, not after it was sent
    assert not granted(store, "third")
    clock.ms += 1
    assert granted(store, "third")
    assert not granted(store, "fourth")


def test_one_that_is_later_than_a_whole_window_goes_out_only_where_there_is_room(
    store: Store, clock: Clock
) -> None:
    exactly(store, "2")
    first = claim(store, enqueue(store)).booked
    clock.ms += 5000
    assert granted(store, "a")
    clock.ms += 600
    assert granted(store, "b")
    _, after = store.limiter.rebook(first)
    assert after == pytest.approx(0.4)
    clock.ms += 900
    assert not granted(store, "c")  # b, and the late one at 1,000
    clock.ms += 100
    assert granted(store, "c")


def test_a_late_answer_counts_as_a_late_arrival(store: Store, clock: Clock) -> None:
    """Where the way there was slow, nobody can tell; the next ones keep away all the same."""
    exactly(store, "1")
    steps = Steps(store)
    for number in range(40):
        booked, _ = steps.ask(f"usual-{number}", 1000)
        steps.answered(booked, 0, 50)
        clock.ms += 1000
    booked, _ = steps.ask("slow", 0)
    assert booked
    steps.answered(booked, 0, 90)
    clock.ms += 1000
    assert wait_of(store, "next") == pytest.approx(0.040)


def test_idle_time_saves_nothing_up(store: Store, clock: Clock) -> None:
    limit(store, "5")
    granted(store, "a")
    clock.forward(3600)
    assert granted(store, "b")
    assert not granted(store, "c")


def test_all_who_were_granted_late_keep_to_the_limit_of_a_slower_rate_and_of_the_full_one(
    store: Store, clock: Clock
) -> None:
    limit(store, "5", recovery=10**6)
    store.limiter.throttle(0)
    late = [Worker("normal", [3000.0 - 150 * n]) for n in range(8)]
    crowd = Crowd(store, clock, [Worker("normal"), *late])
    assert len(crowd.run(20)) > 30
    assert least_gap(crowd.grants, Rate(5)) >= 1
    assert least_gap(crowd.grants, Rate(3.5)) >= 1


@pytest.mark.parametrize("share", [0.1, 0.15, 0.3])
def test_checks_have_their_share_and_no_more_while_jobs_wait(
    store: Store, clock: Clock, share: float
) -> None:
    limit(store, "20", share=share)
    jobs = {enqueue(store) for _ in range(100)}
    checks = 0
    for _ in range(200):
        checks += store.limiter.take_slot(f"check-{checks}")[0]
        jobs -= set(take(store, 1))
        clock.ms += 10
    dials = 100 - len(jobs)
    assert dials + checks >= 36
    assert share * (dials + checks) - 1 <= checks <= share * (dials + checks) + 2


@pytest.mark.parametrize("rate", RATES)
def test_checks_have_everything_while_no_job_waits(store: Store, clock: Clock, rate: str) -> None:
    per_second, begin = limit(store, rate), clock.ms
    grants = 0
    while clock.ms < begin + 100_000 / per_second:
        found, wait = store.limiter.take_slot(f"check-{grants}")
        grants += found
        clock.ms += wait * 1000
    assert grants >= 96


def test_a_full_share_is_no_hindrance_when_the_last_job_has_gone(
    store: Store, clock: Clock
) -> None:
    exactly(store, "5")
    id_ = enqueue(store)
    assert granted(store, "a")
    clock.ms += 200
    assert wait_of(store, "b") > 1
    store.jobs.cancel(id_, actor="cli")
    assert granted(store, "b")


def test_a_job_that_waits_for_its_slot_spends_nothing_and_is_still_cancelled(store: Store) -> None:
    limit(store, "0.5")
    claim(store, enqueue(store))
    id_ = enqueue(store)
    assert isinstance(claim_one(store, id_, token="t", lease=30), Wait)
    job = store.jobs.get(id_)
    assert (job.state, job.spent, job.attempts) == ("queued", 0, ())
    store.jobs.cancel(id_, actor="cli")
    assert claim_one(store, id_, token="t", lease=30) == "cancelled"


def test_no_more_requests_are_under_way_than_there_are_connections(
    store: Store, clock: Clock
) -> None:
    store.limiter.publish(AccountConfig(connections=2, lease=64, one_at_a_time=False))
    id_, other = enqueue(store), enqueue(store)
    claim(store, id_)
    assert granted(store, "check")
    assert isinstance(claim_one(store, other, token="t", lease=30), Wait)
    store.calls.settle(id_, 1, placed())
    assert isinstance(claim_one(store, other, token="t", lease=30), Claim)
    assert not granted(store, "another check")
    store.limiter.give_back("check")
    assert granted(store, "another check")


def test_the_connection_of_a_crashed_process_comes_back_after_its_lease(
    store: Store, clock: Clock
) -> None:
    store.limiter.publish(AccountConfig(connections=1, lease=64))
    assert granted(store, "crashed")
    clock.forward(63.999)
    assert not granted(store, "next")
    clock.forward(0.001)
    assert granted(store, "next")


def test_who_finds_no_connection_takes_no_slot(store: Store, clock: Clock) -> None:
    limit(store, "5", connections=1)
    assert granted(store, "slow")
    clock.forward(10)
    assert wait_of(store, "b") == pytest.approx(0.02)
    store.limiter.give_back("slow")
    assert granted(store, "b")


def test_a_late_answer_of_an_older_attempt_gives_back_no_connection(
    store: Store, clock: Clock
) -> None:
    store.limiter.publish(AccountConfig(connections=1, one_at_a_time=False))
    id_ = enqueue(store)
    claim(store, id_)
    clock.forward(30)
    store.calls.rescue(300)
    store.jobs.cancel(id_, actor="cli")
    store.jobs.retry(id_, actor="cli")
    claim(store, id_)
    store.calls.settle(id_, 1, placed("late"))
    assert not granted(store, "check")


def test_without_a_limit_only_connections_and_a_429_are_waited_for(
    store: Store, clock: Clock
) -> None:
    store.limiter.publish(AccountConfig(rate=None, connections=1000))
    assert all(granted(store, f"check-{n}") for n in range(500))
    store.limiter.throttle(3)
    assert wait_of(store, "late") == pytest.approx(3)
    assert store.limiter.pace().working_rate is None
    clock.forward(3)
    assert all(granted(store, f"later-{n}") for n in range(500))


@pytest.mark.parametrize("rate", RATES)
def test_nothing_goes_out_before_the_moment_the_provider_named(
    store: Store, clock: Clock, rate: str
) -> None:
    per_second = limit(store, rate)
    crowd = Crowd(store, clock, [Worker("normal")] * 9)
    crowd.run(10 / per_second)
    store.limiter.throttle(7)
    crowd.run(AHEAD_OF_IT)
    assert crowd.run(6.999 - AHEAD_OF_IT) == []
    assert crowd.run(0.002 + 2 / per_second)


AHEAD_OF_IT = 0.026
"""Seconds: what was granted just before goes out all the same."""


def test_a_herd_of_429s_slows_down_once_and_the_longest_wait_counts(
    store: Store, clock: Clock
) -> None:
    limit(store, "10")
    for wait in (2, 9, 4):
        store.limiter.throttle(wait)
        clock.forward(0.1)
    assert store.limiter.pace().working_rate == pytest.approx(7, abs=0.01)
    assert store.limiter.pace().next_slot == pytest.approx(8.8)


def test_the_working_rate_keeps_a_tenth_and_comes_back_within_the_recovery(
    store: Store, clock: Clock
) -> None:
    limit(store, "10", recovery=600)
    for _ in range(20):
        store.limiter.throttle(0)
        clock.forward(1.001)
    assert store.limiter.pace().working_rate == pytest.approx(1, abs=0.05)
    seen = []
    for _ in range(12):
        clock.forward(60)
        seen.append(store.limiter.pace().working_rate or 0)
    assert seen == sorted(seen)
    assert seen[4] < 10
    assert seen[-2:] == [10, 10]


def test_a_clock_that_steps_back_after_a_429_leaves_a_rate_to_work_with(
    store: Store, clock: Clock
) -> None:
    limit(store, "10", recovery=10)
    store.limiter.throttle(0)
    clock.forward(-60)
    assert store.limiter.pace().working_rate == pytest.approx(7)


def test_it_is_told_for_how_long_no_request_went_out(store: Store, clock: Clock) -> None:
    assert store.limiter.pace().idle > 1e6
    assert store.limiter.take_slot("a check")[0]
    clock.forward(7)
    assert store.limiter.pace().idle == pytest.approx(7, abs=0.1)
