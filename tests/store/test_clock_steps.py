"""Redis' clock jumps by an hour and comes back: nothing stands still for longer than a lease."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.outcome import Outcome
from dispatcher.model.states import State
from dispatcher.provider import AnswerLost, NeverReached
from dispatcher.store import Store
from dispatcher.store.callbacks import Callback
from dispatcher.values.rate import Rate
from support.claims import taken
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from support.store_jobs import at, claim, enqueue, in_progress, placed, refused

HOUR = 3600.0
_NUMBERS = itertools.count(1)
WINDOW = 300.0  # the evidence window of the tests' policy


def limited(store: Store, rate: str = "5") -> None:
    """Let so many requests out a second, to any number again and again."""
    config = AccountConfig(
        rate=Rate.parse(rate), gap=0, per_day=None, one_at_a_time=False, connections=1000, lease=60
    )
    store.limiter.publish(config)


def dialled(store: Store, clock: Clock, id_: str, within: float) -> float:
    """Dial as a worker does, which comes back at least each second; return how long it took."""
    began = clock.ms
    while not (answer := taken(store, 1, lease=60)).claims:
        assert (clock.ms - began) / 1000 < within, answer
        clock.forward(max(0.001, min(answer.again or 1.0, 1.0)))
    (claim,) = answer.claims
    assert claim.job.id == id_
    clock.forward(claim.after)
    return (clock.ms - began) / 1000


def jump(clock: Clock, store: Store) -> None:
    """Have the clock an hour ahead for as long as one call is dialled, and then right again."""
    clock.forward(HOUR)
    dialled(store, clock, enqueue(store), within=5)
    clock.forward(-HOUR)


@pytest.mark.parametrize("rate", ["0.5", "5", "200"])
def test_dialling_goes_on_at_once_when_the_clock_is_right_again(
    store: Store, clock: Clock, rate: str
) -> None:
    limited(store, rate)
    dialled(store, clock, enqueue(store), within=5)
    jump(clock, store)
    period = max(1.0, 1 / Rate.parse(rate).per_second)
    for _ in range(3):
        assert dialled(store, clock, enqueue(store), within=60) < 2.5 * period


@settings(max_examples=30)
@given(
    steps=st.lists(st.sampled_from([0.0, 2.0, HOUR]), min_size=1, max_size=4),
    rate=st.sampled_from(["0.5", "5", "20"]),
)
def test_going_back_never_lets_more_out_than_the_limit(
    redis_client: redis.Redis, steps: list[float], rate: str
) -> None:
    """In real time: the clock's own, and what it was set back by."""
    clock = Clock()
    store = Store(redis_client, namespace=f"steps{next(_NUMBERS)}", clock=clock)
    limited(store, rate)
    most = max(1, int(Rate.parse(rate).per_second))
    real, offset = [], 0.0
    for back in steps:
        clock.forward(-back)
        offset += back * 1000
        for _ in range(most + 2):
            dialled(store, clock, enqueue(store), within=60)
            real.append(clock.ms + offset)
    period = most / Rate.parse(rate).per_second * 1000
    gaps = [later - early for early, later in zip(real, real[most:], strict=False)]
    assert min(gaps) >= period - 1


def test_requests_from_before_the_clock_was_ahead_count_as_when_they_were_made(
    store: Store, clock: Clock
) -> None:
    """Where nobody has seen the jump, one request comes early; none may after the way back."""
    limited(store)
    real = []
    for _ in range(5):
        dialled(store, clock, enqueue(store), within=5)
        real.append(clock.steady())
    clock.step(HOUR)
    dialled(store, clock, enqueue(store), within=5)
    real.append(clock.steady())
    clock.step(-HOUR)
    for _ in range(5):
        dialled(store, clock, enqueue(store), within=5)
        real.append(clock.steady())
    gaps = [later - early for early, later in zip(real, real[5:], strict=False)]
    assert min(gaps[1:]) >= 1


def test_a_429_that_comes_while_the_clock_is_ahead_holds_nobody_for_that_hour(
    redis_client: redis.Redis, clock: Clock
) -> None:
    store = Store(
        redis_client, namespace=f"steps{next(_NUMBERS)}", clock=clock, steady=clock.steady
    )
    limited(store)
    dialled(store, clock, enqueue(store), within=5)
    clock.step(HOUR)
    store.limiter.throttle(2.0)
    clock.forward(1)
    dialled(store, clock, enqueue(store), within=5)


def test_it_is_told_once_by_an_account_event(store: Store, clock: Clock) -> None:
    limited(store)
    jump(clock, store)
    for _ in range(3):
        dialled(store, clock, enqueue(store), within=5)
    told = [event for event in store.events.after() if event.kind == "clock.stepped"]
    assert [round(event.facts["by"], -4) for event in told] == [-HOUR * 1000]


def test_the_connections_are_free_again_after_a_lease(store: Store, clock: Clock) -> None:
    limited(store, "200")
    clock.forward(HOUR)
    for number in range(4):
        clock.forward(1)
        assert store.limiter.take_slot(f"dead-{number}")[0]
    clock.forward(-HOUR)
    store.queue.pump()
    clock.forward(61)
    store.queue.pump()
    assert redis_of(store).zcard(key_of(store, "connections")) == 0


def next_moment(store: Store, id_: str) -> float:
    """Return in how many seconds something happens to a job next."""
    state = store.jobs.get(id_).state
    score = redis_of(store).zscore(key_of(store, "due", state), id_)
    assert score is not None
    return (float(score) - store.now()) / 1000


def written_ahead(store: Store, clock: Clock, state: State) -> tuple[str, float]:
    """Bring a job to a state by a clock that is an hour ahead, which then goes back; return it, and
    in how many seconds something was to happen next.
    """
    id_ = enqueue(store)
    clock.forward(HOUR)
    made = claim(store, id_)
    if state is State.IN_PROGRESS:
        store.calls.settle(id_, 1, placed())
    elif state is State.UNCERTAIN:
        store.calls.settle(id_, 1, refused(AnswerLost("cut"), made.job))
    elif state is State.SCHEDULED:
        store.calls.settle(id_, 1, refused(NeverReached("no connection"), made.job))
    assert store.jobs.get(id_).state is state
    meant = next_moment(store, id_)
    clock.forward(-HOUR)
    return id_, meant


@pytest.mark.parametrize("state", [State.DIALING, State.UNCERTAIN, State.SCHEDULED])
def test_what_happens_next_is_as_far_ahead_as_it_was_meant(
    store: Store, clock: Clock, state: State
) -> None:
    id_, meant = written_ahead(store, clock, state)
    assert next_moment(store, id_) > HOUR
    for _ in range(3):  # however often it is looked at
        store.clock.follow()
        assert next_moment(store, id_) == pytest.approx(meant, abs=0.01)


def test_without_a_step_nothing_is_moved(store: Store, clock: Clock) -> None:
    first, second = in_progress(store, "call-1"), in_progress(store, "call-2")
    clock.forward(0.5)
    before = next_moment(store, first), next_moment(store, second)
    store.clock.follow()
    assert (next_moment(store, first), next_moment(store, second)) == before


def test_a_moment_that_was_asked_for_stays(store: Store, clock: Clock) -> None:
    clock.forward(HOUR)
    wanted = at(clock.ms) + timedelta(hours=2)
    id_ = enqueue(store, at=wanted)
    clock.forward(-HOUR)
    store.clock.follow()
    assert next_moment(store, id_) == pytest.approx(3 * HOUR)


def test_when_a_callback_came_by_a_clock_that_went_back_is_not_known(
    store: Store, clock: Clock
) -> None:
    store.callbacks.receive([Callback("a" * 16, 1, "c", "ANSWERED", Outcome.ANSWERED)], {})
    assert store.callbacks.seen().last == clock.ms
    clock.forward(-HOUR)
    assert store.callbacks.seen().last is None


def test_a_callback_that_came_meanwhile_is_applied_before_a_window_is_over(
    store: Store, clock: Clock
) -> None:
    id_ = in_progress(store, "call-1")
    clock.forward(HOUR)
    report = Callback(id_, 1, "call-1", "ANSWERED", Outcome.ANSWERED)
    store.callbacks.receive([report], {})
    clock.forward(-HOUR)
    assert store.callbacks.take() == [report]
