"""Whoever asks in whatever order, late or never again: the limiter keeps its promises."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import redis
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dispatcher.model.account_config import AccountConfig
from dispatcher.store import Store
from dispatcher.values.rate import Rate
from support.clock import Clock
from support.limiter_model import Connections, Crowd, Worker, Working, least_gap
from support.redis_inside import redis_of, root_of
from workers.engine.clock_watch import ClockWatch

RATES = ["0.5", "5", "200", "30/minute"]
SETTLED = 5
"""Slots within which each process that has work asks once."""
PERIODS = 30
"""Slots that pass in each example."""

FEW = settings(max_examples=8)
HABITS = st.lists(
    st.one_of(st.just(0.0), st.floats(0, 5000), st.floats(0, 30), st.none()),
    min_size=1,
    max_size=4,
)
KINDS = st.sampled_from(["urgent", "normal"])
WORKERS = st.lists(st.builds(Worker, KINDS, HABITS), min_size=1, max_size=8)
PUNCTUAL = st.lists(st.builds(Worker, KINDS), max_size=7)
THROTTLES = st.lists(st.tuples(st.floats(0, 30), st.floats(0, 5)), max_size=3)
STEPS = st.lists(
    st.tuples(st.floats(0, 20), st.sampled_from([-7200.0, -3600.0, -5.0, -1.5, 1.5, 5.0, 3600.0])),
    min_size=1,
    max_size=4,
)
"""Slots that pass, and the seconds by which Redis' clock steps then."""

_NUMBERS = itertools.count()

Begin = Callable[..., tuple[Store, Clock]]


@pytest.fixture
def begin(redis_client: redis.Redis) -> Begin:
    """A store of its own for each example."""

    def make(rate: str | None, **fields: object) -> tuple[Store, Clock]:
        clock = Clock()
        store = Store(
            redis_client, namespace=f"limiter{next(_NUMBERS)}", clock=clock, steady=clock.steady
        )
        parsed = None if rate is None else Rate.parse(rate)
        rules = {"rate": parsed, "one_at_a_time": False, "connections": 10_000, **fields}
        store.limiter.publish(AccountConfig(**rules))  # type: ignore[arg-type]
        return store, clock

    return make


def another(store: Store, clock: Clock) -> Store:
    """The same records, as another process sees them."""
    return Store(
        redis_of(store), namespace=root_of(store).strip("{}"), clock=clock, steady=clock.steady
    )


def watching(store: Store, clock: Clock) -> ClockWatch:
    return ClockWatch(store, clock.steady)


@pytest.mark.parametrize("rate", RATES)
@FEW
@given(workers=WORKERS, throttles=THROTTLES)
def test_no_window_ever_has_more_than_the_limit(
    begin: Begin, rate: str, workers: list[Worker], throttles: list[tuple[float, float]]
) -> None:
    store, clock = begin(rate, recovery=20)
    limit = Rate.parse(rate)
    crowd = Crowd(store, clock, workers)
    for after, wait in throttles:
        crowd.run(after / limit.per_second)
        store.limiter.throttle(wait)
        crowd.run(wait)
    crowd.run(PERIODS / limit.per_second + 1)
    assert least_gap(crowd.grants, limit) >= 1


@pytest.mark.parametrize("rate", ["0.5", "5", "200", "30/minute"])
@FEW
@given(workers=WORKERS, steps=STEPS, unseen=st.sampled_from([0.0, 0.5, 3.0]))
def test_no_window_of_real_time_has_more_wherever_the_clock_steps(
    begin: Begin, rate: str, workers: list[Worker], steps: list[tuple[float, float]], unseen: float
) -> None:
    """Whether a request or beat comes first after it."""
    store, clock = begin(rate)
    limit = Rate.parse(rate)
    crowd, watch = Crowd(store, clock, [Worker("normal"), *workers]), watching(store, clock)
    for after, step in steps:
        crowd.run(after / limit.per_second)
        watch()
        crowd.step(step)
        crowd.run(unseen / limit.per_second)
        watch()
    crowd.run(15 / limit.per_second + 1)
    assert least_gap(crowd.grants, limit) >= 1


@pytest.mark.parametrize("rate", ["0.5", "5", "200"])
@example(  # the first to see the step books anew what goes out late
    workers=[Worker("urgent", [each]) for each in (0.0, 629.0, 0.0, 0.0, 1872.0)],
    steps=[(11.0, 1.5)],
)
@FEW
@given(workers=WORKERS, steps=STEPS)
def test_it_holds_for_several_processes_each_of_which_knows_but_what_it_was_told(
    begin: Begin, rate: str, workers: list[Worker], steps: list[tuple[float, float]]
) -> None:
    """A step is followed once, whoever sees it, and undone by nobody who was told before it."""
    store, clock = begin(rate)
    limit = Rate.parse(rate)
    crowd_of = [Worker("normal"), Worker("normal", process=1), Worker("urgent", process=2)]
    others = [another(store, clock) for _ in "12"]
    crowd = Crowd(store, clock, [*crowd_of, *workers], others)
    for after, step in steps:
        crowd.run((after + SETTLED) / limit.per_second + 0.1)
        crowd.step(step)
    crowd.run(15 / limit.per_second + 1)
    assert least_gap(crowd.grants, limit) >= 1


@pytest.mark.parametrize("rate", ["0.5", "5"])
@FEW
@given(steps=STEPS)
def test_requests_go_on_wherever_the_clock_steps(
    begin: Begin, rate: str, steps: list[tuple[float, float]]
) -> None:
    """A step costs no more than a few slots."""
    store, clock = begin(rate)
    per_second = Rate.parse(rate).per_second
    crowd, watch = Crowd(store, clock, [Worker("normal")] * 2), watching(store, clock)
    for after, step in steps:
        crowd.run(after / per_second)
        watch()
        crowd.step(step)
        watch()
        assert len(crowd.run(10 / per_second)) >= 7


@pytest.mark.parametrize("rate", RATES)
@FEW
@given(others=PUNCTUAL)
def test_hardly_a_slot_is_left_while_somebody_always_asks(
    begin: Begin, rate: str, others: list[Worker]
) -> None:
    store, clock = begin(rate)
    per_second = Rate.parse(rate).per_second
    grants = Crowd(store, clock, [Worker("normal"), *others]).run(100 / per_second)
    assert len(grants) >= 96


@FEW
@given(
    waits=st.lists(
        st.tuples(st.sampled_from([0.0, 5.0, 999.0, 1001.0, 60_000.0]), st.floats(0, 3)),
        max_size=15,
    )
)
def test_the_working_rate_is_as_modelled_within_its_bounds_and_never_falls_by_itself(
    begin: Begin, waits: list[tuple[float, float]]
) -> None:
    store, clock = begin("5", recovery=600)
    model = Working(600_000)
    for pause, wait in waits:
        clock.ms += pause
        store.limiter.throttle(wait)
        model.throttled(clock.ms)
        last = 0.0
        for _ in range(3):
            working = store.limiter.pace().working_rate or 0
            assert working == pytest.approx(5 * model.at(clock.ms), abs=1e-6)
            assert max(last, 0.5 - 1e-9) <= working <= 5
            last = working
            clock.ms += 100


@settings(FEW, max_examples=60)
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("take"), st.integers(0, 5)),
            st.tuples(st.just("give"), st.integers(0, 5)),
            st.tuples(st.just("wait"), st.sampled_from([1, 500, 4999, 5000])),
        ),
        max_size=40,
    )
)
def test_connections_are_as_modelled(begin: Begin, steps: list[tuple[str, int]]) -> None:
    store, clock = begin(None, connections=3, lease=5)
    model = Connections(3, 5000)
    for number, (what, value) in enumerate(steps):
        if what == "take":
            holder = f"holder-{number}"
            assert store.limiter.take_slot(holder)[0] == model.take(holder, clock.ms)
        elif what == "give" and value < len(model.ends):
            holder = list(model.ends)[value]
            store.limiter.give_back(holder)
            del model.ends[holder]
        elif what == "wait":
            clock.ms += value
        assert store.limiter.pace().connections in {
            model.count(clock.ms),
            model.count(clock.ms - 1),
        }
        assert store.limiter.pace().connections <= 3
