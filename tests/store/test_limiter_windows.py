"""Limits of a minute, an hour, a day: kept where they are told, found where they are not."""

from __future__ import annotations

from itertools import pairwise

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.sandbox.limits import Limit
from dispatcher.store import Store
from dispatcher.values.rate import Rate
from support.claims import taken
from support.clock import Clock
from support.provider_line import Line, Steps
from support.redis_inside import key_of, redis_of
from support.store_jobs import enqueue

MINUTE = Limit.parse("60/min")


def limit(store: Store, rate: str, **fields: float) -> None:
    store.limiter.publish(
        AccountConfig(rate=Rate.parse(rate), one_at_a_time=False, connections=1000, **fields)
    )


def booked(steps: Steps, holder: str, *, urgent: bool = False) -> bool:
    return bool(steps.ask(holder, 0, urgent=urgent)[0])


def test_urgent_jobs_may_use_up_a_window_at_once_and_no_more(store: Store, clock: Clock) -> None:
    limit(store, "60/minute")
    for _ in range(70):
        enqueue(store, priority="urgent")
    claims = [claim for _ in range(4) for claim in taken(store, 25).claims]
    assert len(claims) == 60
    assert max(claim.after for claim in claims) == 0
    clock.ms += 60_000
    assert not taken(store, 25).claims
    clock.ms += 31  # a window's margin
    assert len(taken(store, 25).claims) == 10


def test_a_burst_of_urgent_jobs_takes_no_other_along(store: Store, clock: Clock) -> None:
    """Others have turns of their own among urgent ones, but not before their slots."""
    limit(store, "60/minute")
    for priority in ("urgent", "normal", "bulk"):
        for _ in range(40):
            enqueue(store, priority=priority)
    gone = [claim.job.priority for _ in range(2) for claim in taken(store, 25).claims]
    assert gone.count("urgent") >= 39
    assert len(gone) <= 41


def test_all_others_are_spaced_evenly_and_leave_a_place_in_thirty_to_urgent_ones(
    store: Store, clock: Clock
) -> None:
    limit(store, "60/minute")
    for priority in ("normal", "bulk"):
        for _ in range(60):
            enqueue(store, priority=priority)
    gone = []
    for _ in range(900):
        gone += [clock.ms for _ in taken(store, 25).claims]
        clock.ms += 100
    gaps = [b - a for a, b in pairwise(gone)]
    assert min(gaps) >= 900
    assert len(gone) >= 0.95 * 90
    for _ in range(5):
        enqueue(store, priority="urgent")
    assert [claim.job.priority for claim in taken(store, 25).claims] == ["urgent"] * 2


def test_told_a_minute_the_strict_window_sees_no_request_too_many_and_is_used(
    store: Store, clock: Clock
) -> None:
    limit(store, "60/minute")
    line = Line(store, clock, [MINUTE], askers=2)
    begin = clock.ms
    for _ in range(6):
        line.run(30)
        line.ask_urgently()
    assert line.books.refused == []
    assert line.books.used(MINUTE, begin, clock.ms) >= 0.95


def test_not_told_a_minute_is_found_with_few_refusals_and_then_used(
    store: Store, clock: Clock
) -> None:
    limit(store, "5")
    line = Line(store, clock, [MINUTE], askers=6)
    begin = clock.ms
    line.run(240)
    books = line.books
    assert len(books.accepted) > 200
    assert len(books.refused) <= 5
    found = books.refused[0]
    assert found - begin < 15_000
    assert books.used(MINUTE, found + 60_000, clock.ms) >= 0.95
    assert [str(rate) for rate in store.limiter.pace().found] == ["60/min"]
    assert store.limiter.pace().working_rate == 5


@pytest.mark.parametrize("rate", ["200/hour", "300/day"])
def test_an_hour_and_a_day_are_found_as_well(store: Store, clock: Clock, rate: str) -> None:
    limit(store, "5")
    strict = Limit.parse(rate)
    line = Line(store, clock, [strict], askers=3)
    line.run(70)
    assert len(line.books.refused) <= 4
    assert [str(each) for each in store.limiter.pace().found] == [str(Rate.parse(rate))]
    line.run(2 * strict.window)
    assert len(line.books.refused) <= 5
    assert len(line.books.accepted) >= 1.9 * strict.most


def test_two_windows_at_once_are_found(store: Store, clock: Clock) -> None:
    limit(store, "5")
    line = Line(store, clock, [MINUTE, Limit.parse("150/hour")], askers=3)
    line.run(400)
    assert [str(rate) for rate in store.limiter.pace().found] == ["60/min", "150/h"]
    assert len(line.books.refused) <= 6


def test_a_second_is_found_where_a_minute_was_told(store: Store, clock: Clock) -> None:
    """Bursts that the window has room for, and the provider has not."""
    limit(store, "60/minute")
    line = Line(store, clock, [MINUTE, Limit.parse("3/s")], askers=0)
    for _ in range(8):
        line.ask_urgently()
    line.run(5)
    assert [str(rate) for rate in store.limiter.pace().found] == ["3/s"]
    refused = len(line.books.refused)
    for _ in range(60):
        line.ask_urgently()
        line.run(0.1)
    assert len(line.books.refused) == refused


def test_what_was_found_is_tried_again_slowly_and_a_raised_limit_is_noticed(
    store: Store, clock: Clock
) -> None:
    limit(store, "5")
    line = Line(store, clock, [MINUTE], askers=1)
    line.run(61)
    before = len(line.books.refused)
    line.run(3600)
    assert 1 <= len(line.books.refused) - before <= 4
    line.throttles = []
    clock.forward(24 * 3600)
    begin = clock.ms
    line.run(60)
    assert sum(at >= begin for at in line.books.accepted) > 240


def test_a_429_that_names_no_time_is_no_window(store: Store, clock: Clock) -> None:
    """The wait is our own guess then."""
    limit(store, "5")
    steps = Steps(store)
    for number in range(4):
        assert booked(steps, f"r{number}")
        clock.ms += 300
    store.limiter.throttle(45)
    assert store.limiter.pace().found == ()
    assert store.limiter.pace().working_rate == pytest.approx(3.5)


def test_a_refused_request_takes_no_place_in_the_window(store: Store, clock: Clock) -> None:
    limit(store, "2/hour")
    steps = Steps(store)
    name, _ = steps.ask("refused", 0, urgent=True)
    store.limiter.throttle(1, told=True, booked=name)
    assert redis_of(store).llen(key_of(store, "recent")) == 0
