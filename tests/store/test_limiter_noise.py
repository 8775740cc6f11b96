"""The limit by the provider's own strict count, where the way to it varies: from a seed."""

from __future__ import annotations

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.sandbox.limits import Limit
from dispatcher.store import Store
from dispatcher.values.rate import Rate
from support.clock import Clock
from support.provider_line import BUSY, QUIET, STALLS, Line, Noise, Steps


def limit(store: Store, rate: str, **fields: float) -> Limit:
    store.limiter.publish(
        AccountConfig(rate=Rate.parse(rate), one_at_a_time=False, connections=1000, **fields)
    )
    return Limit.parse(f"{rate}/s")


def margin(store: Store) -> float:
    return store.limiter.pace().margin or 0.0


@pytest.mark.parametrize(
    ("rate", "seconds", "noise_and_use"),
    [
        ("5", 120, (QUIET, 0.985)),
        ("20", 30, (QUIET, 0.985)),
        ("5", 120, (BUSY, 0.97)),
        ("50", 20, (BUSY, 0.97)),
        ("20", 30, (STALLS, 0.97)),
    ],
)
def test_hardly_a_request_is_refused_and_the_limit_is_used(
    store: Store, clock: Clock, rate: str, seconds: int, noise_and_use: tuple[Noise, float]
) -> None:
    noise, used = noise_and_use
    strict = limit(store, rate)
    line = Line(store, clock, [strict], noise=noise, seed=7, askers=2 + strict.most // 10)
    line.run(2)
    begin = clock.ms
    line.run(seconds)
    assert line.books.refused == []
    assert line.books.used(strict, begin, clock.ms) >= used


def test_the_margin_follows_how_much_round_trips_differ_up_and_down(
    store: Store, clock: Clock
) -> None:
    limit(store, "50")
    steps = Steps(store)
    for took in (50, 51, 52) * 20:
        steps.answered("0", 0, took)
    assert margin(store) == 0.01
    for took in (50, 90) * 10:
        steps.answered("0", 0, took)
    assert margin(store) == 0.025
    for took in (50, 51, 52) * 250:
        steps.answered("0", 0, took)
    assert margin(store) == 0.01


def test_a_provider_whose_answers_always_vary_costs_no_more_than_the_widest_margin_and_a_little(
    store: Store, clock: Clock
) -> None:
    strict = limit(store, "20")
    line = Line(store, clock, [strict], askers=6, service=50, spread=6)
    line.run(2)
    begin = clock.ms
    line.run(30)
    assert line.books.used(strict, begin, clock.ms) >= 0.94


def full_windows(store: Store, clock: Clock, seconds: int) -> str:
    """Have the limit used for so long; return what the last request is booked by."""
    steps, end, booked = Steps(store), clock.ms + seconds * 1000, ""
    while clock.ms < end:
        name, after = steps.ask(f"r{clock.ms}", 0)
        booked = name or booked
        clock.ms += 0 if name else after
    return booked


def test_a_lone_429_after_many_that_went_through_widens_the_margin_and_costs_little(
    store: Store, clock: Clock
) -> None:
    limit(store, "5")
    booked = full_windows(store, clock, 30)
    store.limiter.throttle(1, told=True, booked=booked)
    assert store.limiter.pace().working_rate == 5
    assert margin(store) == pytest.approx(0.014)
    clock.forward(1800)
    assert margin(store) == pytest.approx(0.012)
    clock.forward(1800)
    assert margin(store) == pytest.approx(0.01)


def test_lone_ones_that_come_again_and_again_widen_it_as_far_as_it_may_go(
    store: Store, clock: Clock
) -> None:
    limit(store, "5", margin_most=0.02)
    for _ in range(6):
        booked = full_windows(store, clock, 10)
        store.limiter.throttle(1, told=True, booked=booked)
    assert store.limiter.pace().working_rate == 5
    assert margin(store) == pytest.approx(0.02)


def test_a_run_of_429s_is_a_lower_limit_and_is_learned(store: Store, clock: Clock) -> None:
    limit(store, "5")
    strict = Limit.parse("3/s")
    line = Line(store, clock, [strict], askers=3)
    line.run(60)
    assert (store.limiter.pace().working_rate or 0) < 4
    assert len(line.books.refused) <= 10
    assert line.books.used(strict, clock.ms - 50_000, clock.ms) > 0.75


def test_many_that_were_under_way_together_tell_it_once(store: Store, clock: Clock) -> None:
    limit(store, "5")
    booked = full_windows(store, clock, 30)
    for _ in range(4):
        store.limiter.throttle(1, told=True, booked=booked)
        clock.ms += 400  # answers that took their time; asked before the first was refused
    assert store.limiter.pace().working_rate == 5
    assert margin(store) == pytest.approx(0.014, abs=1e-5)
